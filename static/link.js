/**
 * The direct connection between this participant and one other: one peer connection that carries both directions.
 *
 * Either side may offer; where two offers meet, the polite side gives way ("perfect negotiation", RFC 8829 section 4.1.8.2 has the
 * rollback). Sections carry both directions: what the other side has offered to receive on is used before new ones are made. Which
 * section carries which stream is read from `streams` beside the descriptions.
 *
 * Each page's end of a connection has a name of its own, `session`, that goes along with every message: a new one says that the
 * other side has begun anew (its page was reloaded, or its connection given up), and that this side must do so too.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").StreamEntry} StreamEntry */
/** @typedef {import("./own-streams.js").OwnStream} OwnStream */
/** @typedef {import("./own-streams.js").Kind} Kind */
/** @typedef {Record<Kind, RTCRtpTransceiver | null>} Sections */

import { audioEncodings, preferCodec, videoEncodings } from "./encodings.js";
import { KINDS } from "./own-streams.js";
import { configuration, entryOf } from "./publisher.js";
import { Recovery } from "./recovery.js";

const CHANNEL = "data";
const CHANNEL_ID = 0; // agreed by both sides: nobody has to announce it

/**
 * @typedef {object} LinkOwner
 * @property {(message: Message) => boolean} send to the other side
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => boolean} canSignal
 * @property {() => void} onHealth
 * @property {(entries: StreamEntry[], receiverOf: (mid: string | null) => RTCRtpReceiver | null) => void} onStreams what the other side sends now
 * @property {(text: string) => void} onText
 * @property {(error: Error) => void} onError
 */

export class Link {
  /** @type {RTCPeerConnection} */ #pc;
  /** @type {RTCDataChannel} */ #channel;
  /** @type {Map<string, { stream: OwnStream, sections: Sections }>} */ #carried = new Map();
  /** @type {Promise<void>} one thing after another */ #work = Promise.resolve();
  /** @type {string | null} */ #theirs = null;
  #session = "";
  #seq = 0;
  #polite;
  #own;
  #owner;
  #recovery;
  #changed = false; // since the last description that was sent
  #restart = false;
  #ignores = false; // the offer of the other side that came last
  #closed = false;

  /**
   * @param {boolean} polite
   * @param {import("./own-streams.js").OwnStreams} own
   * @param {LinkOwner} owner
   */
  constructor(polite, own, owner) {
    this.#polite = polite;
    this.#own = own;
    this.#owner = owner;
    const { canSignal, onHealth: onChange } = owner;
    this.#recovery = new Recovery({ restart: () => this.offer({ restart: true }), rebuild: () => this.rebuild(), canSignal, onChange });
    [this.#pc, this.#channel] = this.#connect();
  }

  get pc() {
    return this.#pc;
  }

  get broken() {
    return this.#recovery.broken;
  }

  /**
   * @param {string} streamId an own one
   * @returns {Sections}
   */
  sections(streamId) {
    return this.#carried.get(streamId)?.sections ?? { audio: null, video: null };
  }

  /**
   * Offers the present state, now or as soon as it is this side's turn.
   * @param {{ restart?: boolean }} [options]
   */
  offer({ restart = false } = {}) {
    this.#changed = true;
    this.#restart ||= restart;
    return this.#then(() => this.#offerIfStable());
  }

  /**
   * @param {OwnStream} stream
   * @param {Kind} kind
   */
  async replaceTrack(stream, kind) {
    const section = this.sections(stream.id)[kind];
    if (section) return section.sender.replaceTrack(stream.tracks[kind]);
    if (stream.tracks[kind]) await this.offer();
  }

  /** @param {Message} message from the other side */
  receive(message) {
    this.#then(() => this.#received(message));
  }

  /** Messages can be sent again: says once more what may have been lost. */
  resume() {
    this.#pc.setConfiguration(configuration(this.#owner.iceServers()));
    this.#then(async () => {
      if (this.#pc.signalingState === "have-local-offer") this.#describe("offer");
    });
    this.#recovery.signalingBack();
  }

  restartIce() {
    this.#recovery.nudge();
  }

  /** Gives the peer connection up and offers everything on a new one. */
  rebuild() {
    this.#renew();
    this.#work = Promise.resolve(); // what a closed connection was asked may never come to an end
    this.offer();
  }

