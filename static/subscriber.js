/**
 * The connection on which everything from others arrives. The server offers here.
 *
 * The server keeps freed sections and gives them to later streams, so which track shows which stream is read from the offer's
 * `streams` alone. What becomes of the tracks is `incoming.js`'s.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").StreamEntry} StreamEntry */

import { configuration, sendCandidate, takeOrMake } from "./publisher.js";

const REBUILD_AFTER = 1; // seconds after an offer that this browser could not take
const FIRST = 1; // the number of a fresh connection's first offer

/**
 * @typedef {object} SubscriberOwner
 * @property {(message: Message) => void} send
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => import("./e2ee/encryption.js").Encryption | null} encryption of what is received
 * @property {(pc: RTCPeerConnection) => void} onConnection a peer connection was made
 * @property {(error: Error) => void} onError
 */

export class Subscriber {
  /** @type {RTCPeerConnection | null} */ #pc = null;
  /** @type {RTCPeerConnection | null} made before it was needed */ #spare = null;
  /** @type {Promise<void>} */ #work = Promise.resolve();
  #round = 0; // counts the connections the server has begun
  #asked = false; // for a new connection, and it has not come yet
  #incoming;
  #owner;

  /**
   * @param {import("./incoming.js").Incoming} incoming
   * @param {SubscriberOwner} owner
   */
  constructor(incoming, owner) {
    this.#incoming = incoming;
    this.#owner = owner;
  }

  get pc() {
    return this.#pc;
  }

  /** Makes the peer connection before it is needed: while the server is still being reached. */
  prepare() {
    this.#spare ??= new RTCPeerConnection(configuration([], this.#owner.encryption()));
  }

  /**
   * Answers an offer of the server, after those that came before it.
   * @param {Message} offer
   */
  offered(offer) {
    const round = offer.seq === FIRST ? ++this.#round : this.#round;
    this.#work = this.#work
      .then(() => (round === this.#round ? this.#answer(offer) : undefined)) // else a newer connection is offered already
      .catch((error) => this.#failed(error));
  }

  /** Asks the server for new ICE credentials, or for a new connection where there is none to restart. */
  restart() {
    if (this.#pc) this.#owner.send({ type: "restart", pc: "subscribe" });
    else this.rebuild();
  }

  /**
   * Messages can be sent again: repeats what was asked for on the old socket.
   * @returns {boolean} whether a new connection is on its way
   */
  resume() {
    if (this.#asked) this.rebuild();
    return this.#asked;
  }

  /** Throws the peer connection away and asks for a new one; the streams and their elements stay. */
  rebuild() {
    this.#disconnect();
    this.#work = Promise.resolve(); // what a closed connection was asked never comes to an end
    this.#asked = true;
    this.#owner.send({ type: "restart", pc: "subscribe", fresh: true });
  }

  /**
   * Ends every stream but these.
   * @param {Set<string>} present ids of what there is at the server
   */
  keep(present) {
    this.#incoming.keep("server", present);
  }

  /** Everything received ends. */
  reset() {
    this.#disconnect();
    this.#work = Promise.resolve();
    this.#asked = false;
    this.#map([]);
  }

  close() {
    this.reset();
    this.#spare?.close();
    this.#spare = null;
  }

  configure() {
    this.#pc?.setConfiguration(configuration(this.#owner.iceServers(), this.#owner.encryption()));
  }

  /** @param {Message} offer */
  async #answer({ sdp, seq, streams }) {
    const round = this.#round;
    if (seq !== FIRST && !this.#pc) {
      if (!this.#asked) this.rebuild(); // it is meant for a connection from before a reload
      return;
    }
    this.#asked = false;
    if (seq === FIRST || !sameSession(this.#pc?.remoteDescription?.sdp, sdp)) this.#disconnect();
    const pc = this.#pc ?? this.#connect();
    await pc.setRemoteDescription({ type: "offer", sdp });
    this.#owner.encryption()?.frames.protectReceivers(pc);
    await pc.setLocalDescription();
    if (pc !== this.#pc || round !== this.#round) return;
    this.#owner.send({ type: "answer", pc: "subscribe", seq, sdp: pc.localDescription?.sdp ?? "" });
    this.#map(streams ?? []);
  }

  /** @param {Error} error */
  #failed(error) {
    this.#owner.onError(error);
    const pc = this.#pc;
    if (pc) setTimeout(() => pc === this.#pc && this.rebuild(), REBUILD_AFTER * 1000);
  }

  #connect() {
    const pc = takeOrMake(this.#spare, this.#owner);
    this.#spare = null;
    this.#pc = pc;
    pc.onicecandidate = ({ candidate }) => {
      if (pc === this.#pc) sendCandidate(this.#owner, "subscribe", candidate);
    };
    this.#owner.onConnection(pc);
    return pc;
  }

  #disconnect() {
    const pc = this.#pc;
    this.#pc = null;
    pc?.close();
  }

  /** @param {StreamEntry[]} entries */
  #map(entries) {
    this.keep(new Set(entries.map((entry) => entry.stream_id)));
    for (const entry of entries) {
      const receivers = { audio: this.#receiver(entry.audio_mid), video: this.#receiver(entry.video_mid) };
      this.#owner.encryption()?.frames.belongs(receivers, entry.user_id ?? "");
      this.#incoming.place("server", entry, receivers);
    }
  }

  /** @param {string | null} mid */
  #receiver(mid) {
    if (mid === null) return null;
    return this.#pc?.getTransceivers().find((transceiver) => transceiver.mid === mid)?.receiver ?? null;
  }
}

/**
 * Whether `next` goes on with the session of `last`, or starts one that needs a peer connection of its own.
 * @param {string | undefined} last
 * @param {string} next
 */
export function sameSession(last, next) {
  if (!last) return true;
  return originOf(last) === originOf(next) && fingerprintOf(last) === fingerprintOf(next);
}

/** @param {string} sdp */
function originOf(sdp) {
  return /^o=\S+ (\S+)/m.exec(sdp)?.[1];
}

/** @param {string} sdp */
function fingerprintOf(sdp) {
  return /^a=fingerprint:(.+)$/m.exec(sdp)?.[1]?.trim().toLowerCase();
}
