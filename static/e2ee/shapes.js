/**
 * Which bytes of an encoded frame stay readable, and what the rest has to look like, so that packetizers and a forwarding server can
 * still do their work: they must find out key frames, sizes and where a frame begins, and find no units where there are none.
 *
 * VP8 keeps the first bytes (RFC 6386 section 9.1), VP9 and Opus nothing: their descriptors are outside of the frame. H.264 keeps
 * everything up to the beginning of the first slice's header, and the rest becomes the rest of that one unit, with the usual escapes
 * (ITU-T H.264 section 7.4.1). AV1 keeps sequence headers, and the rest becomes one unit of its own. The last byte of a frame tells
 * its shape; what stays readable is authenticated, parameter sets of H.264 excepted, which browsers rewrite on the way.
 */

import { joined } from "./bytes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */

/**
 * @typedef {object} Shaped a frame taken apart
 * @property {number} shape
 * @property {Bytes} clear what stays readable, as it is
 * @property {Bytes} secret to be sealed, or what was
 * @property {Bytes} metadata to be authenticated
 */

const KEY_CLEAR = 10; // bytes of a VP8 key frame: tag, start code, size
const DELTA_CLEAR = 3; // its tag
const ANNEX_B = 0xff;
const OBUS = 0xfe;
const SLICE_CLEAR = 4; // bytes of an H.264 slice's unit: its header, and which picture parameters it refers to
const FIRST_SLICE = 1;
const LAST_SLICE = 5;
const OBU_SEQUENCE_HEADER = 1;
const OBU_TEMPORAL_DELIMITER = 2;
const OBU_FRAME = 6;
const HAS_SIZE = 2;
const HAS_EXTENSION = 4;
const MAX_LEB128 = 8; // bytes

/**
 * @param {Bytes} frame as it was encoded
 * @param {string} codec `vp8`, `vp9`, `h264`, `av1` or `opus`
 * @param {boolean} key
 * @returns {Shaped | null} null for what cannot be taken apart
 */
export function shaped(frame, codec, key) {
  if (codec === "h264") return annexB(frame);
  if (codec === "av1") return obus(frame);
  const readable = codec === "vp8" ? Math.min(frame.length, key ? KEY_CLEAR : DELTA_CLEAR) : codec === "vp9" || codec === "opus" ? 0 : null;
  return readable === null ? null : plain(readable, frame.subarray(0, readable), frame.subarray(readable));
}

/**
 * @param {Shaped} frame
 * @param {Bytes} sealed
 * @returns {Bytes} to be sent
 */
export function wrapped({ shape, clear }, sealed) {
  const body = joined(sealed, Uint8Array.of(shape));
  if (shape === ANNEX_B) return joined(clear, escaped(clear, body));
  if (shape === OBUS) return joined(clear.subarray(0, -1), unit(clear.subarray(-1), body));
  return joined(clear, body);
}

/**
 * @param {Bytes} frame as it has arrived
 * @returns {Shaped | null} null if it is none of ours
 */
export function unwrapped(frame) {
  const shape = frame[frame.length - 1];
  if (shape === ANNEX_B) return sealedAnnexB(frame);
  if (shape === OBUS) return sealedObus(frame);
  if (shape === undefined || shape > KEY_CLEAR || shape >= frame.length) return null;
  return plain(shape, frame.subarray(0, shape), frame.subarray(shape, -1));
}

/**
 * @param {Shaped} frame
 * @param {Bytes} secret as it was before it was sealed
 * @returns {Bytes} to be decoded
 */
export function restored({ shape, clear }, secret) {
  return joined(shape === OBUS ? clear.subarray(0, -1) : clear, secret);
}

/**
 * @param {number} shape
 * @param {Bytes} clear
 * @param {Bytes} secret
 */
function plain(shape, clear, secret) {
  return { shape, clear, secret, metadata: joined(Uint8Array.of(shape), clear) };
}

// ---- H.264

/** @param {Bytes} frame */
function annexB(frame) {
  const slice = firstSlice(frame);
  if (slice === null) return null;
  const end = Math.min(slice + SLICE_CLEAR, frame.length);
  return { shape: ANNEX_B, clear: frame.subarray(0, end), secret: frame.subarray(end), metadata: joined(Uint8Array.of(ANNEX_B), frame.subarray(slice, end)) };
}

/** @param {Bytes} frame */
function sealedAnnexB(frame) {
  const found = annexB(frame);
  return found && { ...found, secret: unescaped(found.clear, found.secret).subarray(0, -1) };
}

