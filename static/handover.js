/**
 * Moves one stream from a direct connection to the server without anybody seeing or hearing it: make before break.
 *
 * The server's copy is played beside the one on screen, in an element nobody sees and at volume 0, until its first picture has been
 * rendered and its sound has come for a while. Then the sound is faded over, the tracks are exchanged (the owner does that when it is
 * told "moved"), and the helper goes. What does not arrive is waited for as long as the owner likes: it may `cancel`.
 */

/** @typedef {import("./types.js").RemoteStream} RemoteStream */
/** @typedef {import("./types.js").MoveStep} MoveStep */
/** @typedef {import("./incoming.js").Receivers} Receivers */

const SOUND_FOR = 200; // milliseconds that it must have been received
const POLL_EVERY = 20; // milliseconds
const FADE_FOR = 40; // milliseconds
const FADE_STEPS = 8;
const NEXT_PICTURE_WITHIN = 150; // milliseconds after the exchange: then the element has not noticed it
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
    await Promise.all([this.#expected.picture && firstPicture(this.#helper), this.#expected.sound && this.#soundComes()]);
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
    const restarted = keepsPlaying(this.#stream.mediaStream);
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

/** @param {HTMLVideoElement} video */
function firstPicture(video) {
  return new Promise((resolve) => {
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(resolve);
    video.addEventListener("loadeddata", () => (document.hidden || !("requestVideoFrameCallback" in video)) && resolve(null)); // nothing is rendered in a hidden page
  });
}

/**
 * Sees to it that elements show the new tracks of a stream: Firefox may stay with the last picture of the old ones.
 * @param {MediaStream} mediaStream
 */
async function keepsPlaying(mediaStream) {
  const shown = [...document.querySelectorAll("video")].filter((element) => element.srcObject === mediaStream && "requestVideoFrameCallback" in element);
  await Promise.all(shown.map((element) => restartsUnlessPlaying(element, mediaStream)));
}

/**
 * @param {HTMLVideoElement} element
 * @param {MediaStream} mediaStream
 */
async function restartsUnlessPlaying(element, mediaStream) {
  await pause(0); // the exchange comes first
  const next = new Promise((resolve) => element.requestVideoFrameCallback(() => element.requestVideoFrameCallback(() => resolve(true)))); // one may be on its way
  const plays = await Promise.race([next, pause(NEXT_PICTURE_WITHIN).then(() => document.hidden)]);
  if (plays || element.srcObject !== mediaStream) return;
  element.srcObject = mediaStream;
  element.play().catch(() => {}); // as before: it was allowed to
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
