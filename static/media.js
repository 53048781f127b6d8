/**
 * Everything about media of one participant: what is published, what arrives, and which of the two ways it takes.
 *
 * A MESH conference goes directly (`mesh.js`, loaded when it is needed), an SFU conference by the server (`server-media.js`); while
 * one becomes the other, both are at work. Nobody else has to know.
 */

/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Mode} Mode */
/** @typedef {import("./types.js").Muted} Muted */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {import("./mesh.js").Mesh} Mesh */
/** @typedef {import("./server-media.js").Carrier} Carrier */

import { Incoming } from "./incoming.js";
import { OwnStreams } from "./own-streams.js";
import { LISTENER } from "./roster.js";
import { ServerMedia } from "./server-media.js";

const STREAMS_BACK_WITHIN = 10; // seconds after a reload to publish again what was published before: until then it lasts for others

/**
 * @typedef {object} MediaOwner
 * @property {(streamId: string) => Muted} muted
 * @property {(userId: string) => boolean} cameBefore whether somebody was there before oneself
 */

/** @typedef {import("./server-media.js").CarrierOwner & import("./incoming.js").IncomingOwner & MediaOwner} Owner */

export class Media {
  own = new OwnStreams();
  incoming;
  server;
  /** @type {Mesh | null} */ mesh = null;
  /** @type {Promise<void>} until `mesh` is there */ #meshLoaded = Promise.resolve();
  /** @type {Mode} */ #mode = "SFU";
  #role = "";
  #round = 0; // counts conferences that were joined
  #backTimer = 0;
  #owner;

  /** @param {Owner} owner */
  constructor(owner) {
    this.#owner = owner;
    this.incoming = new Incoming({
      ...owner,
      onStep: (stream, step) => {
        owner.onStep(stream, step);
        if (step === "moved") this.mesh?.moved();
      },
    });
    this.server = new ServerMedia(this.own, this.incoming, owner);
  }

  get mode() {
    return this.#mode;
  }

  get broken() {
    return this.#carriers.some((carrier) => carrier.broken);
  }

  /** Direct connections, for looking at. */
  get direct() {
    return new Map(this.mesh?.links.map(([userId, link]) => [userId, link.pc]));
  }

  prepare() {
    this.server.prepare();
  }

  /**
   * Begins in a conference that was just entered.
   * @param {Joined} joined
   * @param {Record<string, string>} streams ids by label of those from before a reload
   */
  begin({ mode, participant, participants }, streams) {
    this.incoming.clear();
    this.mesh?.close();
    this.mesh = null;
    this.#round += 1;
    this.#mode = mode;
    this.#role = participant.role ?? "";
    this.own.expect(streams);
    this.#backTimer = setTimeout(() => this.#expectNoMore(), STREAMS_BACK_WITHIN * 1000);
    if (mode === "SFU") return this.server.begin(this.#role);
    const others = participants.map(({ id }) => id).filter((id) => id !== participant.id);
    this.#loadMesh((mesh) => mesh.begin(others));
  }

  /** @param {string} role of oneself, from now on: what a listener published is over */
  setRole(role) {
    this.#role = role;
    if (role !== LISTENER) return;
    this.own.clear();
    this.server.fallSilent();
  }

  /**
   * Goes on in a conference after the socket was lost.
   * @param {Joined} joined
   */
  resume(joined) {
    if (joined.mode !== this.#mode) this.setMode(joined.mode);
    else if (this.#mode === "SFU") this.server.resume(joined);
    else this.#withMesh((mesh) => mesh.resume(joined));
  }

  /** @param {Mode} mode from MESH to SFU, never back: make before break */
  setMode(mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    if (mode !== "SFU") return;
    this.server.begin(this.#role);
    this.#withMesh((mesh) => mesh.retire());
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether it was about media's ways
   */
  receive(message) {
    if (message.from && ["offer", "answer", "candidate", "close"].includes(message.type)) this.#withMesh((mesh) => mesh.receive(message));
    else if (message.type === "offer") this.server.receive(message);
    else return false;
    return true;
  }

  /** @param {string} userId who is offline */
  left(userId) {
    this.#withMesh((mesh) => mesh.left(userId));
  }

  /** Own streams have changed: resolves when that has been taken. */
  async offer() {
    await Promise.all(this.#carriers.map((carrier) => carrier.offer()));
  }

  /**
   * @param {string} streamId
   * @param {import("./own-streams.js").Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  async replaceTrack(streamId, kind, track) {
    const stream = this.own.replaceTrack(streamId, kind, track);
    await Promise.all(this.#carriers.map((carrier) => carrier.replaceTrack(stream, kind)));
  }

  /** @param {Side} [side] */
  restartIce(side) {
    for (const carrier of this.#carriers) carrier.restartIce(side);
  }

  /**
   * @param {object} message
   * @returns {boolean} whether there was a channel for it
   */
  sendText(message) {
    const carrier = this.#mode === "SFU" ? this.server : this.mesh;
    return carrier?.sendText(message) ?? false;
  }

  close() {
    clearTimeout(this.#backTimer);
    this.#round += 1;
    this.mesh?.close();
    this.mesh = null;
    this.server.close();
    this.incoming.clear();
    this.own.clear();
  }

  /** What was published before the reload is over. */
  #expectNoMore() {
    if (!this.own.expected.length) return;
    this.own.expect({});
    this.offer().catch(this.#owner.onError);
  }

  /** @returns {Carrier[]} at work now */
  get #carriers() {
    return [...(this.#mode === "SFU" ? [this.server] : []), ...(this.mesh ? [this.mesh] : [])];
  }

  /** @param {(mesh: Mesh) => void} begin */
  #loadMesh(begin) {
    const round = this.#round;
    const owner = { ...this.#owner, onRetired: () => (this.mesh = null) };
    this.#meshLoaded = Promise.all([import("./mesh.js"), import("./handover.js")]).then(([{ Mesh }, { Handover }]) => {
      if (round !== this.#round) return;
      this.mesh = new Mesh(this.own, this.incoming, owner);
      this.incoming.handover = (stream, next, tell) => new Handover(stream, next, owner.muted(stream.id), tell);
      begin(this.mesh);
    });
    this.#meshLoaded.catch(owner.onError);
  }

  /** @param {(mesh: Mesh) => void} work done when there is one, in the order it was asked for */
  #withMesh(work) {
    const round = this.#round;
    this.#meshLoaded.then(() => this.mesh && round === this.#round && work(this.mesh));
  }
}
