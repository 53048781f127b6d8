/**
 * End-to-end encryption of a conference whose media goes through a server that must not see or hear it.
 *
 * Everybody who has the secret of the link makes a key pair for the time they are there and announces the public key as an attribute,
 * with a proof that they have the secret (`identity.js`). Whoever publishes has a frame key of their own (RFC 9605 section 5.1) and
 * hands it to each member alone, in `custom` messages. When somebody joins, the key is ratcheted first: newcomers cannot read what was
 * said before. When somebody leaves, there is a new key that is handed to those who remain, and used at once. Frames are sealed and
 * opened in a worker (`worker.js`); a frame names its key, so nobody has to agree on a moment.
 *
 * Against whom this helps, and against whom not:
 * - The server, its operator and whoever records what passes there get neither sound nor pictures, and cannot change them, put
 *   frames of one member in another's place, or repeat them. They see who is there, when, who speaks (audio levels), the size, time
 *   and layer of each frame, and the first bytes that forwarding needs (`shapes.js`). They can leave out whatever they like.
 * - Who has left cannot read what is said afterwards, even with the server's help, unless they come in again: the link still lets
 *   them in, and everybody sees that. Who joins cannot read what was said before.
 * - Who learns the secret later cannot read recorded frames: it encrypts nothing. Who has it now can take part, and with the
 *   server's help stand between two members; both see another safety number then. It covers the public keys of all members, and is
 *   for comparing by voice.
 * - A client that has a secret never sends unencrypted media to the server, whatever the server says of the conference.
 * - Chat, names and data are not encrypted. The page itself comes from the server: whoever does not trust it for that must bring
 *   their own client.
 */

import { ConferenceError } from "../errors.js";
import { Frames, OLDER, hasScripts, supported } from "./frames.js";
import { Identity } from "./identity.js";
import { BASE_KEY_SIZE, LAST_STEP, ratcheted } from "./sframe.js";

/** @typedef {import("../types.js").Message} Message */
/** @typedef {import("../types.js").Participant} Participant */
/** @typedef {import("./identity.js").Member} Member */
/** @typedef {import("./identity.js").Given} Given */

const ATTRIBUTE = "e2ee";
const MOST_AT_ONCE = 150; // keys in one message: the server takes 32 KiB
const ASK_EVERY = 2000; // milliseconds

/**
 * @typedef {object} EncryptionOwner
 * @property {(message: Message) => void} send
 * @property {(safetyNumber: string) => void} onSafetyNumber it has changed
 * @property {(error: Error) => void} onError
 */

export class Encryption {
  /** @type {Map<string, Member>} everybody else who has the secret */ #members = new Map();
  /** @type {Map<string, string>} public keys of those who have the present frame key, by user */ #holders = new Map();
  /** @type {Given | null} one's own frame key */ #own = null;
  /** @type {Participant[]} as told last */ #present = [];
  /** @type {Promise<void>} one thing after another */ #work = Promise.resolve();
  #userId = "";
  #publishes = false;
  #askedAt = -Infinity;
  #identity;
  #frames;
  #owner;

  /**
   * @param {Identity} identity
   * @param {EncryptionOwner} owner
   */
  constructor(identity, owner) {
    this.#identity = identity;
    this.#owner = owner;
    this.#frames = new Frames(() => this.#ask(), owner.onError);
  }

  /**
   * @param {string} secret of the link
   * @param {EncryptionOwner} owner
   * @returns {Promise<Encryption>}
   */
  static async begin(secret, owner) {
    if (!supported) throw new ConferenceError("encryption_unsupported", 0, "this browser cannot encrypt frames");
    return new Encryption(await Identity.make(secret), owner);
  }

  /** What peer connections have to be made with. */
  get configuration() {
    return hasScripts ? {} : OLDER;
  }

  get frames() {
    return this.#frames;
  }

