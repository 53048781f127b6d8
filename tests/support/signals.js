// What people look and sound like in end-to-end tests: put into the conference page by browsers.py, called by name.
//
// Everybody has a number. A camera picture is a grid of blocks that tell the number twice (as it is, and inverted) in
// two colours, and a count of pictures in black and white; the sound is a steady tone. Whoever looks reads the numbers
// back from what the page's own <video> elements show, and the tone from the streams behind them.

const COLUMNS = 8;
const ROWS = 4;
const BITS = 4; // of a number, and half the bits of the count
const ONE = [240, 160, 30];
const ZERO = [30, 60, 200];
const CELL = 6; // pixels of a block when it is looked at
const TOLERANCE_HZ = 20;
const AUDIBLE = -60; // dB
const LOOK_EVERY = 30; // milliseconds, where there is no event to wait for
const WINDOW = 8192; // samples a tone is told from

/** @returns {number} Hz */
const toneOf = (number) => 500 + 230 * number;

const signals = {};

// ---- being seen and heard

let speaker = null;

function camera(number, {width = 320, height = 180, fps = 15} = {}) {
  const canvas = Object.assign(document.createElement('canvas'), {width, height});
  const context = canvas.getContext('2d');
  let count = 0;
  const draw = () => paint(context, number, count++);
  draw();
  setInterval(draw, 1000 / fps);
  speaker ??= new AudioContext();
  const out = speaker.createMediaStreamDestination();
  const tone = new OscillatorNode(speaker, {frequency: toneOf(number)});
  tone.connect(new GainNode(speaker, {gain: 0.3})).connect(out);
  tone.start();
  return new MediaStream([...canvas.captureStream(fps).getTracks(), ...out.stream.getTracks()]);
}

function paint(context, number, count) {
  const {width, height} = context.canvas;
  for (let index = 0; index < COLUMNS * ROWS; index++) {
    const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)];
    context.fillStyle = `rgb(${colourOf(column, row, number, count)})`;
    context.fillRect((column * width) / COLUMNS, (row * height) / ROWS, width / COLUMNS + 1, height / ROWS + 1);
  }
}

function colourOf(column, row, number, count) {
  if (row < 2) return (number >> column % BITS) & 1 ^ (column >= BITS) ? ONE : ZERO;
  return (count >> column) & 1 ? [255, 255, 255] : [0, 0, 0];
}

signals.publish = async (number, options = {}) => {
  const {codec, simulcast = false, ...size} = options;
  return conference.publish(camera(number, size), {label: 'camera', codec, simulcast});
};

// ---- looking

const eye = new OffscreenCanvas(COLUMNS * CELL, ROWS * CELL).getContext('2d', {willReadFrequently: true});

/** What a picture tells: {number, count}, or null if it is none of ours. */
function read(video) {
  if (!video.videoWidth) return null;
  eye.drawImage(video, 0, 0, COLUMNS * CELL, ROWS * CELL);
  const {data} = eye.getImageData(0, 0, COLUMNS * CELL, ROWS * CELL);
  const block = (column, row) => {
    const at = 4 * ((row * CELL + CELL / 2) * COLUMNS * CELL + column * CELL + CELL / 2);
    return data.slice(at, at + 3);
  };
  let number = 0, inverted = 0, count = 0;
  for (let column = 0; column < COLUMNS; column++) {
    const [red, , blue] = block(column, 1);
    if (Math.abs(red - blue) < 60) return null;
    if (red > blue) column < BITS ? number |= 1 << column : inverted |= 1 << column - BITS;
    if (block(column, 3)[1] > 127) count |= 1 << column;
  }
  return (number ^ inverted) === (1 << BITS) - 1 ? {number, count} : null;
}

const picture = (userId) => document.querySelector(`video[data-user-id="${userId}"][data-label="camera"]`);

const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));

/** Resolves with the milliseconds until `look()` returned true; whatever else it returned last is told if that never comes. */
async function until(what, seconds, look) {
  const start = performance.now();
  for (let last; ; await pause()) {
    if ((last = await look()) === true) return performance.now() - start;
    if (performance.now() - start > seconds * 1000) throw new Error(`${what}: after ${seconds} s ${JSON.stringify(last)}; ${await situation()}`);
  }
}

