/**
 * Keeps what the conference sends equal to what is open here: camera and microphone as one stream, a shared screen as another.
 */

/** @typedef {import("../conference.js").Conference} Conference */
/** @typedef {import("./devices.js").LocalMedia} LocalMedia */
/** @typedef {import("../types.js").PublishOptions} PublishOptions */

const KINDS = /** @type {const} */ (["audio", "video"]);

export class CameraPublishing {
  /** @type {string | null} */ #streamId = null;
  /** @type {Record<"audio" | "video", MediaStreamTrack | null>} */ #sent = { audio: null, video: null };
  /** @type {Promise<void>} */ #work = Promise.resolve();

  /**
   * @param {Conference} conference
   * @param {LocalMedia} media
   * @param {PublishOptions} options
   */
  constructor(conference, media, options) {
    this.conference = conference;
    this.media = media;
    this.options = options;
    media.addEventListener("change", () => this.follow());
    conference.on("muted", ({ streamId, muted }) => {
      if (streamId === this.#streamId && muted.audio && media.on.audio) media.set("audio", false); // somebody else has muted us
    });
  }

  get streamId() {
    return this.#streamId;
  }

  /** Brings the conference to the present state of the devices, after changes that are under way. */
  follow() {
    this.#work = this.#work.then(() => this.#follow()).catch((error) => void this.conference.dispatchEvent(new CustomEvent("error", { detail: { error } })));
    return this.#work;
  }

  /** What was published is over; it begins anew when it may. */
  end() {
    this.#streamId = null;
    this.#sent = { audio: null, video: null };
  }

  async #follow() {
    const { media, conference } = this;
    if (conference.state === "left" || conference.state === "error" || !conference.mayPublish) return;
    const tracks = { audio: media.track("audio"), video: media.track("video") };
    if (!this.#streamId) {
      if (!tracks.audio && !tracks.video) return;
      this.#sent = tracks;
      this.#streamId = await conference.publish(media.stream, { ...this.options, label: "camera" });
    }
    for (const kind of KINDS) {
      if (this.#sent[kind] === tracks[kind]) continue;
      this.#sent[kind] = tracks[kind];
      await conference.replaceTrack(this.#streamId, kind, tracks[kind]);
    }
    const muted = conference.muted(this.#streamId);
    const wanted = { audio: !media.on.audio, video: !media.on.video };
    if (muted.audio !== wanted.audio || muted.video !== wanted.video) await conference.mute(this.#streamId, wanted);
  }
}

/**
 * Asks for a screen and publishes it until it is stopped here, or by the browser's own button.
 */
export class ScreenPublishing {
  /** @type {MediaStream | null} */ #screen = null;
  /** @type {string | null} */ #streamId = null;

  /**
   * @param {Conference} conference
   * @param {PublishOptions} options
   * @param {(sharing: boolean) => void} onChange
   */
  constructor(conference, options, onChange) {
    this.conference = conference;
    this.options = options;
    this.onChange = onChange;
  }

  get sharing() {
    return this.#screen !== null;
  }

  async start() {
    const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
    const picture = screen.getVideoTracks()[0];
    if (!picture) return;
    picture.contentHint = "detail";
    picture.addEventListener("ended", () => this.stop());
    this.#screen = screen;
    this.onChange(true);
    try {
      this.#streamId = await this.conference.publish(screen, { codec: this.options.codec, label: "screen" });
    } catch (error) {
      await this.stop();
      throw error;
    }
    if (!this.#screen) await this.conference.unpublish(this.#streamId); // stopped while the server was asked
  }

  async stop() {
    const streamId = this.#streamId;
    for (const track of this.#screen?.getTracks() ?? []) track.stop();
    this.#screen = this.#streamId = null;
    this.onChange(false);
    if (streamId) await this.conference.unpublish(streamId);
  }
}