  /**
   * In the conference, for the first time or again.
   * @param {string} userId one's own
   * @param {Participant[]} participants
   */
  joined(userId, participants) {
    const again = userId === this.#userId;
    this.#userId = userId;
    this.#then(async () => {
      this.#owner.send({ type: "set_attributes", attributes: { [ATTRIBUTE]: await this.#identity.announcement(userId) } });
      if (again) this.#ask(); // keys may have been handed out meanwhile
    });
    this.changed(participants);
  }

  /** @param {Participant[]} participants everybody who is there now */
  changed(participants) {
    this.#present = participants;
    this.#then(() => this.#compare());
  }

  /** Something is published: the others need the key from now on. */
  publishes() {
    if (this.#publishes) return;
    this.#publishes = true;
    this.#then(() => this.#distribute());
  }

  /**
   * @param {Message} message
   * @returns {boolean} whether it was about keys
   */
  receive({ type, content, cid }) {
    if (type !== "custom" || typeof content?.[ATTRIBUTE] !== "object") return false;
    const { keys, ask } = content[ATTRIBUTE] ?? {};
    if (cid !== this.#userId && keys) this.#then(() => this.#received(cid, keys[this.#userId]));
    if (cid !== this.#userId && ask) this.#then(() => this.#asked(cid));
    return true;
  }

  close() {
    this.#frames.close();
  }

  /** Who has come, gone, or changed their key. */
  async #compare() {
    const before = [...this.#members.values()].map(({ key }) => key).join();
    const others = this.#present.filter(({ id }) => id !== this.#userId);
    const found = await Promise.all(others.map(({ id, attributes }) => this.#recognized(id, attributes?.[ATTRIBUTE])));
    const members = new Map(found.flatMap((member) => (member ? [[member.userId, member]] : [])));
    for (const [userId, { key }] of this.#members) if (members.get(userId)?.key !== key) this.#frames.forget(userId);
    this.#members = members;
    await this.#distribute();
    if (before !== [...members.values()].map(({ key }) => key).join() || !before) this.#owner.onSafetyNumber(await this.#identity.safetyNumber([...members.values()], this.#userId));
  }

  /**
   * @param {string} userId
   * @param {unknown} announcement
   */
  async #recognized(userId, announcement) {
    const known = this.#members.get(userId);
    const { key } = /** @type {{ key?: string }} */ (announcement ?? {});
    return known && known.key === key ? known : this.#identity.member(userId, announcement);
  }

  /** Sees to it that all members have one's own frame key, and nobody who is none. */
  async #distribute() {
    if (!this.#publishes || !this.#userId) return;
    const without = [...this.#members.values()].filter(({ userId, key }) => this.#holders.get(userId) !== key);
    const gone = [...this.#holders].some(([userId, key]) => this.#members.get(userId)?.key !== key);
    if (!this.#own || gone || (without.length && this.#own.step === LAST_STEP)) await this.#renew();
    else if (without.length) await this.#use({ ...this.#own, step: this.#own.step + 1, baseKey: await ratcheted(this.#own.baseKey) }, without);
  }

  async #renew() {
    const baseKey = crypto.getRandomValues(new Uint8Array(BASE_KEY_SIZE));
    this.#holders.clear();
    await this.#use({ generation: (this.#own?.generation ?? 0) + 1, step: 0, baseKey }, [...this.#members.values()]);
  }

  /**
   * @param {Given} key
   * @param {Member[]} receivers who cannot know it otherwise
   */
  async #use(key, receivers) {
    this.#own = key;
    await this.#give(key, receivers);
    this.#frames.seal({ ...key, sender: this.#identity.sender });
  }

  /**
   * @param {Given} given
   * @param {Member[]} receivers
   */
  async #give(given, receivers) {
    for (let at = 0; at < receivers.length; at += MOST_AT_ONCE) {
      const some = receivers.slice(at, at + MOST_AT_ONCE);
      const keys = await Promise.all(some.map(async (member) => [member.userId, await this.#identity.handOver(member, given)]));
      this.#say({ keys: Object.fromEntries(keys) });
    }
    for (const { userId, key } of receivers) this.#holders.set(userId, key);
  }

  /**
   * @param {string} userId
   * @param {unknown} text
   */
  async #received(userId, text) {
    const member = this.#members.get(userId);
    const given = member && text ? await this.#identity.receive(member, text) : null;
    if (member && given) this.#frames.open({ ...given, userId, sender: member.sender });
  }

  /** @param {string} userId who lacks a key */
  async #asked(userId) {
    const member = this.#members.get(userId);
    if (member && this.#own && this.#holders.has(userId)) await this.#give(this.#own, [member]);
  }

  #ask() {
    if (performance.now() - this.#askedAt < ASK_EVERY) return;
    this.#askedAt = performance.now();
    this.#say({ ask: true });
  }

  /** @param {object} content */
  #say(content) {
    this.#owner.send({ type: "custom", content: { [ATTRIBUTE]: content } });
  }

  /** @param {() => Promise<void>} step after those before it */
  #then(step) {
    this.#work = this.#work.then(step).catch((error) => this.#owner.onError(error));
  }
}
