/**
 * Moves one stream from a direct connection to the server without anybody seeing or hearing it: make before break.
 *
 * The server's copy is played beside the one on screen, in an element nobody sees and at volume 0, until its pictures are rendered
 * and as new as those on screen, and its sound has come for a while. Then the sound is faded over, the tracks are exchanged (the
 * owner does that when it is told "moved"), and the helper goes. What does not arrive is waited for as long as the owner likes: it
 * may `cancel`.
 */

/** @typedef {import("./types.js").RemoteStream} RemoteStream */
/** @typedef {import("./types.js").MoveStep} MoveStep */
/** @typedef {import("./incoming.js").Receivers} Receivers */

const SOUND_FOR = 200; // milliseconds that it must have been received
const POLL_EVERY = 20; // milliseconds
const FADE_FOR = 40; // milliseconds
const FADE_STEPS = 8;
const ONE_PICTURE = 33; // milliseconds that the server's copy may be behind: then no picture is shown that is older than the last
const CATCHES_UP_WITHIN = 1000; // milliseconds after its first picture
const UNTIMED = 3; // pictures that do, where nothing tells how old they are
const ON_ITS_WAY = 1; // picture of before that may still be shown after the exchange
const AHEAD = 5; // pictures that the helper may show while the element shows none: more, and it has not noticed the exchange
const NOTICES_WITHIN = 2000; // milliseconds
const RENDERER_STARTS_WITHIN = 120; // milliseconds after the exchange, until the visible element is heard again

export class Handover {
  #stream;
  #next;
  #expected;
  #tell;
  #over = false;
  #helper = document.createElement("video");

  /**
   * @param {RemoteStream} stream
   * @param {Receivers} next by the server
   * @param {import("./types.js").Muted} muted what is not sent is not waited for
   * @param {(step: MoveStep) => void} tell
   */
  constructor(stream, next, muted, tell) {
    this.#stream = stream;
    this.#next = next;
    this.#expected = { picture: next.video !== null && !muted.video, sound: next.audio !== null && !muted.audio };
    this.#tell = tell;
    this.#run();
  }

  cancel() {
    this.#over = true;
    this.#drop();
  }

