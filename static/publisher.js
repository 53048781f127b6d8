/**
 * The connection that carries what this participant sends: its streams and the data channel. The client offers here.
 *
 * One offer is in flight at a time; changes meanwhile go into the next one. Sections of a stream that has ended stay and are used
 * again for the next stream of the same shape. Streams outlive the peer connection: `rebuild` offers the same ones on a new one.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").PublishOptions} PublishOptions */
/** @typedef {import("./types.js").StreamEntry} StreamEntry */
/** @typedef {"audio" | "video"} Kind */

import { ConferenceError } from "./errors.js";
import { audioEncodings, preferCodec, videoEncodings, wantsSimulcast } from "./encodings.js";

/**
 * @typedef {object} LocalStream
 * @property {string} id
 * @property {"camera" | "screen"} label
 * @property {PublishOptions} options
 * @property {Record<Kind, MediaStreamTrack | null>} tracks
 * @property {Record<Kind, RTCRtpTransceiver | null>} sections
 */

/**
 * @typedef {object} PublisherOwner
 * @property {(message: Message, matches: (message: Message) => boolean) => Promise<Message>} request
 * @property {(message: Message) => void} send
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => number | null} maxBitrate
 * @property {(pc: RTCPeerConnection) => void} onConnection a peer connection was made
 * @property {(text: string) => void} onText something arrived on the data channel
 * @property {(error: Error) => void} onError
 */

const CHANNEL = "events";
const UNANSWERED = new Set(["offline", "no_reply"]); // the offer is made again when the server is back

export class Publisher {
  /** @type {RTCPeerConnection | null} */ #pc = null;
  /** @type {RTCPeerConnection | null} made before it was needed */ #spare = null;
  /** @type {RTCDataChannel | null} */ #channel = null;
  /** @type {Map<string, LocalStream>} */ #streams = new Map();
  /** @type {Map<string, RTCRtpTransceiver[]>} sections nobody uses, by shape */ #parked = new Map();
  /** @type {Promise<void>} the offer in flight */ #exchange = Promise.resolve();
  /** @type {Promise<void> | null} the one to follow it */ #next = null;
  #abandon = () => {};
  #owner;
  #seq = 0;
  #restart = false;

