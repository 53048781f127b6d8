/**
 * Others' frames, opened: whose key it takes, how often that has been ratcheted, and what to do with frames that fail.
 *
 * A frame whose key is on its way waits for it, within limits. It is given out only if it is from whoever the server says it is from,
 * and if it was not given out before: each section has a window of counts.
 */

import { deriveKey, nameOf, open, ratcheted, readHeader, sameGeneration } from "./sframe.js";
import { restored, unwrapped } from "./shapes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./sframe.js").FrameKey} FrameKey */
/** @typedef {{ userId: string, sender: number, generation: number, step: number, baseKey: Bytes }} TheirKey */

const WAIT_FOR_KEY = 2000; // milliseconds
const WAIT_FOR_OWNER = 500; // milliseconds for the server to say whose section it is now
const GENERATIONS_KEPT = 2; // of each sender: frames are under way when a new one begins
const OLD_FOR = 3000; // milliseconds that they may be: whoever has left knows the older key
const STEPS_KEPT = 3; // derived keys of a chain
const WINDOW = 1024; // counts, behind the highest one, that may still come

/** The keys of everybody else. */
export class Keys {
  /** @type {Map<number, TheirKey[]>} by sender, the newest first */ #chains = new Map();
  /** @type {Map<number, Promise<FrameKey>>} by identifier */ #derived = new Map();
  /** @type {Set<() => void>} */ #waiting = new Set();
  /** @type {Set<number>} senders that were waited for in vain */ #silent = new Set();
  #onMissing;

  /** @param {() => void} onMissing a frame has come whose key nobody has told */
  constructor(onMissing) {
    this.#onMissing = onMissing;
  }

  /** @param {TheirKey} key */
  add(key) {
    const known = this.#chains.get(key.sender) ?? [];
    if (known.some(({ generation, step }) => generation > key.generation || (generation === key.generation && step >= key.step))) return; // told before
    this.#keep(key.sender, [key, ...known.filter(({ generation }) => generation !== key.generation)].slice(0, GENERATIONS_KEPT));
    setTimeout(() => this.#keep(key.sender, (this.#chains.get(key.sender) ?? []).slice(0, 1)), OLD_FOR);
    this.#silent.delete(key.sender);
    for (const wake of this.#waiting) wake();
  }

  /** @param {string} userId who has left */
  remove(userId) {
    for (const [sender, chains] of this.#chains) {
      if (chains[0]?.userId === userId) this.#keep(sender, []);
    }
  }

  /**
   * @param {number} kid
   * @param {boolean} patient whether it is waited for
   * @returns {Promise<TheirKey | null>} the chain that it belongs to
   */
  async chain(kid, patient) {
    const { sender } = nameOf(kid);
    const deadline = performance.now() + WAIT_FOR_KEY;
    for (;;) {
      const found = this.#find(kid);
      if (found) return found;
      const left = deadline - performance.now();
      if (!patient || this.#silent.has(sender) || left <= 0) break;
      await this.#change(left);
    }
    this.#silent.add(sender);
    this.#onMissing();
    return null;
  }

  /**
   * @param {TheirKey} chain
   * @param {number} kid a step of it
   * @returns {Promise<FrameKey>}
   */
  derived(chain, kid) {
    const known = this.#derived.get(kid);
    if (known) return known;
    const key = this.#baseKey(chain, kid).then((baseKey) => deriveKey(baseKey, kid));
    this.#derived.set(kid, key);
    return key;
  }

  /**
   * A frame under this key was what it claimed to be: what came before in the chain cannot be told from now on.
   * @param {TheirKey} chain
   * @param {number} kid
   */
  async proved(chain, kid) {
    const { step } = nameOf(kid);
    if (step <= chain.step) return;
    const baseKey = await this.#baseKey(chain, kid);
    if (step > chain.step) Object.assign(chain, { step, baseKey });
    for (const other of [...this.#derived.keys()]) {
      const name = nameOf(other);
      if (name.sender === chain.sender && sameGeneration(name.generation, chain.generation) && name.step <= step - STEPS_KEPT) this.#derived.delete(other);
    }
  }

  /** @param {number} kid one that turned out to be nobody's */
  disproved(kid) {
    const chain = this.#find(kid);
    if (!chain || nameOf(kid).step > chain.step) this.#derived.delete(kid);
  }

  /** @param {number} kid */
  #find(kid) {
    const { sender, generation, step } = nameOf(kid);
    const chains = this.#chains.get(sender) ?? [];
    return chains.find((chain) => sameGeneration(chain.generation, generation) && (step >= chain.step || this.#derived.has(kid))) ?? null;
  }

  /**
   * @param {TheirKey} chain
   * @param {number} kid
   */
  async #baseKey(chain, kid) {
    let { baseKey, step } = chain;
    for (const { step: wanted } = nameOf(kid); step < wanted; step++) baseKey = await ratcheted(baseKey);
    return baseKey;
  }

  /**
   * @param {number} sender
   * @param {TheirKey[]} kept
   */
  #keep(sender, kept) {
    if (kept.length) this.#chains.set(sender, kept);
    else this.#chains.delete(sender);
    for (const kid of [...this.#derived.keys()]) {
      const name = nameOf(kid);
      if (name.sender === sender && !kept.some(({ generation }) => sameGeneration(generation, name.generation))) this.#derived.delete(kid);
    }
  }

  /** @param {number} milliseconds at most */
  #change(milliseconds) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(null);
      };
      const timer = setTimeout(wake, milliseconds);
      this.#waiting.add(wake);
    });
  }
}