/** This person's number is shown, and the picture moves. */
signals.sees = (userId, number, seconds) => {
  const counts = new Set();
  return until(`sees ${number}`, seconds, () => {
    const video = picture(userId);
    const seen = video && read(video);
    if (seen?.number !== number) counts.clear();
    else counts.add(seen.count);
    return counts.size > 2 || {seen, size: video?.videoWidth, counts: counts.size};
  });
};

let ear = null;

/** Waits until the loudest frequency of this person's sound, {hertz, level in dB}, is `right`. */
async function listenTo(userId, what, seconds, right) {
  ear ??= new AudioContext();
  const analyser = new AnalyserNode(ear, {fftSize: WINDOW, smoothingTimeConstant: 0});
  const levels = new Float32Array(analyser.frequencyBinCount);
  let source = null, track = null;
  const heard = () => {
    const now = picture(userId)?.srcObject.getAudioTracks()[0];
    if (!now) return 'no track';
    if (now !== track) {
      source?.disconnect();
      source = ear.createMediaStreamSource(new MediaStream([track = now]));
      source.connect(analyser);
    }
    analyser.getFloatFrequencyData(levels);
    const loudest = levels.indexOf(Math.max(...levels));
    const sound = {hertz: (loudest * ear.sampleRate) / WINDOW, level: levels[loudest]};
    return right(sound) || sound;
  };
  try {
    return await until(what, seconds, heard);
  } finally {
    source?.disconnect();
  }
}

signals.hears = (userId, number, seconds) =>
  listenTo(userId, `hears ${number}`, seconds, ({hertz, level}) => level > AUDIBLE && Math.abs(hertz - toneOf(number)) < TOLERANCE_HZ);

/** Nothing is heard of this person, and the picture has stood still. */
signals.silent = async (userId, seconds) => {
  await listenTo(userId, 'silence', seconds, ({level}) => !(level > AUDIBLE));
  let before = null, since = 0;
  await until('no new picture', seconds, () => {
    const {count} = read(picture(userId)) ?? {count: null};
    since = count === before ? since + 1 : 0;
    before = count;
    return since > 20;
  });
};

/** Sees and hears everybody of {user id: number}, and nobody else. */
signals.meets = async (people, seconds) => {
  const all = Object.entries(people).flatMap(([userId, number]) => [signals.sees(userId, number, seconds), signals.hears(userId, number, seconds)]);
  const times = await Promise.all(all);
  const shown = [...document.querySelectorAll('video[data-user-id]')].map((video) => video.dataset.userId);
  await until('nobody else', seconds, () => shown.every((userId) => userId in people) || shown);
  return Math.max(0, ...times);
};

/** What is being sent or received as a picture: codec in lower case, layers that are sent, by user id. */
signals.pictures = async () => {
  const streams = await conference.getStats();
  return Object.fromEntries(streams.map(({userId, video, layers}) => [userId, {codec: video?.codec?.toLowerCase() ?? null, layers: layers.filter(({frames}) => frames > 0).length}]));
};

/** What the element shows: its colour in the middle, [red, green, blue], or null as long as there is no picture. */
signals.colour = (selector) => {
  const shown = document.querySelector(selector);
  if (!shown?.naturalWidth && !shown?.videoWidth) return null;
  eye.drawImage(shown, 0, 0, COLUMNS * CELL, ROWS * CELL);
  return [...eye.getImageData((COLUMNS * CELL) / 2, (ROWS * CELL) / 2, 1, 1).data].slice(0, 3);
};

/** Waits until the element shows this colour, give or take what coding it costs. */
signals.shows = (selector, colour, seconds) => until(`${selector} in ${colour}`, seconds, () => {
  const seen = signals.colour(selector);
  return seen?.every((part, index) => Math.abs(part - colour[index]) < 40) || seen;
});

