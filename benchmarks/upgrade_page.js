// Runs before a page's own scripts: notes when each picture of the others was shown, how loud each of them was, how long the page
// was busy, and the steps of a move to the server.
const shown = (window.shown = {});
const steps = (window.steps = []);
const busy = []; // tasks of more than 50 ms: {startTime, duration}
new PerformanceObserver((list) => busy.push(...list.getEntries())).observe({ type: "longtask", buffered: true });

function watch(video) {
  const pictures = (shown[video.dataset.userId] ??= []);
  const note = (now, { presentationTime, presentedFrames }) => {
    pictures.push({ at: presentationTime, count: presentedFrames });
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}

addEventListener("load", () => {
  for (const video of document.querySelectorAll("video[data-user-id]")) watch(video);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node.matches?.("video[data-user-id]")) watch(node);
  }).observe(document.body, { childList: true, subtree: true });
  conference.on("modechange", () => steps.push({ step: "mode", at: performance.now() }));
  conference.on("move", ({ stream, step }) => steps.push({ step, at: performance.now(), of: stream.userId }));
});

/** Resolves once `look()` is true. */
window.comes = (look) =>
  new Promise((resolve) => {
    const timer = setInterval(() => look() && (clearInterval(timer), resolve()), 50);
  });

/** So many others are shown, with pictures that move. */
window.sees = (others) => Object.values(shown).filter((pictures) => pictures.length > 30).length >= others;

/** Everything comes by the server, and no direct connection is left. */
window.moved = () => conference.mode === "SFU" && conference.directConnections.size === 0 && conference.streams.every(({ way }) => way === "server");

// ---- sound: what each element that plays somebody gives out, as loud as it is set

const SLOT = 0.005; // seconds that a level is told for
const AT_ONCE = 40; // of them in one message: the page has other things to do
const LEVELS = `registerProcessor("levels", class extends AudioWorkletProcessor {
  sum = 0; samples = 0; told = [];
  process([[channel]]) {
    for (const sample of channel ?? []) this.sum += sample * sample;
    this.samples += 128;
    if (this.samples < sampleRate * ${SLOT}) return true;
    this.told.push([currentTime, Math.sqrt(this.sum / this.samples)]);
    this.sum = this.samples = 0;
    if (this.told.length >= ${AT_ONCE}) this.port.postMessage(this.told.splice(0));
    return true;
  }
});`;

const ear = new AudioContext();
const ready = ear.audioWorklet.addModule(URL.createObjectURL(new Blob([LEVELS], { type: "text/javascript" })));
const heard = new Map(); // by track: {userId, levels: [[time, level]]}
const settings = []; // what elements play, and how loud, whenever it changes: {at, element, track, volume}

/** Somebody's steady tone in the place of a microphone. */
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await open(wanted);
  for (const track of stream.getAudioTracks()) {
    const out = ear.createMediaStreamDestination();
    const tone = new OscillatorNode(ear, { frequency: 440 });
    tone.connect(new GainNode(ear, { gain: 0.3 })).connect(out);
    tone.start();
    stream.removeTrack(track);
    stream.addTrack(out.stream.getAudioTracks()[0]);
  }
  return stream;
};

async function listen(track) {
  if (heard.has(track)) return;
  const levels = [];
  heard.set(track, levels);
  await ready;
  const node = new AudioWorkletNode(ear, "levels");
  node.port.onmessage = ({ data }) => levels.push(...data);
  ear.createMediaStreamSource(new MediaStream([track])).connect(node).connect(new GainNode(ear, { gain: 0 })).connect(ear.destination);
}

function noteSound(element) {
  const track = element.paused && !element.autoplay ? null : (element.srcObject?.getAudioTracks()[0] ?? null);
  settings.push({ at: ear.currentTime, element, track, volume: element.muted ? 0 : element.volume });
  if (track) listen(track);
}

/** Elements whose stream gets or loses a track. */
const playing = new Map();
for (const name of ["addTrack", "removeTrack"]) {
  const change = MediaStream.prototype[name];
  MediaStream.prototype[name] = function (track) {
    change.call(this, track);
    for (const element of playing.get(this) ?? []) noteSound(element);
  };
}

for (const name of ["volume", "srcObject", "muted"]) {
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, name);
  Object.defineProperty(HTMLMediaElement.prototype, name, {
    get,
    set(value) {
      set.call(this, value);
      if (name === "srcObject" && value) playing.set(value, [...(playing.get(value) ?? []), this]);
      noteSound(this);
    },
  });
}

/** Seconds for which nothing of these tracks was to be heard, at the longest, in [from, to) of the audio's clock. */
function silence(tracks, from, to) {
  const LOUD = 0.02;
  let longest = 0, since = from;
  for (let at = from; at < to; at += SLOT) {
    const now = new Map();
    for (const setting of settings) if (setting.at <= at) now.set(setting.element, setting);
    let level = 0;
    for (const { track, volume } of now.values()) if (tracks.has(track)) level += volume * levelAt(track, at);
    if (level > LOUD) since = at + SLOT;
    longest = Math.max(longest, at + SLOT - since);
  }
  return longest;
}

function levelAt(track, at) {
  const levels = heard.get(track) ?? [];
  let low = 0, high = levels.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (levels[middle][0] < at) low = middle + 1;
    else high = middle;
  }
  return Math.abs((levels[low]?.[0] ?? -1) - at) < 2 * SLOT ? levels[low][1] : 0;
}

// ---- what came of it

function longest(pictures, from, to) {
  const spans = pictures.slice(1).map(({ at, count }, i) => ({ from: pictures[i].at, to: at, gap: at - pictures[i].at, missed: Math.max(0, count - pictures[i].count - 1) }));
  const within = spans.filter((span) => span.to > from && span.from < to);
  return { gap: Math.max(0, ...within.map(({ gap }) => gap)), least: Math.max(0, ...within.map(({ gap, missed }) => gap / (missed + 1))), missed: within.reduce((sum, { missed }) => sum + missed, 0) };
}

/**
 * Milliseconds for each of those who were there before: longest gap in the second before, during the move, and at the exchange itself.
 * `least`: the one of the move, if what was shown while the page could not look (`missed`) came evenly. `busy`: the page's longest task.
 */
window.gaps = () => {
  const begin = steps.find(({ step }) => step === "mode").at;
  const offset = ear.currentTime - performance.now() / 1000; // of the audio's clock
  return steps.filter(({ step }) => step === "moved").map(({ of, at }) => {
    const move = longest(shown[of], begin, at + 500);
    const tracks = tracksOf(of);
    return {
      before: longest(shown[of], begin - 1000, begin).gap,
      move: move.gap,
      least: move.least,
      missed: move.missed,
      exchange: longest(shown[of], at - 5, at + 150).gap,
      took: at - begin,
      busy: Math.max(0, ...busy.filter(({ startTime }) => startTime > begin && startTime < at + 500).map(({ duration }) => duration)),
      sound_before: 1000 * silence(tracks, begin / 1000 - 1 + offset, begin / 1000 + offset),
      sound: 1000 * silence(tracks, begin / 1000 + offset, at / 1000 + 0.5 + offset),
    };
  });
};

/** All tracks that have ever been played for somebody: the visible element's, and those of the helper beside it. */
function tracksOf(userId) {
  const video = document.querySelector(`video[data-user-id="${userId}"]`);
  const tracks = new Set(settings.filter(({ element, track }) => element === video && track).map(({ track }) => track));
  return tracks;
}
