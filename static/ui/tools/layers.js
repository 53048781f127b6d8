/**
 * What lies behind and over everybody in the common picture: a picture or a panel of text, put there and taken away.
 */

import { openDialog } from "../dialogs.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { tt } from "./texts.js";

/** @typedef {import("../../rooms.js").MeetingCalls} MeetingCalls */

const PICTURES = "image/png,image/jpeg,image/webp,image/svg+xml";
const LONGEST_TITLE = 120; // characters
const LONGEST_CONTENT = 500;
const PLACES = /** @type {const} */ ([
  [1, "foreground"],
  [-1, "background"],
]);

export class LayersSection {
  /** @type {Map<string, { told: HTMLElement, remove: HTMLButtonElement }>} by z-index */ #rows = new Map();

  /**
   * @param {MeetingCalls} calls
   * @param {(work: Promise<unknown>) => void} attempt
   */
  constructor(calls, attempt) {
    this.calls = calls;
    this.attempt = attempt;
    this.element = h("div", { class: "tool-rows" }, ...PLACES.map(([zIndex, name]) => this.#row(zIndex, name)));
  }

  /** @param {Record<string, string | null>} layers ids by z-index */
  show(layers) {
    for (const [zIndex, { told, remove }] of this.#rows) {
      told.textContent = tt(layers[zIndex] ? "layerShown" : "layerNone");
      remove.hidden = !layers[zIndex];
    }
  }

  /**
   * @param {-1 | 1} zIndex
   * @param {"foreground" | "background"} name
   */
  #row(zIndex, name) {
    const input = h("input", { type: "file", accept: PICTURES, class: "visually-hidden", tabIndex: -1, "aria-label": `${tt(name)}: ${tt("layerPicture")}` });
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      input.value = "";
      if (file) this.attempt(this.calls.putLayer(zIndex, file));
    });
    const told = h("small", { text: tt("layerNone") });
    const remove = h("button", { class: "tool-link is-danger", type: "button", text: tt("layerRemove"), hidden: true, on: { click: () => this.attempt(this.calls.removeLayer(zIndex)) } });
    this.#rows.set(String(zIndex), { told, remove });
    return h(
      "div",
      { class: "tool-row", role: "group", "aria-label": tt(name), data: { layer: String(zIndex) } },
      h("span", { class: "tool-row-name" }, h("span", { text: tt(name) }), told),
      remove,
      h("button", { class: "tool-link", type: "button", text: tt("layerPicture"), on: { click: () => input.click() } }),
      h("button", { class: "tool-link", type: "button", text: tt("layerText"), on: { click: () => this.#askText(zIndex, name) } }),
      input,
    );
  }

  /**
   * @param {-1 | 1} zIndex
   * @param {"foreground" | "background"} name
   */
  #askText(zIndex, name) {
    const title = h("input", { type: "text", maxLength: LONGEST_TITLE, id: "layer-title" });
    const content = h("textarea", { class: "input", rows: 3, maxLength: LONGEST_CONTENT, id: "layer-content" });
    const form = h(
      "form",
      { class: "tool-form" },
      h("label", { class: "field-label", htmlFor: "layer-title", text: tt("textTitle") }),
      h("div", { class: "field" }, title),
      h("label", { class: "field-label", htmlFor: "layer-content", text: tt("textContent") }),
      content,
      h("button", { class: "button button-primary button-wide", type: "submit" }, icon("text"), tt("textShow")),
    );
    const dialog = openDialog(tt(name), form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!title.value.trim() && !content.value.trim()) return title.focus();
      this.attempt(this.calls.putLayer(zIndex, { title: title.value.trim(), content: content.value.trim() }));
      dialog.close();
    });
    title.focus();
  }
}
