/**
 * Bytes as text and numbers, and put together.
 */

const encoder = new TextEncoder();

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/**
 * @param {string} text
 * @returns {Bytes} in UTF-8
 */
export function utf8(text) {
  return encoder.encode(text);
}

/**
 * @param {...Bytes} parts
 * @returns {Bytes}
 */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Several parts as one, so that no other parts give the same: each with its length in front.
 * @param {...Bytes} parts
 */
export function listed(...parts) {
  return joined(...parts.flatMap((part) => [bigEndian(part.length, 4), part]));
}

/**
 * @param {number} value up to 2^53
 * @param {number} size bytes
 * @returns {Bytes} the most significant first
 */
export function bigEndian(value, size) {
  const bytes = new Uint8Array(size);
  for (let at = size - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
  return bytes;
}

/**
 * @param {Bytes} bytes the most significant first
 * @returns {number}
 */
export function numberOf(bytes) {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/**
 * @param {Bytes} bytes
 * @returns {string} base64url without padding: RFC 4648 section 5
 */
export function toText(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * @param {unknown} text
 * @returns {Bytes | null} null if it is no base64url
 */
export function fromText(text) {
  if (typeof text !== "string" || !/^[\w-]*$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
