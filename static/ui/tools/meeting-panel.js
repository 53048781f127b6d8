/**
 * The panel of what is done for the whole meeting: record it, take a picture of it, lock it, let guests in, and choose what the
 * common picture shows.
 */

import { askSure } from "../dialogs.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { LayersSection } from "./layers.js";
import { LayoutChoice } from "./layouts.js";
import { tt } from "./texts.js";

/** @typedef {import("../../happening.js").Happening} Happening */
/** @typedef {import("../../rooms.js").MeetingCalls} MeetingCalls */

/**
 * @typedef {object} MeetingOwner
 * @property {(work: Promise<unknown>) => void} attempt
 * @property {() => void} toggleRecording
 * @property {() => void} invite
 * @property {(control: "files" | "settings") => void} press
 * @property {(oneView: boolean) => Promise<void>} setOneView
 */

/** @typedef {{ record: boolean, lock: boolean, invite: boolean, layout: boolean, oneView: boolean }} Offered */

export class MeetingPanel {
  #record = button("record", "record", tt("recordStart"));
  #snapshot = button("snapshot", "photo", tt("snapshot"));
  #invite = button("invite", "invite", tt("invite"), tt("inviteHint"));
  #lock = button("lock", "lock", tt("lock"), tt("lockHint"));
  #files = button("files", "file", tt("files"));
  #settings = button("settings", "settings", tt("settings"));
  #oneView = h("input", { type: "checkbox", role: "switch", id: "one-view" });
  #shots = h("ul", { class: "shots", "aria-label": tt("snapshots"), hidden: true });
  #picture;
  #view;
  #layout;
  #layers;

  /**
   * @param {MeetingCalls | null} calls null: not a team's meeting
   * @param {MeetingOwner} owner
   */
  constructor(calls, owner) {
    this.owner = owner;
    this.#record.addEventListener("click", owner.toggleRecording);
    this.#invite.addEventListener("click", owner.invite);
    this.#settings.addEventListener("click", () => owner.press("settings"));
    this.#files.addEventListener("click", () => owner.press("files"));
    this.#snapshot.hidden = this.#files.hidden = calls === null;
    this.#layout = calls && new LayoutChoice((name) => this.#attempted(calls.layOut(name)));
    this.#layers = calls && new LayersSection(calls, owner.attempt);
    if (calls) this.#listenTo(calls);
    const { element: layouts } = this.#layout ?? {};
    this.#picture = h("section", { class: "tool-section", hidden: true }, h("h3", { text: tt("picture") }), h("p", { class: "tool-hint", text: tt("pictureHint") }), layouts, this.#layers?.element);
    const toggle = h("label", { class: "tool-switch", htmlFor: "one-view" }, h("span", { class: "tool-row-name" }, h("span", { text: tt("oneView") }), h("small", { text: tt("oneViewHint") })), this.#oneView);
    this.#view = h("section", { class: "tool-section", hidden: true }, toggle);
    this.#oneView.addEventListener("change", () => this.#switchView());
    const actions = h("div", { class: "tool-actions" }, this.#record, this.#snapshot, this.#invite, this.#lock, this.#files, this.#settings);
    this.element = h("div", { class: "tools" }, actions, this.#shots, this.#view, this.#picture);
  }

  /**
   * @param {Happening} happening
   * @param {Offered} offered
   * @param {boolean} together whether everybody is seen in one picture now
   */
  show(happening, offered, together) {
    const { recording, options, layers } = happening;
    this.#record.hidden = !offered.record;
    this.#record.replaceChildren(icon(recording ? "stop" : "record"), h("span", { text: tt(recording ? "recordStop" : "recordStart") }));
    this.#record.classList.toggle("is-recording", recording !== null);
    this.#record.setAttribute("aria-pressed", String(recording !== null));
    this.#invite.hidden = !offered.invite;
    this.#lock.hidden = !offered.lock;
    this.#view.hidden = !offered.oneView;
    this.#oneView.checked = together;
    this.#picture.hidden = !offered.layout;
    this.#layout?.show(options.layout_map ? "" : (options.layout_name ?? null));
    this.#layers?.show(layers);
  }

  /** @param {{ id: string, link: string, at: Date }} snapshot that has just been taken */
  addSnapshot({ id, link, at }) {
    const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const picture = h("img", { src: link, alt: "", loading: "lazy" });
    const label = tt("snapshotOpen", { time });
    this.#shots.hidden = false;
    this.#shots.prepend(h("li", { data: { snapshot: id } }, h("a", { href: link, target: "_blank", rel: "noopener", title: label, "aria-label": label }, picture)));
  }

  /** @param {MeetingCalls} calls */
  #listenTo(calls) {
    this.#snapshot.addEventListener("click", () => this.owner.attempt(calls.takeSnapshot()));
    this.#lock.addEventListener("click", async () => {
      if (await askSure(tt("lockSure"), tt("lockSureHint"), tt("lockDo"))) this.owner.attempt(calls.lock());
    });
  }

  async #switchView() {
    const wanted = this.#oneView.checked;
    await this.#attempted(this.owner.setOneView(wanted)).catch(() => (this.#oneView.checked = !wanted));
  }

  /** @param {Promise<unknown>} work whose failure is told, and passed on */
  #attempted(work) {
    this.owner.attempt(work);
    return work;
  }
}

/**
 * @param {string} name
 * @param {string} iconName
 * @param {string} label
 * @param {string} [hint]
 */
function button(name, iconName, label, hint = "") {
  return h("button", { class: "tool-action", type: "button", title: hint, data: { tool: name } }, icon(iconName), h("span", { text: label }));
}
