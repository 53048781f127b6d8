/**
 * The connection that carries what this participant sends: its streams and the data channel. The client offers here.
 *
 * One offer is in flight at a time; changes meanwhile go into the next one. Sections of a stream that has ended stay and are used
 * again for the next stream of the same shape. What is published is
 * `own-streams.js`'s and outlives the peer connection: `rebuild` offers the same streams on a new one.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").PublishOptions} PublishOptions */
/** @typedef {import("./types.js").StreamEntry} StreamEntry */
/** @typedef {import("./own-streams.js").Kind} Kind */
/** @typedef {import("./own-streams.js").OwnStream} OwnStream */
/** @typedef {Record<Kind, RTCRtpTransceiver | null>} Sections */

import { ConferenceError } from "./errors.js";
import { audioEncodings, preferCodec, videoEncodings, wantsSimulcast } from "./encodings.js";
import { KINDS } from "./own-streams.js";

/**
 * @typedef {object} PublisherOwner
 * @property {(message: Message, matches: (message: Message) => boolean) => Promise<Message>} request
 * @property {(message: Message) => void} send
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => import("./e2ee/encryption.js").Encryption | null} encryption of what is sent
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
  /** @type {Map<string, { stream: OwnStream, sections: Sections }>} what goes in which sections */ #carried = new Map();
  /** @type {Map<string, RTCRtpTransceiver[]>} sections nobody uses, by shape */ #parked = new Map();
  /** @type {Promise<void>} the offer in flight */ #exchange = Promise.resolve();
  /** @type {Promise<void> | null} the one to follow it */ #next = null;
  /** @type {Map<string, string[]>} layers that somebody could want, by stream, where that is not all of them */ #wanted = new Map();
  #abandon = () => {};
  #own;
  #owner;
  #seq = 0;
  #restart = false;

  /**
   * @param {import("./own-streams.js").OwnStreams} own
   * @param {PublisherOwner} owner
   */
  constructor(own, owner) {
    this.#own = own;
    this.#owner = owner;
  }

  get pc() {
    return this.#pc;
  }

  get channel() {
    return this.#channel;
  }

  /**
   * @param {string} streamId
   * @returns {Sections} that carry it
   */
  sections(streamId) {
    return this.#carried.get(streamId)?.sections ?? { audio: null, video: null };
  }

  /** Makes the peer connection before it is needed: while the server is still being reached. */
  prepare() {
    this.#spare ??= new RTCPeerConnection(configuration([], this.#owner.encryption()));
  }

  /** Makes the peer connection, if there is none, and offers what is there. */
  open() {
    if (!this.#pc) this.#connect();
    return this.negotiate();
  }

  /**
   * Sends the track that an own stream has now; offers anew only when the stream had no such section yet.
   * @param {OwnStream} stream
   * @param {Kind} kind
   */
  async replaceTrack(stream, kind) {
    const section = this.sections(stream.id)[kind];
    if (section) return section.sender.replaceTrack(stream.tracks[kind]);
    if (stream.tracks[kind] && this.#pc) await this.negotiate();
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

  /**
   * Encodes these layers of a picture and lets the others rest.
   * @param {string} streamId
   * @param {string[]} rids
   */
  async wantLayers(streamId, rids) {
    this.#wanted.set(streamId, rids);
    await this.#layer(streamId, rids);
  }

  /** Messages can be sent again: repeats the offer that was lost with the old socket. What was said meanwhile is not known. */
  async resume() {
    for (const [streamId] of this.#wanted) this.#layer(streamId, null).catch(this.#owner.onError);
    this.#wanted.clear();
    if (this.#restart || this.#pc?.signalingState === "have-local-offer") await this.negotiate();
  }

  /** Throws the peer connection away and offers everything on a new one. */
  rebuild() {
    this.#disconnect();
    return this.open();
  }

  /** Streams are offered again by the next `open`. */
  reset() {
    this.#disconnect();
  }

  close() {
    this.#disconnect();
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
    this.#pc?.setConfiguration(configuration(this.#owner.iceServers(), this.#owner.encryption()));
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
    this.#attach(pc);
    await pc.setLocalDescription(await pc.createOffer({ iceRestart }));
    this.#owner.encryption()?.frames.describe(pc);
    if (this.#carried.size) this.#owner.encryption()?.publishes();
    const seq = ++this.#seq;
    /** @param {Message} message */
    const answers = (message) => message.type === "answer" && message.pc === "publish" && message.seq === seq;
    const offer = { type: "offer", pc: "publish", seq, sdp: pc.localDescription?.sdp ?? "", streams: this.#entries() };
    try {
      const answer = await this.#owner.request(offer, answers);
      if (pc !== this.#pc) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      for (const [streamId, rids] of this.#wanted) await this.#layer(streamId, rids);
    } catch (error) {
      if (pc !== this.#pc) throw error;
      if (error instanceof ConferenceError && UNANSWERED.has(error.name)) this.#restart ||= iceRestart;
      else if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
      throw error;
    }
  }

  /**
   * @param {string} streamId
   * @param {string[] | null} rids null: all
   */
  async #layer(streamId, rids) {
    const sender = this.sections(streamId).video?.sender;
    const parameters = sender?.getParameters();
    if (!sender || !parameters || parameters.encodings.length < 2) return;
    /** @param {RTCRtpEncodingParameters} encoding */
    const wanted = ({ rid }) => rids === null || rids.includes(rid ?? "");
    if (parameters.encodings.every((encoding) => encoding.active === wanted(encoding))) return;
    for (const encoding of parameters.encodings) encoding.active = wanted(encoding);
    await sender.setParameters(parameters);
  }

  /** @returns {StreamEntry[]} */
  #entries() {
    return [...this.#carried.values()].map(({ stream, sections }) => entryOf(stream, sections.audio, sections.video));
  }

  #connect() {
    const pc = takeOrMake(this.#spare, this.#owner);
    this.#spare = null;
    this.#pc = pc;
    this.#channel = pc.createDataChannel(CHANNEL);
    this.#channel.onmessage = (event) => this.#owner.onText(event.data);
    pc.onicecandidate = ({ candidate }) => {
      if (pc === this.#pc) sendCandidate(this.#owner, "publish", candidate);
    };
    this.#owner.onConnection(pc);
  }

  #disconnect() {
    const pc = this.#pc;
    this.#pc = this.#channel = null;
    this.#next = null;
    this.#abandon();
    this.#parked.clear();
    this.#carried.clear();
    pc?.close();
  }

  /**
   * Gives every own stream its sections, and parks those of streams that are over.
   * @param {RTCPeerConnection} pc
   */
  #attach(pc) {
    for (const [id, carried] of this.#carried) {
      if (this.#own.get(id) === carried.stream) continue;
      this.#carried.delete(id);
      this.#park(carried.stream, carried.sections);
    }
    for (const stream of this.#own.all) {
      const sections = this.sections(stream.id);
      for (const kind of KINDS) {
        const track = stream.tracks[kind];
        if (track) sections[kind] ??= this.#section(pc, kind, track, stream.options);
      }
      this.#carried.set(stream.id, { stream, sections });
    }
  }

  /**
   * @param {OwnStream} stream
   * @param {Sections} sections
   */
  #park(stream, sections) {
    for (const kind of KINDS) {
      const section = sections[kind];
      if (!section) continue;
      section.direction = "inactive";
      section.sender.replaceTrack(null).catch(this.#owner.onError);
      const shape = shapeOf(kind, stream.options);
      this.#parked.set(shape, [...(this.#parked.get(shape) ?? []), section]);
    }
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   * @param {PublishOptions} options
   * @returns {RTCRtpTransceiver}
   */
  #section(pc, kind, track, options) {
    const parked = this.#parked.get(shapeOf(kind, options))?.pop();
    if (parked) {
      parked.direction = "sendonly";
      parked.sender.replaceTrack(track).catch(this.#owner.onError);
      return parked;
    }
    const sendEncodings = kind === "audio" ? audioEncodings() : videoEncodings(track, options, this.#owner.maxBitrate());
    const section = pc.addTransceiver(track, { direction: "sendonly", sendEncodings });
    this.#owner.encryption()?.frames.protectSender(section.sender, kind);
    if (kind === "video") preferCodec(section, options.codec ?? "vp8");
    else if (!this.#owner.encryption()) preferCodec(section, "red"); // who decrypts must get a payload as a whole
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
 * @param {{ id: string, label: string }} stream
 * @param {RTCRtpTransceiver | null} audio
 * @param {RTCRtpTransceiver | null} video
 * @returns {StreamEntry}
 */
export function entryOf({ id, label }, audio, video) {
  return { stream_id: id, label, audio_mid: audio?.mid ?? null, video_mid: video?.mid ?? null };
}

/**
 * @param {RTCIceServer[]} iceServers
 * @param {import("./e2ee/encryption.js").Encryption | null} [encryption]
 * @returns {RTCConfiguration}
 */
export function configuration(iceServers, encryption) {
  return { iceServers, bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", ...encryption?.configuration };
}

/**
 * @param {RTCPeerConnection | null} spare
 * @param {{ iceServers: () => RTCIceServer[], encryption: () => import("./e2ee/encryption.js").Encryption | null }} owner
 */
export function takeOrMake(spare, owner) {
  const wanted = configuration(owner.iceServers(), owner.encryption());
  spare?.setConfiguration(wanted);
  return spare ?? new RTCPeerConnection(wanted);
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
