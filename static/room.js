/**
 * The conference page: what `client.js` tells becomes tiles, lists and signs; what people press becomes calls of `client.js`.
 */

import { scoreOf } from "./client.js";
import { Chat } from "./ui/chat.js";
import { LevelMeter, LocalMedia } from "./ui/devices.js";
import { note, openEncryption, openKeys, openSettings, showEnd } from "./ui/dialogs.js";
import { Dock, listenToKeys } from "./ui/dock.js";
import { find, h } from "./ui/dom.js";
import { conference, joining, options } from "./ui/entry.js";
import { icon, logo } from "./ui/icons.js";
import { NAMELESS } from "./ui/name.js";
import { People } from "./ui/people.js";
import { askToJoin } from "./ui/prejoin.js";
import { CameraPublishing, ScreenPublishing } from "./ui/publishing.js";
import { Stage } from "./ui/stage.js";
import { farewell, problemText, speak, t } from "./ui/texts.js";

/** @typedef {import("./types.js").RemoteStream} RemoteStream */
/** @typedef {import("./ui/dock.js").Control} Control */

const QUALITY_EVERY = 3000; // milliseconds
const WEAK_BELOW = 3; // of 1 to 5: of one's own connection,
const STRONG_ABOVE = 3.5; // and where that is over
const OWN_LEVEL_EVERY = 200; // milliseconds
const SPEAKS_ABOVE = 0.02; // level of the own microphone
const QUIET_AFTER = 3; // samples of silence before the own mark goes
const USELESS_AGAIN = new Set(["kicked", "room_deleted", "ended", "no_credential", "key_missing", "malformed", "not_found", "access_revoked"]);

class RoomPage {
  media = new LocalMedia({ width: options.width, height: options.height, fps: options.fps });
  /** @type {Map<string, number>} quality of everybody's connection, 0 to 4 */ bars = new Map();
  /** @type {Set<string>} */ speaking = new Set();
  /** @type {"chat" | "people" | null} */ panel = null;
  notes = find("#notes");
  lobby = find("#lobby");
  weak = false; // one's own connection
  ownLevel = new LevelMeter();
  ownQuiet = QUIET_AFTER;
  startedAt = 0;

  constructor() {
    const { codec, simulcast } = options;
    this.camera = new CameraPublishing(conference, this.media, { codec, simulcast });
    this.screen = new ScreenPublishing(conference, { codec }, () => this.drawControls());
    this.stage = new Stage(find("#stage"), { want: (id, wish) => conference.want(id, wish), onBlocked: () => this.soundBlocked(true) });
    this.chat = new Chat((text) => conference.sendChat(text));
    this.people = new People({
      mute: (userId) => this.muteOther(userId),
      kick: (userId) => this.attempt(conference.kick(userId)),
      muteAll: () => this.attempt(conference.muteEverybody()),
    });
    this.build();
    this.listen();
    this.catchUp();
  }

  async start() {
    const { credential, audio, video, name } = options;
    if (!credential) return this.end("error", "no_credential");
    if (joining) return this.enter(joining, this.media.start({ audio, video }));
    conference.setName((await askToJoin(this.lobby, this.media, { name, audio, video })) || NAMELESS);
    await this.enter(conference.join(), Promise.resolve());
  }

  /**
   * @param {Promise<unknown>} joined
   * @param {Promise<void>} opened the devices: before the conference, or after it
   */
  async enter(joined, opened) {
    this.media.addEventListener("problem", (event) => {
      const { kind, name } = /** @type {CustomEvent} */ (event).detail;
      this.say(problemText(kind, name));
    });
    opened.then(() => this.camera.follow());
    try {
      await joined;
    } catch {
      return; // told by `state`
    }
    if (options.screen) await this.toggleScreen();
    await navigator.wakeLock?.request("screen").catch(() => {});
  }

  // ---- what the conference tells

