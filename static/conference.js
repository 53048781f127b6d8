/**
 * One participant's part in a conference: the class applications use.
 *
 * Puts the signaling socket, the two peer connections and what is known of the others together, and keeps them alive: after a lost
 * socket it comes back as the same participant while media goes on; after lost media it restarts ICE, then makes new connections.
 * Showing anything is the application's.
 */

/** @typedef {import("./types.js").ConferenceEvents} ConferenceEvents */
/** @typedef {import("./types.js").ConferenceOptions} ConferenceOptions */
/** @typedef {import("./types.js").Credential} Credential */
/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").JoinResult} JoinResult */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Participant} Participant */
/** @typedef {import("./types.js").PublishOptions} PublishOptions */
/** @typedef {import("./types.js").RemoteStream} RemoteStream */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {import("./types.js").State} State */

import { addressOf } from "./address.js";
import { ConferenceError } from "./errors.js";
import { Measuring } from "./measuring.js";
import { Muting, mutedOf } from "./muting.js";
import { Publisher } from "./publisher.js";
import { Recovery } from "./recovery.js";
import { Resume } from "./resume.js";
import { Roster } from "./roster.js";
import { Signaling } from "./signaling.js";
import { SpeakerWatch, levelOf } from "./speakers.js";
import { Subscriber } from "./subscriber.js";
import { Wishes } from "./wishes.js";

const JOIN_DEADLINE = 30; // seconds for the first connection to the server
const RENEW_AT = 0.92; // of an endpoint's life: the server allows it in the last tenth
const OPEN_AFTER = 0.5; // seconds for the application to publish before the connection is opened for its data channel alone
const LISTENER = "subscriber"; // the role that may not publish
const UNMUTED = { audio: false, video: false }; // what the server takes a new stream for
const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds a browser's timer can wait
const COMES_BACK_AFTER = new Set(["server_shutdown", "timeout", "endpoint_expired"]); // `terminated` for these is not the end

export class Conference extends EventTarget {
  /** @type {"idle" | "joining" | "joined" | "left" | "error"} */ #phase = "idle";
  /** @type {State} what was told last */ #told = "idle";
  /** @type {string | null} */ #reason = null;
  #errorCode = 0;
  /** @type {Participant | null} */ #self = null;
  /** @type {import("./types.js").Mode} */ #mode = "SFU";
  /** @type {Joined | null} */ #joined = null;
  /** @type {{ promise: Promise<JoinResult>, resolve: (result: JoinResult) => void, reject: (error: Error) => void } | null} */ #joining = null;
  /** @type {Credential} */ #credential;
  #options;
  #base;
  #resume;
  #socketDown = false;
  #usedEndpoint = false;
  #view;
  #joinTimer = 0;
  #renewTimer = 0;
  #openTimer = 0;
  #roster = new Roster();
  #speakers = new SpeakerWatch();
  #signaling;
  #wishes;
  #publisher;
  #subscriber;
  #recovery;
  #measuring;
  #muting;

