/**
 * One low-latency HLS stream in a video element: the state that it is in, and how far behind the present it shows.
 *
 * The playlist is asked for until there is one; from then on hls.js plays it, or the browser where that has HLS of its
 * own. What breaks is tried again for as long as the page is open, unless the server says that there is nothing.
 */

import Hls from "./vendor/hls.light.min.mjs";

/** @typedef {"loading" | "waiting" | "live" | "interrupted" | "ended" | "missing" | "unsupported"} StreamState */

const TRY_AGAIN = 2000; // milliseconds
const LOOK_EVERY = 700; // milliseconds
const FAR_BEHIND = 6; // seconds: then it jumps
const NATIVE = "application/vnd.apple.mpegurl";
const PATIENT = { maxTimeToFirstByteMs: 12_000, maxLoadTimeMs: 20_000, timeoutRetry: null, errorRetry: { maxNumRetry: 8, retryDelayMs: 500, maxRetryDelayMs: 2000 } };

export class LiveStream extends EventTarget {
  /** @type {StreamState} */
  state = "loading";
  /** @type {Hls | null} */
  #hls = null;
  /** @type {number | undefined} */
  #timer;
  #over = false; // the playlist has its end
  #ahead = -Infinity; // milliseconds by which the server's clock is ahead of ours, at least

  /**
   * @param {HTMLVideoElement} video
   * @param {string} url of the playlist
   */
  constructor(video, url) {
    super();
    this.video = video;
    this.url = url;
    video.addEventListener("playing", () => this.#enter("live"));
    video.addEventListener("ended", () => this.#enter("ended"));
  }

  /** Begins; what becomes of it is told by `change` events. */
  async start() {
    clearTimeout(this.#timer);
    if (!Hls.isSupported() && !this.video.canPlayType(NATIVE)) return this.#enter("unsupported");
    try {
      const response = await fetch(this.url);
      if (response.ok) return this.#play();
      if (response.status === 404) return this.#enter("missing");
      this.#enter("waiting");
    } catch {
      this.#enter("interrupted");
    }
    this.#later(() => this.start());
  }

  /** Seconds from what happened to what is shown now; null while that is not known. */
  behind() {
    const shown = this.#hls?.playingDate?.getTime();
    if (shown === undefined || this.state !== "live") return null;
    const now = Date.now() + (Number.isFinite(this.#ahead) ? this.#ahead : 0);
    return Math.max(0, (now - shown) / 1000);
  }

  /** Seconds by which it shows less than it could. */
  late() {
    const newest = this.#hls?.liveSyncPosition;
    return newest ? Math.max(0, newest - this.video.currentTime) : 0;
  }

  /** Shows the present again. */
  goLive() {
    const newest = this.#hls?.liveSyncPosition;
    if (newest) this.video.currentTime = newest;
    return this.video.play();
  }

  close() {
    clearTimeout(this.#timer);
    this.#hls?.destroy();
    this.#hls = null;
  }

  #play() {
    this.close();
    if (!Hls.isSupported()) {
      this.video.src = this.url;
      return;
    }
    this.#hls = new Hls({
      lowLatencyMode: true,
      enableWorker: false, // fragmented MP4 goes to the browser as it is
      backBufferLength: 30,
      liveMaxLatencyDuration: FAR_BEHIND,
      liveSyncDuration: 1,
      liveSyncOnStallIncrease: 0.3,
      maxLiveSyncPlaybackRate: 1.2,
      manifestLoadPolicy: { default: PATIENT },
      playlistLoadPolicy: { default: PATIENT },
    });
    this.#hls.on(Hls.Events.MANIFEST_PARSED, () => this.dispatchEvent(new Event("ready")));
    this.#hls.on(Hls.Events.LEVEL_LOADED, (_, data) => this.#loaded(data));
    this.#hls.on(Hls.Events.ERROR, (_, error) => this.#failed(error));
    this.#hls.loadSource(this.url);
    this.#hls.attachMedia(this.video);
  }

  /** @param {import("./vendor/hls.light.min.mjs").LevelData} data */
  #loaded({ details, networkDetails }) {
    this.#over = !details.live;
    if (this.#over) this.#awaitEnd(-1);
    const date = networkDetails instanceof XMLHttpRequest ? Date.parse(networkDetails.getResponseHeader("Date") ?? "") : NaN;
    // the header has whole seconds: the server's clock is as far ahead as the answer that was latest in its second says
    if (!Number.isNaN(date)) this.#ahead = Math.max(this.#ahead, date - Date.now());
    if (this.state === "interrupted") this.#enter("live");
  }

  /**
   * Of a stream that nothing comes of any more: where it stands still it has been shown to its end. The player does not
   * always say so when the last part came as a part.
   * @param {number} before the time that was shown when it was last looked
   */
  #awaitEnd(before) {
    const { currentTime, paused } = this.video;
    if (currentTime === before && !paused) this.#enter("ended");
    else this.#later(() => this.#awaitEnd(currentTime), LOOK_EVERY);
  }

  /** @param {import("./vendor/hls.light.min.mjs").ErrorData} error */
  #failed(error) {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) {
      this.#hls?.recoverMediaError();
      return;
    }
    this.close();
    if (this.#over) return this.#enter("ended");
    this.#enter("interrupted");
    this.#later(() => this.start());
  }

  /** @param {() => unknown} work @param {number} [delay] */
  #later(work, delay = TRY_AGAIN) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, delay);
  }

  /** @param {StreamState} state */
  #enter(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