  listen() {
    conference.on("state", ({ state, reason }) => this.stateChanged(state, reason));
    conference.on("stream", ({ stream }) => this.streamCame(stream));
    conference.on("streamended", ({ stream }) => this.stage.removeStream(stream));
    conference.on("participants", () => this.participantsChanged());
    conference.on("muted", ({ streamId, muted }) => this.mutedChanged(streamId, muted));
    conference.on("speakers", ({ speakers }) => this.speakersChanged(speakers));
    conference.on("modechange", () => this.modeChanged());
    conference.on("quality", ({ userId, score }) => this.qualityTold(userId, score));
    conference.on("error", ({ error }) => console.warn("conference:", error.name, error.message));
    this.listenTo("chat", (message) => this.chatCame(message));
    this.listenTo("hand_update", ({ user_id, raised }) => raised && user_id !== conference.self?.id && this.say(t("raised", { name: this.nameOf(user_id) })));
    this.listenTo("participant_update", ({ participant }) => this.say(t(participant.online === false ? "left" : "joined", { name: participant.name || NAMELESS })));
    this.media.addEventListener("change", () => this.drawControls());
  }

  /** What has happened before this page was there to see it. */
  catchUp() {
    const { state, reason } = conference;
    if (state === "idle") return;
    document.body.dataset.state = "joining";
    if (state !== "joining") this.stateChanged(state, reason);
    if (conference.self) this.participantsChanged();
    for (const stream of conference.streams) this.streamCame(stream);
  }

  /**
   * @param {string} type of a server event
   * @param {(message: any) => void} listener
   */
  listenTo(type, listener) {
    conference.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  }

  /**
   * @param {import("./types.js").State} state
   * @param {string | null} reason
   */
  stateChanged(state, reason) {
    const before = document.body.dataset.state;
    document.body.dataset.state = state;
    if (state === "left" || state === "error") return this.end(state, reason ?? "ended");
    if (state === "joined" && before === "reconnecting") this.say(t("reconnected"));
    if (state === "joined" && before === "joining") this.opened();
    find("#reconnecting").hidden = state !== "reconnecting";
    if (state !== "idle") this.post(state);
  }

  opened() {
    this.lobby.hidden = true;
    this.lobby.replaceChildren();
    find("#room").hidden = false;
    this.startedAt = Date.now();
    this.drawMode();
    this.drawControls();
    setInterval(() => this.measure(), QUALITY_EVERY);
    setInterval(() => this.listenToOneself(), OWN_LEVEL_EVERY);
    setInterval(() => this.drawClock(), 1000);
  }

  drawMode() {
    const { mode, e2ee } = conference;
    document.body.dataset.mode = mode;
    document.body.dataset.e2ee = String(e2ee);
    find("#lock").hidden = !e2ee;
    this.drawAlone();
  }

  participantsChanged() {
    const { participants, self } = conference;
    const online = new Set(participants.map(({ id }) => id));
    for (const tile of this.stage.tiles) if (!online.has(tile.userId)) this.stage.removePerson(tile.userId);
    for (const participant of participants) {
      const own = participant.id === self?.id;
      this.stage.addPerson({ ...participant, name: this.nameOf(participant.id) }, own);
      this.stage.person(participant.id)?.setHand(participant.raised ?? false);
    }
    this.drawAlone();
    this.drawPeople();
    this.drawControls();
    this.post("participants", { count: participants.length });
  }

  modeChanged() {
    const wasEncrypted = document.body.dataset.e2ee === "true";
    this.drawMode();
    if (wasEncrypted && !conference.e2ee) this.say(t("byServer"));
  }

  /** @param {RemoteStream} stream */
  streamCame(stream) {
    this.stage.addStream(stream, this.nameOf(stream.userId));
    this.stage.withStream(stream.id)?.setMuted(conference.muted(stream.id));
    this.drawPeople();
    this.drawAlone();
  }

  /**
   * @param {string} streamId
   * @param {import("./types.js").Muted} muted
   */
  mutedChanged(streamId, muted) {
    this.stage.withStream(streamId)?.setMuted(muted);
    this.drawPeople();
  }

