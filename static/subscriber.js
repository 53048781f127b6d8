/**
 * The connection on which everything from others arrives. The server offers here.
 *
 * The server keeps freed sections and gives them to later streams, so which track shows which stream is read from the offer's
 * `streams` alone. A stream keeps its `MediaStream` for as long as it lives; when its section changes, the tracks in it do.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").StreamEntry} StreamEntry */
/** @typedef {import("./types.js").RemoteStream} RemoteStream */

import { configuration, sendCandidate, takeOrMake } from "./publisher.js";

const REBUILD_AFTER = 1; // seconds after an offer that this browser could not take
const FIRST = 1; // the number of a fresh connection's first offer

/**
 * @typedef {object} SubscriberOwner
 * @property {(message: Message) => void} send
 * @property {() => RTCIceServer[]} iceServers
 * @property {(pc: RTCPeerConnection) => void} onConnection a peer connection was made
 * @property {(stream: RemoteStream) => void} onStream
 * @property {(stream: RemoteStream) => void} onStreamEnded
 * @property {(error: Error) => void} onError
 */

/** @typedef {{ stream: RemoteStream, audio: RTCRtpReceiver | null, video: RTCRtpReceiver | null }} Received */

export class Subscriber {
  /** @type {RTCPeerConnection | null} */ #pc = null;
  /** @type {RTCPeerConnection | null} made before it was needed */ #spare = null;
  /** @type {Map<string, Received>} */ #received = new Map();
  /** @type {Promise<void>} */ #work = Promise.resolve();
  #round = 0; // counts the connections the server has begun
  #asked = false; // for a new connection, and it has not come yet
  #owner;

  /** @param {SubscriberOwner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  get pc() {
    return this.#pc;
  }

  /** @returns {Received[]} */
  get received() {
    return [...this.#received.values()];
  }

  /**
   * @param {string} streamId
   * @returns {RemoteStream | undefined}
   */
  stream(streamId) {
    return this.#received.get(streamId)?.stream;
  }

  /** Makes the peer connection before it is needed: while the server is still being reached. */
  prepare() {
    this.#spare ??= new RTCPeerConnection(configuration([]));
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
    for (const [id, { stream }] of this.#received) {
      if (present.has(id)) continue;
      this.#received.delete(id);
      this.#owner.onStreamEnded(stream);
    }
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
    this.#pc?.setConfiguration(configuration(this.#owner.iceServers()));
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
    const pc = takeOrMake(this.#spare, this.#owner.iceServers());
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
    for (const entry of entries) this.#place(entry);
  }

  /** @param {StreamEntry} entry */
  #place(entry) {
    const known = this.#received.get(entry.stream_id);
    const stream = known?.stream ?? newStream(entry);
    const audio = this.#receiver(entry.audio_mid);
    const video = this.#receiver(entry.video_mid);
    this.#received.set(stream.id, { stream, audio, video });
    setTracks(stream.mediaStream, [audio, video]);
    if (!known) this.#owner.onStream(stream);
  }

  /** @param {string | null} mid */
  #receiver(mid) {
    if (mid === null) return null;
    return this.#pc?.getTransceivers().find((transceiver) => transceiver.mid === mid)?.receiver ?? null;
  }
}

/**
 * @param {StreamEntry} entry
 * @returns {RemoteStream}
 */
function newStream({ stream_id, user_id, label }) {
  return { id: stream_id, userId: user_id ?? "", label, mediaStream: new MediaStream(), layers: null };
}

/**
 * Makes `stream` hold the tracks of these receivers and no others.
 * @param {MediaStream} stream
 * @param {(RTCRtpReceiver | null)[]} receivers
 */
function setTracks(stream, receivers) {
  const wanted = receivers.flatMap((receiver) => (receiver ? [receiver.track] : []));
  for (const track of stream.getTracks()) if (!wanted.includes(track)) stream.removeTrack(track);
  for (const track of wanted) if (!stream.getTracks().includes(track)) stream.addTrack(track);
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
