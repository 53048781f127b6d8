/**
 * The row of controls under the stage. It shows what is on; what a press does is its owner's.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

/** @typedef {"mic" | "camera" | "screen" | "hand" | "chat" | "people" | "files" | "tools" | "layout" | "settings" | "keys" | "leave"} Control */

const KEY_OF = /** @type {Partial<Record<Control, string>>} */ ({ mic: "M", camera: "V", screen: "S", hand: "H", chat: "C", people: "P", files: "F", tools: "T", layout: "G", keys: "?" });

export class Dock {
  /** @type {Map<Control, HTMLButtonElement>} */ #buttons = new Map();

  /**
   * @param {HTMLElement} element
   * @param {(control: Control) => void} onPress
   */
  constructor(element, onPress) {
    /** @param {Control[]} controls */
    const group = (...controls) =>
      controls.map((control) => {
        const button = h("button", { class: `round dock-${control}`, type: "button", data: { control }, on: { click: () => onPress(control) } });
        this.#buttons.set(control, button);
        return button;
      });
    const middle = group("mic", "camera", "screen", "hand");
    const right = group("chat", "people", "files", "tools", "layout", "settings", "keys");
    element.append(h("div", { class: "dock-group" }, ...middle), h("div", { class: "dock-group" }, ...right), h("div", { class: "dock-group" }, ...group("leave")));
    this.set("layout", { iconName: "grid", label: t("layout") });
    this.set("settings", { iconName: "settings", label: t("settings") });
    this.set("keys", { iconName: "help", label: t("shortcuts") });
    this.set("leave", { iconName: "leave", label: t("leave") });
    this.set("chat", { iconName: "chat", label: t("chat"), pressed: false });
    this.set("people", { iconName: "people", label: t("people"), pressed: false });
    for (const control of /** @type {Control[]} */ (["files", "tools"])) this.offer(control, false);
  }

  /**
   * @param {Control} control
   * @param {boolean} offered
   */
  offer(control, offered) {
    const button = this.#buttons.get(control);
    if (button) button.hidden = !offered;
  }

  /**
   * @param {Control} control
   * @param {object} look
   * @param {string} look.iconName
   * @param {string} look.label
   * @param {boolean} [look.pressed] shown as switched on
   * @param {boolean} [look.off] shown as a warning: what should be on is off
   * @param {number} [look.count] a number to notice
   */
  set(control, { iconName, label, pressed, off = false, count = 0 }) {
    const button = this.#buttons.get(control);
    if (!button) return;
    const key = KEY_OF[control];
    button.replaceChildren(icon(iconName));
    if (count > 0) button.append(h("span", { class: "count", text: count > 99 ? "99+" : String(count) }));
    button.title = key ? `${label} (${key})` : label;
    button.setAttribute("aria-label", count > 0 ? `${label}, ${count}` : label);
    if (key) button.setAttribute("aria-keyshortcuts", key);
    if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
    button.classList.toggle("is-on", pressed ?? false);
    button.classList.toggle("is-off", off);
  }

  /**
   * @param {Control} control
   * @param {boolean} busy
   */
  busy(control, busy) {
    this.#buttons.get(control)?.classList.toggle("is-busy", busy);
  }
}

/**
 * Calls `onPress` for the keys of the controls, and `onTalk` while the space bar is held; not while somebody writes.
 * @param {(control: Control | "escape") => void} onPress
 * @param {(down: boolean) => void} onTalk
 */
export function listenToKeys(onPress, onTalk) {
  const controls = new Map(Object.entries(KEY_OF).map(([control, key]) => [key.toLowerCase(), /** @type {Control} */ (control)]));
  let talking = false;
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") return onPress("escape");
    if (event.ctrlKey || event.metaKey || event.altKey || takesText(event.target)) return;
    if (event.key === " " && !takesPress(event.target)) {
      event.preventDefault();
      if (!event.repeat) onTalk((talking = true));
      return;
    }
    const control = controls.get(event.key.toLowerCase());
    if (!control || event.repeat) return;
    event.preventDefault(); // the chat that opens must not get the letter
    onPress(control);
  });
  addEventListener("keyup", (event) => {
    if (event.key === " " && talking) onTalk((talking = false));
  });
}

/** @param {EventTarget | null} target */
function takesText(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest("dialog") !== null);
}

/** @param {EventTarget | null} target */
function takesPress(target) {
  return target instanceof HTMLElement && target.closest("button, a, summary") !== null;
}
