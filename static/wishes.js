/**
 * What this participant wants to receive, gathered into few messages: a window that is being resized changes every tile at once,
 * many times a second, while the server wants to hear of the outcome only.
 */

/** @typedef {import("./types.js").Wish} Wish */
/** @typedef {import("./types.js").Message} Message */

const GATHER_FOR = 0.05; // seconds
const SEND_EVERY = 0.5; // seconds between two messages

export class Wishes {
  /** @type {Wish} */ #default = {};
  /** @type {Map<string, Wish>} */ #streams = new Map();
  #send;
  #timer = 0;
  #lastSent = "";
  #lastTime = -Infinity;

  /** @param {(message: Message) => boolean} send */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {string | null} streamId null for the wish that holds where no other is told
   * @param {Wish} wish replaces the one before
   */
  set(streamId, wish) {
    if (streamId === null) this.#default = wish;
    else this.#streams.set(streamId, wish);
    this.#schedule();
  }

  /** @param {string} streamId */
  forget(streamId) {
    this.#streams.delete(streamId);
  }

  /** The server starts afresh: tells it everything again. */
  repeat() {
    this.#lastSent = "";
    if (this.#streams.size || Object.keys(this.#default).length) this.#schedule();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #schedule() {
    if (this.#timer) return;
    const pause = Math.max(GATHER_FOR, SEND_EVERY - (performance.now() / 1000 - this.#lastTime));
    this.#timer = setTimeout(() => this.#flush(), pause * 1000);
  }

  #flush() {
    this.#timer = 0;
    const streams = Object.fromEntries([...this.#streams].map(([id, wish]) => [id, onWire(wish)]));
    const message = { type: "subscribe", default: onWire(this.#default), streams };
    const text = JSON.stringify(message);
    if (text === this.#lastSent || !this.#send(message)) return;
    this.#lastSent = text;
    this.#lastTime = performance.now() / 1000;
  }
}

/** @param {Wish} wish */
function onWire({ audio, video, maxWidth, maxHeight, maxFps, priority }) {
  return { audio, video, max_width: maxWidth, max_height: maxHeight, max_fps: maxFps, priority };
}