  /** @param {import("./types.js").Speaker[]} speakers */
  speakersChanged(speakers) {
    const own = this.ownId;
    const speaksSelf = this.speaking.has(own);
    this.speaking = new Set(speakers.map(({ userId }) => userId));
    if (speaksSelf) this.speaking.add(own);
    this.stage.setSpeakers(this.speaking, speakers[0]?.userId ?? null);
  }

  /** @param {any} message */
  chatCame({ cid, user_id, content, created_at }) {
    const userId = cid ?? user_id ?? "";
    const text = typeof content === "string" ? content : (content?.text ?? JSON.stringify(content));
    const self = userId === this.ownId;
    this.chat.add({ userId, name: this.nameOf(userId), self, text, at: created_at ? new Date(created_at) : new Date() });
    if (this.panel === "chat" || self) return;
    this.chat.unread += 1;
    this.say(`${this.nameOf(userId)}: ${text.slice(0, 120)}`);
    this.drawControls();
  }

  // ---- what people do

  /** @param {Control | "escape"} control */
  press(control) {
    if (document.body.dataset.state !== "joined" && document.body.dataset.state !== "reconnecting") return;
    const { media } = this;
    if (control === "mic") media.set("audio", !media.on.audio);
    else if (control === "camera") media.set("video", !media.on.video);
    else if (control === "screen") this.toggleScreen();
    else if (control === "hand") this.attempt(conference.raiseHand(!this.raised));
    else if (control === "chat" && !options.hideChat) this.openPanel(this.panel === "chat" ? null : "chat");
    else if (control === "people") this.openPanel(this.panel === "people" ? null : "people");
    else if (control === "layout") this.changeLayout();
    else if (control === "settings") openSettings(media, (deviceId) => this.chooseSpeaker(deviceId));
    else if (control === "keys") openKeys();
    else if (control === "leave") conference.leave();
    else if (control === "escape") this.openPanel(null);
  }

  async toggleScreen() {
    if (!("getDisplayMedia" in navigator.mediaDevices)) return;
    try {
      await (this.screen.sharing ? this.screen.stop() : this.screen.start());
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      if (name !== "NotAllowedError") console.warn("screen:", error); // the person has closed the browser's question
    }
  }

  changeLayout() {
    this.stage.focus = !this.stage.focus;
    this.drawControls();
  }

  /** @param {string} deviceId */
  chooseSpeaker(deviceId) {
    for (const { video } of this.stage.tiles) if (video && !video.muted) video.setSinkId(deviceId).catch(() => {});
  }

  /** @param {string} userId */
  muteOther(userId) {
    const stream = conference.streams.find((candidate) => candidate.userId === userId && candidate.label === "camera");
    if (stream) this.attempt(conference.mute(stream.id, { audio: true }));
  }

  /** @param {Promise<unknown>} work */
  attempt(work) {
    work.catch((error) => this.say(error.message));
  }

  async copyLink() {
    await navigator.clipboard.writeText(options.link ?? "").catch(() => {});
    this.say(t("linkCopied"));
  }

  /** @param {"chat" | "people" | null} panel */
  openPanel(panel) {
    this.panel = panel;
    const element = find("#panel");
    element.hidden = panel === null;
    if (panel) {
      const close = h("button", { class: "round round-small", type: "button", title: t("close"), "aria-label": t("close"), on: { click: () => this.openPanel(null) } }, icon("close"));
      element.replaceChildren(h("header", {}, h("h2", { text: t(panel) }), close), panel === "chat" ? this.chat.element : this.people.element);
      element.setAttribute("aria-label", t(panel));
    }
    if (panel === "chat") {
      this.chat.unread = 0;
      this.chat.focus();
    }
    this.drawPeople();
    this.drawControls();
  }

  // ---- drawing

