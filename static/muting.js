/**
 * Which streams are muted: changed here, told by the server, and told to the server again where the two disagree.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Muted} Muted */
/** @typedef {import("./own-streams.js").OwnStream} OwnStream */

import { KINDS } from "./own-streams.js";

/**
 * @typedef {object} MutingOwner
 * @property {(message: Message) => unknown} send
 * @property {(message: Message) => Promise<Message>} request
 * @property {() => boolean} online whether the server can be told
 * @property {(streamId: string, muted: Muted) => void} onChange
 */

export class Muting {
  /** @type {Map<string, number>} `mute` messages under way, by stream */ #underWay = new Map();
  #own;
  #roster;
  #owner;

  /**
   * @param {import("./own-streams.js").OwnStreams} own
   * @param {import("./roster.js").Roster} roster
   * @param {MutingOwner} owner
   */
  constructor(own, roster, owner) {
    this.#own = own;
    this.#roster = roster;
    this.#owner = owner;
  }

  /**
   * @param {string} streamId
   * @param {Partial<Muted>} change
   */
  async set(streamId, change) {
    const own = this.#own.get(streamId);
    if (own) {
      for (const kind of KINDS) {
        const track = own.tracks[kind];
        if (track && change[kind] !== undefined) track.enabled = !change[kind];
      }
      this.#note(streamId, change);
      if (!this.#owner.online()) return;
    }
    this.#underWay.set(streamId, (this.#underWay.get(streamId) ?? 0) + 1);
    try {
      await this.#owner.request({ type: "mute", stream_id: streamId, ...change });
    } catch (error) {
      if (!own) throw error; // one's own is told again after a reconnect
    } finally {
      this.#underWay.set(streamId, (this.#underWay.get(streamId) ?? 1) - 1);
    }
  }

  /**
   * The server says that a stream was muted or unmuted. Nobody but oneself may unmute one's own.
   * @param {Message} message
   */
  told({ stream_id, audio, video }) {
    const own = this.#own.get(stream_id);
    if (own && this.#underWay.get(stream_id)) return; // an echo of what is being changed here
    if (own?.tracks.audio && audio === true) own.tracks.audio.enabled = false;
    this.#note(stream_id, { audio, video });
  }

  /**
   * Tells the server how an own stream stands, where that is not what it believes.
   * @param {string} streamId
   * @param {Muted} [believed] default: what it has said itself
   */
  reconcile(streamId, believed = this.#roster.muted(streamId)) {
    const own = this.#own.get(streamId);
    if (!own) return;
    const muted = mutedOf(own);
    this.#roster.setMuted(streamId, muted);
    if (muted.audio !== believed.audio || muted.video !== believed.video) this.#owner.send({ type: "mute", stream_id: streamId, ...muted });
  }

  reconcileAll() {
    for (const { id } of this.#own.all) this.reconcile(id);
  }

  /**
   * @param {string} streamId
   * @param {Partial<Muted>} change
   */
  #note(streamId, change) {
    this.#owner.onChange(streamId, this.#roster.setMuted(streamId, change));
  }
}

/** @param {Pick<OwnStream, "tracks">} stream */
export function mutedOf({ tracks }) {
  return { audio: !tracks.audio?.enabled, video: !tracks.video?.enabled };
}