signals.playable = (selector, seconds) => until(`${selector} playable`, seconds, () => {
  const {readyState, error} = document.querySelector(selector);
  return readyState >= HTMLMediaElement.HAVE_CURRENT_DATA || {readyState, error: error?.message};
});

/** An option of the meeting has this value. */
signals.option = (name, value, seconds) => until(`${name} is ${value}`, seconds, () => conference.happening.options[name] === value || conference.happening.options[name]);

/** Goes to a share of a film and resolves with what is shown there: {number, count} of somebody's camera, and the moment. */
signals.seek = async (selector, share) => {
  const video = document.querySelector(selector);
  video.pause();
  const sought = new Promise((resolve) => video.addEventListener('seeked', resolve, {once: true}));
  video.currentTime = share * video.duration;
  await sought;
  return {...read(video), at: video.currentTime, duration: video.duration};
};

signals.gone = (userId, seconds) => until('gone', seconds, () => picture(userId) === null);

// ---- watching for longer

const watched = new Map();

/** Remembers from now on how long this person's picture stood still at most, and whether an older one came after a newer one. */
signals.watch = (userId) => {
  const video = picture(userId);
  const watch = {last: performance.now(), longest: 0, frames: 0, video, count: null, older: []};
  watched.set(userId, watch);
  const presented = () => {
    const now = performance.now();
    watch.longest = Math.max(watch.longest, now - watch.last);
    watch.last = now;
    watch.frames += 1;
    noteCount(watch, read(video)?.count ?? null);
    video.requestVideoFrameCallback(presented);
  };
  video.requestVideoFrameCallback(presented);
};

/** A count goes round every 256 pictures: what is more than half of that ahead is behind. */
function noteCount(watch, count) {
  if (count === null) return;
  if (watch.count !== null && (count - watch.count + 256) % 256 > 128) watch.older.push([watch.count, count]);
  watch.count = count;
}

/** Since `watch`: milliseconds of the longest stand-still, pictures, older ones after newer ones, and whether the element is the same. */
signals.watched = (userId) => {
  const {last, longest, frames, video, older} = watched.get(userId);
  return {longest: Math.max(longest, performance.now() - last), frames, older, same: video === picture(userId)};
};

/** Waits for so many more pictures. */
signals.frames = async (userId, count, seconds) => {
  const start = watched.get(userId).frames;
  return until(`${count} pictures`, seconds, () => watched.get(userId).frames - start >= count || watched.get(userId));
};

// ---- the conversation

signals.joined = async (seconds) => {
  await until('joined', seconds, () => window.conference?.state === 'joined' || {state: window.conference?.state, reason: window.conference?.reason});
  return conference.self.id;
};

signals.state = (state, seconds) => until(`state ${state}`, seconds, () => (document.body.dataset.state === state ? true : document.body.dataset.state));

/** Waits for a peer connection to be connected. */
signals.connected = (side, seconds) => until(`${side} connected`, seconds, () => conference.connections[side]?.connectionState === 'connected');

signals.channel = async (seconds) => {
  const opened = await until('data channel', seconds, () => conference.sendData('hello', {to: []}));
  return opened;
};

/** How many sections of the subscribe connection there are. */
signals.sections = () => {
  const kinds = conference.connections.subscribe.getTransceivers().map(({receiver}) => receiver.track.kind);
  return {audio: kinds.filter((kind) => kind === 'audio').length, video: kinds.filter((kind) => kind === 'video').length};
};

const heard = [];

signals.listen = (types) => {
  for (const type of types) conference.addEventListener(type, ({detail}) => heard.push({...detail, type}));
};

/** The first event that was heard since `listen` whose JSON contains `part`. */
signals.told = async (type, part, seconds) => {
  const find = () => heard.find((event) => event.type === type && JSON.stringify(event).includes(part));
  await until(`told ${type}`, seconds, () => find() !== undefined || heard.slice(-5));
  return find();
};

signals.heard = () => heard;

signals.sent = [];

/** Counts what is said to the server from now on. */
signals.countMessages = () => {
  conference.on('sent', ({type}) => signals.sent.push(type));
  conference.on('message', ({type}) => signals.sent.push(type));
};

