/**
 * The line over the stage: for how long, who is recorded, whether it is locked or encrypted, how many are here, the link to hand on.
 */

import { h } from "./dom.js";
import { icon, logo } from "./icons.js";
import { t } from "./texts.js";

export class Bar {
  #clock = h("time", { class: "clock", id: "clock" });
  #recording = h("span", { class: "bar-sign bar-recording", id: "recording", role: "status", hidden: true }, h("i", { class: "bar-dot" }), h("span", { text: t("recorded") }));
  #locked = h("span", { class: "bar-sign", id: "locked", role: "status", title: t("lockedHint"), hidden: true }, icon("lock"), h("span", { text: t("locked") }));
  #encrypted = h("button", { class: "bar-sign bar-lock", id: "lock", type: "button", hidden: true }, icon("shield"), h("span", { text: t("encrypted") }));
  #listening = h("span", { class: "bar-sign", id: "listening", role: "status", title: t("listenHint"), hidden: true }, icon("speaker"), h("span", { text: t("listening") }));
  #count = h("span", { class: "bar-count", id: "count" });
  #link = h("button", { class: "button button-quiet button-small", type: "button", id: "copy-link" }, icon("link"), h("span", { text: t("copyLink") }));
  #startedAt = 0;

  /**
   * @param {HTMLElement} element
   * @param {object} owner
   * @param {() => void} owner.onLink
   * @param {() => void} owner.onEncrypted somebody wants to know more
   */
  constructor(element, { onLink, onEncrypted }) {
    this.#link.addEventListener("click", onLink);
    this.#encrypted.addEventListener("click", onEncrypted);
    const brand = h("span", { class: "brand" }, logo(), h("span", { text: "Folkmoot" }));
    element.append(brand, this.#clock, this.#recording, h("span", { class: "spring" }), this.#listening, this.#locked, this.#encrypted, this.#count, this.#link);
  }

  /** The clock begins to run. */
  start() {
    this.#startedAt = Date.now();
    setInterval(() => this.#drawClock(), 1000);
  }

  /** @param {number} count of people */
  setCount(count) {
    this.#count.replaceChildren(icon("people"), String(count));
  }

  /** @param {{ encrypted?: boolean, recording?: boolean, locked?: boolean, listening?: boolean, link?: boolean }} signs those that are to change */
  show({ encrypted, recording, locked, listening, link }) {
    const signs = /** @type {[HTMLElement, boolean | undefined][]} */ ([[this.#encrypted, encrypted], [this.#recording, recording], [this.#locked, locked], [this.#listening, listening], [this.#link, link]]);
    for (const [sign, shown] of signs) if (shown !== undefined) sign.hidden = !shown;
  }

  #drawClock() {
    const seconds = Math.floor((Date.now() - this.#startedAt) / 1000);
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    if (!parts[0]) parts.shift();
    this.#clock.textContent = parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
  }
}
