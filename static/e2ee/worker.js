/**
 * The worker in which frames are sealed and opened, so that a busy page does not hold them up.
 *
 * It is told keys and what belongs to whom by messages (`frames.js` sends them), and gets frames by `RTCRtpScriptTransform`, or as
 * pairs of streams where a browser has only the older `createEncodedStreams`. What cannot be sealed or opened goes nowhere.
 */

import { Keys, Opening } from "./opening.js";
import { Sealing } from "./sealing.js";

/** @typedef {{ id: number, direction: "seal" | "open", kind: "audio" | "video" }} Section */
/** @typedef {{ readable: ReadableStream<Frame>, writable: WritableStream<Frame> }} Streams */
/** @typedef {{ data: ArrayBuffer, type?: string, getMetadata: () => { payloadType?: number } }} Frame of sound or picture */
/** @typedef {{ options: Section, sendKeyFrameRequest?: () => Promise<unknown> } & Streams} Transformer */

const KEY_FRAME_AGAIN = 1000; // milliseconds between two requests
const SOUND = "opus";

const scope = /** @type {any} */ (self);
const keys = new Keys(() => scope.postMessage("missing"));
const sealing = new Sealing();
/** @type {Map<number, Opening>} by section */ const openings = new Map();
/** @type {Map<number, Record<number, string>>} codecs of payload types, by section */ const codecs = new Map();

/** @type {Record<string, (message: any) => void>} */
const ACTS = {
  own: ({ key }) => sealing.use(key),
  theirs: ({ key }) => keys.add(key),
  gone: ({ userId }) => keys.remove(userId),
  codecs: ({ id, names }) => codecs.set(id, names),
  owner: ({ id, kind, userId }) => (openingOf(id, kind).owner = userId),
  streams: ({ section, readable, writable }) => run(section, { readable, writable }, null),
};

scope.onmessage = (/** @type {MessageEvent} */ { data }) => ACTS[data.act]?.(data);
scope.onrtctransform = (/** @type {{ transformer: Transformer }} */ { transformer }) => run(transformer.options, transformer, transformer);

/**
 * @param {Section} section
 * @param {Streams} streams
 * @param {Transformer | null} transformer
 */
function run(section, { readable, writable }, transformer) {
  const transform = section.direction === "seal" ? sealer(section) : opener(section, transformer);
  const over = () => void (openings.delete(section.id), codecs.delete(section.id));
  readable.pipeThrough(new TransformStream({ transform })).pipeTo(writable).then(over, over);
}

/** @param {Section} section */
function sealer({ id, kind }) {
  return async (/** @type {Frame} */ frame, /** @type {TransformStreamDefaultController<Frame>} */ controller) => {
    const codec = kind === "audio" ? SOUND : (codecs.get(id)?.[frame.getMetadata().payloadType ?? -1] ?? "");
    const sealed = await sealing.sealed(new Uint8Array(frame.data), codec, frame.type === "key");
    if (!sealed) return;
    frame.data = bufferOf(sealed);
    controller.enqueue(frame);
  };
}

/**
 * @param {Section} section
 * @param {Transformer | null} transformer
 */
function opener({ id, kind }, transformer) {
  const opening = openingOf(id, kind);
  let broken = false; // a frame is missing, and what follows cannot be decoded without a key frame
  let askedAt = -Infinity;
  return async (/** @type {Frame} */ frame, /** @type {TransformStreamDefaultController<Frame>} */ controller) => {
    const opened = await opening.opened(new Uint8Array(frame.data));
    if (!opened) return void (broken = true);
    frame.data = bufferOf(opened);
    controller.enqueue(frame);
    if (kind === "audio" || frame.type === "key") broken = false;
    if (!broken || performance.now() - askedAt < KEY_FRAME_AGAIN) return;
    askedAt = performance.now();
    transformer?.sendKeyFrameRequest?.().catch(() => {});
  };
}

/**
 * @param {number} id
 * @param {"audio" | "video"} kind
 */
function openingOf(id, kind) {
  const opening = openings.get(id) ?? new Opening(keys, kind === "video");
  openings.set(id, opening);
  return opening;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
function bufferOf(bytes) {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}
