/**
 * Who takes part: a key pair made for this page and the conference, vouched for by the secret that everybody has.
 *
 * The secret (from the link) never encrypts anything. It proves that a public key is of somebody who has the link, and is mixed into
 * what two of them agree on, so that neither the server nor who learns the secret later can read the keys that are handed around.
 * People may choose poor secrets: it is stretched first.
 */

import { bigEndian, fromText, joined, listed, numberOf, toText, utf8 } from "./bytes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {{ key: string, proof: string }} Announcement both base64url: the public key, and that its owner has the secret */
/** @typedef {{ userId: string, sender: number, publicKey: Bytes, key: string }} Member */
/** @typedef {{ generation: number, step: number, baseKey: Bytes }} Given */

const CURVE = { name: "ECDH", namedCurve: "P-256" };
const POINT_SIZE = 65; // bytes
const STRETCHING = 100_000; // rounds
const IV_SIZE = 12;
const GENERATION_SIZE = 4;
const LABEL = "folkmoot e2ee 1 ";
const SAFETY_GROUPS = 6; // of five digits: about 100 bits
const SAFETY_GROUP_BYTES = 5;
const SAFETY_ROUNDS = 1000;

export class Identity {
  #pair;
  #secret;

  /**
   * @param {CryptoKeyPair} pair
   * @param {Bytes} publicKey
   * @param {number} sender this participant's number in key identifiers
   * @param {Bytes} secret stretched
   */
  constructor(pair, publicKey, sender, secret) {
    this.#pair = pair;
    this.#secret = secret;
    this.publicKey = publicKey;
    this.sender = sender;
  }

  /**
   * @param {string} secret
   * @returns {Promise<Identity>}
   */
  static async make(secret) {
    const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]));
    const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    return new Identity(pair, publicKey, await senderOf(publicKey), await stretched(secret));
  }

  /**
   * @param {string} userId one's own
   * @returns {Promise<Announcement>}
   */
  async announcement(userId) {
    const signature = await crypto.subtle.sign("HMAC", await this.#proving("sign"), listed(utf8(userId), this.publicKey));
    return { key: toText(this.publicKey), proof: toText(new Uint8Array(signature)) };
  }

  /**
   * @param {string} userId
   * @param {unknown} announcement as the server has passed it on
   * @returns {Promise<Member | null>} null for whoever does not have the secret
   */
  async member(userId, announcement) {
    const { key, proof } = /** @type {Partial<Announcement>} */ (announcement ?? {});
    const [publicKey, signature] = [fromText(key), fromText(proof)];
    if (!key || publicKey?.length !== POINT_SIZE || !signature) return null;
    const proved = await crypto.subtle.verify("HMAC", await this.#proving("verify"), signature, listed(utf8(userId), publicKey));
    return proved ? { userId, sender: await senderOf(publicKey), publicKey, key } : null;
  }

  /**
   * One's own frame key, for one other alone.
   * @param {Member} receiver
   * @param {Given} given
   * @returns {Promise<string>}
   */
  async handOver(receiver, { generation, step, baseKey }) {
    const iv = crypto.getRandomValues(new Uint8Array(IV_SIZE));
    const plain = joined(bigEndian(generation, GENERATION_SIZE), bigEndian(step, 1), baseKey);
    const key = await this.#between(receiver.publicKey, this.publicKey, receiver.publicKey);
    return toText(joined(iv, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain))));
  }

  /**
   * @param {Member} giver
   * @param {unknown} text as `handOver` of the other side made it
   * @returns {Promise<Given | null>} null if it is not from there, or not for here
   */
  async receive(giver, text) {
    const bytes = fromText(text);
    if (!bytes) return null;
    try {
      const key = await this.#between(giver.publicKey, giver.publicKey, this.publicKey);
      const plain = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes.subarray(0, IV_SIZE) }, key, bytes.subarray(IV_SIZE)));
      return { generation: numberOf(plain.subarray(0, GENERATION_SIZE)), step: plain[GENERATION_SIZE] ?? 0, baseKey: plain.slice(GENERATION_SIZE + 1) };
    } catch {
      return null;
    }
  }

  /**
   * What everybody who has the same secret and sees the same members gets: to be compared by voice.
   * @param {Member[]} others
   * @param {string} userId one's own
   * @returns {Promise<string>} groups of five digits
   */
  async safetyNumber(others, userId) {
    const all = [...others.map((member) => listed(utf8(member.userId), member.publicKey)), listed(utf8(userId), this.publicKey)];
    const texts = all.map(toText).sort();
    let digest = listed(await this.#derived("safety"), ...texts.map(utf8));
    for (let round = 0; round < SAFETY_ROUNDS; round++) digest = new Uint8Array(await crypto.subtle.digest("SHA-256", digest));
    const groups = Array.from({ length: SAFETY_GROUPS }, (_, group) => numberOf(digest.subarray(group * SAFETY_GROUP_BYTES, (group + 1) * SAFETY_GROUP_BYTES)));
    return groups.map((group) => String(group % 100_000).padStart(5, "0")).join(" ");
  }

  /** @param {"sign" | "verify"} use */
  async #proving(use) {
    return crypto.subtle.importKey("raw", await this.#derived("announcement"), { name: "HMAC", hash: "SHA-256" }, false, [use]);
  }

  /**
   * A key of two, for one direction.
   * @param {Bytes} theirs
   * @param {Bytes} giver
   * @param {Bytes} receiver
   */
  async #between(theirs, giver, receiver) {
    const publicKey = await crypto.subtle.importKey("raw", theirs, CURVE, false, []);
    const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: publicKey }, this.#pair.privateKey, 256);
    const material = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
    const parameters = { name: "HKDF", hash: "SHA-256", salt: await this.#derived("hand over"), info: listed(giver, receiver) };
    return crypto.subtle.deriveKey(parameters, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }

  /**
   * @param {string} purpose
   * @returns {Promise<Bytes>} a key for this alone
   */
  async #derived(purpose) {
    const material = await crypto.subtle.importKey("raw", this.#secret, "HKDF", false, ["deriveBits"]);
    const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: utf8(LABEL + purpose) };
    return new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 256));
  }
}

/** @param {Bytes} publicKey */
async function senderOf(publicKey) {
  return numberOf(new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)).subarray(0, 4));
}

/** @param {string} secret */
async function stretched(secret) {
  const material = await crypto.subtle.importKey("raw", utf8(secret), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt: utf8(LABEL + "secret"), iterations: STRETCHING };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 256));
}
