/**
 * Media by the server: the connection that carries what is published, the one on which everything arrives, and what keeps both alive.
 *
 * One of the two ways media can take (the other is `mesh.js`); both do what `Carrier` says and know no mode.
 */

/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Side} Side */

import { ConferenceError } from "./errors.js";
import { Patience } from "./patience.js";
import { Publisher } from "./publisher.js";
import { Recovery } from "./recovery.js";
import { LISTENER } from "./roster.js";
import { Subscriber } from "./subscriber.js";

const OPEN_AFTER = 0.5; // seconds for the application to publish before the connection is opened for its data channel alone

/**
 * What a way for media does, whichever it is.
 * @typedef {object} Carrier
 * @property {boolean} broken whether media is known to be interrupted
 * @property {() => Promise<void>} offer own streams have changed; resolves when that has been taken
 * @property {(stream: import("./own-streams.js").OwnStream, kind: import("./own-streams.js").Kind) => Promise<void>} replaceTrack
 * @property {(message: Message) => void} receive a message about these connections
 * @property {(joined: Joined) => void} resume messages can be sent again, as the same participant
 * @property {(side?: Side) => void} restartIce
 * @property {(message: object) => boolean} sendText on data channels; whether one was open
 * @property {() => void} close
 */

/**
 * @typedef {object} CarrierOwner
 * @property {(message: Message) => boolean} send
 * @property {(message: Message, matches: (message: Message) => boolean) => Promise<Message>} request
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => import("./e2ee/encryption.js").Encryption | null} encryption of what goes by the server
 * @property {() => number | null} maxBitrate
 * @property {() => boolean} canSignal
 * @property {() => void} onHealth media broke or is back
 * @property {(message: Message) => void} onData
 * @property {() => void} onAccepted own streams have been taken
 * @property {(error: Error) => void} onError
 */

/** @implements {Carrier} */
export class ServerMedia {
  #own;
  #owner;
  #publisher;
  #subscriber;
  #recovery;
  #patience = new Patience();
  #openTimer = 0;

  /**
   * @param {import("./own-streams.js").OwnStreams} own
   * @param {import("./incoming.js").Incoming} incoming
   * @param {CarrierOwner} owner
   */
  constructor(own, incoming, owner) {
    this.#own = own;
    this.#owner = owner;
    this.#publisher = new Publisher(own, {
      ...owner,
      onConnection: (pc) => this.#recovery.publish.watch(pc),
      onText: (text) => owner.onData(JSON.parse(text)),
    });
    this.#subscriber = new Subscriber(incoming, {
      ...owner,
      onConnection: (pc) => {
        this.#recovery.subscribe.watch(pc);
        this.#patience.watch(pc);
      },
    });
    const { canSignal, onHealth: onChange } = owner;
    const [publisher, subscriber] = [this.#publisher, this.#subscriber];
    this.#recovery = {
      publish: new Recovery({
        restart: () => this.#try(publisher.negotiate({ restart: true })),
        rebuild: () => this.#try(publisher.rebuild()),
        ...{ canSignal, onChange },
      }),
      subscribe: new Recovery({ restart: () => subscriber.restart(), rebuild: () => subscriber.rebuild(), canSignal, onChange }),
    };
  }

  get publisher() {
    return this.#publisher;
  }

  get subscriber() {
    return this.#subscriber;
  }

  get broken() {
    return this.#recovery.publish.broken || this.#recovery.subscribe.broken;
  }

  /** Makes the connections before they are needed. */
  prepare() {
    this.#publisher.prepare();
    this.#subscriber.prepare();
  }

  /**
   * Begins anew.
   * @param {string} role of oneself
   */
  begin(role) {
    this.#subscriber.reset();
    this.#publisher.reset();
    if (role === LISTENER) return; // has nothing to offer
    const open = () => this.#try(this.#publisher.open().then(this.#owner.onAccepted));
    if (this.#own.all.length) return open();
    if (this.#own.expected.length) return; // an offer without them would end them for the others
    this.#openTimer = setTimeout(open, OPEN_AFTER * 1000); // receiving comes first, and a camera may be on its way
  }

  /** Nothing is published any more. */
  fallSilent() {
    clearTimeout(this.#openTimer);
    this.#publisher.reset();
  }

  async offer() {
    clearTimeout(this.#openTimer);
    await this.#publisher.open();
  }

  /**
   * @param {import("./own-streams.js").OwnStream} stream
   * @param {import("./own-streams.js").Kind} kind
   */
  replaceTrack(stream, kind) {
    return this.#publisher.replaceTrack(stream, kind);
  }

  /** @param {Message} message */
  receive(message) {
    if (message.type === "offer") this.#subscriber.offered(message);
  }

  /** @param {Joined} joined */
  resume({ streams }) {
    this.#publisher.configure();
    this.#subscriber.configure();
    const known = new Set(streams.map((stream) => stream.stream_id));
    const forgotten = this.#own.all.some((stream) => !known.has(stream.id));
    this.#subscriber.keep(known);
    this.#try((forgotten ? this.#publisher.rebuild() : this.#publisher.resume()).then(this.#owner.onAccepted));
    this.#recovery.publish.signalingBack();
    if (!this.#subscriber.resume()) this.#recovery.subscribe.signalingBack();
  }

  /** @param {Side} [side] */
  restartIce(side) {
    if (side !== "subscribe") this.#recovery.publish.nudge();
    if (side !== "publish") this.#recovery.subscribe.nudge();
  }

  /** @param {object} message */
  sendText(message) {
    return this.#publisher.sendText(message);
  }

  close() {
    clearTimeout(this.#openTimer);
    this.#recovery.publish.stop();
    this.#recovery.subscribe.stop();
    this.#patience.stop();
    this.#publisher.close();
    this.#subscriber.close();
  }

  /** @param {Promise<unknown>} work whose failure is told, unless it is only that the server is away */
  #try(work) {
    work.catch((error) => {
      if (!(error instanceof ConferenceError) || error.code > 0) this.#owner.onError(error);
    });
  }
}
