/**
 * One stream on the bench: its picture, its numbers, its plots, and which layer of it is wanted.
 */

import { h } from "./dom.js";
import { Plot } from "./plot.js";

/** @typedef {import("../types.js").StreamStats} StreamStats */
/** @typedef {import("../types.js").TrackStats} TrackStats */
/** @typedef {import("../types.js").Wish} Wish */

/** @type {{ text: string, wish: Wish }[]} the first one holds until another is chosen */
const WISHES = [
  { text: "best", wish: {} },
  { text: "up to 960×540", wish: { maxWidth: 960, maxHeight: 540 } },
  { text: "up to 640×360", wish: { maxWidth: 640, maxHeight: 360 } },
  { text: "up to 320×180", wish: { maxWidth: 320, maxHeight: 180 } },
  { text: "up to 15 frames/s", wish: { maxFps: 15 } },
  { text: "sound only", wish: { video: false } },
  { text: "nothing", wish: { audio: false, video: false } },
];
const COLUMNS = ["track", "codec", "size", "fps", "kbit/s", "pkt/s", "loss", "lost", "jitter", "rtt", "frames", "key", "freezes", "NACK", "PLI", "limited by"];

/** @param {number} bits per second */
export const kilobits = (bits) => (bits >= 999_500 ? `${(bits / 1e6).toFixed(2)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`);
/** @param {number | null} seconds */
export const milliseconds = (seconds) => (seconds === null ? "–" : `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`);
/** @param {number} share */
export const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

export class LabStream {
  #plots = {
    bitrate: new Plot("bitrate", kilobits, 100_000),
    fps: new Plot("frames/s", (value) => value.toFixed(0), 30),
    loss: new Plot("loss", percent, 0.02),
    jitter: new Plot("jitter", milliseconds, 0.01),
    roundTrip: new Plot("round trip", milliseconds, 0.01),
  };
  #rows = h("tbody");
  #layers = h("span", { class: "lab-layer" });
  #way = h("span", { class: "lab-tag", hidden: true });

  /**
   * @param {object} options
   * @param {string} options.streamId
   * @param {string} options.userId
   * @param {string} options.label
   * @param {string} options.name of whose it is
   * @param {MediaStream} options.mediaStream
   * @param {((wish: Wish) => void) | null} options.onWish null for own streams
   */
  constructor({ streamId, userId, label, name, mediaStream, onWish }) {
    /** @type {Record<string, string>} */
    const data = onWish ? { userId, streamId, label } : { self: "" };
    this.video = h("video", { autoplay: true, playsinline: "", muted: !onWish, data });
    this.video.srcObject = mediaStream;
    const wish = onWish && h("select", { "aria-label": "Layer wanted" }, ...WISHES.map(({ text }) => h("option", { text })));
    wish?.addEventListener("change", () => onWish?.(WISHES[wish.selectedIndex]?.wish ?? {}));
    this.element = h(
      "article",
      { class: "lab-stream" },
      h(
        "header",
        {},
        h("span", { class: `lab-tag ${onWish ? "is-in" : "is-out"}`, text: onWish ? "received" : "sent" }),
        h("strong", { text: `${name} · ${label}` }),
        this.#way,
        this.#layers,
        h("span", { class: "spring" }),
        h("code", { text: streamId.slice(0, 8), title: streamId }),
        wish && h("label", { class: "lab-wish" }, "want", wish),
      ),
      h("div", { class: "lab-row" }, this.video, h("div", { class: "plots" }, ...Object.values(this.#plots).map((plot) => plot.element))),
      h("div", { class: "lab-scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...COLUMNS.map((text) => h("th", { scope: "col", text })))), this.#rows)),
    );
  }

  /** @param {StreamStats} stats */
  update(stats) {
    for (const [name, plot] of Object.entries(this.#plots)) plot.add(/** @type {any} */ (stats)[name]);
    const pictures = stats.layers.length ? stats.layers : stats.video ? [stats.video] : [];
    const tracks = [...pictures, ...(stats.audio ? [stats.audio] : [])];
    this.#rows.replaceChildren(...tracks.map(row));
    this.#layers.textContent = stats.layer ?? "";
    this.#way.hidden = false;
    this.#way.className = `lab-tag is-${stats.way}`;
    this.#way.textContent = stats.way === "direct" ? "direct" : "by the server";
  }

  remove() {
    this.video.srcObject = null;
    this.element.remove();
  }
}

/** @param {TrackStats} track */
function row(track) {
  const picture = track.kind === "video";
  const cells = [
    picture ? `picture${track.rid ? ` ${track.rid}` : ""}` : "sound",
    track.codec ?? "–",
    picture && track.width ? `${track.width}×${track.height}` : "–",
    picture ? track.fps.toFixed(0) : "–",
    (track.bitrate / 1000).toFixed(0),
    track.packetRate.toFixed(0),
    percent(track.loss),
    track.packetsLost,
    milliseconds(track.jitter),
    milliseconds(track.roundTrip),
    picture ? track.frames : "–",
    picture ? track.keyFrames : "–",
    picture ? track.freezes : "–",
    track.nacks,
    picture ? track.plis : "–",
    track.limitation ?? "–",
  ];
  return h("tr", { class: track.bitrate ? "" : "is-idle" }, ...cells.map((cell) => h("td", { text: String(cell) })));
}