/**
 * @param {Bytes} frame
 * @returns {number | null} where the unit begins, behind its start code
 */
function firstSlice(frame) {
  for (let at = 0; at + 3 < frame.length; at++) {
    if (frame[at] !== 0 || frame[at + 1] !== 0 || frame[at + 2] !== 1) continue;
    const type = (frame[at + 3] ?? 0) & 0x1f;
    if (type >= FIRST_SLICE && type <= LAST_SLICE) return at + 3;
  }
  return null;
}

/**
 * @param {Bytes} before what is in front of it
 * @param {Bytes} body
 * @returns {Bytes} without anything that looks like a start code
 */
function escaped(before, body) {
  const out = new Uint8Array(body.length + (body.length >> 1) + 1);
  let size = 0;
  let zeros = trailingZeros(before);
  for (const byte of body) {
    if (zeros >= 2 && byte <= 3) {
      out[size++] = 3;
      zeros = 0;
    }
    out[size++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, size);
}

/**
 * @param {Bytes} before
 * @param {Bytes} body
 * @returns {Bytes}
 */
function unescaped(before, body) {
  const out = new Uint8Array(body.length);
  let size = 0;
  let zeros = trailingZeros(before);
  for (const byte of body) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[size++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, size);
}

/** @param {Bytes} bytes */
function trailingZeros(bytes) {
  let zeros = 0;
  while (zeros < bytes.length && bytes[bytes.length - 1 - zeros] === 0) zeros += 1;
  return zeros;
}

// ---- AV1

/**
 * `clear` ends with the header that the sealed unit gets.
 * @param {Bytes} frame
 */
function obus(frame) {
  const units = unitsOf(frame);
  const first = units?.find(({ type }) => type !== OBU_SEQUENCE_HEADER && type !== OBU_TEMPORAL_DELIMITER);
  if (!units || !first) return null;
  const readable = units.filter(({ type }) => type === OBU_SEQUENCE_HEADER);
  const secret = units.filter(({ type }) => type !== OBU_SEQUENCE_HEADER && type !== OBU_TEMPORAL_DELIMITER).map(({ whole }) => whole);
  return around(readable, joined(...secret));
}

/** @param {Bytes} frame */
function sealedObus(frame) {
  const units = unitsOf(frame) ?? [];
  const last = units.pop();
  if (last?.type !== OBU_FRAME) return null;
  return around(units.filter(({ type }) => type === OBU_SEQUENCE_HEADER), last.payload.subarray(0, -1));
}

/**
 * @param {Unit[]} readable
 * @param {Bytes} secret
 */
function around(readable, secret) {
  const header = Uint8Array.of((OBU_FRAME << 3) | HAS_SIZE);
  const clear = joined(...readable.map(({ header: own, payload }) => unit(own, payload)), header);
  return { shape: OBUS, clear, secret, metadata: joined(Uint8Array.of(OBUS), clear) };
}

/** @typedef {{ type: number, header: Bytes, payload: Bytes, whole: Bytes }} Unit */

/**
 * @param {Bytes} frame
 * @returns {Unit[] | null} null if it does not come out even
 */
function unitsOf(frame) {
  /** @type {Unit[]} */
  const units = [];
  for (let at = 0; at < frame.length; ) {
    const first = frame[at] ?? 0;
    const header = frame.subarray(at, at + (first & HAS_EXTENSION ? 2 : 1));
    const body = at + header.length;
    const [size, start] = first & HAS_SIZE ? leb128(frame, body) : [frame.length - body, body];
    if (start + size > frame.length) return null;
    units.push({ type: (first >> 3) & 15, header, payload: frame.subarray(start, start + size), whole: frame.subarray(at, start + size) });
    at = start + size;
  }
  return units;
}

/**
 * @param {Bytes} header
 * @param {Bytes} payload
 * @returns {Bytes} with its size
 */
function unit(header, payload) {
  const size = [];
  for (let rest = payload.length; ; rest >>= 7) {
    size.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return joined(Uint8Array.of((header[0] ?? 0) | HAS_SIZE, ...header.subarray(1)), Uint8Array.from(size), payload);
}

/**
 * @param {Bytes} bytes
 * @param {number} at
 * @returns {[value: number, next: number]}
 */
function leb128(bytes, at) {
  let value = 0;
  for (let count = 0; count < MAX_LEB128; count++) {
    const byte = bytes[at + count] ?? 0;
    value += (byte & 127) * 2 ** (7 * count);
    if (byte < 128) return [value, at + count + 1];
  }
  return [Infinity, at];
}