  build() {
    const { link, hideChat } = options;
    const copy = link && h("button", { class: "button button-quiet button-small", type: "button", on: { click: () => this.copyLink() } }, icon("link"), h("span", { text: t("copyLink") }));
    find("#bar").append(h("span", { class: "brand" }, logo(), h("span", { text: "Folkmoot" })), h("time", { class: "clock", id: "clock" }), h("span", { class: "spring" }), h("button", { class: "bar-lock", id: "lock", type: "button", hidden: true, on: { click: () => openEncryption(conference.mode === "SFU" ? conference.safetyNumber : null) } }, icon("lock"), h("span", { text: t("encrypted") })), h("span", { class: "bar-count", id: "count" }), copy || "");
    const screen = !!navigator.mediaDevices && "getDisplayMedia" in navigator.mediaDevices;
    this.dock = new Dock(find("#dock"), (control) => this.press(control), { chat: !hideChat, screen });
    listenToKeys((control) => this.press(control), (down) => this.media.set("audio", down));
    const copyBig = link && h("button", { class: "button button-primary", type: "button", on: { click: () => this.copyLink() } }, icon("link"), h("span", { text: t("copyLink") }));
    find("#signs").append(
      h("p", { class: "sign sign-busy", id: "reconnecting", role: "status", hidden: true }, h("i", { class: "spinner" }), t("reconnecting")),
      h("p", { class: "sign", id: "sharing", hidden: true }, icon("screen"), h("span", { text: t("sharing") }), h("button", { class: "button button-danger button-small", type: "button", text: t("shareStop"), on: { click: () => this.toggleScreen() } })),
      h("p", { class: "sign", id: "blocked", hidden: true }, icon("speaker"), h("span", { text: t("soundBlocked") }), h("button", { class: "button button-primary button-small", type: "button", text: t("soundAllow"), on: { click: () => this.soundBlocked(false) } })),
      h("div", { class: "sign sign-card", id: "alone", hidden: true }, h("strong", { text: t("alone") }), h("span", { text: t(link ? "aloneHint" : "aloneNoLink") }), copyBig || ""),
    );
  }

  drawControls() {
    const { media, dock } = this;
    if (!dock) return;
    dock.set("mic", { iconName: media.on.audio ? "mic" : "micOff", label: t(media.on.audio ? "muteOn" : "muteOff"), off: !media.on.audio });
    dock.set("camera", { iconName: media.on.video ? "camera" : "cameraOff", label: t(media.on.video ? "cameraOn" : "cameraOff"), off: !media.on.video });
    dock.set("screen", { iconName: "screen", label: t(this.screen.sharing ? "shareStop" : "share"), pressed: this.screen.sharing });
    dock.set("hand", { iconName: "hand", label: t(this.raised ? "handLower" : "handRaise"), pressed: this.raised });
    dock.set("chat", { iconName: "chat", label: t("chat"), pressed: this.panel === "chat", count: this.chat.unread });
    dock.set("people", { iconName: "people", label: t("people"), pressed: this.panel === "people" });
    dock.set("layout", { iconName: this.stage.focus ? "grid" : "focus", label: t("layout") });
    find("#sharing").hidden = !this.screen.sharing;
    const own = this.stage.person(this.ownId);
    if (own && !own.video && media.on.video) own.showSelf(media.stream); // not before there is something to see
    own?.setMuted({ audio: !media.on.audio, video: !media.on.video });
    this.drawPeople();
  }

  drawPeople() {
    if (this.panel !== "people") return;
    const { media } = this;
    const cameras = new Map(conference.streams.filter(({ label }) => label === "camera").map((stream) => [stream.userId, stream]));
    const people = conference.participants.map(({ id, role, guest = false, raised = false }) => {
      const self = id === this.ownId;
      const stream = cameras.get(id);
      const muted = stream ? conference.muted(stream.id) : { audio: true, video: true };
      const on = self ? media.on : { audio: !muted.audio, video: !muted.video };
      return { id, name: this.nameOf(id), self, role, guest, raised, audio: on.audio, video: on.video, bars: this.bars.get(id) ?? 4 };
    });
    this.people.show(people, conference.self?.role === "moderator");
  }

