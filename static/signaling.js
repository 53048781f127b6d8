/**
 * The WebSocket to the server: opened, watched, and opened again after a loss with growing pauses.
 *
 * Decides when to try again and when a refusal is final. Leaves to its owner what the messages mean. A socket that looks open
 * while the network is gone is found by a ping that gets no answer.
 */

/** @typedef {import("./types.js").Message} Message */

import { ConferenceError, refusalOf } from "./errors.js";

const FIRST_PAUSE = 0.5; // seconds between a loss and the next try; doubles up to the longest
const LONGEST_PAUSE = 10;
const OPEN_DEADLINE = 10; // seconds for the handshake
const PING_EVERY = 10; // seconds
const PONG_DEADLINE = 5; // seconds without any message after a ping: the socket is dead
const URGENT_PONG_DEADLINE = 1.5; // seconds, after the browser told of a change of network
const CLOSES_WITHIN = 1; // seconds the server has to close a socket that is over
const REPLY_DEADLINE = 15; // seconds for an answer to a request
const PROTOCOL = "conf-v1-json";
const FINAL_CODES = new Set([4400, 4401, 4403, 4404, 4409, 4410, 4413, 4423]);

/**
 * @typedef {object} SignalingOwner
 * @property {() => string} address where to connect, asked before every try
 * @property {(address: string, protocol: string) => WebSocket} connect
 * @property {() => void} onOpen
 * @property {(message: Message) => void} onMessage
 * @property {(pause: number) => void} onDown the socket is lost; the next try comes after `pause` seconds
 * @property {(error: ConferenceError) => void} onRefused final: no further try follows
 */

/** @typedef {{ matches: (message: Message) => boolean, resolve: (message: Message) => void, reject: (error: Error) => void, timer: number }} Pending */

export class Signaling {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {ConferenceError | null} */ #refusal = null;
  /** @type {Map<string, Pending>} */ #pending = new Map();
  #owner;
  #running = false;
  #pause = FIRST_PAUSE;
  #requests = 0;
  #greeted = false; // since the socket was opened
  #retryTimer = 0;
  #pingTimer = 0;
  #pongTimer = 0;

  /** @param {SignalingOwner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  start() {
    this.#running = true;
    this.#pause = FIRST_PAUSE;
    this.#connect();
  }

  /** Ends for good; nothing is reported afterwards. */
  stop() {
    this.#running = false;
    clearTimeout(this.#retryTimer);
    this.#drop({ gently: true });
  }

  /** The network has changed: finds out at once whether the socket still lives, or tries again now. */
  nudge() {
    if (!this.#running) return;
    if (this.open) this.#ping(URGENT_PONG_DEADLINE);
    else if (!this.#socket) this.#connect();
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether there was a socket to send it on
   */
  send(message) {
    if (!this.#socket || !this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * Sends and waits for the reply: the message with the same request id, or the first that `matches`.
   * @param {Message} message
   * @param {(message: Message) => boolean} [matches]
   * @returns {Promise<Message>} rejects with a `ConferenceError`: the server's, `offline` or `no_reply`
   */
  request(message, matches = () => false) {
    return new Promise((resolve, reject) => {
      const id = `r${++this.#requests}`;
      if (!this.send({ ...message, request_id: id })) {
        reject(new ConferenceError("offline", 0, "no connection to the server"));
        return;
      }
      const timer = setTimeout(() => this.#settle(id, new ConferenceError("no_reply", 0, "the server did not answer")), REPLY_DEADLINE * 1000);
      this.#pending.set(id, { matches, resolve, reject, timer });
    });
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#refusal = null;
    this.#greeted = false;
    const socket = this.#owner.connect(this.#owner.address(), PROTOCOL);
    this.#socket = socket;
    const opening = setTimeout(() => socket === this.#socket && this.#lost(1006, ""), OPEN_DEADLINE * 1000);
    socket.onopen = () => {
      clearTimeout(opening);
      this.#watch();
      this.#owner.onOpen();
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => {
      clearTimeout(opening);
      if (socket === this.#socket) this.#lost(event.code, event.reason);
    };
  }

  /** @param {string} text */
  #receive(text) {
    clearTimeout(this.#pongTimer);
    /** @type {Message} */
    const message = JSON.parse(text);
    if (message.type === "error") this.#refusal = new ConferenceError(message.name, message.code, message.message);
    this.#reply(message);
    if (message.type !== "pong") this.#owner.onMessage(message);
  }

  /** @param {Message} message */
  #reply(message) {
    for (const [id, pending] of this.#pending) {
      if (message.request_id !== id && !pending.matches(message)) continue;
      const failed = message.type === "error";
      this.#settle(id, failed ? new ConferenceError(message.name, message.code, message.message) : message);
      return;
    }
  }

  /**
   * @param {string} id
   * @param {Message | ConferenceError} outcome
   */
  #settle(id, outcome) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (outcome instanceof Error) pending.reject(outcome);
    else pending.resolve(outcome);
  }

  /** The conversation works: after the next loss the pauses start small again. */
  healthy() {
    this.#greeted = true;
    this.#pause = FIRST_PAUSE;
  }

  #watch() {
    clearInterval(this.#pingTimer);
    this.#pingTimer = setInterval(() => this.#ping(PONG_DEADLINE), PING_EVERY * 1000);
  }

  /** @param {number} deadline seconds */
  #ping(deadline) {
    this.send({ type: "ping" });
    clearTimeout(this.#pongTimer);
    this.#pongTimer = setTimeout(() => this.#lost(1006, "no answer to a ping"), deadline * 1000);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    const refusal = this.#refusal;
    if (code === 1006 && refusal && !this.#greeted) code = 4000 + refusal.code; // the close frame did not make it
    this.#drop();
    if (!this.#running) return;
    if (FINAL_CODES.has(code)) {
      this.#running = false;
      this.#owner.onRefused(refusal ?? refusalOf(code, reason));
      return;
    }
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE, pause * 2);
    this.#retryTimer = setTimeout(() => this.#connect(), pause * 1000);
    this.#owner.onDown(pause);
  }

  /** @param {{ gently?: boolean }} [options] after a `leave` or `terminated` the server closes by itself */
  #drop({ gently = false } = {}) {
    clearInterval(this.#pingTimer);
    clearTimeout(this.#pongTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      setTimeout(() => socket.close(), gently ? CLOSES_WITHIN * 1000 : 0);
    }
    for (const id of [...this.#pending.keys()]) this.#settle(id, new ConferenceError("offline", 0, "the connection was lost"));
  }
}
