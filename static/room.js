/**
 * The conference page: what `client.js` tells is handed to the view, what people press becomes calls of `client.js`.
 */

import { LocalMedia } from "./ui/devices.js";
import { openKeys, openSettings, showEnd } from "./ui/dialogs.js";
import { listenToKeys } from "./ui/dock.js";
import { find } from "./ui/dom.js";
import { Embedding } from "./ui/embedding.js";
import { lookAhead, refusalOf } from "./ui/entrance.js";
import { conference, joining, options } from "./ui/entry.js";
import { NAMELESS } from "./ui/name.js";
import { embedded, mayUse } from "./ui/policy.js";
import { askToJoin } from "./ui/prejoin.js";
import { CameraPublishing, ScreenPublishing } from "./ui/publishing.js";
import { farewell, problemText, speak, t } from "./ui/texts.js";
import { RoomView } from "./ui/view.js";

/** @typedef {import("./ui/dock.js").Control} Control */

const USELESS_AGAIN = new Set(["kicked", "room_deleted", "ended", "no_credential", "key_missing", "malformed", "not_found", "access_revoked", "access_used", "access_expired", "private_room"]);
const STAYS = embedded || options.disableSupport; // there is no way from here to other pages

class RoomPage {
  media = new LocalMedia({ width: options.width, height: options.height, fps: options.fps });
  lobby = find("#lobby");
  loadingTools = false;

  constructor() {
    const { codec, simulcast } = options;
    this.embedding = new Embedding({ switched: (kind, on) => this.switchMedia(kind, on), leave: () => conference.leave() });
    this.camera = new CameraPublishing(conference, this.media, { codec, simulcast });
    this.screen = new ScreenPublishing(conference, { codec }, () => this.screenChanged());
    this.view = new RoomView(conference, this.media, this.screen, options, {
      press: (control) => this.press(control),
      mute: (userId) => this.muteOther(userId),
      kick: (userId) => this.attempt(conference.kick(userId)),
      muteAll: () => this.attempt(conference.muteEverybody()),
      copyLink: () => this.copyLink(),
      toggleScreen: () => this.toggleScreen(),
    });
    listenToKeys((control) => this.press(control), (down) => this.switchMedia("audio", down));
    this.listen();
    this.catchUp();
  }

  async start() {
    const { credential } = options;
    if (!credential) return this.end("error", "no_credential");
    const ahead = await lookAhead(credential);
    if (ahead && "refusal" in ahead && !joining) return this.end("error", ahead.refusal);
    const entrance = ahead && "roomName" in ahead ? ahead : null;
    if (entrance) document.title = `${entrance.roomName} – Folkmoot`;
    if (entrance && !entrance.isPublic) this.view.withoutLink(); // it would let nobody in
    const listens = entrance?.role === "subscriber";
    const [audio, video] = [options.audio && !listens, options.video && !listens];
    if (joining) return this.enter(joining, this.media.start({ audio, video }));
    const { roomName, participantName = null } = entrance ?? {};
    const chosen = await askToJoin(this.lobby, this.media, { name: participantName ?? options.name, fixed: participantName !== null, audio, video, listens, roomName, stays: STAYS });
    conference.setName(chosen || NAMELESS);
    await this.enter(conference.join(), Promise.resolve());
  }

