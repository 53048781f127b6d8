/**
 * Who is speaking, from the sound levels that arrive with the packets. Nothing is decoded for it.
 */

/** @typedef {import("./types.js").Speaker} Speaker */

const POLL_EVERY = 0.2; // seconds
const SPEAKS_ABOVE = 0.015; // level 0 to 1
const STAYS_FOR = 0.8; // seconds a speaker keeps the mark through pauses between words
const FRESH_FOR = 500; // milliseconds: a level older than this is from before a silence

/** Turns levels into a list of speakers that does not flicker. Pure: times are arguments. */
export class SpeakerTracker {
  /** @type {Map<string, { level: number, until: number }>} */ #speaking = new Map();

  /**
   * @param {Map<string, number>} levels 0 to 1 by participant
   * @param {number} now seconds
   * @returns {Speaker[]} loudest first
   */
  update(levels, now) {
    for (const [userId, level] of levels) {
      const known = this.#speaking.get(userId);
      if (level >= SPEAKS_ABOVE) this.#speaking.set(userId, { level: known ? (known.level + level) / 2 : level, until: now + STAYS_FOR });
    }
    for (const [userId, { until }] of this.#speaking) if (until < now) this.#speaking.delete(userId);
    return [...this.#speaking].map(([userId, { level }]) => ({ userId, level })).sort((a, b) => b.level - a.level);
  }
}

/**
 * @param {{ stream: import("./types.js").RemoteStream, audio: RTCRtpReceiver | null }[]} shown
 * @returns {Map<string, number>} the level of everybody who is heard
 */
export function levelsOf(shown) {
  /** @type {Map<string, number>} */
  const levels = new Map();
  for (const { stream, audio } of shown) {
    if (audio) levels.set(stream.userId, Math.max(levels.get(stream.userId) ?? 0, levelOf(audio)));
  }
  return levels;
}

/** Asks receivers for their levels several times a second and tells when the list of speakers has changed. */
export class SpeakerWatch {
  #tracker = new SpeakerTracker();
  #timer = 0;
  #last = "";

  /**
   * @param {() => Map<string, number>} levels of everybody now
   * @param {(speakers: Speaker[]) => void} onChange
   */
  start(levels, onChange) {
    this.stop();
    this.#timer = setInterval(() => {
      const speakers = this.#tracker.update(levels(), performance.now() / 1000);
      const key = speakers.map((speaker) => speaker.userId).join(" ");
      if (key === this.#last) return;
      this.#last = key;
      onChange(speakers);
    }, POLL_EVERY * 1000);
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/**
 * The level of what `receiver` got just now.
 * @param {RTCRtpReceiver} receiver
 * @returns {number} 0 to 1
 */
function levelOf(receiver) {
  const now = performance.timeOrigin + performance.now();
  let level = 0;
  for (const source of receiver.getSynchronizationSources()) {
    const age = Math.min(Math.abs(now - source.timestamp), Math.abs(performance.now() - source.timestamp)); // browsers differ in the clock
    if (age < FRESH_FOR) level = Math.max(level, source.audioLevel ?? 0);
  }
  return level;
}
