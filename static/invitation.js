/**
 * A link that lets many people in, or one person again and again: turned into an access key, which is one participant's own.
 *
 * A guest token registers whoever has it as a guest under their name, a host's token begins the meeting of a permalink or joins it.
 * The access key is kept over a reload of the page, and over nothing else, so that a reload comes back as the same participant.
 */

/** @typedef {import("./types.js").Credential} Credential */

import { ConferenceError, refusalOf } from "./errors.js";

const KEY = "folkmoot.invitation";
const NAMELESS = "Guest";
const UNKNOWN = 401; // the server never issued this token: as for any other unknown credential
const FORBIDDEN = 403;

export class Invitation {
  /** @type {string | null} */ #accessKey = null;
  #base;
  #path;

  /**
   * @param {URL} base of the server
   * @param {Credential} credential
   * @param {boolean} lasts over a reload of the page
   */
  constructor(base, { guest, permalink }, lasts) {
    this.#base = base;
    this.#path = guest ? `guests/${encodeURIComponent(guest)}` : permalink ? `permalink/${encodeURIComponent(permalink)}` : null;
    if (!this.#path || !lasts) return;
    this.#accessKey = this.#take();
    addEventListener("pagehide", () => this.#put());
    addEventListener("pageshow", (event) => event.persisted && this.#take());
  }

  /** Whether there is one that has not been accepted yet. */
  get open() {
    return this.#path !== null && this.#accessKey === null;
  }

  /** @returns {Credential | null} what it has been turned into */
  get credential() {
    return this.#accessKey === null ? null : { accessKey: this.#accessKey };
  }

  /** The access key is of no more use. */
  forget() {
    this.#accessKey = null;
  }

  /**
   * Registers this participant; rejects with a `ConferenceError` that names the refusal.
   * @param {string} name
   */
  async accept(name) {
    const response = await this.#ask({ name: name.trim() || NAMELESS });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw refusalOf(4000 + (response.status === UNKNOWN ? FORBIDDEN : response.status), body.error ?? "");
    this.#accessKey = body.access_key;
  }

  /** @param {Record<string, string>} body */
  async #ask(body) {
    const address = new URL(`${this.#path}`, this.#base.href.endsWith("/") ? this.#base : `${this.#base.href}/`);
    const headers = { "Content-Type": "application/json" };
    try {
      return await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    } catch {
      throw new ConferenceError("unreachable", 0, "the server cannot be reached");
    }
  }

  /** @returns {string | null} */
  #take() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
      sessionStorage.removeItem(KEY);
      return kept?.path === this.#path ? kept.accessKey : null;
    } catch {
      return null; // storage may be forbidden: then a reload is another guest
    }
  }

  #put() {
    if (this.#accessKey === null) return;
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ path: this.#path, accessKey: this.#accessKey }));
    } catch {
      // as above
    }
  }
}
