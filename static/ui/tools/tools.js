/**
 * What only some meetings have: those of teams, and those that somebody moderates. Loaded after what all of them have.
 *
 * It puts two panels beside the stage and what is presented on it, and follows what the conference tells.
 */

import { MeetingCalls } from "../../rooms.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { FilesPanel } from "./files-panel.js";
import { MeetingPanel } from "./meeting-panel.js";
import { near } from "./near.js";
import { Pager, stepOf } from "./slides.js";
import { tt } from "./texts.js";

/** @typedef {import("../view.js").RoomView} RoomView */

/**
 * @typedef {object} ToolsOwner
 * @property {(control: import("../dock.js").Control) => void} press
 * @property {(work: Promise<unknown>) => void} attempt
 */

export class Tools {
  /** @type {import("../tile.js").Tile | null} what is presented */ #slide = null;
  /** @type {string | null} of the recording that runs */ #recorded;
  #pager = new Pager((step) => this.#turn(step));
  #stop = h("button", { class: "round round-small", type: "button", title: tt("presentStop"), "aria-label": tt("presentStop"), data: { tool: "stop-slide" } }, icon("stop"));
  #stopOther = h("div", { class: "pager" }, this.#stop);
  #meeting;
  #files;
  #calls;
  #view;
  #owner;

  /**
   * @param {RoomView} view
   * @param {ToolsOwner} owner
   */
  constructor(view, owner) {
    const { conference, side, dock } = view;
    const { accessKey, recording } = conference.happening;
    this.#view = view;
    this.#owner = owner;
    this.#recorded = recording?.id ?? null;
    this.#calls = accessKey === null ? null : new MeetingCalls(accessKey);
    this.#meeting = new MeetingPanel(this.#calls, {
      attempt: owner.attempt,
      toggleRecording: () => this.#toggleRecording(),
      invite: () => view.owner.copyLink(),
      press: owner.press,
      setOneView: (oneView) => conference.setView(oneView ? "one_view" : "streams"),
    });
    this.#files = this.#calls && new FilesPanel(this.#calls, owner.attempt);
    side.add("tools", { title: tt("tools"), element: this.#meeting.element });
    if (this.#files) side.add("files", { title: tt("files"), element: this.#files.element });
    document.body.classList.add("has-tools");
    document.head.append(h("link", { rel: "stylesheet", href: "/static/tools.css" }));
    dock.offer("tools", true);
    dock.offer("files", this.#files !== null);
    conference.addEventListener("snapshot_update", (event) => this.#snapshotTaken(/** @type {CustomEvent} */ (event).detail.snapshots));
    conference.addEventListener("recording_update", (event) => this.#recordingTold(/** @type {CustomEvent} */ (event).detail.recording));
    for (const type of /** @type {const} */ (["stream", "streamended"])) conference.on(type, () => this.follow());
    this.#stop.addEventListener("click", () => this.#calls && owner.attempt(this.#calls.stopPresentation()));
    addEventListener("keydown", (event) => this.#key(event));
    this.#learnFiles();
  }

  /** The conference's happening is another. */
  follow() {
    const { happening } = this.#view.conference;
    this.#meeting.show(happening, this.#offered, this.#view.stage.together);
    this.#files?.show(happening.files, this.#ownSlide);
    this.#drawSlide();
  }

  drawControls() {
    const { dock, side } = this.#view;
    dock.set("tools", { iconName: "tools", label: tt("tools"), pressed: side.open === "tools" });
    dock.set("files", { iconName: "file", label: tt("files"), pressed: side.open === "files" });
  }

  /** One's own screen is shared, or not any more: it is presented, so that the common picture shows it. */
  screenChanged() {
    const { screen, conference } = this.#view;
    if (!this.#calls) return;
    const { presentation } = conference.happening;
    const own = presentation?.user.id === this.#view.ownId;
    if (!screen.sharing) {
      if (own && presentation?.slide === null) this.#owner.attempt(this.#calls.stopPresentation());
    } else if (presentation && !own) this.#view.say(tt("screenBusy", { name: presentation.user.name }));
    else this.#owner.attempt(this.#calls.present(null));
  }

  get #offered() {
    const { happening, self, mode, e2ee } = this.#view.conference;
    const { options, guest, locked, guestLink } = happening;
    const composite = mode === "SFU" && !e2ee;
    const member = this.#calls !== null;
    return {
      record: composite && (member ? options.recording_available !== false : self?.role === "moderator"),
      lock: member && !guest && options.lock_available === true && !locked,
      invite: guestLink !== null && !locked,
      layout: member && options.layout_available !== false,
      oneView: composite,
    };
  }

  /** The slide that oneself presents. */
  get #ownSlide() {
    const { presentation } = this.#view.conference.happening;
    return presentation?.user.id === this.#view.ownId ? presentation.slide : null;
  }

  /** What was brought before this participant came. */
  async #learnFiles() {
    if (!this.#calls) return;
    const files = await this.#calls.files().catch(() => null);
    const { happening } = this.#view.conference;
    if (files && !happening.files.length) happening.files = files;
    this.follow();
  }

  #toggleRecording() {
    const { conference } = this.#view;
    this.#owner.attempt(conference.happening.recording ? conference.stopRecording() : conference.startRecording());
  }

  /** @param {import("../../types.js").Recording} recording */
  #recordingTold({ id, duration, links }) {
    if (duration === null) this.#view.say(tt("recordingBegun"));
    else if (links.download) this.#view.say(tt("recordingReady"));
    else if (this.#recorded === id) this.#view.say(tt("recordingStopped"));
    this.#recorded = duration === null ? id : null;
  }

  /** @param {import("../../types.js").Snapshot[]} snapshots */
  #snapshotTaken(snapshots) {
    for (const { id, created_at, links } of snapshots) this.#meeting.addSnapshot({ id, link: near(links.download), at: new Date(created_at) });
    this.#view.say(tt("snapshotTaken"));
  }

  #drawSlide() {
    const { presentation, home, guest } = this.#view.conference.happening;
    const slide = presentation?.slide ?? null;
    if (!presentation || slide === null) {
      if (this.#slide) this.#view.stage.removeTile(this.#slide);
      this.#slide = null;
      return;
    }
    this.#slide ??= this.#view.stage.addSlide(presentation.user.id, presentation.user.name);
    this.#slide.showSlide(near(slide, home));
    const place = this.#ownSlide === slide ? this.#files?.placeOf(slide) : null;
    if (place) this.#pager.show(place.index, place.count);
    this.#slide.setTools(place ? this.#pager.element : guest ? null : this.#stopOther);
  }

  /** @param {-1 | 1} step */
  #turn(step) {
    const slide = this.#ownSlide;
    if (slide !== null) this.#files?.turn(slide, step);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog, .viewer") ? 0 : stepOf(event);
    if (!step || this.#ownSlide === null) return;
    event.preventDefault();
    this.#turn(step);
  }
}
