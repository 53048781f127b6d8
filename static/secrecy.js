/**
 * Whether a conference is encrypted end to end, and with what: the encryption itself (`e2ee/`) is loaded only where there is a secret.
 */

/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Participant} Participant */
/** @typedef {import("./e2ee/encryption.js").Encryption} Encryption */

/**
 * @typedef {object} SecrecyOwner
 * @property {(message: Message) => void} send
 * @property {(safetyNumber: string) => void} onSafetyNumber
 * @property {(error: Error) => void} onError
 */

export class Secrecy {
  /** @type {Encryption | null} */ #encryption = null;
  /** @type {string | null} */ safetyNumber = null;
  #secret;
  #owner;

  /**
   * @param {string | undefined} secret that everybody has
   * @param {SecrecyOwner} owner
   */
  constructor(secret, owner) {
    this.#secret = secret;
    this.#owner = owner;
  }

  /** Null where nothing is encrypted by the participants themselves. */
  get encryption() {
    return this.#encryption;
  }

  /** @returns {Promise<void> | null} until it is ready; null if there is nothing to wait for */
  prepare() {
    if (!this.#secret || this.#encryption) return null;
    const secret = this.#secret;
    const onSafetyNumber = (/** @type {string} */ number) => this.#owner.onSafetyNumber((this.safetyNumber = number));
    return import("./e2ee/encryption.js").then(async ({ Encryption }) => {
      this.#encryption = await Encryption.begin(secret, { ...this.#owner, onSafetyNumber });
    });
  }

  /**
   * @param {Joined} joined
   * @returns {boolean} whether the conference asks for a secret, and there is none
   */
  lacks({ mode, e2ee, options }) {
    return !this.#secret && (options?.e2ee === true || (mode === "SFU" && e2ee === true));
  }

  /**
   * @param {string} userId one's own
   * @param {Participant[]} participants
   */
  joined(userId, participants) {
    this.#encryption?.joined(userId, participants);
  }

  /** @param {Participant[]} participants */
  changed(participants) {
    this.#encryption?.changed(participants);
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether it was meant for here
   */
  receive(message) {
    return this.#encryption?.receive(message) ?? false;
  }

  close() {
    this.#encryption?.close();
    this.#encryption = null;
    this.safetyNumber = null;
  }
}
