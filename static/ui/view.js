/**
 * All that is to be seen of a conference and its controls: drawn from what the conference, the own devices and the own voice are now.
 *
 * It decides nothing: what people press goes to its owner by name.
 */

import { Bar } from "./bar.js";
import { Chat } from "./chat.js";
import { note, openEncryption } from "./dialogs.js";
import { Dock } from "./dock.js";
import { find } from "./dom.js";
import { OwnVoice, Qualities } from "./measures.js";
import { NAMELESS } from "./name.js";
import { People } from "./people.js";
import { mayUse } from "./policy.js";
import { Side } from "./side.js";
import { Signs } from "./signs.js";
import { Stage } from "./stage.js";
import { t } from "./texts.js";

/** @typedef {import("../conference.js").Conference} Conference */
/** @typedef {import("./devices.js").LocalMedia} LocalMedia */
/** @typedef {import("./publishing.js").ScreenPublishing} ScreenPublishing */

/**
 * @typedef {object} ViewOwner
 * @property {(control: import("./dock.js").Control) => void} press
 * @property {(userId: string) => void} mute
 * @property {(userId: string) => void} kick
 * @property {() => void} muteAll
 * @property {() => void} copyLink
 * @property {() => void} toggleScreen
 */

export class RoomView {
  /** @type {Set<string>} */ speaking = new Set();
  /** @type {import("./tools/tools.js").Tools | null} what only some meetings have */ tools = null;