  async #run() {
    const tracks = [this.#next.audio, this.#next.video].flatMap((receiver) => receiver?.track ?? []);
    Object.assign(this.#helper, { srcObject: new MediaStream(tracks), volume: 0, playsInline: true, autoplay: true });
    this.#helper.play().catch(() => (this.#helper.muted = true)); // not allowed to be heard: then nothing is
    const visible = shownElements(this.#stream.mediaStream)[0] ?? null;
    await Promise.all([this.#expected.picture && caughtUp(this.#helper, visible), this.#expected.sound && this.#soundComes()]);
    if (this.#over) return;
    this.#tell("rendered");
    await this.#exchange();
  }

  async #exchange() {
    const element = audibleElement(this.#stream.mediaStream);
    const volume = element?.volume ?? 0;
    const fades = element !== null && this.#expected.sound;
    if (fades) await fade([element, volume, 0], [this.#helper, 0, volume]);
    if (this.#over) return void (fades && (element.volume = volume));
    this.#over = true;
    const restarted = keepsPlaying(this.#stream.mediaStream, this.#helper);
    this.#tell("moved");
    if (this.#expected.picture) await restarted;
    if (fades) {
      await pause(RENDERER_STARTS_WITHIN);
      await fade([element, 0, volume], [this.#helper, volume, 0]);
    }
    this.#drop();
  }

  async #soundComes() {
    let since = Infinity;
    while (!this.#over) {
      const now = performance.now();
      if (this.#next.audio?.getSynchronizationSources().length) since = Math.min(since, now);
      if (now - since >= SOUND_FOR) return;
      await pause(POLL_EVERY);
    }
  }

  #drop() {
    this.#helper.pause();
    this.#helper.srcObject = null;
  }
}

/**
 * Resolves once `helper` shows pictures as new as those of `visible`: what it gets first may come from the server's memory.
 * @param {HTMLVideoElement} helper
 * @param {HTMLVideoElement | null} visible
 */
function caughtUp(helper, visible) {
  return new Promise((resolve) => {
    helper.addEventListener("loadeddata", () => (document.hidden || !("requestVideoFrameCallback" in helper)) && resolve(null)); // nothing is rendered in a hidden page
    if (!("requestVideoFrameCallback" in helper)) return;
    /** @type {Map<HTMLVideoElement, number | undefined>} milliseconds */ const ages = new Map();
    let pictures = 0;
    /** @param {HTMLVideoElement} video */
    const watch = (video) =>
      video.requestVideoFrameCallback((now, { captureTime }) => {
        ages.set(video, captureTime === undefined ? undefined : now - captureTime);
        if (video === helper && ++pictures === 1) setTimeout(resolve, CATCHES_UP_WITHIN);
        const behind = (ages.get(helper) ?? NaN) - ((visible && ages.get(visible)) ?? NaN);
        if (Number.isNaN(behind) ? pictures >= UNTIMED : behind < ONE_PICTURE) resolve(null);
        else if (pictures === 0 || !helper.paused) watch(video);
      });
    watch(helper);
    if (visible && "requestVideoFrameCallback" in visible) watch(visible);
  });
}

/**
 * Sees to it that elements show the new tracks of a stream: Firefox may stay with the last picture of the old ones.
 * @param {MediaStream} mediaStream
 * @param {HTMLVideoElement} helper that shows the new ones already
 */
async function keepsPlaying(mediaStream, helper) {
  const shown = shownElements(mediaStream).filter((element) => "requestVideoFrameCallback" in element);
  await Promise.all(shown.map((element) => restartsUnlessPlaying(element, mediaStream, helper)));
}

/** @param {MediaStream} mediaStream */
function shownElements(mediaStream) {
  return [...document.querySelectorAll("video")].filter((element) => element.srcObject === mediaStream);
}

/**
 * @param {HTMLVideoElement} element
 * @param {MediaStream} mediaStream
 * @param {HTMLVideoElement} helper
 */
async function restartsUnlessPlaying(element, mediaStream, helper) {
  await pause(0); // the exchange comes first
  if (!(await staysBehind(element, helper)) || element.srcObject !== mediaStream) return;
  element.srcObject = mediaStream;
  element.play().catch(() => {}); // as before: it was allowed to
}

/**
 * Whether `element` stands still while `helper` goes on. A page that stumbles as a whole says nothing, and nor does a hidden one.
 * @param {HTMLVideoElement} element
 * @param {HTMLVideoElement} helper
 * @returns {Promise<boolean>}
 */
function staysBehind(element, helper) {
  return new Promise((resolve) => {
    const counts = new Map([element, helper].map((video) => [video, 0]));
    let told = false;
    const tell = (/** @type {boolean} */ behind) => resolve((told = true) && behind);
    /** @param {HTMLVideoElement} video */
    const count = (video) => {
      if (told) return;
      counts.set(video, (counts.get(video) ?? 0) + 1);
      if ((counts.get(element) ?? 0) > ON_ITS_WAY) return tell(false);
      if ((counts.get(helper) ?? 0) > AHEAD) return tell(true);
      video.requestVideoFrameCallback(() => count(video));
    };
    for (const video of [element, helper]) video.requestVideoFrameCallback(() => count(video));
    setTimeout(() => tell(false), NOTICES_WITHIN);
  });
}

/**
 * @param {MediaStream} mediaStream
 * @returns {HTMLMediaElement | null} the one through which it is heard
 */
function audibleElement(mediaStream) {
  /** @type {NodeListOf<HTMLMediaElement>} */
  const elements = document.querySelectorAll("video, audio");
  return [...elements].find((element) => element.srcObject === mediaStream && !element.muted && !element.paused) ?? null;
}

/** @param {[element: HTMLMediaElement, from: number, to: number][]} fades at the same time */
async function fade(...fades) {
  for (let step = 1; step <= FADE_STEPS; step++) {
    for (const [element, from, to] of fades) element.volume = from + ((to - from) * step) / FADE_STEPS;
    await pause(FADE_FOR / FADE_STEPS);
  }
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
