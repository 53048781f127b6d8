/**
 * What an application does with its own streams: begins and ends them, and exchanges their tracks.
 *
 * They live in `own-streams.js` from the first moment on and are offered as soon as there is a conference to offer them to. Their ids
 * are kept by the seat, so that they go on under the same ones after a reload.
 */

/** @typedef {import("./types.js").PublishOptions} PublishOptions */
/** @typedef {import("./own-streams.js").Kind} Kind */

import { ConferenceError } from "./errors.js";
import { mutedOf } from "./muting.js";

const UNMUTED = { audio: false, video: false }; // what the server takes a new stream for

/**
 * @typedef {object} PublishingOwner
 * @property {(message: import("./types.js").Message) => unknown} send
 * @property {() => boolean} online whether there is anybody to offer to
 */

export class OwnPublishing {
  #media;
  #seat;
  #roster;
  #muting;
  #owner;

  /**
   * @param {import("./media.js").Media} media
   * @param {import("./seat.js").Seat} seat
   * @param {import("./roster.js").Roster} roster
   * @param {import("./muting.js").Muting} muting
   * @param {PublishingOwner} owner
   */
  constructor(media, seat, roster, muting, owner) {
    this.#media = media;
    this.#seat = seat;
    this.#roster = roster;
    this.#muting = muting;
    this.#owner = owner;
  }

  /**
   * @param {MediaStream} mediaStream
   * @param {PublishOptions} options
   * @returns {Promise<string>} the stream's id
   */
  async begin(mediaStream, options) {
    const label = options.label ?? "camera";
    const id = this.#seat.streams[label] ?? crypto.randomUUID();
    const tracks = { audio: mediaStream.getAudioTracks()[0] ?? null, video: mediaStream.getVideoTracks()[0] ?? null };
    this.#media.own.add({ id, label, options: { ...options, label }, tracks });
    this.#seat.streams[label] = id;
    this.#roster.setMuted(id, mutedOf({ tracks }));
    if (!this.#owner.online()) return id;
    try {
      await this.#offer();
    } catch (error) {
      this.#media.own.remove(id);
      delete this.#seat.streams[label];
      throw error;
    }
    this.#muting.reconcile(id, UNMUTED);
    return id;
  }

  /** @param {string} streamId */
  async end(streamId) {
    const stream = this.#media.own.get(streamId);
    if (!stream) return;
    this.#media.own.remove(streamId);
    delete this.#seat.streams[stream.label];
    if (!this.#owner.online()) return;
    this.#owner.send({ type: "unpublish", stream_id: streamId });
    await this.#offer();
  }

  /** The server has ended all of them. */
  forget() {
    for (const { label } of this.#media.own.all) delete this.#seat.streams[label];
  }

  async #offer() {
    try {
      await this.#media.offer();
    } catch (error) {
      if (!(error instanceof ConferenceError) || error.code > 0) throw error; // without the server: offered again when it is back
    }
  }
}
