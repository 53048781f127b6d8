/**
 * Media without a server: a direct connection to each of the others, described through the signaling socket.
 *
 * Whoever comes (a newcomer, or a page after a reload) offers to everybody who is there; where offers collide, the one who came
 * later is polite. When the conference moves to the server, the connections stay until both sides show everything of each other as
 * the server sends it, or the time is up (`retire`).
 */

/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").Message} Message */

import { Link } from "./link.js";

const MOVE_WITHIN = 9.5; // seconds; the server passes on no more after 10

/**
 * @typedef {object} Peer
 * @property {Link} link
 * @property {string[]} streamIds what comes from there
 * @property {boolean} needed whether something of it is still shown here
 * @property {boolean} needs whether the other side still shows something of this side's
 */

/**
 * @typedef {object} MeshOwner
 * @property {(userId: string) => boolean} cameBefore whether somebody was there before oneself
 * @property {() => void} onRetired the last connection is closed
 */

/** @implements {Carrier} @typedef {import("./server-media.js").Carrier} Carrier */
export class Mesh {
  /** @type {Map<string, Peer>} by user */ #peers = new Map();
  #own;
  #incoming;
  #owner;
  #retiring = false;
  #deadline = 0;

  /**
   * @param {import("./own-streams.js").OwnStreams} own
   * @param {import("./incoming.js").Incoming} incoming
   * @param {import("./server-media.js").CarrierOwner & MeshOwner} owner
   */
  constructor(own, incoming, owner) {
    this.#own = own;
    this.#incoming = incoming;
    this.#owner = owner;
  }

  /** @returns {[string, Link][]} by user */
  get links() {
    return [...this.#peers].map(([userId, { link }]) => [userId, link]);
  }

  get broken() {
    return !this.#retiring && this.links.some(([, link]) => link.broken);
  }

  /** @param {string[]} userIds everybody who is there */
  begin(userIds) {
    for (const userId of userIds) this.#peer(userId).link.offer();
  }

  /** @param {string} userId who is offline */
  left(userId) {
    this.#part(userId);
  }

  async offer() {
    await Promise.all(this.links.map(([, link]) => link.offer()));
    if (this.#peers.size) this.#owner.onAccepted();
  }

  /**
   * @param {import("./own-streams.js").OwnStream} stream
   * @param {import("./own-streams.js").Kind} kind
   */
  async replaceTrack(stream, kind) {
    await Promise.all(this.links.map(([, link]) => link.replaceTrack(stream, kind)));
  }

  /** @param {Message} message from another participant */
  receive(message) {
    const known = this.#peers.get(message.from);
    if (message.type === "close") return this.#closed(message.from);
    if (known || (message.type === "offer" && !this.#retiring)) this.#peer(message.from).link.receive(message);
  }

  /** @param {Joined} joined */
  resume({ participants }) {
    const present = new Set(participants.map(({ id }) => id));
    for (const userId of this.#peers.keys()) if (!present.has(userId)) this.#part(userId);
    for (const [, link] of this.links) link.resume();
  }

  restartIce() {
    for (const [, link] of this.links) link.restartIce();
  }

  /** @param {{ type?: string, to?: string[] | null, payload?: unknown }} message */
  sendText({ type, to, payload }) {
    const text = JSON.stringify({ type, payload });
    const receivers = this.links.filter(([userId]) => !to || to.includes(userId));
    return receivers.map(([, link]) => link.sendText(text)).every((sent) => sent) && this.#peers.size > 0;
  }

  /** The conference moves to the server: each connection goes when it is needed no more, all go when the time is up. */
  retire() {
    if (this.#retiring) return;
    this.#retiring = true;
    this.#deadline = setTimeout(() => this.close(), MOVE_WITHIN * 1000);
    for (const [, link] of this.links) link.retire();
    this.moved();
  }

  /** Another stream is shown as the server sends it. */
  moved() {
    if (!this.#retiring) return;
    for (const [userId, peer] of this.#peers) {
      if (!peer.needed || !this.#incoming.hasMoved(userId, peer.streamIds)) continue;
      peer.needed = false;
      this.#owner.send({ type: "close", to: userId });
      if (!peer.needs) this.#part(userId);
    }
    if (this.#peers.size === 0) this.close();
  }

  close() {
    clearTimeout(this.#deadline);
    for (const userId of [...this.#peers.keys()]) this.#part(userId);
    if (this.#retiring) this.#owner.onRetired();
  }

  /** @param {string} userId who needs this connection no more */
  #closed(userId) {
    const peer = this.#peers.get(userId);
    if (!peer) return;
    peer.needs = false;
    if (!this.#retiring || !peer.needed) this.#part(userId);
    if (this.#retiring && this.#peers.size === 0) this.close();
  }

  /** @param {string} userId */
  #part(userId) {
    this.#peers.get(userId)?.link.close();
    this.#peers.delete(userId);
    this.#incoming.keep("direct", new Set(), userId);
    this.#owner.onHealth();
  }

  /** @param {string} userId */
  #peer(userId) {
    const known = this.#peers.get(userId);
    if (known) return known;
    const { iceServers, canSignal, onHealth, onError, onData } = this.#owner;
    const link = new Link(this.#owner.cameBefore(userId), this.#own, {
      ...{ iceServers, canSignal, onHealth, onError },
      send: (message) => (!this.#retiring || message.type !== "offer") && this.#owner.send({ ...message, to: userId }),
      onText: (text) => onData({ ...JSON.parse(text), from: userId }),
      onStreams: (entries, receiverOf) => this.#arrived(userId, entries, receiverOf),
    });
    /** @type {Peer} */
    const peer = { link, streamIds: [], needed: true, needs: true };
    this.#peers.set(userId, peer);
    return peer;
  }

  /**
   * @param {string} userId
   * @param {import("./types.js").StreamEntry[]} entries
   * @param {(mid: string | null) => RTCRtpReceiver | null} receiverOf
   */
  #arrived(userId, entries, receiverOf) {
    const peer = this.#peers.get(userId);
    if (!peer) return;
    peer.streamIds = entries.map((entry) => entry.stream_id);
    this.#incoming.keep("direct", new Set(peer.streamIds), userId);
    for (const entry of entries) {
      this.#incoming.place("direct", { ...entry, user_id: userId }, { audio: receiverOf(entry.audio_mid), video: receiverOf(entry.video_mid) });
    }
  }
}