  /** @param {ConferenceOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#credential = typeof options.credential === "string" ? { token: options.credential } : options.credential;
    this.#base = new URL(options.url ?? location.origin);
    this.#view = options.view;
    this.#resume = new Resume(JSON.stringify(this.#credential), options.resume ?? false);
    this.#signaling = new Signaling({
      address: () => this.#address(),
      connect: options.connect ?? ((address, protocol) => new WebSocket(address, [protocol])),
      onOpen: () => this.#sendJoin(),
      onMessage: (message) => this.#received(message),
      onDown: () => this.#lostSocket(),
      onRefused: (error) => this.#refused(error),
    });
    this.#wishes = new Wishes((message) => this.#phase === "joined" && this.#send(message));
    const common = {
      /** @param {Message} message */
      send: (message) => void this.#send(message),
      iceServers: () => this.#joined?.ice_servers ?? [],
      /** @param {Error} error */
      onError: (error) => this.#tellError(error),
    };
    this.#publisher = new Publisher({
      ...common,
      request: (message, matches) => this.#request(message, matches),
      maxBitrate: () => this.#joined?.max_bitrate ?? null,
      onConnection: (pc) => this.#recovery.publish.watch(pc),
      onText: (text) => this.#receivedData(text),
    });
    this.#subscriber = new Subscriber({
      ...common,
      onConnection: (pc) => this.#recovery.subscribe.watch(pc),
      onStream: (stream) => this.#emit("stream", { stream }),
      onStreamEnded: (stream) => this.#streamEnded(stream),
    });
    this.#measuring = new Measuring(this.#publisher, this.#subscriber);
    this.#muting = new Muting(this.#publisher, this.#roster, {
      ...common,
      request: (message) => this.#request(message),
      online: () => this.#phase === "joined" && this.#mode === "SFU",
      onChange: (streamId, muted) => this.#emit("muted", { streamId, muted }),
    });
    const canSignal = () => this.#signaling.open && !this.#socketDown;
    this.#recovery = {
      publish: new Recovery({
        restart: () => this.#try(this.#publisher.negotiate({ restart: true })),
        rebuild: () => this.#try(this.#publisher.rebuild()),
        canSignal,
        onChange: () => this.#tellState(),
      }),
      subscribe: new Recovery({
        restart: () => this.#subscriber.restart(),
        rebuild: () => this.#subscriber.rebuild(),
        canSignal,
        onChange: () => this.#tellState(),
      }),
    };
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
    const interrupted = this.#socketDown || this.#recovery.publish.broken || this.#recovery.subscribe.broken;
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
    return this.#mode;
  }

  get e2ee() {
    return this.#joined?.e2ee ?? false;
  }

  /** This participant, once joined. */
  get self() {
    return this.#self;
  }

  /** Everybody online, oneself included. */
  get participants() {
    return this.#roster.participants;
  }

  /** @returns {RemoteStream[]} */
  get streams() {
    return this.#subscriber.received.map(({ stream }) => stream);
  }

  /** Streams this participant publishes. */
  get ownStreams() {
    return this.#publisher.streams.map(({ id, label, tracks }) => ({ id, label, audio: tracks.audio, video: tracks.video }));
  }

  /** The peer connections, for looking at; null while there is none. */
  get connections() {
    return { publish: this.#publisher.pc, subscribe: this.#subscriber.pc };
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
    this.#signaling.start();
    this.#publisher.prepare();
    this.#subscriber.prepare();
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
   * Publishes the tracks of `mediaStream` as one stream. Before `join` and in a MESH conference it is kept until it can be sent.
   * @param {MediaStream} mediaStream
   * @param {PublishOptions} [options]
   * @returns {Promise<string>} the stream's id, once the server has accepted it
   */
  async publish(mediaStream, options = {}) {
    const label = options.label ?? "camera";
    if (this.#publisher.streams.some((stream) => stream.label === label)) {
      throw new ConferenceError("stream_exists", 409, `a ${label} is published already`);
    }
    const id = this.#resume.streams[label] ?? crypto.randomUUID();
    this.#resume.streams[label] = id;
    const tracks = { audio: mediaStream.getAudioTracks()[0] ?? null, video: mediaStream.getVideoTracks()[0] ?? null };
    this.#publisher.add({ id, label, options: { ...options, label }, tracks, sections: { audio: null, video: null } });
    this.#roster.setMuted(id, mutedOf({ tracks }));
    if (this.#phase !== "joined" || this.#mode !== "SFU") return id;
    try {
      await this.#negotiate();
    } catch (error) {
      this.#publisher.remove(id);
      delete this.#resume.streams[label];
      throw error;
    }
    this.#muting.reconcile(id, UNMUTED);
    return id;
  }

  /**
   * Ends one's own stream for everybody. Its tracks go on and belong to the caller.
   * @param {string} streamId
   */
  async unpublish(streamId) {
    const stream = this.#publisher.stream(streamId);
    if (!stream) return;
    this.#publisher.remove(streamId);
    delete this.#resume.streams[stream.label];
    if (this.#phase !== "joined" || this.#mode !== "SFU") return;
    this.#send({ type: "unpublish", stream_id: streamId });
    await this.#negotiate();
  }

  /**
   * Sends another track in the place of one, or none: a change of device without a new stream.
   * @param {string} streamId
   * @param {"audio" | "video"} kind
   * @param {MediaStreamTrack | null} track
   */
  async replaceTrack(streamId, kind, track) {
    await this.#publisher.replaceTrack(streamId, kind, track);
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
   * Straight to others' data channels; arrives there as a `data` event.
   * @param {unknown} payload anything JSON can say, up to 64 KiB
   * @param {{ to?: string[] | null, reliable?: boolean }} [options]
   * @returns {boolean} false while the channel is not open
   */
  sendData(payload, { to = null, reliable = true } = {}) {
    return this.#publisher.sendText({ type: "data", to, payload, reliable });
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

  /**
   * Finds a new way through the network for one connection or both; media goes on meanwhile.
   * @param {Side} [side]
   */
  restartIce(side) {
    if (side !== "subscribe") this.#recovery.publish.nudge();
    if (side !== "publish") this.#recovery.subscribe.nudge();
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

  #address() {
    const { endpoint } = this.#resume;
    this.#usedEndpoint = endpoint !== null;
    return addressOf(this.#base, { ...this.#credential, name: this.#options.name }, endpoint);
  }

  #sendJoin() {
    const camera = this.#publisher.streams.find((stream) => stream.label === "camera");
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
    if (message.type === "joined") this.#welcomed(/** @type {any} */ (message));
    else if (message.type === "offer" && message.pc === "subscribe") this.#subscriber.offered(message);
    else if (message.type === "terminated") this.#terminated(message.reason);
    else if (message.type === "error") this.#tellError(new ConferenceError(message.name, message.code, message.message));
    else this.#noted(message);
    if (message.endpoint?.token && message.type !== "joined") this.#keepEndpoint(message.endpoint);
    if (message.type !== "error") this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  /**
   * What changes the picture of the conference.
   * @param {Message} message
   */
  #noted(message) {
    if (this.#roster.apply(message)) this.#emit("participants", { participants: this.participants });
    else if (message.type === "mute_update") this.#muting.told(message);
    else if (message.type === "mode_update") this.#modeChanged(message.mode, message.reason);
    else if (message.type === "layers_update") this.#layersTold(message.streams);
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
    if (this.#usedEndpoint) return this.#startOver();
    this.#fail(error);
  }

  /** The seat is gone: comes in again with the credential it began with. */
  #startOver() {
    this.#resume.forget();
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
    const again = this.#self !== null && this.#self.id === joined.participant.id && this.#phase === "joined";
    this.#signaling.healthy();
    this.#joined = joined;
    this.#self = joined.participant;
    this.#mode = joined.mode;
    this.#socketDown = false;
    this.#roster.reset(joined);
    if (joined.endpoint) this.#keepEndpoint(joined.endpoint);
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
    this.#subscriber.reset();
    this.#speakers.start(() => this.#levels(), (speakers) => this.#emit("speakers", { speakers }));
    if (joined.mode !== "SFU") return;
    this.#publisher.close({ keepStreams: true });
    if (joined.participant.role === LISTENER) return; // has nothing to offer
    const open = () => this.#try(this.#publisher.open().then(() => this.#muting.reconcileAll()));
    if (this.#publisher.streams.length) open();
    else this.#openTimer = setTimeout(open, OPEN_AFTER * 1000); // receiving comes first, and a camera may be on its way
  }

  /** @param {Joined} joined */
  #cameBack(joined) {
    if (joined.mode !== "SFU") return;
    this.#publisher.configure();
    this.#subscriber.configure();
    const known = new Set(joined.streams.map((stream) => stream.stream_id));
    const forgotten = this.#publisher.streams.some((stream) => !known.has(stream.id));
    this.#subscriber.keep(known);
    this.#try((forgotten ? this.#publisher.rebuild() : this.#publisher.resume()).then(() => this.#muting.reconcileAll()));
    this.#recovery.publish.signalingBack();
    if (!this.#subscriber.resume()) this.#recovery.subscribe.signalingBack();
  }

  /** @param {import("./types.js").Endpoint} endpoint */
  #keepEndpoint(endpoint) {
    this.#resume.endpoint = endpoint;
    clearTimeout(this.#renewTimer);
    const wait = (endpoint.expires_at - Date.now()) * RENEW_AT;
    if (wait > 0 && wait < LONGEST_TIMER) this.#renewTimer = setTimeout(() => this.#send({ type: "renew_endpoint" }), wait);
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
    for (const timer of [this.#joinTimer, this.#renewTimer, this.#openTimer]) clearTimeout(timer);
    removeEventListener("online", this.#networkChanged);
    this.#resume.forget();
    this.#signaling.stop();
    this.#wishes.stop();
    this.#speakers.stop();
    this.#recovery.publish.stop();
    this.#recovery.subscribe.stop();
    this.#publisher.close();
    this.#subscriber.close();
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

  async #negotiate() {
    clearTimeout(this.#openTimer);
    try {
      await this.#publisher.open();
    } catch (error) {
      if (!(error instanceof ConferenceError) || error.code > 0) throw error; // without the server: offered again when it is back
    }
  }

  /**
   * @param {string} mode
   * @param {string} reason
   */
  #modeChanged(mode, reason) {
    this.#mode = mode === "MESH" ? "MESH" : "SFU";
    if (this.#mode === "SFU") this.#try(this.#publisher.open().then(() => this.#muting.reconcileAll()));
    this.#emit("modechange", { mode: this.#mode, reason });
  }

  /** @param {RemoteStream} stream */
  #streamEnded(stream) {
    this.#wishes.forget(stream.id);
    this.#emit("streamended", { stream });
  }

  /** @param {Record<string, import("./types.js").LayerState>} streams */
  #layersTold(streams) {
    for (const [id, layers] of Object.entries(streams ?? {})) {
      const stream = this.#subscriber.stream(id);
      if (!stream) continue;
      stream.layers = layers;
      this.#emit("layers", { stream, layers });
    }
  }

  /** @param {string} text */
  #receivedData(text) {
    const message = JSON.parse(text);
    if (message.type === "data") this.#emit("data", { from: message.from ?? null, payload: message.payload });
  }

  #levels() {
    /** @type {Map<string, number>} */
    const levels = new Map();
    for (const { stream, audio } of this.#subscriber.received) {
      if (audio) levels.set(stream.userId, Math.max(levels.get(stream.userId) ?? 0, levelOf(audio)));
    }
    return levels;
  }

  /** @param {string | undefined} by */
  #askedToMute(by) {
    const camera = this.#publisher.streams.find((stream) => stream.label === "camera");
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
