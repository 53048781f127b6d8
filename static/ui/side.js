/**
 * The panel beside the stage: one of several at a time, each with a heading and something in it.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

/**
 * @typedef {object} SidePanel
 * @property {string} title
 * @property {HTMLElement} element
 * @property {() => void} [onOpen]
 */

export class Side {
  /** @type {string | null} */ #open = null;
  /** @type {Map<string, SidePanel>} */ #panels = new Map();
  /** @type {Element | null} where the focus was */ #from = null;

  /**
   * @param {HTMLElement} element
   * @param {() => void} onChange another panel is open, or none
   */
  constructor(element, onChange) {
    this.element = element;
    this.onChange = onChange;
  }

  /** The name of the one that is open. */
  get open() {
    return this.#open;
  }

  /**
   * @param {string} name
   * @param {SidePanel} panel
   */
  add(name, panel) {
    this.#panels.set(name, panel);
  }

  /** @param {string} name */
  toggle(name) {
    if (this.#open === name) this.close();
    else this.show(name);
  }

  /** @param {string} name */
  show(name) {
    const panel = this.#panels.get(name);
    if (!panel) return;
    if (this.#open === null) this.#from = document.activeElement;
    this.#open = name;
    const close = h("button", { class: "round round-small", type: "button", title: t("close"), "aria-label": t("close"), on: { click: () => this.close() } }, icon("close"));
    this.element.replaceChildren(h("header", {}, h("h2", { text: panel.title }), close), panel.element);
    this.element.setAttribute("aria-label", panel.title);
    this.element.hidden = false;
    panel.onOpen?.();
    this.onChange();
  }

  close() {
    if (this.#open === null) return;
    const inside = this.element.contains(document.activeElement);
    this.#open = null;
    this.element.hidden = true;
    if (inside && this.#from instanceof HTMLElement) this.#from.focus();
    this.onChange();
  }
}
