/**
 * How good everybody's connection is, and whether oneself is speaking: measured now and then, and told where it shows.
 */

import { scoreOf } from "../client.js";
import { LevelMeter } from "./devices.js";

/** @typedef {import("../conference.js").Conference} Conference */

const QUALITY_EVERY = 3000; // milliseconds
const WEAK_BELOW = 3; // of 1 to 5: of one's own connection,
const STRONG_ABOVE = 3.5; // and where that is over
const OWN_LEVEL_EVERY = 200; // milliseconds
const SPEAKS_ABOVE = 0.02; // level of the own microphone
const QUIET_AFTER = 3; // samples of silence before the own mark goes
export const BEST = 4; // bars

export class Qualities {
  /** @type {Map<string, number>} by user, 1 to 4 */ #bars = new Map();
  #weak = false; // one's own connection

  /**
   * @param {Conference} conference
   * @param {object} owner
   * @param {(userId: string, bars: number) => void} owner.onBars
   * @param {() => void} owner.onWeak one's own connection has become bad
   */
  constructor(conference, owner) {
    this.conference = conference;
    this.owner = owner;
    conference.on("quality", ({ userId, score }) => this.#told(userId, score));
  }

  start() {
    setInterval(() => this.#measure(), QUALITY_EVERY);
  }

  /** @param {string} userId */
  bars(userId) {
    return this.#bars.get(userId) ?? BEST;
  }

  /** Of connections with each other; those with the server are judged by the server. */
  async #measure() {
    if (this.conference.mode === "SFU") return;
    /** @type {Map<string, number>} */
    const worst = new Map();
    for (const stream of await this.conference.getStats()) {
      worst.set(stream.userId, Math.min(worst.get(stream.userId) ?? 5, scoreOf(stream)));
    }
    for (const [userId, score] of worst) this.#set(userId, score);
  }

  /**
   * @param {string} userId
   * @param {number} score 1 to 5
   */
  #told(userId, score) {
    this.#set(userId, score);
    if (userId !== this.conference.self?.id) return;
    const weak = score < (this.#weak ? STRONG_ABOVE : WEAK_BELOW);
    if (weak && !this.#weak) this.owner.onWeak();
    this.#weak = weak;
  }

  /**
   * @param {string} userId
   * @param {number} score
   */
  #set(userId, score) {
    const bars = Math.max(1, Math.min(BEST, Math.round(score) - 1));
    this.#bars.set(userId, bars);
    this.owner.onBars(userId, bars);
  }
}

/** One's own microphone, which the server does not tell one of. */
export class OwnVoice {
  #meter = new LevelMeter();
  #quiet = QUIET_AFTER;
  speaks = false;

  /**
   * @param {import("./devices.js").LocalMedia} media
   * @param {(speaks: boolean) => void} onSample
   */
  constructor(media, onSample) {
    this.media = media;
    this.onSample = onSample;
  }

  start() {
    setInterval(() => this.#sample(), OWN_LEVEL_EVERY);
  }

  #sample() {
    const { audio } = this.media.on;
    this.#meter.listen(/** @type {MediaStreamTrack | null} */ (this.media.track("audio")));
    this.#quiet = audio && this.#meter.level() > SPEAKS_ABOVE ? 0 : this.#quiet + 1;
    this.speaks = audio && this.#quiet < QUIET_AFTER;
    this.onSample(this.speaks);
  }
}
