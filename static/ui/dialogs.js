/**
 * What opens over the conference: settings, the list of keys, short notes; and the page at the end.
 */

import { Meter, deviceChoice } from "./device-choice.js";
import { h } from "./dom.js";
import { icon, logo } from "./icons.js";
import { t } from "./texts.js";

const NOTE_FOR = 4000; // milliseconds
const MOST_NOTES = 3;
const KEYS = /** @type {const} */ ([
  ["M", "key_m"],
  ["V", "key_v"],
  ["", "key_space"],
  ["S", "key_s"],
  ["H", "key_h"],
  ["C", "key_c"],
  ["P", "key_p"],
  ["G", "key_g"],
  ["?", "key_help"],
  ["Esc", "key_esc"],
]);

/**
 * @param {string} title
 * @param {...(Node | string)} content
 * @returns {HTMLDialogElement} taken away when it closes
 */
export function openDialog(title, ...content) {
  const close = h("button", { class: "round round-small", type: "button", title: t("close"), "aria-label": t("close") }, icon("close"));
  const dialog = h("dialog", { class: "dialog", "aria-label": title }, h("header", {}, h("h2", { text: title }), close), ...content);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * @param {import("./devices.js").LocalMedia} media
 * @param {(deviceId: string) => void} onSpeaker
 */
export function openSettings(media, onSpeaker) {
  const meter = new Meter(media);
  const dialog = openDialog(t("settings"), deviceChoice(media, { onSpeaker }), meter.element);
  meter.start();
  dialog.addEventListener("close", () => meter.stop());
}

/**
 * Asks before something that cannot be undone.
 * @param {string} title
 * @param {string} hint
 * @param {string} yes
 * @returns {Promise<boolean>}
 */
export function askSure(title, hint, yes) {
  return new Promise((resolve) => {
    let sure = false;
    const agree = h("button", { class: "button button-danger", type: "button", text: yes });
    const cancel = h("button", { class: "button button-quiet", type: "button", text: t("cancel") });
    const dialog = openDialog(title, h("p", { class: "muted", text: hint }), h("div", { class: "dialog-actions" }, cancel, agree));
    agree.addEventListener("click", () => {
      sure = true;
      dialog.close();
    });
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => resolve(sure));
    cancel.focus();
  });
}

export function openKeys() {
  const rows = KEYS.map(([key, text]) => h("div", { class: "key-row" }, h("span", { text: t(text) }), h("kbd", { text: key || t("spaceKey") })));
  openDialog(t("shortcuts"), h("div", { class: "keys" }, ...rows));
}

/**
 * @param {string | null} safetyNumber to be compared with the others'; null where they are connected directly
 */
export function openEncryption(safetyNumber) {
  const number = safetyNumber === null ? "" : h("p", { class: "safety", id: "safety" }, ...safetyNumber.split(" ").map((group) => h("span", { text: group })));
  openDialog(t("encrypted"), h("p", { text: t(safetyNumber === null ? "encryptedHint" : "encryptedKey") }), number, safetyNumber === null ? "" : h("p", { class: "muted", text: t("safetyHint") }));
}

/**
 * A short note that goes by itself and is read out.
 * @param {HTMLElement} element where notes appear
 * @param {string} text
 */
export function note(element, text) {
  const shown = h("p", { class: "note", text });
  element.append(shown);
  while (element.childElementCount > MOST_NOTES) element.firstElementChild?.remove();
  setTimeout(() => shown.remove(), NOTE_FOR);
}

/**
 * @param {HTMLElement} element
 * @param {object} farewell
 * @param {string} farewell.heading
 * @param {string} farewell.hint
 * @param {boolean} farewell.failed
 * @param {(() => void) | null} farewell.again null where trying again is of no use
 * @param {boolean} [farewell.stays] there is no way to other pages
 */
export function showEnd(element, { heading, hint, failed, again, stays = false }) {
  const button = again && h("button", { class: "button button-primary", type: "button", text: t(failed ? "tryAgain" : "rejoin"), on: { click: again } });
  const start = !stays && h("a", { class: `button ${again ? "button-quiet" : "button-primary"}`, href: "/", text: t("toStart") });
  element.replaceChildren(
    h("div", { class: "end", role: failed ? "alert" : "status" }, failed ? h("span", { class: "end-icon" }, icon("warning")) : logo(), h("h1", { text: heading }), h("p", { class: "muted", text: hint }), h("div", { class: "end-actions" }, button, start)),
  );
  button?.focus();
}