  /**
   * @param {Promise<unknown>} joined
   * @param {Promise<void>} opened the devices: before the conference, or after it
   */
  async enter(joined, opened) {
    this.media.addEventListener("problem", async (event) => {
      const { kind, name } = /** @type {CustomEvent} */ (event).detail;
      await joined.catch(() => {}); // notes are for people who are in
      this.view.say(problemText(kind, name));
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
    const { view } = this;
    conference.on("state", ({ state, reason }) => this.stateChanged(state, reason));
    conference.on("stream", ({ stream }) => view.drawStream(stream));
    conference.on("streamended", ({ stream }) => view.stage.removeStream(stream));
    conference.on("participants", () => this.participantsChanged());
    conference.on("muted", ({ streamId, muted }) => view.drawMuted(streamId, muted));
    conference.on("speakers", ({ speakers }) => view.drawSpeakers(speakers));
    conference.on("modechange", () => this.modeChanged());
    conference.on("happening", () => this.happened());
    conference.on("error", ({ error }) => console.warn("conference:", error.name, error.message));
    this.listenTo("chat", (message) => view.drawChat(message));
    this.listenTo("role_update", ({ user_id }) => user_id === view.ownId && this.roleChanged());
    this.listenTo("hand_update", ({ user_id, raised }) => raised && user_id !== view.ownId && view.say(t("raised", { name: view.nameOf(user_id) })));
    this.listenTo("participant_update", ({ participant }) => view.say(t(participant.online === false ? "left" : "joined", { name: participant.name || NAMELESS })));
    this.media.addEventListener("change", () => view.drawControls());
  }

  /** What has happened before this page was there to see it. */
  catchUp() {
    const { state, reason } = conference;
    if (state === "idle") return;
    document.body.dataset.state = "joining";
    if (state !== "joining") this.stateChanged(state, reason);
    this.happened();
    if (conference.self) this.participantsChanged();
    for (const stream of conference.streams) this.view.drawStream(stream);
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
    if (state === "joined" && before === "reconnecting") this.view.say(t("reconnected"));
    if (state === "joined" && before === "joining") this.opened();
    this.view.signs.show("reconnecting", state === "reconnecting");
    if (state === "joined" && before === "joining") this.tellJoined();
  }

  opened() {
    this.lobby.hidden = true;
    this.lobby.replaceChildren();
    this.view.open();
    this.loadTools();
  }

  tellJoined() {
    const { self, participants } = conference;
    this.embedding.tell("joined", { participant: { id: self?.id, name: self?.name, role: self?.role } });
    this.embedding.participants(participants.length);
  }

  /** One's own: what may be sent begins or ends without joining anew. */
  roleChanged() {
    if (!conference.mayPublish) {
      this.camera.end();
      this.screen.stop().catch(() => {});
      this.media.stop();
    }
    this.view.say(t(conference.mayPublish ? "nowSpeaker" : "nowListener"));
    this.view.drawControls();
    this.loadTools();
  }

  happened() {
    this.view.drawHappening();
    this.loadTools();
  }

  /** What only some meetings have comes after what all of them have. */
  async loadTools() {
    const { state, self, mode, happening } = conference;
    const wanted = state === "joined" && (happening.accessKey !== null || (mode === "SFU" && self?.role === "moderator"));
    if (!wanted || this.loadingTools) return;
    this.loadingTools = true;
    const { Tools } = await import("./ui/tools/tools.js");
    this.view.tools = new Tools(this.view, { press: (control) => this.press(control), attempt: (work) => this.attempt(work) });
    this.view.drawHappening();
    this.view.drawControls();
  }

  participantsChanged() {
    this.view.drawTiles();
    this.view.drawAlone();
    this.view.drawControls();
    if (document.body.dataset.state === "joined") this.embedding.participants(conference.participants.length);
  }

  modeChanged() {
    const wasEncrypted = document.body.dataset.e2ee === "true";
    this.view.drawMode();
    if (wasEncrypted && !conference.e2ee) this.view.say(t("byServer"));
  }

  // ---- what people do

  /** @param {Control | "escape"} control */
  press(control) {
    if (document.body.dataset.state !== "joined" && document.body.dataset.state !== "reconnecting") return;
    const { media, view } = this;
    if (control === "mic") this.switchMedia("audio", !media.on.audio);
    else if (control === "camera") this.switchMedia("video", !media.on.video);
    else if (control === "screen") this.toggleScreen();
    else if (control === "hand") this.attempt(conference.raiseHand(!view.raised));
    else if (control === "chat" && !view.chatAllowed) return;
    else if (control === "chat" || control === "people" || control === "files" || control === "tools") view.side.toggle(control);
    else if (control === "layout") this.changeLayout();
    else if (control === "settings") openSettings(media, (deviceId) => this.chooseSpeaker(deviceId));
    else if (control === "keys") openKeys();
    else if (control === "leave") conference.leave();
    else if (control === "escape") view.side.close();
  }

  /**
   * @param {"audio" | "video"} kind
   * @param {boolean} on
   */
  switchMedia(kind, on) {
    if (!on || (conference.mayPublish && mayUse(kind))) this.media.set(kind, on);
  }

  async toggleScreen() {
    if (!this.view.screenAllowed && !this.screen.sharing) return;
    try {
      await (this.screen.sharing ? this.screen.stop() : this.screen.start());
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      if (name !== "NotAllowedError") console.warn("screen:", error); // the person has closed the browser's question
    }
  }

  screenChanged() {
    this.view.tools?.screenChanged();
    this.view.drawControls();
  }

  changeLayout() {
    this.view.stage.focus = !this.view.stage.focus;
    this.view.drawControls();
  }

  /** @param {string} deviceId */
  chooseSpeaker(deviceId) {
    for (const { video } of this.view.stage.tiles) if (video && !video.muted) video.setSinkId(deviceId).catch(() => {});
  }

  /** @param {string} userId */
  muteOther(userId) {
    const stream = conference.streams.find((candidate) => candidate.userId === userId && candidate.label === "camera");
    if (stream) this.attempt(conference.mute(stream.id, { audio: true }));
  }

  /** @param {Promise<unknown>} work */
  attempt(work) {
    work.catch((error) => this.view.say(error.message));
  }

  async copyLink() {
    await navigator.clipboard.writeText(this.view.link ?? "").catch(() => {});
    this.view.say(t("linkCopied"));
  }

  // ---- the rest

  /**
   * @param {"left" | "error"} state
   * @param {string} reason
   */
  end(state, reason) {
    if (state === "error") reason = refusalOf(reason, options.credential?.room ? options.credential.token : "known");
    document.body.dataset.state = state;
    if (state === "error") document.body.dataset.error = reason;
    this.media.stop();
    this.view.close();
    this.lobby.hidden = false;
    const again = USELESS_AGAIN.has(reason) ? null : () => location.reload();
    const { heading, hint } = farewell(state === "error" ? "error" : "end", reason, conference.errorCode);
    showEnd(this.lobby, { heading, hint, failed: state === "error", again, stays: STAYS });
    this.embedding.tell(state === "error" ? "error" : reason === "left" ? "left" : "ended", { reason });
  }
}

await speak(options.lang);
document.title = `${t("title")} – Folkmoot`;
new RoomPage().start();
