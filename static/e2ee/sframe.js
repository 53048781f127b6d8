/**
 * SFrame: one frame of sound or picture, encrypted and authenticated under a sender's key. RFC 9605.
 *
 * The cipher suite is AES_128_GCM_SHA256_128. The key identifier tells whose key it is, which of them, and how often it was
 * ratcheted (section 5.1); here the sender's own number stands in front of it, so that a frame says itself who sent it, in whichever
 * section the server puts it. Counters belong to a key: whoever seals sees to it that none is used twice.
 */

import { bigEndian, joined, numberOf, utf8 } from "./bytes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {{ kid: number, key: CryptoKey, salt: Bytes }} FrameKey */
/** @typedef {{ kid: number, ctr: number, size: number }} Header `size`: bytes */
/** @typedef {{ sender: number, generation: number, step: number }} KeyName */

export const BASE_KEY_SIZE = 32; // bytes: Nh
export const LAST_STEP = 255;
const GENERATIONS = 4096; // that a key identifier can tell apart
const SUITE = 4;
const KEY_SIZE = 16; // bytes: Nk
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const KID_SIZE = 8; // bytes, in derivation
const INLINE = 7; // the largest number that stands in the header's first byte
const LONGEST_NUMBER = 6; // bytes that a header's number may have here
const NO_SALT = new Uint8Array(0);

/** @param {KeyName} name */
export function kidOf({ sender, generation, step }) {
  return (sender * GENERATIONS + (generation % GENERATIONS)) * (LAST_STEP + 1) + step;
}

/**
 * @param {number} kid
 * @returns {KeyName} its generation as far as the identifier tells
 */
export function nameOf(kid) {
  const step = kid % (LAST_STEP + 1);
  const rest = Math.floor(kid / (LAST_STEP + 1));
  return { sender: Math.floor(rest / GENERATIONS), generation: rest % GENERATIONS, step };
}

/**
 * @param {number} generation
 * @param {number} other
 */
export function sameGeneration(generation, other) {
  return generation % GENERATIONS === other % GENERATIONS;
}

/**
 * @param {number} kid
 * @param {number} ctr
 * @returns {Bytes}
 */
export function writeHeader(kid, ctr) {
  const [x, name] = field(kid);
  const [y, count] = field(ctr);
  return joined(Uint8Array.of((x << 4) | y), name, count);
}

/**
 * @param {Bytes} frame
 * @returns {Header | null} null if there is none, or one with numbers that are not used here
 */
export function readHeader(frame) {
  const config = frame[0] ?? 0;
  const kidSize = config & 0x80 ? ((config >> 4) & 7) + 1 : 0;
  const ctrSize = config & 0x08 ? (config & 7) + 1 : 0;
  const size = 1 + kidSize + ctrSize;
  if (frame.length < size + TAG_SIZE || kidSize > LONGEST_NUMBER + 1 || ctrSize > LONGEST_NUMBER) return null;
  const kid = kidSize ? numberOf(frame.subarray(1, 1 + kidSize)) : (config >> 4) & 7;
  const ctr = ctrSize ? numberOf(frame.subarray(1 + kidSize, size)) : config & 7;
  return Number.isSafeInteger(kid) ? { kid, ctr, size } : null;
}

/**
 * @param {Bytes} baseKey
 * @param {number} kid
 * @returns {Promise<FrameKey>}
 */
export async function deriveKey(baseKey, kid) {
  const about = joined(bigEndian(kid, KID_SIZE), bigEndian(SUITE, 2));
  const secret = await derive(baseKey, joined(utf8("SFrame 1.0 Secret key "), about), KEY_SIZE);
  const salt = await derive(baseKey, joined(utf8("SFrame 1.0 Secret salt "), about), NONCE_SIZE);
  const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]);
  return { kid, key, salt };
}

/**
 * @param {Bytes} baseKey
 * @returns {Promise<Bytes>} the one after it, from which it cannot be told
 */
export function ratcheted(baseKey) {
  return derive(baseKey, utf8("SFrame 1.0 Ratchet"), BASE_KEY_SIZE);
}

/**
 * @param {FrameKey} key
 * @param {number} ctr never used with this key before
 * @param {Bytes} plain
 * @param {Bytes} metadata that is authenticated along
 * @returns {Promise<Bytes>} header and ciphertext
 */
export async function seal(key, ctr, plain, metadata) {
  const header = writeHeader(key.kid, ctr);
  const parameters = { name: "AES-GCM", iv: nonceOf(key, ctr), additionalData: joined(header, metadata) };
  return joined(header, new Uint8Array(await crypto.subtle.encrypt(parameters, key.key, plain)));
}

/**
 * @param {FrameKey} key
 * @param {Header} header of the frame
 * @param {Bytes} frame
 * @param {Bytes} metadata
 * @returns {Promise<Bytes>} rejects if anything of it was changed
 */
export async function open(key, { ctr, size }, frame, metadata) {
  const parameters = { name: "AES-GCM", iv: nonceOf(key, ctr), additionalData: joined(frame.subarray(0, size), metadata) };
  return new Uint8Array(await crypto.subtle.decrypt(parameters, key.key, frame.subarray(size)));
}

/**
 * @param {number} value
 * @returns {[bits: number, bytes: Bytes]} X and K, or Y and C, of the first byte; what follows it
 */
function field(value) {
  if (value <= INLINE) return [value, NO_SALT];
  let size = 1;
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) size += 1;
  return [8 | (size - 1), bigEndian(value, size)];
}

/**
 * @param {FrameKey} key
 * @param {number} ctr
 */
function nonceOf({ salt }, ctr) {
  return bigEndian(ctr, NONCE_SIZE).map((byte, at) => byte ^ (salt[at] ?? 0));
}

/**
 * HKDF with an empty salt.
 * @param {Bytes} secret
 * @param {Bytes} info
 * @param {number} size bytes
 */
async function derive(secret, info, size) {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: NO_SALT, info }, material, size * 8));
}
