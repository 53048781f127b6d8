/**
 * A participant's stay in a conference: coming in, coming back, going out.
 *
 * Puts the signaling socket, media and what is known of the others together. After a lost socket it comes back as the same participant
 * while media goes on. What the server tells meanwhile is `news.js`'s; what applications use is `conference.js`'s.
 */

/** @typedef {import("./types.js").ConferenceEvents} ConferenceEvents */
/** @typedef {import("./types.js").ConferenceOptions} ConferenceOptions */
/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").JoinResult} JoinResult */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Participant} Participant */
/** @typedef {import("./types.js").State} State */

import { ConferenceError } from "./errors.js";
import { Happening } from "./happening.js";
import { News } from "./news.js";
import { partsOf } from "./parts.js";
import { Roster } from "./roster.js";
import { Seat } from "./seat.js";
import { Signaling } from "./signaling.js";
import { SpeakerWatch, levelsOf } from "./speakers.js";

const JOIN_DEADLINE = 30; // seconds for the first connection to the server
const COMES_BACK_AFTER = new Set(["server_shutdown", "timeout", "endpoint_expired"]); // `terminated` for these is not the end

export class Stay {
  /** @type {"idle" | "joining" | "joined" | "left" | "error"} */ phase = "idle";
  /** @type {string | null} */ reason = null;
  errorCode = 0;
  /** @type {Participant | null} */ self = null;
  /** @type {Joined | null} */ joined = null;
  options;
  view;
  happening = new Happening();
  roster = new Roster();
  /** @type {import("./wishes.js").Wishes} */ wishes;
  /** @type {import("./media.js").Media} */ media;
  /** @type {import("./muting.js").Muting} */ muting;
  /** @type {import("./own-publishing.js").OwnPublishing} */ publishing;
  /** @type {import("./secrecy.js").Secrecy} */ secrecy;
  /** @type {State} what was told last */ #told = "idle";
  /** @type {{ promise: Promise<JoinResult>, resolve: (result: JoinResult) => void, reject: (error: Error) => void } | null} */ #joining = null;
  #seat;
  #socketDown = false;
  #joinTimer = 0;
  #speakers = new SpeakerWatch();
  #signaling;
  #news;
  #dispatch;