  /**
   * @param {Conference} conference
   * @param {LocalMedia} media
   * @param {ScreenPublishing} screen
   * @param {import("./options.js").PageOptions} options
   * @param {ViewOwner} owner
   */
  constructor(conference, media, screen, options, owner) {
    this.conference = conference;
    this.media = media;
    this.screen = screen;
    this.options = options;
    this.owner = owner;
    this.notes = find("#notes");
    this.stage = new Stage(find("#stage"), { want: (id, wish) => conference.want(id, wish), onBlocked: () => this.soundBlocked(true) });
    this.chat = new Chat((text) => conference.sendChat(text));
    this.people = new People(owner);
    const onLink = () => owner.copyLink();
    this.bar = new Bar(find("#bar"), { onLink, onEncrypted: () => openEncryption(conference.mode === "SFU" ? conference.safetyNumber : null) });
    this.signs = new Signs(find("#signs"), { onLink, onStopSharing: () => owner.toggleScreen(), onAllowSound: () => this.soundBlocked(false) });
    this.dock = new Dock(find("#dock"), (control) => owner.press(control));
    this.side = new Side(find("#panel"), () => this.#panelChanged());
    this.side.add("chat", { title: t("chat"), element: this.chat.element, onOpen: () => this.chat.focus() });
    this.side.add("people", { title: t("people"), element: this.people.element });
    this.qualities = new Qualities(conference, { onBars: (userId, bars) => this.#barsChanged(userId, bars), onWeak: () => this.say(t("weakLine")) });
    this.voice = new OwnVoice(media, (speaks) => this.#spoke(speaks));
  }

  /** The conference has been joined. */
  open() {
    find("#room").hidden = false;
    this.drawMode();
    this.drawControls();
    for (const part of [this.bar, this.qualities, this.voice]) part.start();
  }

  close() {
    find("#room").hidden = true;
  }

  get ownId() {
    return this.conference.self?.id ?? "";
  }

  /** Whether one's own hand is. */
  get raised() {
    return this.conference.participants.find(({ id }) => id === this.ownId)?.raised ?? false;
  }

  /** What to hand to others who are to come; null where everybody has a link of their own. */
  get link() {
    return this.conference.happening.guestLink ?? this.options.link;
  }

  get chatAllowed() {
    return !this.options.hideChat && this.conference.happening.options.isChatAllowed !== false;
  }

  get screenAllowed() {
    const possible = !!navigator.mediaDevices && "getDisplayMedia" in navigator.mediaDevices && mayUse("screen");
    return possible && this.conference.mayPublish && this.conference.happening.options.isScreensharingAllowed !== false;
  }

  /** There is nothing to hand to others. */
  withoutLink() {
    this.options.link = null;
    this.drawHappening();
  }

  /** What one may do to others. */
  get rights() {
    const { self, happening } = this.conference;
    const moderates = self?.role === "moderator";
    const member = happening.accessKey !== null && !happening.guest; // of the team's own
    return { mute: moderates, kick: moderates || (member && happening.options.kick_available !== false), muteAll: moderates || member };
  }

  /** @param {string} userId */
  nameOf(userId) {
    return this.conference.participants.find(({ id }) => id === userId)?.name || NAMELESS;
  }

  /** @param {string} text */
  say(text) {
    if (document.body.dataset.state === "joined" || document.body.dataset.state === "reconnecting") note(this.notes, text);
  }

  drawMode() {
    const { mode, e2ee } = this.conference;
    document.body.dataset.mode = mode;
    document.body.dataset.e2ee = String(e2ee);
    this.bar.show({ encrypted: e2ee });
    this.drawAlone();
  }

  /** Recording, lock, presentation, files or options are others. */
  drawHappening() {
    const { recording, locked } = this.conference.happening;
    Object.assign(document.body.dataset, { recording: String(recording !== null), locked: String(locked) });
    this.bar.show({ recording: recording !== null, locked, link: this.link !== null && !locked });
    this.signs.offerLink(this.link !== null && !locked);
    this.tools?.follow();
    if (!this.chatAllowed && this.side.open === "chat") this.side.close();
    this.drawControls();
  }

  drawTiles() {
    const { participants } = this.conference;
    const online = new Set(participants.map(({ id }) => id));
    for (const tile of this.stage.tiles) if ((tile.kind === "person" || tile.kind === "screen") && !online.has(tile.userId)) this.stage.removePerson(tile.userId);
    for (const participant of participants) {
      this.stage.addPerson({ ...participant, name: this.nameOf(participant.id) }, participant.id === this.ownId);
      this.stage.person(participant.id)?.setHand(participant.raised ?? false);
    }
  }

  /** @param {import("../types.js").RemoteStream} stream that has come */
  drawStream(stream) {
    this.stage.addStream(stream, this.nameOf(stream.userId));
    this.stage.withStream(stream.id)?.setMuted(this.conference.muted(stream.id));
    this.drawPeople();
    this.drawAlone();
  }

  /**
   * @param {string} streamId
   * @param {import("../types.js").Muted} muted
   */
  drawMuted(streamId, muted) {
    this.stage.withStream(streamId)?.setMuted(muted);
    this.drawPeople();
  }

  /** @param {any} message somebody has written */
  drawChat({ cid, user_id, content, created_at }) {
    const userId = cid ?? user_id ?? "";
    const text = typeof content === "string" ? content : (content?.text ?? JSON.stringify(content));
    const self = userId === this.ownId;
    this.chat.add({ userId, name: this.nameOf(userId), self, text, at: created_at ? new Date(created_at) : new Date() });
    if (this.side.open === "chat" || self) return;
    this.chat.unread += 1;
    this.say(`${this.nameOf(userId)}: ${text.slice(0, 120)}`);
    this.drawControls();
  }

  drawControls() {
    const { media, dock, screen, side, conference } = this;
    this.#offerControls(conference.mayPublish);
    dock.set("mic", { iconName: media.on.audio ? "mic" : "micOff", label: t(media.on.audio ? "muteOn" : "muteOff"), off: !media.on.audio });
    dock.set("camera", { iconName: media.on.video ? "camera" : "cameraOff", label: t(media.on.video ? "cameraOn" : "cameraOff"), off: !media.on.video });
    dock.set("screen", { iconName: "screen", label: t(screen.sharing ? "shareStop" : "share"), pressed: screen.sharing });
    dock.set("hand", { iconName: "hand", label: t(this.raised ? "handLower" : "handRaise"), pressed: this.raised });
    dock.set("chat", { iconName: "chat", label: t("chat"), pressed: side.open === "chat", count: this.chat.unread });
    dock.set("people", { iconName: "people", label: t("people"), pressed: side.open === "people" });
    dock.set("layout", { iconName: this.stage.focus ? "grid" : "focus", label: t("layout") });
    this.tools?.drawControls();
    this.signs.show("sharing", screen.sharing);
    const own = this.stage.person(this.ownId);
    if (own && !own.video && media.on.video) own.showSelf(media.stream); // not before there is something to see
    own?.setMuted({ audio: !media.on.audio, video: !media.on.video });
    this.drawPeople();
  }

  /** @param {boolean} mayPublish what a listener cannot do, and what the site around this page has switched off, is not there */
  #offerControls(mayPublish) {
    const { dock } = this;
    dock.offer("mic", mayPublish && mayUse("audio"));
    dock.offer("camera", mayPublish && mayUse("video"));
    dock.offer("screen", this.screenAllowed);
    dock.offer("chat", this.chatAllowed);
    dock.offer("keys", !this.options.disableSupport);
    dock.offer("settings", mayPublish || "setSinkId" in HTMLMediaElement.prototype);
    this.bar.show({ listening: !mayPublish });
  }

  drawPeople() {
    if (this.side.open !== "people") return;
    const { media, conference } = this;
    const cameras = new Map(conference.streams.filter(({ label }) => label === "camera").map((stream) => [stream.userId, stream]));
    const people = conference.participants.map(({ id, role, guest = false, raised = false }) => {
      const self = id === this.ownId;
      const stream = cameras.get(id);
      const muted = stream ? conference.muted(stream.id) : { audio: true, video: true };
      const on = self ? media.on : { audio: !muted.audio, video: !muted.video };
      return { id, name: this.nameOf(id), self, role, guest, raised, audio: on.audio, video: on.video, bars: this.qualities.bars(id) };
    });
    this.people.show(people, this.rights);
  }

  drawAlone() {
    const { participants, state } = this.conference;
    this.signs.show("alone", participants.length < 2 && state === "joined");
    this.bar.setCount(participants.length);
  }

  /** @param {import("../types.js").Speaker[]} speakers */
  drawSpeakers(speakers) {
    this.speaking = new Set(speakers.map(({ userId }) => userId));
    if (this.voice.speaks) this.speaking.add(this.ownId);
    this.stage.setSpeakers(this.speaking, speakers[0]?.userId ?? null);
  }

  /** @param {boolean} blocked */
  soundBlocked(blocked) {
    this.signs.show("blocked", blocked);
    if (!blocked) this.stage.play();
  }

  /**
   * @param {string} userId
   * @param {number} bars
   */
  #barsChanged(userId, bars) {
    this.stage.person(userId)?.setQuality(bars);
    this.drawPeople();
  }

  /** @param {boolean} speaks oneself */
  #spoke(speaks) {
    if (speaks) this.speaking.add(this.ownId);
    else this.speaking.delete(this.ownId);
    this.stage.person(this.ownId)?.setSpeaking(speaks);
  }

  #panelChanged() {
    if (this.side.open === "chat") this.chat.unread = 0;
    this.drawControls();
  }
}
