/**
 * What lies over the stage for as long as it is so: connecting again, sharing, sound held back, nobody else here.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

/** @typedef {"reconnecting" | "sharing" | "blocked" | "alone"} Sign */

export class Signs {
  /** @type {Record<Sign, HTMLElement>} */ #signs;
  #copy = h("button", { class: "button button-primary", type: "button", hidden: true }, icon("link"), h("span", { text: t("copyLink") }));
  #hint = h("span", { text: t("aloneNoLink") });

  /**
   * @param {HTMLElement} element
   * @param {object} owner
   * @param {() => void} owner.onStopSharing
   * @param {() => void} owner.onAllowSound
   * @param {() => void} owner.onLink
   */
  constructor(element, { onStopSharing, onAllowSound, onLink }) {
    this.#copy.addEventListener("click", onLink);
    const button = (/** @type {string} */ look, /** @type {string} */ text, /** @type {() => void} */ click) =>
      h("button", { class: `button ${look} button-small`, type: "button", text, on: { click } });
    this.#signs = {
      reconnecting: h("p", { class: "sign sign-busy", id: "reconnecting", role: "status", hidden: true }, h("i", { class: "spinner" }), t("reconnecting")),
      sharing: h("p", { class: "sign", id: "sharing", hidden: true }, icon("screen"), h("span", { text: t("sharing") }), button("button-danger", t("shareStop"), onStopSharing)),
      blocked: h("p", { class: "sign", id: "blocked", hidden: true }, icon("speaker"), h("span", { text: t("soundBlocked") }), button("button-primary", t("soundAllow"), onAllowSound)),
      alone: h("div", { class: "sign sign-card", id: "alone", hidden: true }, h("strong", { text: t("alone") }), this.#hint, this.#copy),
    };
    element.append(...Object.values(this.#signs));
  }

  /**
   * @param {Sign} sign
   * @param {boolean} shown
   */
  show(sign, shown) {
    this.#signs[sign].hidden = !shown;
  }

  /** @param {boolean} offered whether there is a link to hand on */
  offerLink(offered) {
    this.#copy.hidden = !offered;
    this.#hint.textContent = t(offered ? "aloneHint" : "aloneNoLink");
  }
}
