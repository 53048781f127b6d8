/**
 * A team's own page: what was recorded, what its webhook was told, its lasting links. The API key is typed in, and kept in memory only.
 */

import { TeamCalls } from "./rooms.js";
import { note } from "./ui/dialogs.js";
import { find, h } from "./ui/dom.js";
import { icon, logo } from "./ui/icons.js";
import { speak } from "./ui/texts.js";
import { Permalinks } from "./ui/team/permalinks.js";
import { Recordings, Snapshots } from "./ui/team/recordings.js";
import { WebhookLog } from "./ui/team/webhook.js";

/**
 * @typedef {object} Tab
 * @property {HTMLElement} element
 * @property {() => Promise<unknown>} open shows what is there now
 */

/** @typedef {{ calls: TeamCalls, say: (text: string) => void, attempt: (work: Promise<unknown>) => Promise<boolean> }} TeamOwner */

const TABS = /** @type {const} */ ([
  ["recordings", "Recordings", "play", Recordings],
  ["pictures", "Pictures", "photo", Snapshots],
  ["webhook", "Webhook", "send", WebhookLog],
  ["permalinks", "Permalinks", "link", Permalinks],
]);

class TeamPage {
  /** @type {Map<string, { tab: Tab, button: HTMLButtonElement }>} */ #tabs = new Map();
  #panel = find("#panel");
  #problem = find("#problem");
  #key = /** @type {HTMLInputElement} */ (find("#key"));

  start() {
    find("#brand").prepend(logo());
    find("#key-icon").append(icon("lock"));
    find("#key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enter(this.#key.value.trim());
    });
    find("#forget").addEventListener("click", () => location.reload());
    addEventListener("hashchange", () => this.#show(wanted()));
    this.#key.focus();
  }

  /** @param {string} key */
  async #enter(key) {
    const calls = new TeamCalls(key);
    this.#problem.hidden = true;
    try {
      await calls.rooms();
    } catch (error) {
      const { code = 0, message = "" } = /** @type {import("./errors.js").ConferenceError} */ (error);
      this.#problem.textContent = code === 403 ? "The server does not know this key." : message;
      this.#problem.hidden = false;
      return this.#key.select();
    }
    this.#key.value = "";
    this.#build(calls);
  }

  /** @param {TeamCalls} calls */
  #build(calls) {
    /** @param {string} text */
    const say = (text) => note(find("#notes"), text);
    const owner = {
      calls,
      say,
      attempt: (/** @type {Promise<unknown>} */ work) => work.then(() => true, (error) => (say(error.message), false)),
    };
    for (const [name, title, iconName, Kind] of TABS) {
      const button = h("button", { class: "tab", type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", on: { click: () => (location.hash = name) } }, icon(iconName), h("span", { text: title }));
      this.#tabs.set(name, { tab: new Kind(owner), button });
    }
    const list = find("#tabs");
    list.append(...[...this.#tabs.values()].map(({ button }) => button));
    list.addEventListener("keydown", (event) => this.#move(event));
    for (const id of ["#tabs", "#forget", "#panel"]) find(id).hidden = false;
    find("#key-form").remove();
    document.body.dataset.state = "open";
    this.#show(wanted());
  }

  /** @param {string} name */
  #show(name) {
    if (!this.#tabs.size) return;
    const open = this.#tabs.has(name) ? name : "recordings";
    for (const [each, { tab, button }] of this.#tabs) {
      const chosen = each === open;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      if (!chosen) continue;
      this.#panel.setAttribute("aria-labelledby", button.id);
      this.#panel.replaceChildren(tab.element);
      tab.open();
    }
  }

  /** @param {KeyboardEvent} event arrows go from tab to tab */
  #move(event) {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const buttons = [...this.#tabs.values()].map(({ button }) => button);
    const next = buttons[(buttons.findIndex(({ tabIndex }) => tabIndex === 0) + step + buttons.length) % buttons.length];
    next?.click();
    next?.focus();
  }
}

/** The tab that the address asks for. */
function wanted() {
  return location.hash.slice(1) || (location.pathname === "/recordings" ? "recordings" : "webhook");
}

await speak("en");
new TeamPage().start();
