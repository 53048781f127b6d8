/**
 * A team's permalinks: rooms defined ahead of time, made here and handed out by their links.
 */

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { PagedList, iconButton, nothing, sureToDelete, when } from "./rows.js";

/** @typedef {import("../../team.js").TeamOwner} TeamOwner */
/** @typedef {import("../../types.js").Permalink} Permalink */

const LONGEST_NAME = 255; // characters

export class Permalinks {
  #room = h("input", { type: "text", id: "link-room", placeholder: "Consulting hours", maxLength: LONGEST_NAME, required: true });
  #host = h("input", { type: "text", id: "link-host", placeholder: "Ada Muster", maxLength: LONGEST_NAME, required: true });
  #list = new PagedList({
    empty: nothing("link", "No permalinks yet", "A permalink is a room with lasting links: one for its host, who begins meetings, and one for guests."),
    load: async (page) => (await this.owner.calls.permalinks(page)).items,
    row: (/** @type {Permalink} */ permalink) => this.#row(permalink),
  });

  /** @param {TeamOwner} owner */
  constructor(owner) {
    this.owner = owner;
    const form = h(
      "form",
      { class: "box link-form" },
      h("div", {}, h("label", { class: "field-label", htmlFor: "link-room", text: "Room" }), h("div", { class: "field" }, this.#room)),
      h("div", {}, h("label", { class: "field-label", htmlFor: "link-host", text: "Host" }), h("div", { class: "field" }, this.#host)),
      h("button", { class: "button button-primary", type: "submit" }, icon("plus"), "Create"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make();
    });
    this.element = h("div", { class: "team-tab" }, h("h1", { text: "Permalinks" }), form, this.#list.element);
  }

  async open() {
    await this.owner.attempt(this.#list.refresh());
  }

  async #make() {
    if (!(await this.owner.attempt(this.owner.calls.makePermalink(this.#room.value.trim(), this.#host.value.trim())))) return;
    this.#room.value = this.#host.value = "";
    this.owner.say("The permalink is there.");
    await this.open();
  }

  /** @param {Permalink} permalink */
  #row({ permalink: { id, created_at, expires_at }, room, links }) {
    const until = expires_at ? `until ${when(new Date(expires_at))}` : "";
    const now = room.started_at ? "a meeting runs" : "";
    const text = h("span", { class: "card-text" }, h("strong", { text: room.name }), h("small", { text: [`made ${when(new Date(created_at))}`, until, now].filter(Boolean).join(" · ") }));
    return h(
      "li",
      { class: "card-row", data: { permalink: id } },
      text,
      links.gui && this.#copy("Host", links.gui),
      links.guest_join && this.#copy("Guests", links.guest_join),
      iconButton("trash", `Delete the permalink of ${room.name}`, () => this.#delete(id)),
    );
  }

  /**
   * @param {string} whose
   * @param {string} link
   */
  #copy(whose, link) {
    const copy = () => this.owner.attempt(navigator.clipboard.writeText(link).then(() => this.owner.say("Link copied")));
    return h("button", { class: "button button-quiet button-small", type: "button", title: `Copy the link for: ${whose}`, data: { link }, on: { click: copy } }, icon("copy"), h("span", { text: whose }));
  }

  /** @param {string} id */
  async #delete(id) {
    if (!(await sureToDelete("this permalink", "Its links lead nowhere from then on. A running meeting goes on."))) return;
    if (await this.owner.attempt(this.owner.calls.deletePermalink(id))) await this.open();
  }
}
