/**
 * The conversation with the page that shows this one in a frame: it is told what happens, and may mute, unmute and leave.
 *
 * Who may show this page at all is enforced by the browser, from the same list of the server's settings. What a window says counts only
 * if it is the one right around this page, and of an origin that stands in the list, letter by letter; a pattern for many sites lets
 * them show the page and command nothing. `*` stands for everybody.
 */

import { embedded } from "./policy.js";

/** @typedef {"joined" | "left" | "ended" | "error" | "participants"} Told */

/**
 * @typedef {object} EmbeddingOwner
 * @property {(kind: "audio" | "video", on: boolean) => void} switched
 * @property {() => void} leave
 */

export class Embedding {
  #owner;
  #count = 0;
  /** @type {Promise<string[]>} who may command */ #commanders = Promise.resolve([]);

  /** @param {EmbeddingOwner} owner */
  constructor(owner) {
    this.#owner = owner;
    if (!embedded) return;
    this.#commanders = commanders();
    addEventListener("message", (event) => this.#heard(event));
  }

  /**
   * @param {Told} type
   * @param {Record<string, unknown>} [fields]
   */
  tell(type, fields = {}) {
    if (embedded) parent.postMessage({ source: "conference", type, ...fields }, "*");
  }

  /** @param {number} count of people, oneself included; told when it changes */
  participants(count) {
    if (count === this.#count) return;
    this.#count = count;
    this.tell("participants", { count });
  }

  /** @param {MessageEvent} event */
  async #heard({ source, origin, data }) {
    if (source !== parent || typeof data !== "object" || data === null) return;
    const known = await this.#commanders;
    if (!known.includes("*") && !known.includes(origin)) return;
    const { type, kind = "audio" } = data;
    if (type === "leave") this.#owner.leave();
    if ((type === "mute" || type === "unmute") && (kind === "audio" || kind === "video")) this.#owner.switched(kind, type === "unmute");
  }
}

/** @returns {Promise<string[]>} origins, as browsers write them, or `*` */
async function commanders() {
  try {
    const { frame_ancestors } = await (await fetch("/about.json")).json();
    return frame_ancestors.map(originOf);
  } catch {
    return []; // nobody, rather than anybody
  }
}

/** @param {string} site as in the settings */
function originOf(site) {
  if (site === "'self'") return location.origin;
  return URL.canParse(site) ? new URL(site).origin : site;
}