  /**
   * @param {string} text
   * @returns {boolean} whether the channel was open
   */
  sendText(text) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(text);
    return true;
  }

  /** It is on its way out: whatever happens to it is not mended any more. */
  retire() {
    this.#recovery.stop();
  }

  close() {
    this.#closed = true;
    this.#recovery.stop();
    this.#pc.close();
  }

  /** @param {() => Promise<void>} step after those before it, unless the connection has been closed meanwhile */
  #then(step) {
    this.#work = this.#work.then(async () => {
      const pc = this.#pc;
      try {
        if (!this.#closed) await step();
      } catch (error) {
        if (!this.#closed && pc === this.#pc) this.#owner.onError(/** @type {Error} */ (error));
      }
    });
    return this.#work;
  }

  async #offerIfStable() {
    const pc = this.#pc;
    if (!this.#changed || pc.signalingState !== "stable") return; // then it follows the answer
    this.#changed = false;
    this.#attach();
    const offer = await pc.createOffer({ iceRestart: this.#restart });
    this.#restart = false;
    this.#seq += 1;
    await pc.setLocalDescription(offer);
    this.#describe("offer");
  }

  /** @param {Message} message */
  async #received(message) {
    if (message.type === "candidate") return this.#candidate(message);
    if (message.type === "answer") return this.#answered(message);
    if (message.to_session && message.to_session !== this.#session) return; // meant for a connection there is no more
    const anew = this.#theirs !== null && message.session !== this.#theirs;
    if (anew) this.#renew();
    const pc = this.#pc;
    const collision = pc.signalingState !== "stable";
    this.#ignores = collision && !this.#polite;
    if (this.#ignores) return;
    this.#theirs = message.session ?? null;
    await pc.setRemoteDescription({ type: "offer", sdp: message.sdp });
    if (collision) this.#takeBack();
    this.#attach({ answering: true });
    await pc.setLocalDescription();
    this.#describe("answer", message.seq);
    this.#tellStreams(message.streams);
    this.#changed = this.#own.all.some((stream) => !this.#isCarried(stream));
    await this.#offerIfStable();
  }

  /** @param {Message} message */
  async #answered({ session, to_session, seq, sdp, streams }) {
    if ((to_session && to_session !== this.#session) || seq !== this.#seq || this.#pc.signalingState !== "have-local-offer") return;
    this.#theirs = session ?? null;
    await this.#pc.setRemoteDescription({ type: "answer", sdp });
    this.#tellStreams(streams);
    await this.#offerIfStable();
  }

  /** @param {Message} message */
  async #candidate({ session, candidate }) {
    if (session && session !== this.#theirs) return;
    try {
      await this.#pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.#ignores) throw error; // else it belongs to the offer that gave way
    }
  }

  /**
   * @param {"offer" | "answer"} type
   * @param {number} [seq] of the offer that is answered
   */
  #describe(type, seq = this.#seq) {
    const carried = [...this.#carried.values()].map(({ stream, sections }) => entryOf(stream, sections.audio, sections.video));
    const coming = this.#own.expected.filter(({ id }) => !this.#carried.has(id)).map((stream) => entryOf(stream, null, null));
    this.#owner.send({ type, seq, sdp: this.#pc.localDescription?.sdp ?? "", streams: [...carried, ...coming], session: this.#session, to_session: this.#theirs });
  }

  /** @param {StreamEntry[] | undefined} entries */
  #tellStreams(entries) {
    const receivers = new Map(this.#pc.getTransceivers().map(({ mid, receiver }) => [mid, receiver]));
    this.#owner.onStreams(entries ?? [], (mid) => (mid === null ? null : (receivers.get(mid) ?? null)));
  }

  /**
   * @returns {[RTCPeerConnection, RTCDataChannel]}
   */
  #connect() {
    const pc = new RTCPeerConnection(configuration(this.#owner.iceServers()));
    const channel = pc.createDataChannel(CHANNEL, { negotiated: true, id: CHANNEL_ID });
    const session = crypto.randomUUID();
    this.#session = session;
    channel.onmessage = ({ data }) => this.#owner.onText(data);
    pc.onicecandidate = ({ candidate }) => {
      if (pc !== this.#pc || (candidate && !candidate.candidate)) return;
      const { sdpMid, sdpMLineIndex } = candidate ?? {};
      this.#owner.send({ type: "candidate", session, candidate: candidate && { candidate: candidate.candidate, sdpMid, sdpMLineIndex } });
    };
    this.#recovery.watch(pc);
    return [pc, channel];
  }

  /** A new peer connection takes the place of the present one. */
  #renew() {
    const before = this.#pc;
    this.#carried.clear();
    this.#theirs = null;
    this.#ignores = false;
    [this.#pc, this.#channel] = this.#connect();
    before.close();
  }

  /**
   * Gives every own stream its sections and takes them from those that are over.
   * @param {{ answering?: boolean }} [options] an answer can only use the sections of the offer
   */
  #attach({ answering = false } = {}) {
    for (const [id, { stream, sections }] of this.#carried) {
      if (this.#own.get(id) === stream) continue;
      this.#carried.delete(id);
      for (const kind of KINDS) sections[kind]?.sender.replaceTrack(null).catch(this.#owner.onError); // a browser shows nothing in a section that was inactive
    }
    for (const stream of this.#own.all) this.#carry(stream, answering);
    if (!answering) for (const kind of KINDS) this.#listenFor(kind);
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
    const sections = this.sections(stream.id);
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
    section.sender.replaceTrack(track).catch(this.#owner.onError);
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

  /** Sections that were offered when the other side's offer came first: there will be others for what is in them. */
  #takeBack() {
    for (const [id, { sections }] of this.#carried) if (KINDS.some((kind) => sections[kind] && !sections[kind].mid)) this.#carried.delete(id);
    for (const section of this.#pc.getTransceivers()) if (section.mid === null) section.stop();
  }

  /** @param {OwnStream} stream */
  #isCarried(stream) {
    const sections = this.sections(stream.id);
    return KINDS.every((kind) => !stream.tracks[kind] || sections[kind]?.currentDirection?.includes("send"));
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