/** What arrives in one section. */
export class Opening {
  /** @type {string | null} who sends it, as the server says */ #owner = null;
  /** @type {() => void} */ #ownerTold = () => {};
  /** @type {Map<number, Window>} by key */ #windows = new Map();
  #keys;
  #patient;

  /**
   * @param {Keys} keys
   * @param {boolean} patient whether frames wait for their key: pictures are of use later, sound is not
   */
  constructor(keys, patient) {
    this.#keys = keys;
    this.#patient = patient;
  }

  /** @param {string | null} userId */
  set owner(userId) {
    this.#owner = userId;
    this.#ownerTold();
  }

  /**
   * @param {Bytes} frame as it has arrived
   * @returns {Promise<Bytes | null>} to be decoded; null for what is not to be shown
   */
  async opened(frame) {
    const parts = unwrapped(frame);
    const header = parts && readHeader(parts.secret);
    if (!parts || !header) return null;
    const { kid, ctr } = header;
    const chain = await this.#keys.chain(kid, this.#patient);
    if (!chain || this.#windows.get(kid)?.has(ctr)) return null;
    try {
      const secret = await open(await this.#keys.derived(chain, kid), header, parts.secret, parts.metadata);
      await this.#keys.proved(chain, kid);
      if (!(await this.#isFrom(chain.userId))) return null;
      this.#window(kid).add(ctr);
      return restored(parts, secret);
    } catch {
      this.#keys.disproved(kid);
      return null;
    }
  }

  /** @param {string} userId */
  async #isFrom(userId) {
    if (this.#owner === userId) return true;
    const told = new Promise((resolve) => (this.#ownerTold = () => resolve(null)));
    await Promise.race([told, new Promise((resolve) => setTimeout(resolve, WAIT_FOR_OWNER))]);
    return this.#owner === userId;
  }

  /** @param {number} kid */
  #window(kid) {
    const known = this.#windows.get(kid);
    if (known) return known;
    const window = new Window();
    this.#windows.set(kid, window);
    for (const old of [...this.#windows.keys()].slice(0, -STEPS_KEPT * GENERATIONS_KEPT)) this.#windows.delete(old);
    return window;
  }
}

/** Counts that were seen. */
class Window {
  /** @type {Set<number>} */ #seen = new Set();
  #highest = -1;

  /** @param {number} ctr */
  has(ctr) {
    return ctr <= this.#highest - WINDOW || this.#seen.has(ctr);
  }

  /** @param {number} ctr */
  add(ctr) {
    this.#seen.add(ctr);
    this.#highest = Math.max(this.#highest, ctr);
    if (this.#seen.size > 2 * WINDOW) for (const old of this.#seen) if (old <= this.#highest - WINDOW) this.#seen.delete(old);
  }
}
