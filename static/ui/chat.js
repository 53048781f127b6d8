/**
 * The chat panel: messages as they come, links in them, and the field to write one.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";
import { hueOf, initialsOf } from "./tile.js";

const MOST_MESSAGES = 500; // older ones go
const GROUPED_WITHIN = 120; // seconds: messages of one person under one heading
const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]]/g;
const LONGEST = 8000; // characters: the server takes 32 KiB

export class Chat {
  unread = 0;
  /** @type {{ userId: string, at: number, body: HTMLElement } | null} */ #last = null;
  #list = h("ol", { class: "chat-list", role: "log", "aria-live": "polite", "aria-label": t("chat") });
  #empty = h("div", { class: "empty" }, icon("chat"), h("strong", { text: t("chatEmpty") }), h("p", { text: t("chatEmptyHint") }));
  #problem = h("p", { class: "chat-problem", role: "alert", hidden: true, text: t("chatFailed") });
  #field = h("textarea", { rows: 1, maxLength: LONGEST, placeholder: t("chatPlaceholder"), "aria-label": t("chatPlaceholder") });

  /** @param {(text: string) => Promise<void>} send */
  constructor(send) {
    this.send = send;
    const form = h(
      "form",
      { class: "chat-form" },
      this.#field,
      h("button", { class: "round round-small round-accent", type: "submit", title: t("chatSend"), "aria-label": t("chatSend") }, icon("send")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => this.#grow());
    this.element = h("div", { class: "chat" }, this.#empty, this.#list, this.#problem, form);
  }

  focus() {
    this.#field.focus();
  }

  /**
   * @param {{ userId: string, name: string, self: boolean, text: string, at: Date }} message
   */
  add({ userId, name, self, text, at }) {
    this.#empty.hidden = true;
    const follows = this.#last?.userId === userId && at.getTime() / 1000 - this.#last.at < GROUPED_WITHIN;
    const body = follows ? /** @type {HTMLElement} */ (this.#last?.body) : this.#heading({ userId, name, self, at });
    body.append(h("p", { class: "chat-text" }, ...linked(text)));
    this.#last = { userId, at: at.getTime() / 1000, body };
    while (this.#list.childElementCount > MOST_MESSAGES) this.#list.firstElementChild?.remove();
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** @param {{ userId: string, name: string, self: boolean, at: Date }} message */
  #heading({ userId, name, self, at }) {
    const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const body = h(
      "div",
      { class: "chat-body" },
      h("header", {}, h("strong", { text: self ? `${name} (${t("you")})` : name }), h("time", { text: time, dateTime: at.toISOString() })),
    );
    this.#list.append(h("li", { class: "chat-item" }, h("span", { class: "avatar avatar-small", data: { hue: String(hueOf(userId)) } }, initialsOf(name)), body));
    return body;
  }

  async #submit() {
    const text = this.#field.value.trim();
    if (!text) return;
    this.#field.value = "";
    this.#grow();
    this.#problem.hidden = true;
    try {
      await this.send(text);
    } catch {
      this.#problem.hidden = false;
      this.#field.value ||= text;
      this.#grow();
    }
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${Math.min(140, this.#field.scrollHeight)}px`;
  }
}

/**
 * @param {string} text
 * @returns {(Node | string)[]} with its links as links
 */
function linked(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(end, match.index), h("a", { href: match[0], target: "_blank", rel: "noopener noreferrer", text: match[0] }));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}
