/**
 * What this participant publishes: which tracks belong to which stream. By which connections they go is not known here.
 */

/** @typedef {import("./types.js").PublishOptions} PublishOptions */
/** @typedef {"audio" | "video"} Kind */

import { ConferenceError } from "./errors.js";

/**
 * @typedef {object} OwnStream
 * @property {string} id
 * @property {"camera" | "screen"} label
 * @property {PublishOptions} options
 * @property {Record<Kind, MediaStreamTrack | null>} tracks
 */

export const KINDS = /** @type {const} */ (["audio", "video"]);

export class OwnStreams {
  /** @type {Map<string, OwnStream>} */ #streams = new Map();
  /** @type {Record<string, string>} */ #expected = {};

  /** @returns {OwnStream[]} */
  get all() {
    return [...this.#streams.values()];
  }

  /** @returns {OwnStream | undefined} */
  get camera() {
    return this.all.find((stream) => stream.label === "camera");
  }

  /** Streams of before a reload: they are published again, or will be. */
  get expected() {
    return Object.entries(this.#expected).map(([label, id]) => ({ id, label }));
  }

  /** @param {Record<string, string>} streams their ids by label */
  expect(streams) {
    this.#expected = { ...streams };
  }

  /** @param {string} streamId */
  get(streamId) {
    return this.#streams.get(streamId);
  }

  /** @param {OwnStream} stream */
  add(stream) {
    if (this.all.some(({ label }) => label === stream.label)) {
      throw new ConferenceError("stream_exists", 409, `a ${stream.label} is published already`);
    }
    this.#streams.set(stream.id, stream);
  }

  /**
   * @param {string} streamId
   * @returns {boolean} whether there was one
   */
  remove(streamId) {
    this.#expected = {};
    return this.#streams.delete(streamId);
  }

  /**
   * @param {string} streamId
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   * @returns {OwnStream}
   */
  replaceTrack(streamId, kind, track) {
    const stream = this.#streams.get(streamId);
    if (!stream) throw new ConferenceError("no_such_stream", 404, `no own stream ${streamId}`);
    stream.tracks[kind] = track;
    return stream;
  }

  clear() {
    this.#streams.clear();
    this.#expected = {};
  }
}
