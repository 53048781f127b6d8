/**
 * One participant's part in a conference: the class applications use.
 *
 * Puts the signaling socket, media and what is known of the others together: what an application asks for goes out from here, what the
 * server says comes in here and is told as events. After a lost socket it comes back as the same participant while media goes on.
 * How media travels is `media.js`'s; showing anything is the application's.
 */

/** @typedef {import("./types.js").ConferenceEvents} ConferenceEvents */
/** @typedef {import("./types.js").ConferenceOptions} ConferenceOptions */
/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").JoinResult} JoinResult */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Participant} Participant */
/** @typedef {import("./types.js").PublishOptions} PublishOptions */
/** @typedef {import("./types.js").RemoteStream} RemoteStream */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {import("./types.js").State} State */

import { ConferenceError } from "./errors.js";
import { Happening } from "./happening.js";
import { Measuring } from "./measuring.js";
import { Media } from "./media.js";
import { Muting } from "./muting.js";
import { OwnPublishing } from "./own-publishing.js";
import { LISTENER, Roster } from "./roster.js";
import { Seat } from "./seat.js";
import { Secrecy } from "./secrecy.js";
import { Signaling } from "./signaling.js";
import { SpeakerWatch, levelsOf } from "./speakers.js";
import { Wishes } from "./wishes.js";

const JOIN_DEADLINE = 30; // seconds for the first connection to the server
const COMES_BACK_AFTER = new Set(["server_shutdown", "timeout", "endpoint_expired"]); // `terminated` for these is not the end

export class Conference extends EventTarget {
  /** @type {"idle" | "joining" | "joined" | "left" | "error"} */ #phase = "idle";
  /** @type {State} what was told last */ #told = "idle";
  /** @type {string | null} */ #reason = null;
  #errorCode = 0;
  /** @type {Participant | null} */ #self = null;
  /** @type {Joined | null} */ #joined = null;
  /** @type {{ promise: Promise<JoinResult>, resolve: (result: JoinResult) => void, reject: (error: Error) => void } | null} */ #joining = null;
  #options;
  #seat;
  #socketDown = false;
  #view;
  #joinTimer = 0;
  #happening = new Happening();
  #roster = new Roster();
  #speakers = new SpeakerWatch();
  #signaling;
  #wishes;
  #media;
  #measuring;
  #muting;
  #publishing;
  #secrecy;