  /** @param {PublisherOwner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  get pc() {
    return this.#pc;
  }

  get channel() {
    return this.#channel;
  }

  /** @returns {LocalStream[]} */
  get streams() {
    return [...this.#streams.values()];
  }

  /**
   * @param {string} streamId
   * @returns {LocalStream | undefined}
   */
  stream(streamId) {
    return this.#streams.get(streamId);
  }

  /** Makes the peer connection before it is needed: while the server is still being reached. */
  prepare() {
    this.#spare ??= new RTCPeerConnection(configuration([]));
  }

  /** Makes the peer connection, if there is none, and offers what is there. */
  open() {
    if (!this.#pc) this.#connect();
    return this.negotiate();
  }

  /**
   * Takes a stream in; it is offered by the next `negotiate`.
   * @param {LocalStream} stream
   */
  add(stream) {
    this.#streams.set(stream.id, stream);
    if (this.#pc) this.#attach(stream);
  }

  /**
   * Forgets a stream and parks its sections.
   * @param {string} streamId
   * @returns {boolean} whether there was one
   */
  remove(streamId) {
    const stream = this.#streams.get(streamId);
    if (!stream) return false;
    this.#streams.delete(streamId);
    for (const kind of /** @type {Kind[]} */ (["audio", "video"])) {
      const section = stream.sections[kind];
      if (!section) continue;
      section.direction = "inactive";
      section.sender.replaceTrack(null).catch(this.#owner.onError);
      const shape = shapeOf(kind, stream.options);
      this.#parked.set(shape, [...(this.#parked.get(shape) ?? []), section]);
      stream.sections[kind] = null;
    }
    return true;
  }

  /**
   * Sends another track, or none, in the place of one; offers anew only when the stream had no such section yet.
   * @param {string} streamId
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  async replaceTrack(streamId, kind, track) {
    const stream = this.#streams.get(streamId);
    if (!stream) throw new ConferenceError("no_such_stream", 404, `no own stream ${streamId}`);
    stream.tracks[kind] = track;
    const section = stream.sections[kind];
    if (section) return section.sender.replaceTrack(track);
    if (!track || !this.#pc) return;
    this.#attach(stream);
    await this.negotiate();
  }

  /**
   * Offers the present state, after the offer that may be in flight.
   * @param {{ restart?: boolean }} [options]
   * @returns {Promise<void>} resolves when the server has accepted it; rejects with the server's refusal
   */
  negotiate({ restart = false } = {}) {
    this.#restart ||= restart;
    const pc = this.#pc;
    this.#next ??= this.#exchange
      .catch(() => {}) // whoever asked for that one hears of it
      .then(() => {
        if (pc !== this.#pc) return; // rebuilt meanwhile: the new connection is offered by itself
        this.#next = null;
        return (this.#exchange = this.#offer());
      });
    return this.#next;
  }

  /** Messages can be sent again: repeats the offer that was lost with the old socket. */
  async resume() {
    if (this.#restart || this.#pc?.signalingState === "have-local-offer") await this.negotiate();
  }

  /** Throws the peer connection away and offers everything on a new one. */
  rebuild() {
    this.#disconnect();
    return this.open();
  }

  /** @param {{ keepStreams?: boolean }} [options] kept streams are offered by the next `open` */
  close({ keepStreams = false } = {}) {
    this.#disconnect();
    if (keepStreams) return;
    this.#streams.clear();
    this.#spare?.close();
    this.#spare = null;
  }

  /**
   * @param {object} message
   * @returns {boolean} whether the data channel was open
   */
  sendText(message) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** Puts new ICE servers to use from the next restart on. */
  configure() {
    this.#pc?.setConfiguration(configuration(this.#owner.iceServers()));
  }

  /** What a closed connection was asked never comes to an end, so the end is told by `#abandon`. */
  #offer() {
    const pc = this.#pc;
    if (!pc) return Promise.resolve();
    const abandoned = new Promise((_, reject) => {
      this.#abandon = () => reject(new ConferenceError("rebuilt", 0, "offered again on a new connection"));
    });
    return /** @type {Promise<void>} */ (Promise.race([this.#offerOn(pc), abandoned]));
  }

  /** @param {RTCPeerConnection} pc */
  async #offerOn(pc) {
    const iceRestart = this.#restart;
    this.#restart = false;
    await pc.setLocalDescription(await pc.createOffer({ iceRestart }));
    const seq = ++this.#seq;
    /** @param {Message} message */
    const answers = (message) => message.type === "answer" && message.pc === "publish" && message.seq === seq;
    const offer = { type: "offer", pc: "publish", seq, sdp: pc.localDescription?.sdp ?? "", streams: this.#entries() };
    try {
      const answer = await this.#owner.request(offer, answers);
      if (pc === this.#pc) await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      if (pc !== this.#pc) throw error;
      if (error instanceof ConferenceError && UNANSWERED.has(error.name)) this.#restart ||= iceRestart;
      else if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
      throw error;
    }
  }

  /** @returns {StreamEntry[]} */
  #entries() {
    return this.streams.map(({ id, label, sections }) => ({
      stream_id: id,
      label,
      audio_mid: sections.audio?.mid ?? null,
      video_mid: sections.video?.mid ?? null,
    }));
  }

  #connect() {
    const pc = takeOrMake(this.#spare, this.#owner.iceServers());
    this.#spare = null;
    this.#pc = pc;
    this.#channel = pc.createDataChannel(CHANNEL);
    this.#channel.onmessage = (event) => this.#owner.onText(event.data);
    pc.onicecandidate = ({ candidate }) => {
      if (pc === this.#pc) sendCandidate(this.#owner, "publish", candidate);
    };
    for (const stream of this.#streams.values()) this.#attach(stream);
    this.#owner.onConnection(pc);
  }

  #disconnect() {
    const pc = this.#pc;
    this.#pc = this.#channel = null;
    this.#next = null;
    this.#abandon();
    this.#parked.clear();
    for (const stream of this.#streams.values()) stream.sections = { audio: null, video: null };
    pc?.close();
  }

  /** @param {LocalStream} stream */
  #attach(stream) {
    for (const kind of /** @type {Kind[]} */ (["audio", "video"])) {
      const track = stream.tracks[kind];
      if (track && !stream.sections[kind]) stream.sections[kind] = this.#section(kind, track, stream.options);
    }
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   * @param {PublishOptions} options
   * @returns {RTCRtpTransceiver}
   */
  #section(kind, track, options) {
    const parked = this.#parked.get(shapeOf(kind, options))?.pop();
    if (parked) {
      parked.direction = "sendonly";
      parked.sender.replaceTrack(track).catch(this.#owner.onError);
      return parked;
    }
    const sendEncodings = kind === "audio" ? audioEncodings() : videoEncodings(track, options, this.#owner.maxBitrate());
    const pc = /** @type {RTCPeerConnection} */ (this.#pc);
    const section = pc.addTransceiver(track, { direction: "sendonly", sendEncodings });
    if (kind === "video") preferCodec(section, options.codec ?? "vp8");
    return section;
  }
}

/**
 * What must agree for a parked section to be used again.
 * @param {Kind} kind
 * @param {PublishOptions} options
 */
function shapeOf(kind, options) {
  if (kind === "audio") return "audio";
  return ["video", options.label, options.codec ?? "vp8", wantsSimulcast(options), options.maxBitrate ?? "auto"].join("/");
}

/**
 * @param {RTCIceServer[]} iceServers
 * @returns {RTCConfiguration}
 */
export function configuration(iceServers) {
  return { iceServers, bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
}

/**
 * @param {RTCPeerConnection | null} spare
 * @param {RTCIceServer[]} iceServers
 */
export function takeOrMake(spare, iceServers) {
  spare?.setConfiguration(configuration(iceServers));
  return spare ?? new RTCPeerConnection(configuration(iceServers));
}

/**
 * @param {{ send: (message: Message) => void }} owner
 * @param {import("./types.js").Side} side
 * @param {RTCIceCandidate | null} candidate null: that was all
 */
export function sendCandidate(owner, side, candidate) {
  if (candidate && !candidate.candidate) return; // the older way to say "that was all"
  const { sdpMid, sdpMLineIndex } = candidate ?? {};
  owner.send({ type: "candidate", pc: side, candidate: candidate && { candidate: candidate.candidate, sdpMid, sdpMLineIndex } });
}
