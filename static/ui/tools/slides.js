/**
 * Slides of one file, one at a time: looked through by oneself, or presented to everybody.
 */

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { near } from "./near.js";
import { tt } from "./texts.js";

/** @typedef {import("../../types.js").MeetingFile} MeetingFile */

/**
 * Back and forth, with where one is in between.
 */
export class Pager {
  #previous = arrow("previous", tt("slidePrevious"));
  #next = arrow("next", tt("slideNext"));
  #where = h("output", { class: "pager-where" });

  /** @param {(step: -1 | 1) => void} turn */
  constructor(turn) {
    this.#previous.addEventListener("click", () => turn(-1));
    this.#next.addEventListener("click", () => turn(1));
    this.element = h("div", { class: "pager" }, this.#previous, this.#where, this.#next);
  }

  /**
   * @param {number} index
   * @param {number} count
   */
  show(index, count) {
    this.#where.textContent = `${index + 1} / ${count}`;
    this.#where.setAttribute("aria-label", tt("slideOf", { number: String(index + 1), count: String(count) }));
    this.#previous.disabled = index <= 0;
    this.#next.disabled = index >= count - 1;
  }
}

/** In the panel: the slide, the way through the file, and the button that shows it to all. */
export class SlideViewer {
  /** @type {MeetingFile | null} */ file = null;
  index = 0;
  #picture = h("img", { class: "viewer-slide", alt: "" });
  #name = h("strong", { class: "viewer-name" });
  #pager = new Pager((step) => this.turn(step));
  #present = h("button", { class: "button button-primary button-wide", type: "button", data: { tool: "present" } });
  #presenting = false;

  /**
   * @param {object} owner
   * @param {() => void} owner.onBack
   * @param {(slide: string) => void} owner.onPresent
   * @param {() => void} owner.onStop
   * @param {(slide: string) => void} owner.onTurn while it is presented
   */
  constructor(owner) {
    this.owner = owner;
    const back = h("button", { class: "tool-link viewer-back", type: "button", on: { click: () => owner.onBack() } }, icon("previous"), tt("back"));
    this.#present.addEventListener("click", () => (this.#presenting ? owner.onStop() : owner.onPresent(this.slide)));
    this.element = h("div", { class: "viewer", tabIndex: -1 }, back, this.#picture, this.#name, this.#pager.element, this.#present);
    this.element.addEventListener("keydown", (event) => {
      const step = stepOf(event);
      if (step) this.turn(step);
    });
  }

  get slide() {
    return this.file?.links.slides[this.index] ?? "";
  }

  /**
   * @param {MeetingFile} file
   * @param {string} [slide] the one to begin with
   */
  open(file, slide = "") {
    this.file = file;
    this.index = Math.max(0, file.links.slides.indexOf(slide));
    this.#draw();
  }

  /** @param {string | null} slide the one oneself presents, or null */
  follow(slide) {
    const index = this.file?.links.slides.indexOf(slide ?? "") ?? -1;
    this.#presenting = index >= 0;
    if (index >= 0) this.index = index;
    this.#draw();
  }

  /** @param {-1 | 1} step */
  turn(step) {
    const count = this.file?.links.slides.length ?? 0;
    const index = this.index + step;
    if (index < 0 || index >= count) return;
    this.index = index;
    if (this.#presenting) this.owner.onTurn(this.slide);
    this.#draw();
  }

  #draw() {
    if (!this.file) return;
    const { name, links } = this.file;
    const where = tt("slideOf", { number: String(this.index + 1), count: String(links.slides.length) });
    if (this.slide) this.#picture.src = near(this.slide, links.download);
    this.#picture.alt = `${name}, ${where}`;
    this.#name.textContent = name;
    this.#pager.show(this.index, links.slides.length);
    this.#present.replaceChildren(icon(this.#presenting ? "stop" : "present"), tt(this.#presenting ? "presentStop" : "present"));
    this.#present.classList.toggle("button-danger", this.#presenting);
    this.#present.classList.toggle("button-primary", !this.#presenting);
  }
}

/**
 * @param {KeyboardEvent} event
 * @returns {-1 | 0 | 1}
 */
export function stepOf({ key }) {
  if (key === "ArrowRight" || key === "PageDown") return 1;
  return key === "ArrowLeft" || key === "PageUp" ? -1 : 0;
}

/**
 * @param {string} name
 * @param {string} label
 */
function arrow(name, label) {
  return h("button", { class: "round round-small", type: "button", title: label, "aria-label": label, data: { turn: name } }, icon(name));
}