  /**
   * @param {ConferenceOptions} options
   * @param {(type: string, detail: unknown) => void} dispatch tells the application
   */
  constructor(options, dispatch) {
    this.#dispatch = dispatch;
    this.#news = new News(this);
    this.options = options;
    this.view = options.view;
    const credential = typeof options.credential === "string" ? { token: options.credential } : options.credential;
    const base = new URL(options.url ?? location.origin);
    this.#seat = new Seat(base, credential, options.resume ?? false, () => this.send({ type: "renew_endpoint" }));
    this.#signaling = new Signaling({
      address: () => this.#seat.address(this.options.name),
      connect: options.connect ?? ((address, protocol) => new WebSocket(address, [protocol])),
      onOpen: () => this.#sendJoin(),
      onMessage: (message) => this.#received(message),
      onDown: () => this.#lostSocket(),
      onRefused: (error) => this.#refused(error),
    });
    ({ secrecy: this.secrecy, wishes: this.wishes, media: this.media, muting: this.muting, publishing: this.publishing } = partsOf(this, this.#seat));
  }

  /** Whether what is said now goes out. */
  get canSignal() {
    return this.#signaling.open && !this.#socketDown;
  }

  /** @returns {State} */
  get state() {
    const interrupted = this.#socketDown || this.media.broken;
    return this.phase === "joined" && interrupted ? "reconnecting" : this.phase;
  }

  /**
   * Goes online. May be called again after `leave` or a refusal.
   * @returns {Promise<JoinResult>} rejects with a `ConferenceError` that names the refusal
   */
  join() {
    if (this.#joining) return this.#joining.promise;
    /** @type {(result: JoinResult) => void} */ let resolve = () => {};
    /** @type {(error: Error) => void} */ let reject = () => {};
    /** @type {Promise<JoinResult>} */
    const promise = new Promise((yes, no) => ((resolve = yes), (reject = no)));
    this.#joining = { promise, resolve, reject };
    this.reason = null;
    this.errorCode = 0;
    this.#enter("joining");
    addEventListener("online", this.#networkChanged);
    this.#joinTimer = setTimeout(() => this.#fail(new ConferenceError("unreachable", 0, "the server cannot be reached")), JOIN_DEADLINE * 1000);
    const preparing = this.#seat.invited ? this.#seat.accept(this.options.name).then(() => this.secrecy.prepare()) : this.secrecy.prepare();
    if (preparing) preparing.then(() => this.#start(), (/** @type {Error} */ error) => this.#fail(error));
    else this.#start();
    return promise;
  }

  /** Goes offline at once and closes everything. */
  leave() {
    if (this.phase === "left" || this.phase === "idle") return;
    this.send({ type: "leave" });
    this.#end("left", "left");
  }

  get mode() {
    return this.media.mode;
  }

  // ---- the socket

  #start() {
    if (this.phase !== "joining") return; // left meanwhile
    this.#signaling.start();
    this.media.prepare();
  }

  #sendJoin() {
    const { camera } = this.media.own;
    const join = { type: "join", name: this.options.name, view: this.view, platform: "web", audio: !!camera?.tracks.audio, video: !!camera?.tracks.video };
    this.#signaling
      .request(join, (message) => message.type === "joined")
      .catch((/** @type {ConferenceError} */ error) => {
        if (error.code > 0) this.#refused(error);
      });
  }

  /** @param {Message} message */
  send(message) {
    this.emit("sent", message);
    return this.#signaling.send(message);
  }

  /**
   * @param {Message} message
   * @param {(message: Message) => boolean} [matches]
   */
  request(message, matches) {
    this.emit("sent", message);
    return this.#signaling.request(message, matches);
  }

  /** @param {Message} message */
  #received(message) {
    this.emit("message", message);
    if (this.secrecy.receive(message)) return;
    if (message.type === "joined") this.#welcomed(/** @type {any} */ (message));
    else if (message.type === "terminated") this.#terminated(message.reason);
    else if (message.type === "error") this.tellError(new ConferenceError(message.name, message.code, message.message));
    else if (!this.media.receive(message)) this.#news.take(message);
    if (this.happening.apply(message)) this.emit("happening", { happening: this.happening });
    if (message.endpoint?.token) this.#seat.take(message.endpoint);
    if (message.type !== "error") this.#dispatch(message.type, message);
  }

  #lostSocket() {
    this.#socketDown = this.phase === "joined";
    this.tellState();
  }

  /** @param {ConferenceError} error */
  #refused(error) {
    if (this.phase !== "joining" && this.phase !== "joined") return;
    if (this.#seat.wasTaken) return this.#startOver();
    this.#fail(error);
  }

  /** The seat is gone: comes in again with the credential it began with. */
  #startOver() {
    this.#seat.leave();
    this.#signaling.stop();
    this.#lostSocket();
    this.#signaling.start();
  }

  /** @param {string} reason */
  #terminated(reason) {
    if (reason === "server_shutdown") return; // the close that follows starts the tries to come back
    if (COMES_BACK_AFTER.has(reason)) return this.#startOver();
    this.#end("left", reason);
  }

  // ---- coming in

  /** @param {Joined} joined */
  #welcomed(joined) {
    clearTimeout(this.#joinTimer);
    if (this.secrecy.lacks(joined)) return this.#lacksKey();
    const again = this.self !== null && this.self.id === joined.participant.id && this.phase === "joined";
    this.#signaling.healthy();
    this.joined = joined;
    this.self = joined.participant;
    this.#socketDown = false;
    this.roster.reset(joined);
    this.secrecy.joined(joined.participant.id, this.roster.participants);
    if (again) this.#cameBack(joined);
    else this.#cameIn(joined);
    this.phase = "joined";
    this.wishes.repeat();
    this.tellState();
    this.emit("participants", { participants: this.roster.participants });
    this.#joining?.resolve({ participant: joined.participant, mode: joined.mode, participants: this.roster.participants, streams: this.media.incoming.streams });
  }

  /** @param {Joined} joined */
  #cameIn(joined) {
    this.#speakers.start(() => levelsOf(this.media.incoming.shown), (speakers) => this.emit("speakers", { speakers }));
    this.media.begin(joined, this.#seat.streams);
  }

  /** @param {Joined} joined */
  #cameBack(joined) {
    if (joined.mode !== this.mode) this.#news.modeChanged(joined.mode, "auto_upgrade");
    else this.media.resume(joined);
  }

  #lacksKey() {
    this.send({ type: "leave" });
    this.#fail(new ConferenceError("key_missing", 0, "the conference is encrypted, and there is no key"));
  }

  // ---- going out

  /** @param {Error} error */
  #fail(error) {
    const joining = this.#joining;
    this.errorCode = error instanceof ConferenceError ? error.code : 0;
    joining?.promise.catch(() => {}); // a refusal after the join is told by `state` alone
    joining?.reject(error);
    this.#end("error", error.name);
  }

  /**
   * @param {"left" | "error"} phase
   * @param {string} reason
   */
  #end(phase, reason) {
    clearTimeout(this.#joinTimer);
    removeEventListener("online", this.#networkChanged);
    this.#seat.end();
    this.#signaling.stop();
    this.wishes.stop();
    this.#speakers.stop();
    this.media.close();
    this.secrecy.close();
    this.#socketDown = false;
    this.self = null;
    this.#joining?.promise.catch(() => {});
    this.#joining?.reject(new ConferenceError(reason, 0, "left before joining was done"));
    this.#joining = null;
    this.reason = reason;
    this.#enter(phase);
  }

  // ---- media

  #networkChanged = () => {
    this.#signaling.nudge();
    this.media.restartIce();
  };

  // ---- telling

  /**
   * @template {keyof ConferenceEvents} K
   * @param {K} type
   * @param {ConferenceEvents[K]} detail
   */
  emit(type, detail) {
    this.#dispatch(type, detail);
  }

  /** @param {"joining" | "left" | "error"} phase */
  #enter(phase) {
    this.phase = phase;
    this.tellState();
  }

  tellState() {
    const state = this.state;
    if (state === this.#told) return;
    this.#told = state;
    this.emit("state", { state, reason: this.reason });
  }

  /** @param {Error} error */
  tellError(error) {
    this.emit("error", { error });
  }
}
