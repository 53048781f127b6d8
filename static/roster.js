/**
 * Who is in the conference and what is known of them: kept from the server's messages, asked by everybody else.
 */

/** @typedef {import("./types.js").Participant} Participant */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Muted} Muted */

export const LISTENER = "subscriber"; // the role that may not publish

export class Roster {
  /** @type {Map<string, Participant>} */ #participants = new Map();
  /** @type {Map<string, Muted>} by stream */ #muted = new Map();

  /** @returns {Participant[]} */
  get participants() {
    return [...this.#participants.values()];
  }

  /**
   * @param {string} userId
   * @returns {Participant | undefined}
   */
  participant(userId) {
    return this.#participants.get(userId);
  }

  /**
   * @param {string} userId
   * @param {string} otherId
   * @returns {boolean} whether the first was there before the other: they are listed in the order they came
   */
  cameBefore(userId, otherId) {
    const order = [...this.#participants.keys()];
    return order.indexOf(userId) < order.indexOf(otherId);
  }

  /**
   * @param {string} streamId
   * @returns {Muted}
   */
  muted(streamId) {
    return this.#muted.get(streamId) ?? { audio: false, video: false };
  }

  /**
   * Starts over from what `joined` says; `self` is part of it.
   * @param {import("./types.js").Joined} joined
   */
  reset(joined) {
    this.#participants.clear();
    this.#muted.clear();
    for (const participant of [...joined.participants, joined.participant]) this.#merge(participant);
    for (const { stream_id, muted } of joined.streams) this.setMuted(stream_id, readMuted(muted));
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether participants changed
   */
  apply(message) {
    if (message.type === "participant_update") {
      const { participant } = message;
      if (participant.online === false) return this.#participants.delete(participant.id);
      this.#merge(participant);
      return true;
    }
    const known = this.#participants.get(message.user_id);
    if (!known) return false;
    if (message.type === "hand_update") known.raised = message.raised;
    else if (message.type === "role_update") known.role = message.role;
    else if (message.type === "attributes_update") known.attributes = message.attributes;
    else return false;
    return true;
  }

  /**
   * @param {string} streamId
   * @param {Partial<Muted>} change
   * @returns {Muted}
   */
  setMuted(streamId, { audio, video }) {
    const before = this.muted(streamId);
    const muted = { audio: audio ?? before.audio, video: video ?? before.video };
    this.#muted.set(streamId, muted);
    return muted;
  }

  /** @param {Participant} participant */
  #merge(participant) {
    this.#participants.set(participant.id, { ...this.#participants.get(participant.id), ...participant });
  }
}

/**
 * @param {Muted | boolean | undefined} muted
 * @returns {Muted}
 */
function readMuted(muted) {
  if (typeof muted === "object" && muted) return { audio: !!muted.audio, video: !!muted.video };
  return { audio: !!muted, video: !!muted };
}
