/**
 * The direct connection between this participant and one other: one peer connection that carries both directions.
 *
 * Either side may offer; where two offers meet, the polite side gives way ("perfect negotiation", RFC 8829 section 4.1.8.2 has the
 * rollback). Which section carries which stream (`pair-sections.js`) is read from `streams` beside the descriptions.
 *
 * Each page's end of a connection has a name of its own, `session`, that goes along with every message: a new one says that the
 * other side has begun anew (its page was reloaded, or its connection given up), and that this side must do so too.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").StreamEntry} StreamEntry */
/** @typedef {import("./own-streams.js").OwnStream} OwnStream */
/** @typedef {import("./own-streams.js").Kind} Kind */

import { PairSections } from "./pair-sections.js";
import { configuration } from "./publisher.js";
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
  /** @type {PairSections} */ #sections;
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
    [this.#pc, this.#channel, this.#sections] = this.#connect();
  }

  get pc() {
    return this.#pc;
  }

  get broken() {
    return this.#recovery.broken;
  }

  /**
   * @param {string} streamId an own one
   * @returns {import("./pair-sections.js").Sections} that carry it
   */
  sections(streamId) {
    return this.#sections.of(streamId);
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
    this.#sections.attach();
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
    if (collision) this.#sections.takeBack();
    this.#sections.attach({ answering: true });
    await pc.setLocalDescription();
    this.#describe("answer", message.seq);
    this.#tellStreams(message.streams);
    this.#changed = !this.#sections.complete;
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
    this.#owner.send({ type, seq, sdp: this.#pc.localDescription?.sdp ?? "", streams: this.#sections.entries, session: this.#session, to_session: this.#theirs });
  }

  /** @param {StreamEntry[] | undefined} entries */
  #tellStreams(entries) {
    const receivers = new Map(this.#pc.getTransceivers().map(({ mid, receiver }) => [mid, receiver]));
    this.#owner.onStreams(entries ?? [], (mid) => (mid === null ? null : (receivers.get(mid) ?? null)));
  }

  /**
   * @returns {[RTCPeerConnection, RTCDataChannel, PairSections]}
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
    return [pc, channel, new PairSections(pc, this.#own, this.#owner.onError)];
  }

  /** A new peer connection takes the place of the present one. */
  #renew() {
    const before = this.#pc;
    this.#theirs = null;
    this.#ignores = false;
    [this.#pc, this.#channel, this.#sections] = this.#connect();
    before.close();
  }
}