signals.do = async (method, ...args) => {
  const result = await conference[method](...args);
  return typeof result === 'object' ? null : result;
};

signals.reason = () => conference.reason;

signals.get = (name) => signals[name];

// ---- directly or by the server

/** How each of the others' streams comes. */
signals.ways = () => conference.streams.map(({way}) => way).sort();

signals.mode = () => ({mode: document.body.dataset.mode, e2ee: document.body.dataset.e2ee === 'true'});

/** Everything comes by the server, and no direct connection is left. */
signals.moved = (seconds) => until('moved', seconds, () => {
  const now = {ways: signals.ways(), direct: direct().length};
  return (now.direct === 0 && now.ways.every((way) => way === 'server')) || now;
});

signals.unconnected = (seconds) => until('unconnected', seconds, () => direct().length === 0 || direct().length);

/** From now on this browser cannot take what the server offers. */
signals.refuseOffers = () => {
  signals.rewrite = (sdp) => (sdp.includes('a=ice-lite') ? 'nonsense' : sdp);
};

/** Shares a screen that shows this number. */
signals.share = (number) => conference.publish(new MediaStream(camera(number, {width: 160, height: 90}).getVideoTracks()), {label: 'screen', simulcast: false});

const screen = (userId) => document.querySelector(`video[data-user-id="${userId}"][data-label="screen"]`);

signals.seesScreen = (userId, number, seconds) => until(`sees screen ${number}`, seconds, () => {
  const seen = screen(userId) && read(screen(userId));
  return seen?.number === number || {seen};
});

signals.noScreen = (userId, seconds) => until('no screen', seconds, () => screen(userId) === null);

signals.loseSocket = () => socket.close();

const direct = () => [...conference.directConnections.values()];

signals.directUfrags = () => direct().map((pc) => /a=ice-ufrag:(\S+)/.exec(pc.remoteDescription.sdp)[1]);

/** Other ICE credentials than these on every direct connection, and all are connected. */
signals.directRestarted = (ufrags, seconds) => until('restarted', seconds, () => {
  const now = signals.directUfrags();
  const states = direct().map((pc) => [pc.signalingState, pc.connectionState].join());
  return (now.every((ufrag) => !ufrags.includes(ufrag)) && states.every((state) => state === 'stable,connected')) || {now, states};
});

// ---- encryption

/** Packets that have come, of sound or pictures. */
const arrived = async (wanted) => {
  const reports = [...(await conference.connections.subscribe.getStats()).values()].filter(({type, kind}) => type === 'inbound-rtp' && kind === wanted);
  return reports.reduce((sum, {packetsReceived}) => sum + packetsReceived, 0);
};

/** So many packets of sound and pictures have come; returns what of this person could be seen: nothing. Nor is anything heard. */
signals.blind = async (userId, packets, seconds) => {
  let seen = null;
  await until('packets to come', seconds, async () => {
    seen = (picture(userId) && read(picture(userId))) ?? seen;
    const now = {video: await arrived('video'), audio: await arrived('audio')};
    return (now.video > packets && now.audio > packets) || now;
  });
  await listenTo(userId, 'silence', seconds, ({level}) => !(level > AUDIBLE));
  return seen;
};

/** Many more packets of this person's picture have arrived, and it has stood still meanwhile. */
signals.locked = async (userId, packets, seconds) => {
  let before = null, since = 0;
  return until('standing still while packets come', seconds, async () => {
    const now = {count: read(picture(userId))?.count, packets: await arrived('video')};
    if (now.count !== before) [before, since] = [now.count, now.packets];
    return now.packets - since > packets || now;
  });
};

signals.safety = (seconds, number = null) => until('safety number', seconds, () => conference.safetyNumber !== null && (number === null || conference.safetyNumber === number) || conference.safetyNumber);

signals.safetyNumber = () => conference.safetyNumber;

const workers = [], told = [];

class Overheard extends Worker {
  constructor(...args) {
    super(...args);
    workers.push(this);
  }

  postMessage(message, ...rest) {
    told.push(message);
    super.postMessage(message, ...rest);
  }
}

