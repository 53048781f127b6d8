/**
 * This person's own camera and microphone: opened, switched off and on, exchanged for others.
 *
 * The microphone stays open while it is off, so that it is back at once; the camera is closed, so that its light goes out.
 */

import { mayUse } from "./policy.js";

/** @typedef {"audio" | "video"} Kind */
/** @typedef {{ width?: number, height?: number, fps?: number }} PictureSize */

const KINDS = /** @type {const} */ (["audio", "video"]);

/**
 * Fires `change` (what is on, which tracks), `devices` (the lists) and `problem` (detail: `{ kind, name }`).
 */
export class LocalMedia extends EventTarget {
  /** For a preview: always holds the present tracks. */
  stream = new MediaStream();
  /** @type {Record<Kind, boolean>} */ on = { audio: false, video: false };
  /** @type {Record<Kind, string | undefined>} device ids */ chosen = { audio: undefined, video: undefined };
  /** @type {Record<Kind, number>} the latest request for each kind */ #turn = { audio: 0, video: 0 };
  #size;

  /** @param {PictureSize} size */
  constructor(size) {
    super();
    this.#size = size;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.dispatchEvent(new Event("devices")));
  }

  /** @param {Kind} kind */
  track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind) ?? null;
  }

  /**
   * Opens what is wanted, both with one question to the person where possible. Never throws: what fails is told by `problem`.
   * @param {Record<Kind, boolean>} wanted
   */
  async start(wanted) {
    if (wanted.audio && wanted.video && KINDS.every(mayUse)) {
      try {
        const both = await this.#open({ audio: true, video: true });
        for (const kind of KINDS) this.#take(kind, both.getTracks().find((track) => track.kind === kind) ?? null);
        return this.#changed();
      } catch {
        // one of the two may still work: each is asked for alone, and tells its own problem
      }
    }
    for (const kind of KINDS) if (wanted[kind]) await this.set(kind, true);
  }

  /**
   * @param {Kind} kind
   * @param {boolean} on
   */
  async set(kind, on) {
    const turn = ++this.#turn[kind];
    if (!on) return this.#switchOff(kind);
    const open = this.track(kind);
    if (open) {
      open.enabled = this.on[kind] = true;
      return this.#changed();
    }
    try {
      const opened = (await this.#open({ audio: kind === "audio", video: kind === "video" })).getTracks()[0] ?? null;
      if (turn === this.#turn[kind]) this.#take(kind, opened);
      else opened?.stop();
    } catch (error) {
      this.#problem(kind, error);
    }
    this.#changed();
  }

  /**
   * @param {Kind} kind
   * @param {string} deviceId
   */
  async choose(kind, deviceId) {
    this.chosen[kind] = deviceId;
    if (!this.track(kind)) return;
    const wasOn = this.on[kind];
    try {
      const opened = (await this.#open({ audio: kind === "audio", video: kind === "video" })).getTracks()[0] ?? null;
      this.#take(kind, opened);
      if (opened) opened.enabled = this.on[kind] = wasOn;
    } catch (error) {
      this.#problem(kind, error);
    }
    this.#changed();
  }

  /** @returns {Promise<MediaDeviceInfo[]>} with names as far as the browser tells them */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return devices.filter((device) => device.deviceId !== "");
  }

  /** Closes everything. */
  stop() {
    for (const kind of KINDS) {
      this.#turn[kind] += 1;
      this.#take(kind, null);
    }
    this.#changed();
  }

  /** @param {Kind} kind */
  #switchOff(kind) {
    this.on[kind] = false;
    const track = this.track(kind);
    if (track && kind === "audio") track.enabled = false;
    else this.#take(kind, null);
    this.#changed();
  }

  /** @param {Record<Kind, boolean>} kinds */
  #open({ audio, video }) {
    if ((audio && !mayUse("audio")) || (video && !mayUse("video"))) return Promise.reject(new DOMException("switched off by the page around this one", "PolicyError"));
    if (!navigator.mediaDevices) return Promise.reject(new DOMException("needs a secure page", "SecurityError"));
    const { width = 1280, height = 720, fps = 30 } = this.#size;
    return navigator.mediaDevices.getUserMedia({
      audio: audio && { ...wish(this.chosen.audio), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      video: video && { ...wish(this.chosen.video), width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps } },
    });
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  #take(kind, track) {
    const before = this.track(kind);
    if (before) {
      this.stream.removeTrack(before);
      before.stop();
    }
    this.on[kind] = track !== null;
    if (!track) return;
    this.stream.addTrack(track);
    this.chosen[kind] ??= track.getSettings().deviceId;
    track.addEventListener("ended", () => {
      if (this.track(kind) !== track) return;
      this.#take(kind, null);
      this.#problem(kind, new DOMException("the device is gone", "NotFoundError"));
      this.#changed();
    });
  }

  /**
   * @param {Kind} kind
   * @param {unknown} error
   */
  #problem(kind, error) {
    this.on[kind] = this.track(kind) !== null && this.on[kind];
    const name = error instanceof DOMException ? error.name : "UnknownError";
    this.dispatchEvent(new CustomEvent("problem", { detail: { kind, name } }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("devices"));
  }
}

/** @param {string | undefined} deviceId */
function wish(deviceId) {
  return deviceId ? { deviceId: { exact: deviceId } } : {};
}

/** How loud a microphone is, many times a second. */
export class LevelMeter {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {MediaStreamAudioSourceNode | null} */ #source = null;
  /** @type {AnalyserNode | null} */ #analyser = null;
  /** @type {MediaStreamTrack | null} */ #track = null;
  #samples = new Float32Array(512);

  /** @param {MediaStreamTrack | null} track */
  listen(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#source?.disconnect();
    this.#source = null;
    if (!track) return;
    this.#context ??= new AudioContext();
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: this.#samples.length });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
  }

  /** @returns {number} 0 to 1 */
  level() {
    if (!this.#track?.enabled || !this.#analyser) return 0;
    if (this.#context?.state === "suspended") this.#context.resume().catch(() => {});
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return Math.min(1, Math.sqrt(power));
  }
}

/**
 * A level as a share of a meter's length: ears hear ratios.
 * @param {number} level 0 to 1
 */
export function loudness(level) {
  return level <= 0.001 ? 0 : Math.min(1, 1 + Math.log10(level) / 3 + 0.12);
}