  /** @param {ConferenceOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#view = options.view;
    const credential = typeof options.credential === "string" ? { token: options.credential } : options.credential;
    const base = new URL(options.url ?? location.origin);
    this.#seat = new Seat(base, credential, options.resume ?? false, () => this.#send({ type: "renew_endpoint" }));
    this.#signaling = new Signaling({
      address: () => this.#seat.address(this.#options.name),
      connect: options.connect ?? ((address, protocol) => new WebSocket(address, [protocol])),
      onOpen: () => this.#sendJoin(),
      onMessage: (message) => this.#received(message),
      onDown: () => this.#lostSocket(),
      onRefused: (error) => this.#refused(error),
    });
    this.#secrecy = new Secrecy(options.key, {
      send: (message) => this.#send(message),
      onSafetyNumber: (safetyNumber) => this.#emit("safety", { safetyNumber }),
      onError: (error) => this.#tellError(error),
    });
    this.#wishes = new Wishes((message) => this.#phase === "joined" && this.mode === "SFU" && this.#send(message));
    const common = {
      /** @param {Message} message */
      send: (message) => this.#send(message),
      /** @param {Message} message @param {(message: Message) => boolean} [matches] */
      request: (message, matches) => this.#request(message, matches),
      /** @param {Error} error */
      onError: (error) => this.#tellError(error),
    };
    this.#media = new Media({
      ...common,
      iceServers: () => this.#joined?.ice_servers ?? [],
      encryption: () => this.#secrecy.encryption,
      maxBitrate: () => this.#joined?.max_bitrate ?? null,
      canSignal: () => this.#signaling.open && !this.#socketDown,
      muted: (streamId) => this.#roster.muted(streamId),
      cameBefore: (userId) => this.#roster.cameBefore(userId, this.#self?.id ?? ""),
      onAccepted: () => this.#muting.reconcileAll(),
      onHealth: () => this.#tellState(),
      onData: (message) => message.type === "data" && this.#emit("data", { from: message.from ?? null, payload: message.payload }),
      onStream: (stream) => this.#emit("stream", { stream }),
      onStreamEnded: (stream) => this.#streamEnded(stream),
      onStep: (stream, step) => this.#emit("move", { stream, step }),
    });
    this.#measuring = new Measuring(this.#media);
    this.#muting = new Muting(this.#media.own, this.#roster, {
      ...common,
      online: () => this.#phase === "joined",
      onChange: (streamId, muted) => this.#emit("muted", { streamId, muted }),
    });
    this.#publishing = new OwnPublishing(this.#media, this.#seat, this.#roster, this.#muting, { ...common, online: () => this.#phase === "joined" });
  }

  /**
   * `addEventListener` with types; the returned function takes the listener away again.
   * @template {keyof ConferenceEvents} K
   * @param {K} type
   * @param {(detail: ConferenceEvents[K]) => void} listener
   * @returns {() => void}
   */
  on(type, listener) {
    /** @param {Event} event */
    const call = (event) => listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, call);
    return () => this.removeEventListener(type, call);
  }

  /** @returns {State} */
  get state() {
    const interrupted = this.#socketDown || this.#media.broken;
    return this.#phase === "joined" && interrupted ? "reconnecting" : this.#phase;
  }

  /** Why it is over: the name of the refusal, or the reason of the end. */
  get reason() {
    return this.#reason;
  }

  /** HTTP-like code of the refusal in state `error`, else 0. */
  get errorCode() {
    return this.#errorCode;
  }

  get mode() {
    return this.#media.mode;
  }

  /** Whether nobody but the participants can see and hear what is sent, the server included. */
  get e2ee() {
    return this.#joined !== null && (this.mode === "MESH" ? (this.#joined.e2ee ?? false) : this.#secrecy.encryption !== null);
  }

  /** The same for everybody who has the same key and sees the same members: to be compared by voice. Null without encryption of one's own. */
  get safetyNumber() {
    return this.#secrecy.safetyNumber;
  }

  /** This participant, once joined. */
  get self() {
    return this.#self && (this.#roster.participant(this.#self.id) ?? this.#self);
  }

  /** Whether this participant's role lets them publish; it may change while the conference goes on. */
  get mayPublish() {
    return this.self?.role !== LISTENER;
  }

  /** Everybody online, oneself included. */
  get participants() {
    return this.#roster.participants;
  }

  /** Recording, lock, presentation, files and options, as they are now. */
  get happening() {
    return this.#happening;
  }

  /** @returns {RemoteStream[]} */
  get streams() {
    return this.#media.incoming.streams;
  }

  /** Streams this participant publishes. */
  get ownStreams() {
    return this.#media.own.all.map(({ id, label, tracks }) => ({ id, label, audio: tracks.audio, video: tracks.video }));
  }

  /** The peer connections with the server, for looking at; null while there is none. */
  get connections() {
    const { publisher, subscriber } = this.#media.server;
    return { publish: publisher.pc, subscribe: subscriber.pc };
  }

  /** Those with other participants, by their ids. */
  get directConnections() {
    return this.#media.direct;
  }

  /**
   * @param {string} streamId one's own or another's
   * @returns {import("./types.js").Muted}
   */
  muted(streamId) {
    return this.#roster.muted(streamId);
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
    this.#reason = null;
    this.#errorCode = 0;
    this.#enter("joining");
    addEventListener("online", this.#networkChanged);
    this.#joinTimer = setTimeout(() => this.#fail(new ConferenceError("unreachable", 0, "the server cannot be reached")), JOIN_DEADLINE * 1000);
    const preparing = this.#seat.invited ? this.#seat.accept(this.#options.name).then(() => this.#secrecy.prepare()) : this.#secrecy.prepare();
    if (preparing) preparing.then(() => this.#start(), (/** @type {Error} */ error) => this.#fail(error));
    else this.#start();
    return promise;
  }

  /** Goes offline at once and closes everything. */
  async leave() {
    if (this.#phase === "left" || this.#phase === "idle") return;
    this.#send({ type: "leave" });
    this.#end("left", "left");
  }

  /**
   * The name to join with; without effect on a conference joined already.
   * @param {string} name
   */
  setName(name) {
    this.#options = { ...this.#options, name };
  }

  /**
   * Publishes the tracks of `mediaStream` as one stream. Before `join` it is kept until it can be sent.
   * @param {MediaStream} mediaStream
   * @param {PublishOptions} [options]
   * @returns {Promise<string>} the stream's id, once it has been taken
   */
  async publish(mediaStream, options = {}) {
    return this.#publishing.begin(mediaStream, options);
  }

  /**
   * Ends one's own stream for everybody. Its tracks go on and belong to the caller.
   * @param {string} streamId
   */
  async unpublish(streamId) {
    await this.#publishing.end(streamId);
  }

  /**
   * Sends another track in the place of one, or none: a change of device without a new stream.
   * @param {string} streamId
   * @param {"audio" | "video"} kind
   * @param {MediaStreamTrack | null} track
   */
  async replaceTrack(streamId, kind, track) {
    await this.#media.replaceTrack(streamId, kind, track);
  }

  /**
   * Mutes or unmutes; a key left out stays as it is. Of others' streams a moderator may mute the sound.
   * @param {string} streamId
   * @param {Partial<import("./types.js").Muted>} change
   */
  async mute(streamId, change) {
    await this.#muting.set(streamId, change);
  }

  /**
   * What to receive of a stream, e.g. `{ maxWidth: 320, priority: 10 }` or `{ video: false }`.
   * @param {string | null} streamId null: wherever nothing else is told
   * @param {import("./types.js").Wish} wish replaces the one before
   */
  want(streamId, wish) {
    this.#wishes.set(streamId, wish);
  }

  /** @param {"streams" | "one_view" | "auto"} view */
  async setView(view) {
    this.#view = view;
    await this.#request({ type: "set_view", view });
  }

  /**
   * Everybody, oneself included, gets it as a `chat` event.
   * @param {string} content
   */
  async sendChat(content) {
    await this.#request({ type: "chat", content });
  }

  /**
   * To others' data channels; arrives there as a `data` event.
   * @param {unknown} payload anything JSON can say, up to 64 KiB
   * @param {{ to?: string[] | null, reliable?: boolean }} [options]
   * @returns {boolean} false while the channel is not open
   */
  sendData(payload, { to = null, reliable = true } = {}) {
    return this.#media.sendText({ type: "data", to, payload, reliable });
  }

  /** @param {boolean} raised */
  async raiseHand(raised) {
    await this.#request({ type: "raise_hand", raised });
  }

  /** Asks everybody else to mute; needs a role that may. */
  async muteEverybody() {
    await this.#request({ type: "stfu" });
  }

  /** @param {string} userId */
  async kick(userId) {
    await this.#request({ type: "kick", user_id: userId });
  }

  /** Records everybody, if this participant may. That it runs is told by `happening`. */
  async startRecording() {
    await this.#request({ type: "record_start" });
  }

  async stopRecording() {
    await this.#request({ type: "record_stop" });
  }

  /**
   * Finds a new way through the network for one connection with the server, or for all there are; media goes on meanwhile.
   * @param {Side} [side]
   */
  restartIce(side) {
    this.#media.restartIce(side);
  }

  /** Moves a MESH conference to the server, for everybody and for good; needs a role that may. */
  async upgrade() {
    await this.#request({ type: "upgrade" });
  }

  /**
   * Rates are over the time since the call before.
   * @returns {Promise<import("./types.js").StreamStats[]>} own streams first
   */
  async getStats() {
    return (await this.#measuring.sample(this.#self?.id ?? "")).streams;
  }

  /** @returns {Promise<import("./types.js").ConnectionStats[]>} */
  async getConnectionStats() {
    return (await this.#measuring.sample(this.#self?.id ?? "")).connections;
  }

  // ---- the socket

  #start() {
    if (this.#phase !== "joining") return; // left meanwhile
    this.#signaling.start();
    this.#media.prepare();
  }

  #sendJoin() {
    const { camera } = this.#media.own;
    const join = { type: "join", name: this.#options.name, view: this.#view, platform: "web", audio: !!camera?.tracks.audio, video: !!camera?.tracks.video };
    this.#signaling
      .request(join, (message) => message.type === "joined")
      .catch((/** @type {ConferenceError} */ error) => {
        if (error.code > 0) this.#refused(error);
      });
  }

  /** @param {Message} message */
  #send(message) {
    this.#emit("sent", message);
    return this.#signaling.send(message);
  }

  /**
   * @param {Message} message
   * @param {(message: Message) => boolean} [matches]
   */
  #request(message, matches) {
    this.#emit("sent", message);
    return this.#signaling.request(message, matches);
  }

  /** @param {Message} message */
  #received(message) {
    this.#emit("message", message);
    if (this.#secrecy.receive(message)) return;
    if (message.type === "joined") this.#welcomed(/** @type {any} */ (message));
    else if (message.type === "terminated") this.#terminated(message.reason);
    else if (message.type === "error") this.#tellError(new ConferenceError(message.name, message.code, message.message));
    else if (!this.#media.receive(message)) this.#noted(message);
    if (this.#happening.apply(message)) this.#emit("happening", { happening: this.#happening });
    if (message.endpoint?.token) this.#seat.take(message.endpoint);
    if (message.type !== "error") this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  /**
   * What changes the picture of the conference.
   * @param {Message} message
   */
  #noted(message) {
    if (this.#roster.apply(message)) this.#participantsChanged(message);
    else if (message.type === "mute_update") this.#muting.told(message);
    else if (message.type === "mode_update") this.#modeChanged(message.mode, message.reason);
    else if (message.type === "layers_update") this.#layersTold(message.streams);
    else if (message.type === "layers_wanted") this.#media.server.publisher.wantLayers(message.stream_id, message.rids).catch((error) => this.#tellError(error));
    else if (message.type === "quality_update") this.#emit("quality", { userId: message.user_id, score: message.score, loss: message.loss, rtt: message.rtt });
    else if (message.type === "stfu") this.#askedToMute(typeof message.user === "object" ? message.user?.id : message.user);
  }

  #lostSocket() {
    this.#socketDown = this.#phase === "joined";
    this.#tellState();
  }

  /** @param {ConferenceError} error */
  #refused(error) {
    if (this.#phase !== "joining" && this.#phase !== "joined") return;
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
    if (this.#secrecy.lacks(joined)) return this.#lacksKey();
    const again = this.#self !== null && this.#self.id === joined.participant.id && this.#phase === "joined";
    this.#signaling.healthy();
    this.#joined = joined;
    this.#self = joined.participant;
    this.#socketDown = false;
    this.#roster.reset(joined);
    this.#secrecy.joined(joined.participant.id, this.participants);
    if (again) this.#cameBack(joined);
    else this.#cameIn(joined);
    this.#phase = "joined";
    this.#wishes.repeat();
    this.#tellState();
    this.#emit("participants", { participants: this.participants });
    this.#joining?.resolve({ participant: joined.participant, mode: joined.mode, participants: this.participants, streams: this.streams });
  }

  /** @param {Joined} joined */
  #cameIn(joined) {
    this.#speakers.start(() => levelsOf(this.#media.incoming.shown), (speakers) => this.#emit("speakers", { speakers }));
    this.#media.begin(joined, this.#seat.streams);
  }

  /** @param {Joined} joined */
  #cameBack(joined) {
    if (joined.mode !== this.mode) this.#modeChanged(joined.mode, "auto_upgrade");
    else this.#media.resume(joined);
  }

  #lacksKey() {
    this.#send({ type: "leave" });
    this.#fail(new ConferenceError("key_missing", 0, "the conference is encrypted, and there is no key"));
  }

  // ---- going out

  /** @param {Error} error */
  #fail(error) {
    const joining = this.#joining;
    this.#errorCode = error instanceof ConferenceError ? error.code : 0;
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
    this.#wishes.stop();
    this.#speakers.stop();
    this.#media.close();
    this.#secrecy.close();
    this.#socketDown = false;
    this.#self = null;
    this.#joining?.promise.catch(() => {});
    this.#joining?.reject(new ConferenceError(reason, 0, "left before joining was done"));
    this.#joining = null;
    this.#reason = reason;
    this.#enter(phase);
  }

  // ---- media

  #networkChanged = () => {
    this.#signaling.nudge();
    this.restartIce();
  };

  /**
   * @param {string} mode
   * @param {string} reason
   */
  #modeChanged(mode, reason) {
    if (this.#joined) this.#joined.e2ee = false;
    this.#media.setMode(mode === "MESH" ? "MESH" : "SFU");
    this.#wishes.repeat();
    this.#emit("modechange", { mode: this.mode, reason });
  }

  /** @param {Message} message */
  #participantsChanged({ type, user_id, role, participant }) {
    if (participant?.online === false) this.#media.left(participant.id);
    if (type === "role_update" && user_id === this.#self?.id) this.#roleChanged(role);
    this.#secrecy.changed(this.participants);
    this.#emit("participants", { participants: this.participants });
  }

  /**
   * The server has ended what somebody publishes who may not any more: so it ends here.
   * @param {string} role of oneself, from now on
   */
  #roleChanged(role) {
    if (role === LISTENER) this.#publishing.forget();
    this.#media.setRole(role);
  }

  /** @param {RemoteStream} stream */
  #streamEnded(stream) {
    this.#wishes.forget(stream.id);
    this.#emit("streamended", { stream });
  }

  /** @param {Record<string, import("./types.js").LayerState>} streams */
  #layersTold(streams) {
    for (const [id, layers] of Object.entries(streams ?? {})) {
      const stream = this.#media.incoming.stream(id);
      if (!stream) continue;
      stream.layers = layers;
      this.#emit("layers", { stream, layers });
    }
  }

  /** @param {string | undefined} by */
  #askedToMute(by) {
    const { camera } = this.#media.own;
    if (camera && by !== this.#self?.id) this.#try(this.mute(camera.id, { audio: true }));
  }

  // ---- telling

  /**
   * @template {keyof ConferenceEvents} K
   * @param {K} type
   * @param {ConferenceEvents[K]} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {"joining" | "left" | "error"} phase */
  #enter(phase) {
    this.#phase = phase;
    this.#tellState();
  }

  #tellState() {
    const state = this.state;
    if (state === this.#told) return;
    this.#told = state;
    this.#emit("state", { state, reason: this.#reason });
  }

  /** @param {Error} error */
  #tellError(error) {
    this.#emit("error", { error });
  }

  /** @param {Promise<unknown>} work whose failure is told as an event, unless it is only that the server is away */
  #try(work) {
    work.catch((error) => {
      if (!(error instanceof ConferenceError) || error.code > 0) this.#tellError(error);
    });
  }
}
