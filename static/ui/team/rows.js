/**
 * What the lists of a team's page have in common: times, lengths, pages, and a row's buttons.
 */

import { askSure } from "../dialogs.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";

const PAGE = 25; // of each list, as the server gives them

/** @param {Date} date */
export function when(date) {
  return date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** @param {number} seconds */
export function length(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

/**
 * @param {string} iconName
 * @param {string} label
 * @param {() => void} onClick
 */
export function iconButton(iconName, label, onClick) {
  return h("button", { class: "round round-small", type: "button", title: label, "aria-label": label, on: { click: onClick } }, icon(iconName));
}

/**
 * @param {string} iconName
 * @param {string} title
 * @param {string} hint
 */
export function nothing(iconName, title, hint) {
  return h("div", { class: "nothing" }, icon(iconName), h("strong", { text: title }), h("p", { text: hint }));
}

/**
 * @param {string} what
 * @param {string} hint
 */
export function sureToDelete(what, hint) {
  return askSure(`Delete ${what}?`, hint, "Delete");
}

/** The room whose list is shown, asked for; the team's running rooms are offered. */
export class RoomChoice {
  #input = h("input", { type: "text", id: "room", placeholder: "Room id", autocomplete: "off", spellcheck: false, required: true });
  #offered = h("datalist", { id: "rooms" });

  /** @param {(roomId: string) => void} onChoose */
  constructor(onChoose) {
    this.#input.setAttribute("list", "rooms");
    const label = h("label", { class: "visually-hidden", htmlFor: "room", text: "Room id" });
    this.element = h("form", { class: "room-choice" }, label, h("div", { class: "field" }, this.#input), this.#offered, h("button", { class: "button button-primary", type: "submit", text: "Show" }));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      onChoose(this.#input.value.trim());
    });
  }

  /** @param {{ id: string, name: string }[]} rooms */
  offer(rooms) {
    this.#offered.replaceChildren(...rooms.map(({ id, name }) => h("option", { value: id, text: name })));
    if (!this.#input.value && rooms.length === 1) this.#input.value = rooms[0]?.id ?? "";
  }

  /** The room that is asked for, maybe not shown yet. */
  get value() {
    return this.#input.value.trim();
  }

  focus() {
    this.#input.focus();
  }
}

/** A list that comes in pages, newest first. @template T */
export class PagedList {
  /** @type {T[]} */ items = [];
  #page = 0;
  #more = h("button", { class: "button button-quiet more", type: "button", text: "Show more", hidden: true });
  #list = h("ul", { class: "cards" });
  #empty;
  #load;
  #row;

  /**
   * @param {object} options
   * @param {HTMLElement} options.empty shown instead of an empty list
   * @param {(page: number) => Promise<T[]>} options.load
   * @param {(item: T) => HTMLElement} options.row
   */
  constructor({ empty, load, row }) {
    this.#empty = empty;
    this.#load = load;
    this.#row = row;
    empty.hidden = true;
    this.#more.addEventListener("click", () => this.#next());
    this.element = h("div", { class: "paged" }, empty, this.#list, this.#more);
  }

  /** Begins again with what is newest. */
  async refresh() {
    this.#page = 0;
    await this.#next();
  }

  async #next() {
    const found = await this.#load(this.#page + 1);
    if (this.#page === 0) {
      this.items = [];
      this.#list.replaceChildren();
    }
    this.#page += 1;
    this.items.push(...found);
    this.#list.append(...found.map((item) => this.#row(item)));
    this.#more.hidden = found.length < PAGE;
    this.#empty.hidden = this.items.length > 0;
  }
}
