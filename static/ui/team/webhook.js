/**
 * A team's webhook: where it goes, of what it tells, what became of each event, and once more what was given up.
 */

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { PagedList, iconButton, nothing, sureToDelete, when } from "./rows.js";

/** @typedef {import("../../team.js").TeamOwner} TeamOwner */
/** @typedef {import("../../types.js").Delivery} Delivery */
/** @typedef {import("../../types.js").Webhook} Webhook */

const TYPES = ["room_update", "participant_update", "recording_update", "snapshot_update", "broadcast_update", "presentation_update", "document_update"];
const STATES = { pending: "waits", done: "delivered", failed: "given up" };

export class WebhookLog {
  /** @type {Webhook | null} */ #webhook = null;
  #state = h("select", { "aria-label": "Which events" }, ...[["", "All events"], ["failed", "Given up"], ["pending", "Waiting"], ["done", "Delivered"]].map(([value, text]) => h("option", { value, text })));
  #now = h("section", { class: "hook" });
  #replayAll = h("button", { class: "button button-quiet button-small", type: "button" }, icon("again"), "Send again what was given up");
  #log = h("section", { hidden: true });
  #list = new PagedList({
    empty: nothing("send", "Nothing was told yet", "Each event that your rooms tell of appears here, and what became of it."),
    load: (page) => this.owner.calls.deliveries(this.#webhook?.id ?? "", { state: this.#state.value, page }),
    row: (/** @type {Delivery} */ delivery) => this.#row(delivery),
  });

  /** @param {TeamOwner} owner */
  constructor(owner) {
    this.owner = owner;
    this.#state.addEventListener("change", () => owner.attempt(this.#list.refresh()));
    this.#replayAll.addEventListener("click", () => this.#replay());
    const refresh = iconButton("again", "Look again", () => this.open());
    const head = h("div", { class: "log-head" }, h("h2", { text: "Deliveries" }), h("span", { class: "spring" }), h("div", { class: "field field-select" }, this.#state), this.#replayAll, refresh);
    this.#log.append(head, this.#list.element);
    this.element = h("div", { class: "team-tab" }, h("h1", { text: "Webhook" }), this.#now, this.#log);
  }

  async open() {
    await this.owner.attempt(this.#look());
  }

  async #look() {
    this.#webhook = await this.owner.calls.webhook();
    this.#log.hidden = this.#webhook === null;
    this.#now.replaceChildren(this.#webhook ? this.#shown(this.#webhook) : this.#form());
    if (this.#webhook) await this.#list.refresh();
  }

  /** @param {Webhook} webhook */
  #shown({ id, url, types, last_request_sent_at, last_response_code }) {
    const last = last_request_sent_at ? `Last told ${when(new Date(last_request_sent_at))}, answered ${last_response_code ?? "by nobody"}` : "Nothing was told yet";
    const change = h("button", { class: "button button-quiet button-small", type: "button", text: "Change", on: { click: () => this.#now.replaceChildren(this.#form({ url, types })) } });
    const remove = h("button", { class: "button button-quiet button-small", type: "button", text: "Remove", on: { click: () => this.#remove(id) } });
    const kinds = h("ul", { class: "chips" }, ...types.map((type) => h("li", { class: "chip", text: type })));
    return h("div", { class: "box" }, h("code", { class: "hook-url", text: url }), kinds, h("p", { class: "muted", text: last }), h("div", { class: "box-actions" }, change, remove));
  }

  /** @param {{ url: string, types: string[] }} [present] */
  #form({ url, types } = { url: "", types: ["room_update", "recording_update"] }) {
    const field = h("input", { type: "url", id: "hook-url", placeholder: "https://your.server/hook", value: url, required: true });
    const boxes = TYPES.map((type) => h("input", { type: "checkbox", value: type, checked: types.includes(type) }));
    const choice = h("fieldset", { class: "types" }, h("legend", { class: "field-label", text: "Tell of" }), ...boxes.map((box) => h("label", {}, box, h("code", { text: box.value }))));
    const form = h("form", { class: "box" }, h("label", { class: "field-label", htmlFor: "hook-url", text: "URL" }), h("div", { class: "field" }, field), choice, h("div", { class: "box-actions" }, h("button", { class: "button button-primary button-small", type: "submit", text: "Save" })));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
      if (await this.owner.attempt(this.owner.calls.register(field.value.trim(), chosen))) await this.open();
    });
    return form;
  }

  /** @param {Delivery} delivery */
  #row({ id, type, state, created_at, attempts, last_response_code, error }) {
    const answered = last_response_code ? `answered ${last_response_code}` : (error ?? "");
    const tried = attempts > 1 ? `${attempts} tries` : "";
    const text = h("span", { class: "card-text" }, h("strong", { text: type }), h("small", { text: [when(new Date(created_at)), tried, answered].filter(Boolean).join(" · ") }));
    const mark = h("span", { class: "chip", data: { state }, text: STATES[state] });
    const again = state === "failed" && iconButton("again", `Send ${type} again`, () => this.#replay(id));
    return h("li", { class: "card-row", data: { delivery: id } }, text, mark, again);
  }

  /** @param {string} [deliveryId] default: all that was given up */
  async #replay(deliveryId) {
    if (!this.#webhook) return;
    if (!(await this.owner.attempt(this.owner.calls.replay(this.#webhook.id, deliveryId)))) return;
    this.owner.say("It is sent again.");
    await this.open();
  }

  /** @param {string} id */
  async #remove(id) {
    if (!(await sureToDelete("the webhook", "What it had still to tell is dropped, and so is its log."))) return;
    if (await this.owner.attempt(this.owner.calls.removeWebhook(id))) await this.open();
  }
}
