/**
 * Puts the worker that seals and opens frames into the way of what is sent and received.
 *
 * A sender is protected before anything is encoded for it, a receiver before anything arrives: nothing passes beside the worker.
 */

import { ConferenceError } from "../errors.js";
import { KINDS } from "../own-streams.js";

/** @typedef {import("./sealing.js").ChainKey} ChainKey */
/** @typedef {import("./opening.js").TheirKey} TheirKey */
/** @typedef {"audio" | "video"} Kind */
/** @typedef {{ readable: ReadableStream, writable: WritableStream }} Streams */
/** @typedef {(RTCRtpSender | RTCRtpReceiver) & { createEncodedStreams?: () => Streams, transform?: object | null }} End */

const WORKER = new URL("./worker.js", import.meta.url);
const RTPMAP = /^a=rtpmap:(\d+) ([^/]+)\//gm;

/** What a peer connection has to be made with, where a browser has only the older way. */
export const OLDER = { encodedInsertableStreams: true };

export const hasScripts = "RTCRtpScriptTransform" in globalThis;

/** Whether this browser can do it at all. */
export const supported = hasScripts || "createEncodedStreams" in RTCRtpSender.prototype;

export class Frames {
  /** @type {WeakMap<End, number>} */ #ids = new WeakMap();
  #worker = new Worker(WORKER, { type: "module", name: "frames" });
  #last = 0;

  /**
   * @param {() => void} onMissing a frame has come whose key nobody has told
   * @param {(error: Error) => void} onError
   */
  constructor(onMissing, onError) {
    this.#worker.onmessage = onMissing;
    this.#worker.onerror = ({ message }) => onError(new ConferenceError("encryption_failed", 0, message || "frames cannot be encrypted here"));
  }

  /** @param {ChainKey} key under which one's own frames are sealed from now on */
  seal(key) {
    this.#worker.postMessage({ act: "own", key });
  }

  /** @param {TheirKey} key */
  open(key) {
    this.#worker.postMessage({ act: "theirs", key });
  }

  /** @param {string} userId whose keys are of no use any more */
  forget(userId) {
    this.#worker.postMessage({ act: "gone", userId });
  }

  /**
   * @param {RTCRtpSender} sender
   * @param {Kind} kind
   */
  protectSender(sender, kind) {
    this.#protect(sender, "seal", kind);
  }

  /**
   * What payload types mean in these sections, before anything is sent in them.
   * @param {RTCPeerConnection} pc
   */
  describe(pc) {
    const names = Object.fromEntries([...(pc.localDescription?.sdp ?? "").matchAll(RTPMAP)].map(([, type, name]) => [type, name?.toLowerCase()]));
    for (const sender of pc.getSenders()) {
      const id = this.#ids.get(sender);
      if (id) this.#worker.postMessage({ act: "codecs", id, names });
    }
  }

  /**
   * @param {RTCPeerConnection} pc on which others' streams arrive
   */
  protectReceivers(pc) {
    for (const { receiver } of pc.getTransceivers()) this.#protect(receiver, "open", /** @type {Kind} */ (receiver.track.kind));
  }

  /**
   * @param {Record<Kind, RTCRtpReceiver | null>} receivers
   * @param {string} userId who sends what arrives there, as the server says
   */
  belongs(receivers, userId) {
    for (const kind of KINDS) {
      const id = receivers[kind] && this.#ids.get(receivers[kind]);
      if (id) this.#worker.postMessage({ act: "owner", id, kind, userId });
    }
  }

  close() {
    this.#worker.terminate();
  }

  /**
   * @param {End} end
   * @param {"seal" | "open"} direction
   * @param {Kind} kind
   */
  #protect(end, direction, kind) {
    if (this.#ids.has(end)) return;
    const section = { id: ++this.#last, direction, kind };
    this.#ids.set(end, section.id);
    if (hasScripts) end.transform = new /** @type {any} */ (globalThis).RTCRtpScriptTransform(this.#worker, section);
    else if (end.createEncodedStreams) this.#pass(section, end.createEncodedStreams());
  }

  /**
   * @param {{ id: number, direction: "seal" | "open", kind: Kind }} section
   * @param {Streams} streams
   */
  #pass(section, { readable, writable }) {
    this.#worker.postMessage({ act: "streams", section, readable, writable }, [/** @type {any} */ (readable), /** @type {any} */ (writable)]);
  }
}
