/**
 * This participant's seat in the conference: the credential it began with, and the endpoint it may come back to for as long as that lives.
 */

/** @typedef {import("./types.js").Credential} Credential */
/** @typedef {import("./types.js").Endpoint} Endpoint */

import { addressOf } from "./address.js";
import { Invitation } from "./invitation.js";
import { Resume } from "./resume.js";

const RENEW_AT = 0.92; // of an endpoint's life: the server allows it in the last tenth
const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds a browser's timer can wait

export class Seat {
  #base;
  #credential;
  #invitation;
  #kept;
  #renew;
  #timer = 0;
  #usedEndpoint = false;

  /**
   * @param {URL} base of the server
   * @param {Credential} credential
   * @param {boolean} lasts over a reload of the page
   * @param {() => void} renew asks the server for a longer life
   */
  constructor(base, credential, lasts, renew) {
    this.#base = base;
    this.#credential = credential;
    this.#invitation = new Invitation(base, credential, lasts);
    this.#kept = new Resume(JSON.stringify(credential), lasts);
    this.#renew = renew;
  }

  /** Ids of one's own streams by label: they go on under the same ids. */
  get streams() {
    return this.#kept.streams;
  }

  /** Whether the last address was of a seat that may be gone. */
  get wasTaken() {
    return this.#usedEndpoint;
  }

  /** Whether the credential is a link that has to be turned into one of one's own. */
  get invited() {
    return this.#invitation.open;
  }

  /**
   * Does that; rejects with a `ConferenceError` if it is of no use.
   * @param {string} [name]
   */
  accept(name = "") {
    return this.#invitation.accept(name);
  }

  /** @param {string} [name] */
  address(name) {
    const { endpoint } = this.#kept;
    this.#usedEndpoint = endpoint !== null;
    return addressOf(this.#base, { ...(this.#invitation.credential ?? this.#credential), name }, endpoint);
  }

  /** @param {Endpoint} endpoint */
  take(endpoint) {
    this.#kept.endpoint = endpoint;
    clearTimeout(this.#timer);
    const wait = (endpoint.expires_at - Date.now()) * RENEW_AT;
    if (wait > 0 && wait < LONGEST_TIMER) this.#timer = setTimeout(() => this.#renew(), wait);
  }

  /** It is over: who comes again does so by the credential it began with. */
  end() {
    this.leave();
    this.#invitation.forget();
  }

  /** The endpoint is given up. */
  leave() {
    clearTimeout(this.#timer);
    this.#kept.forget();
  }
}
