/**
 * Keeps the endpoint credential and the ids of one's streams over a reload of the page, and over nothing else.
 *
 * It lies in the tab's storage only between the page's end and its next start. A duplicated tab copies that storage while the page
 * lives, finds nothing there, and becomes a participant of its own instead of throwing the first one out.
 */

/** @typedef {import("./types.js").Endpoint} Endpoint */

const KEY = "folkmoot.endpoint";

export class Resume {
  /** @type {Endpoint | null} */ #endpoint = null;
  /** @type {Record<string, string>} ids of one's own streams by label: they go on under the same ids */ streams = {};
  #credential;
  #enabled;

  /**
   * @param {string} credential the endpoint is good for the conference of this credential only
   * @param {boolean} enabled
   */
  constructor(credential, enabled) {
    this.#credential = credential;
    this.#enabled = enabled;
    if (!enabled) return;
    this.#endpoint = this.#take();
    addEventListener("pagehide", () => this.#put());
    addEventListener("pageshow", (event) => event.persisted && this.#take());
  }

  get endpoint() {
    return this.#endpoint;
  }

  set endpoint(endpoint) {
    this.#endpoint = endpoint;
  }

  /** The seat is given up. */
  forget() {
    this.#endpoint = null;
    this.streams = {};
  }

  /** @returns {Endpoint | null} */
  #take() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
      sessionStorage.removeItem(KEY);
      if (kept?.credential !== this.#credential || kept.endpoint.expires_at < Date.now()) return null;
      this.streams = kept.streams;
      return kept.endpoint;
    } catch {
      return null; // storage may be forbidden: then a reload joins anew
    }
  }

  #put() {
    if (!this.#endpoint || !this.#enabled) return;
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ credential: this.#credential, endpoint: this.#endpoint, streams: this.streams }));
    } catch {
      // as above
    }
  }
}
