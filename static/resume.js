/**
 * Keeps the endpoint credential over a reload of the page, and over nothing else.
 *
 * It lies in the tab's storage only between the page's end and its next start. A duplicated tab copies that storage while the page
 * lives, finds nothing there, and becomes a participant of its own instead of throwing the first one out.
 */

/** @typedef {import("./types.js").Endpoint} Endpoint */

const KEY = "folkmoot.endpoint";

export class Resume {
  /** @type {Endpoint | null} */ #endpoint = null;
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

  /** @returns {Endpoint | null} */
  #take() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
      sessionStorage.removeItem(KEY);
      return kept?.credential === this.#credential && kept.endpoint.expires_at > Date.now() ? kept.endpoint : null;
    } catch {
      return null; // storage may be forbidden: then a reload joins anew
    }
  }

  #put() {
    if (!this.#endpoint || !this.#enabled) return;
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ credential: this.#credential, endpoint: this.#endpoint }));
    } catch {
      // as above
    }
  }
}