window.Worker = Overheard;

/** The others' keys, as this page has got them. */
signals.keys = () => told.filter(({act}) => act === 'theirs').map(({key}) => ({...key, baseKey: [...key.baseKey]}));

/** As if this page had been given these. */
signals.steal = (keys) => {
  for (const key of keys) workers[0].postMessage({act: 'theirs', key: {...key, baseKey: Uint8Array.from(key.baseKey)}});
};

// ---- the way through the network

/** As if nothing but a relay could be reached: before anything is connected. */
signals.relayOnly = () => {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      super({...configuration, iceTransportPolicy: 'relay'});
    }

    setConfiguration(configuration) {
      super.setConfiguration({...configuration, iceTransportPolicy: 'relay'});
    }
  };
};

/** What `setRemoteDescription` is given goes through this: (sdp) => sdp. */
signals.rewrite = null;

const setRemoteDescription = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (description) {
  const sdp = signals.rewrite ? signals.rewrite(description.sdp) : description.sdp;
  return setRemoteDescription.call(this, {type: description.type, sdp});
};

/** As if a firewall let no UDP through. */
signals.blockUdp = () => {
  signals.rewrite = (sdp) => sdp.replace(/a=candidate:\S+ 1 udp [^\r\n]*\r\n/gi, '');
};

/** The server seems to be at this port of this machine only, as far as UDP goes. */
signals.relayTo = (port, {tcp = false} = {}) => {
  signals.rewrite = (sdp) => sdp
    .replace(/a=candidate:\S+ 1 tcp [^\r\n]*\r\n/gi, tcp ? '$&' : '')
    .replace(/(a=candidate:\S+ 1 udp \d+) \S+ \d+ /gi, `$1 127.0.0.1 ${port} `);
};

/** The browser believes that it can send more than this, in bits a second. */
signals.maySend = async (bps, seconds) => until('bandwidth', seconds, async () => {
  const now = (await conference.getConnectionStats()).find(({pc}) => pc === 'publish').availableOutgoing;
  return now > bps || now;
});

/** Both connections go by this protocol. A browser that found another way first changes over. */
signals.goBy = async (protocol, seconds) => until(`by ${protocol}`, seconds, async () => {
  const now = (await conference.getConnectionStats()).map((connection) => connection.protocol);
  return (now.length === 2 && now.every((each) => each === protocol)) || now;
});

signals.connections = () => conference.getConnectionStats();

/** The server has given other ICE credentials than these on both connections, and both are connected. */
signals.restarted = (ufrags, seconds) => until('restarted', seconds, () => {
  const now = signals.ufrags();
  const states = Object.values(conference.connections).map((pc) => [pc.signalingState, pc.connectionState].join());
  return (now.every((ufrag) => !ufrags.includes(ufrag)) && states.every((state) => state === 'stable,connected')) || {now, states};
});

signals.ufrags = () => Object.values(conference.connections).map((pc) => /a=ice-ufrag:(\S+)/.exec(pc.remoteDescription.sdp)[1]);

async function situation() {
  const streams = (await window.conference?.getStats()) ?? [];
  const short = streams.map(({direction, userId, bitrate, width, fps, video}) => [direction, userId.slice(0, 6), Math.round(bitrate), width, Math.round(fps), video?.frames, video?.keyFrames, video?.plis]);
  const {publish, subscribe} = window.conference?.connections ?? {};
  const pairs = window.conference ? direct().map((pc) => [pc.signalingState, pc.iceConnectionState, pc.connectionState].join()) : [];
  return JSON.stringify({pairs, state: window.conference?.state, publish: publish?.connectionState, subscribe: subscribe?.connectionState, streams: short});
}

/** The token of one's seat, as the server has told it. */
signals.endpoint = () => seat;

let seat = null, socket = null;

class Listening extends WebSocket {
  constructor(...args) {
    super(...args);
    socket = this;
    this.addEventListener('message', ({data}) => (seat = JSON.parse(data).endpoint?.token ?? seat));
  }
}

window.WebSocket = Listening;
window.signals = signals;
