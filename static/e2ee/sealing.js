/**
 * One's own frames, sealed: under the key that is told last, each with a count that is used once.
 *
 * All tracks of a participant share key and count. Frames that come before there is a key wait for it; they are never sent as they are.
 */

import { deriveKey, kidOf, seal } from "./sframe.js";
import { shaped, wrapped } from "./shapes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {{ key: import("./sframe.js").FrameKey, count: number }} Used */
/** @typedef {import("./sframe.js").KeyName & { baseKey: Bytes }} ChainKey */

export class Sealing {
  /** @type {Promise<Used>} */ #used;
  /** @type {(used: Promise<Used>) => void} */ #begin = () => {};

  constructor() {
    this.#used = new Promise((resolve) => (this.#begin = resolve));
  }

  /**
   * From now on frames are sealed under this key.
   * @param {ChainKey} chain
   */
  use({ baseKey, ...name }) {
    this.#used = deriveKey(baseKey, kidOf(name)).then((key) => ({ key, count: 0 }));
    this.#begin(this.#used);
  }

  /**
   * @param {Bytes} frame as it was encoded
   * @param {string} codec
   * @param {boolean} isKey whether it is a key frame
   * @returns {Promise<Bytes | null>} null for one that cannot be sealed, and must not be sent
   */
  async sealed(frame, codec, isKey) {
    const parts = shaped(frame, codec, isKey);
    if (!parts) return null;
    const used = await this.#used;
    return wrapped(parts, await seal(used.key, used.count++, parts.secret, parts.metadata));
  }
}