  drawAlone() {
    const { participants, state } = conference;
    const alone = participants.length < 2 && state === "joined";
    find("#alone").hidden = !alone;
    find("#count").replaceChildren(icon("people"), String(participants.length));
  }

  drawClock() {
    const seconds = Math.floor((Date.now() - this.startedAt) / 1000);
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    if (!parts[0]) parts.shift();
    find("#clock").textContent = parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
  }

  /** @param {boolean} blocked */
  soundBlocked(blocked) {
    find("#blocked").hidden = !blocked;
    if (!blocked) this.stage.play();
  }

  /** @param {string} text */
  say(text) {
    if (document.body.dataset.state === "joined" || document.body.dataset.state === "reconnecting") note(this.notes, text);
  }

  // ---- measuring

  /** Of connections with each other; those with the server are judged by the server. */
  async measure() {
    if (conference.mode === "SFU") return;
    /** @type {Map<string, number>} */
    const worst = new Map();
    for (const stream of await conference.getStats()) {
      worst.set(stream.userId, Math.min(worst.get(stream.userId) ?? 5, scoreOf(stream)));
    }
    for (const [userId, score] of worst) this.setBars(userId, score);
    this.drawPeople();
  }

  /**
   * @param {string} userId
   * @param {number} score 1 to 5
   */
  qualityTold(userId, score) {
    this.setBars(userId, score);
    this.drawPeople();
    if (userId !== this.ownId) return;
    const weak = score < (this.weak ? STRONG_ABOVE : WEAK_BELOW);
    if (weak && !this.weak) this.say(t("weakLine"));
    this.weak = weak;
  }

  /**
   * @param {string} userId
   * @param {number} score 1 to 5
   */
  setBars(userId, score) {
    const bars = Math.max(1, Math.min(4, Math.round(score) - 1));
    this.bars.set(userId, bars);
    this.stage.person(userId)?.setQuality(bars);
  }

  listenToOneself() {
    const { audio } = this.media.on;
    this.ownLevel.listen(/** @type {MediaStreamTrack | null} */ (this.media.track("audio")));
    this.ownQuiet = audio && this.ownLevel.level() > SPEAKS_ABOVE ? 0 : this.ownQuiet + 1;
    const speaks = audio && this.ownQuiet < QUIET_AFTER;
    if (speaks) this.speaking.add(this.ownId);
    else this.speaking.delete(this.ownId);
    this.stage.person(this.ownId)?.setSpeaking(speaks);
  }

  // ---- the rest

  get ownId() {
    return conference.self?.id ?? "";
  }

  get raised() {
    return conference.participants.find(({ id }) => id === this.ownId)?.raised ?? false;
  }

  /** @param {string} userId */
  nameOf(userId) {
    return conference.participants.find(({ id }) => id === userId)?.name || NAMELESS;
  }

  /**
   * @param {"left" | "error"} state
   * @param {string} reason
   */
  end(state, reason) {
    document.body.dataset.state = state;
    if (state === "error") document.body.dataset.error = reason;
    this.media.stop();
    find("#room").hidden = true;
    this.lobby.hidden = false;
    const again = USELESS_AGAIN.has(reason) ? null : () => location.reload();
    const { heading, hint } = farewell(state === "error" ? "error" : "end", reason, conference.errorCode);
    showEnd(this.lobby, { heading, hint, failed: state === "error", again });
    this.post(state === "error" ? "error" : reason === "left" ? "left" : "ended", { reason });
  }

  /**
   * Tells the window that embeds this page.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   */
  post(type, fields = {}) {
    if (parent !== window) parent.postMessage({ source: "conference", type, ...fields }, "*");
  }
}

speak(options.lang);
document.title = `${t("title")} – Folkmoot`;
new RoomPage().start();
