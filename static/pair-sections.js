/**
 * Which sections of a direct connection carry which own stream.
 *
 * Sections carry both directions: what the other side has offered to receive on is used before new ones are made, and what a stream
 * that is over has left is used by the next. Left ones stay as they are, without a track: a browser shows nothing in a section that
 * was inactive for a while.
 */

/** @typedef {import("./own-streams.js").OwnStream} OwnStream */
/** @typedef {import("./own-streams.js").Kind} Kind */
/** @typedef {Record<Kind, RTCRtpTransceiver | null>} Sections */

import { audioEncodings, preferCodec, videoEncodings } from "./encodings.js";
import { KINDS } from "./own-streams.js";
import { entryOf } from "./publisher.js";

export class PairSections {
  /** @type {Map<string, { stream: OwnStream, sections: Sections }>} */ #carried = new Map();
  #pc;
  #own;
  #onError;

  /**
   * @param {RTCPeerConnection} pc
   * @param {import("./own-streams.js").OwnStreams} own
   * @param {(error: Error) => void} onError
   */
  constructor(pc, own, onError) {
    this.#pc = pc;
    this.#own = own;
    this.#onError = onError;
  }

  /**
   * @param {string} streamId an own one
   * @returns {Sections}
   */
  of(streamId) {
    return this.#carried.get(streamId)?.sections ?? { audio: null, video: null };
  }

  /** What is told beside a description: streams that are carried, and those that will come again after a reload. */
  get entries() {
    const carried = [...this.#carried.values()].map(({ stream, sections }) => entryOf(stream, sections.audio, sections.video));
    const coming = this.#own.expected.filter(({ id }) => !this.#carried.has(id)).map((stream) => entryOf(stream, null, null));
    return [...carried, ...coming];
  }

  /** Whether everything that is published goes to the other side, as agreed. */
  get complete() {
    return this.#own.all.every((stream) => KINDS.every((kind) => !stream.tracks[kind] || this.of(stream.id)[kind]?.currentDirection?.includes("send")));
  }

  /**
   * Gives every own stream its sections and takes them from those that are over.
   * @param {{ answering?: boolean }} [options] an answer can only use the sections of the offer
   */
  attach({ answering = false } = {}) {
    for (const [id, { stream, sections }] of this.#carried) {
      if (this.#own.get(id) === stream) continue;
      this.#carried.delete(id);
      for (const kind of KINDS) sections[kind]?.sender.replaceTrack(null).catch(this.#onError); // a browser shows nothing in a section that was inactive
    }
    for (const stream of this.#own.all) this.#carry(stream, answering);
    if (!answering) for (const kind of KINDS) this.#listenFor(kind);
  }

  /** Sections that were offered when the other side's offer came first: there will be others for what is in them. */
  takeBack() {
    for (const [id, { sections }] of this.#carried) if (KINDS.some((kind) => sections[kind] && !sections[kind].mid)) this.#carried.delete(id);
    for (const section of this.#pc.getTransceivers()) if (section.mid === null) section.stop();
  }

  /** @param {Kind} kind that the other side is given a section for, in any case */
  #listenFor(kind) {
    const sections = this.#pc.getTransceivers();
    if (!sections.some(({ receiver }) => receiver.track.kind === kind)) this.#pc.addTransceiver(kind, { direction: "recvonly" });
  }

  /**
   * @param {OwnStream} stream
   * @param {boolean} answering
   */
  #carry(stream, answering) {
    const sections = this.of(stream.id);
    for (const kind of KINDS) {
      const track = stream.tracks[kind];
      if (!track || sections[kind]) continue;
      const free = this.#freeSection(kind);
      if (free) sections[kind] = this.#use(free, track, stream);
      else if (!answering) sections[kind] = this.#add(kind, track, stream);
    }
    if (sections.audio || sections.video) this.#carried.set(stream.id, { stream, sections });
  }

  /** @param {Kind} kind */
  #freeSection(kind) {
    const used = new Set([...this.#carried.values()].flatMap(({ sections }) => [sections.audio, sections.video]));
    return this.#pc.getTransceivers().find((section) => section.receiver.track.kind === kind && !used.has(section) && !section.sender.track && section.direction !== "stopped");
  }

  /**
   * @param {RTCRtpTransceiver} section
   * @param {MediaStreamTrack} track
   * @param {OwnStream} stream
   */
  #use(section, track, stream) {
    section.direction = "sendrecv";
    section.sender.replaceTrack(track).catch(this.#onError);
    const [encoding] = encodingsOf(track, stream);
    const parameters = section.sender.getParameters();
    if (encoding && parameters.encodings[0]) {
      Object.assign(parameters.encodings[0], { maxBitrate: encoding.maxBitrate, maxFramerate: encoding.maxFramerate });
      section.sender.setParameters(parameters).catch(() => {}); // it is a limit, not a need
    }
    if (track.kind === "video") preferCodec(section, stream.options.codec ?? "vp8");
    return section;
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   * @param {OwnStream} stream
   */
  #add(kind, track, stream) {
    const section = this.#pc.addTransceiver(track, { direction: "sendrecv", sendEncodings: encodingsOf(track, stream) });
    if (kind === "video") preferCodec(section, stream.options.codec ?? "vp8");
    return section;
  }
}

/**
 * One layer: the other side is the only one that watches.
 * @param {MediaStreamTrack} track
 * @param {OwnStream} stream
 */
function encodingsOf(track, { label, options }) {
  return track.kind === "audio" ? audioEncodings() : videoEncodings(track, { ...options, label, simulcast: false }, null);
}
