/**
 * One participant's part in a conference: the class applications use.
 *
 * What an application asks for goes out from here, what the server says is told as events. Coming in and going out is `stay.js`'s, how
 * media travels `media.js`'s; showing anything is the application's.
 */

/** @typedef {import("./types.js").ConferenceEvents} ConferenceEvents */
/** @typedef {import("./types.js").ConferenceOptions} ConferenceOptions */
/** @typedef {import("./types.js").JoinResult} JoinResult */
/** @typedef {import("./types.js").PublishOptions} PublishOptions */
/** @typedef {import("./types.js").RemoteStream} RemoteStream */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {import("./types.js").State} State */

import { Measuring } from "./measuring.js";
import { LISTENER } from "./roster.js";
import { Stay } from "./stay.js";

export class Conference extends EventTarget {
  #stay;
  #measuring;

  /** @param {ConferenceOptions} options */
  constructor(options) {
    super();
    this.#stay = new Stay(options, (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail })));
    this.#measuring = new Measuring(this.#stay.media);
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
    return this.#stay.state;
  }

  /** Why it is over: the name of the refusal, or the reason of the end. */
  get reason() {
    return this.#stay.reason;
  }

  /** HTTP-like code of the refusal in state `error`, else 0. */
  get errorCode() {
    return this.#stay.errorCode;
  }

  get mode() {
    return this.#stay.media.mode;
  }

  /** Whether nobody but the participants can see and hear what is sent, the server included. */
  get e2ee() {
    return this.#stay.joined !== null && (this.mode === "MESH" ? (this.#stay.joined.e2ee ?? false) : this.#stay.secrecy.encryption !== null);
  }

  /** The same for everybody who has the same key and sees the same members: to be compared by voice. Null without encryption of one's own. */
  get safetyNumber() {
    return this.#stay.secrecy.safetyNumber;
  }

  /** This participant, once joined. */
  get self() {
    return this.#stay.self && (this.#stay.roster.participant(this.#stay.self.id) ?? this.#stay.self);
  }

  /** Whether this participant's role lets them publish; it may change while the conference goes on. */
  get mayPublish() {
    return this.self?.role !== LISTENER;
  }

  /** Everybody online, oneself included. */
  get participants() {
    return this.#stay.roster.participants;
  }

  /** Recording, lock, presentation, files and options, as they are now. */
  get happening() {
    return this.#stay.happening;
  }

  /** @returns {RemoteStream[]} */
  get streams() {
    return this.#stay.media.incoming.streams;
  }

  /** Streams this participant publishes. */
  get ownStreams() {
    return this.#stay.media.own.all.map(({ id, label, tracks }) => ({ id, label, audio: tracks.audio, video: tracks.video }));
  }

  /** The peer connections with the server, for looking at; null while there is none. */
  get connections() {
    const { publisher, subscriber } = this.#stay.media.server;
    return { publish: publisher.pc, subscribe: subscriber.pc };
  }

  /** Those with other participants, by their ids. */
  get directConnections() {
    return this.#stay.media.direct;
  }

  /**
   * @param {string} streamId one's own or another's
   * @returns {import("./types.js").Muted}
   */
  muted(streamId) {
    return this.#stay.roster.muted(streamId);
  }

  /**
   * Goes online. May be called again after `leave` or a refusal.
   * @returns {Promise<JoinResult>} rejects with a `ConferenceError` that names the refusal
   */
  join() {
    return this.#stay.join();
  }

  /** Goes offline at once and closes everything. */
  async leave() {
    this.#stay.leave();
  }

  /**
   * The name to join with; without effect on a conference joined already.
   * @param {string} name
   */
  setName(name) {
    this.#stay.options = { ...this.#stay.options, name };
  }

  /**
   * Publishes the tracks of `mediaStream` as one stream. Before `join` it is kept until it can be sent.
   * @param {MediaStream} mediaStream
   * @param {PublishOptions} [options]
   * @returns {Promise<string>} the stream's id, once it has been taken
   */
  async publish(mediaStream, options = {}) {
    return this.#stay.publishing.begin(mediaStream, options);
  }

  /**
   * Ends one's own stream for everybody. Its tracks go on and belong to the caller.
   * @param {string} streamId
   */
  async unpublish(streamId) {
    await this.#stay.publishing.end(streamId);
  }

  /**
   * Sends another track in the place of one, or none: a change of device without a new stream.
   * @param {string} streamId
   * @param {"audio" | "video"} kind
   * @param {MediaStreamTrack | null} track
   */
  async replaceTrack(streamId, kind, track) {
    await this.#stay.media.replaceTrack(streamId, kind, track);
  }

  /**
   * Mutes or unmutes; a key left out stays as it is. Of others' streams a moderator may mute the sound.
   * @param {string} streamId
   * @param {Partial<import("./types.js").Muted>} change
   */
  async mute(streamId, change) {
    await this.#stay.muting.set(streamId, change);
  }

  /**
   * What to receive of a stream, e.g. `{ maxWidth: 320, priority: 10 }` or `{ video: false }`.
   * @param {string | null} streamId null: wherever nothing else is told
   * @param {import("./types.js").Wish} wish replaces the one before
   */
  want(streamId, wish) {
    this.#stay.wishes.set(streamId, wish);
  }

  /** @param {"streams" | "one_view" | "auto"} view */
  async setView(view) {
    this.#stay.view = view;
    await this.#stay.request({ type: "set_view", view });
  }

  /**
   * Everybody, oneself included, gets it as a `chat` event.
   * @param {string} content
   */
  async sendChat(content) {
    await this.#stay.request({ type: "chat", content });
  }

  /**
   * To others' data channels; arrives there as a `data` event.
   * @param {unknown} payload anything JSON can say, up to 64 KiB
   * @param {{ to?: string[] | null, reliable?: boolean }} [options]
   * @returns {boolean} false while the channel is not open
   */
  sendData(payload, { to = null, reliable = true } = {}) {
    return this.#stay.media.sendText({ type: "data", to, payload, reliable });
  }

  /** @param {boolean} raised */
  async raiseHand(raised) {
    await this.#stay.request({ type: "raise_hand", raised });
  }

  /** Asks everybody else to mute; needs a role that may. */
  async muteEverybody() {
    await this.#stay.request({ type: "stfu" });
  }

  /** @param {string} userId */
  async kick(userId) {
    await this.#stay.request({ type: "kick", user_id: userId });
  }

  /** Records everybody, if this participant may. That it runs is told by `happening`. */
  async startRecording() {
    await this.#stay.request({ type: "record_start" });
  }

  async stopRecording() {
    await this.#stay.request({ type: "record_stop" });
  }

  /**
   * Finds a new way through the network for one connection with the server, or for all there are; media goes on meanwhile.
   * @param {Side} [side]
   */
  restartIce(side) {
    this.#stay.media.restartIce(side);
  }

  /** Moves a MESH conference to the server, for everybody and for good; needs a role that may. */
  async upgrade() {
    await this.#stay.request({ type: "upgrade" });
  }

  /**
   * Rates are over the time since the call before.
   * @returns {Promise<import("./types.js").StreamStats[]>} own streams first
   */
  async getStats() {
    return (await this.#measuring.sample(this.#stay.self?.id ?? "")).streams;
  }

  /** @returns {Promise<import("./types.js").ConnectionStats[]>} */
  async getConnectionStats() {
    return (await this.#measuring.sample(this.#stay.self?.id ?? "")).connections;
  }
}
