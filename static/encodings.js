/**
 * How a track is to be encoded: which codec is asked for first, how many layers, how many bits each.
 *
 * Pure but for asking the browser what it can. Layers are listed from high to low, because browsers drop the last ones when the
 * source is small. VP9 and AV1 send one layer only unless every encoding names a scalability mode.
 */

/** @typedef {import("./types.js").PublishOptions} PublishOptions */

const BITS_PER_PIXEL = 0.054; // of VP8 at 30 frames/s: 1.5 Mbit/s for 1280x720, which a line of 2 Mbit/s carries
const FRAMES_PER_SECOND = 30;
const LEAST_BITRATE = 100_000; // bit/s
const SCREEN_BITRATE = 2_500_000; // bit/s
const SCREEN_FPS = 15;
const AUDIO_BITRATE = 40_000; // bit/s, Opus, one speaker
const ONE_SPATIAL_LAYER = "L1T1";
const NEEDS_SCALABILITY_MODE = new Set(["vp9", "av1"]);
/** @type {Record<string, number>} bits needed for the same picture, against VP8 */
const EFFICIENCY = { vp8: 1, h264: 1, vp9: 0.75, av1: 0.65 };
const LAYERS = [
  { rid: "f", scaleResolutionDownBy: 1, share: 1 },
  { rid: "h", scaleResolutionDownBy: 2, share: 0.3 },
  { rid: "q", scaleResolutionDownBy: 4, share: 0.09 },
];

/** @returns {RTCRtpEncodingParameters[]} */
export function audioEncodings() {
  return [{ maxBitrate: AUDIO_BITRATE, priority: "high", networkPriority: "high" }];
}

/**
 * @param {MediaStreamTrack} track
 * @param {PublishOptions} options
 * @param {number | null} limit bit/s the server allows
 * @returns {RTCRtpEncodingParameters[]}
 */
export function videoEncodings(track, options, limit) {
  const codec = options.codec ?? "vp8";
  const top = Math.min(options.maxBitrate ?? bestBitrate(track, options), limit ?? Infinity);
  /** @type {RTCRtpEncodingParameters} */
  const common = NEEDS_SCALABILITY_MODE.has(codec) ? /** @type {any} */ ({ scalabilityMode: ONE_SPATIAL_LAYER }) : {};
  if (options.label === "screen") common.maxFramerate = SCREEN_FPS;
  if (!wantsSimulcast(options)) return [{ ...common, maxBitrate: top }];
  return LAYERS.map(({ rid, scaleResolutionDownBy, share }) => ({
    ...common,
    rid,
    scaleResolutionDownBy,
    maxBitrate: Math.max(LEAST_BITRATE, Math.round(top * share)),
  }));
}

/** @param {PublishOptions} options */
export function wantsSimulcast(options) {
  return options.simulcast ?? options.label !== "screen";
}

/**
 * @param {MediaStreamTrack} track
 * @param {PublishOptions} options
 */
function bestBitrate(track, { label, codec = "vp8" }) {
  if (label === "screen") return SCREEN_BITRATE;
  const { width = 1280, height = 720 } = track.getSettings();
  return Math.max(LEAST_BITRATE * 2, Math.round(width * height * FRAMES_PER_SECOND * BITS_PER_PIXEL * (EFFICIENCY[codec] ?? 1)));
}

/**
 * Puts the wanted codec first and keeps all others behind it, retransmission included.
 * @param {RTCRtpTransceiver} transceiver
 * @param {string} wanted `vp8`, `vp9`, `h264` or `av1`; of sound `opus` or `red`: what a lost packet held comes with the next
 * @returns {boolean} false when this browser cannot send it: then it sends what it likes best
 */
export function preferCodec(transceiver, wanted) {
  if (typeof transceiver.setCodecPreferences !== "function") return false;
  const type = `${transceiver.receiver.track.kind}/${wanted}`;
  for (const capabilities of [RTCRtpSender, RTCRtpReceiver].map((side) => side.getCapabilities(transceiver.receiver.track.kind))) {
    const codecs = capabilities?.codecs ?? [];
    if (!codecs.some((codec) => rank(codec, type) === 0)) continue;
    try {
      transceiver.setCodecPreferences([...codecs].sort((a, b) => rank(a, type) - rank(b, type)));
      return true;
    } catch {
      continue; // browsers disagree on which of the two lists they accept
    }
  }
  return false;
}

/**
 * @param {RTCRtpCodec} codec
 * @param {string} type as `video/vp8`
 * @returns {number} 0 for the best match; sorting by it keeps the browser's order otherwise
 */
function rank(codec, type) {
  if (codec.mimeType.toLowerCase() !== type) return 3;
  const line = codec.sdpFmtpLine ?? "";
  if (type === "video/h264") return line.includes("packetization-mode=1") ? (line.includes("profile-level-id=42e0") ? 0 : 1) : 3;
  if (type === "video/vp9") return /profile-id=[1-9]/.test(line) ? 2 : 0;
  if (type === "video/av1") return /profile=[1-9]/.test(line) ? 2 : 0;
  return 0;
}
