/**
 * One tile of the stage: a person, a screen somebody shares, a slide somebody presents, or one picture of everybody.
 *
 * A tile keeps its `<video>` for as long as its stream lives. Without a picture it shows who it is.
 */

import { h } from "./dom.js";
import { icon, signal } from "./icons.js";
import { t } from "./texts.js";

/** @typedef {import("../types.js").RemoteStream} RemoteStream */

const HUES = 8; // colours that avatars come in, see room.css

export class Tile {
  /** @type {HTMLVideoElement | null} */ video = null;
  /** @type {RemoteStream | null} */ stream = null;
  /** Pixels, once it has come to rest. */
  size = { width: 0, height: 0 };
  #name = "";
  #muted = { audio: false, video: false };
  #speaking = false;
  #initials = h("span", { class: "tile-initials" });
  #avatar = h("div", { class: "avatar tile-avatar" }, this.#initials);
  #label = h("span", { class: "tile-name" });
  #mic = h("span", { class: "tile-mic", hidden: true }, icon("micOff"));
  #hand = h("span", { class: "tile-badge tile-hand", hidden: true }, icon("hand"));
  #quality = h("span", { class: "tile-badge tile-quality", hidden: true });
  /** @type {HTMLImageElement | null} */ #slide = null;
  /** @type {HTMLElement | null} controls of the slide */ #tools = null;
  #pin = h("button", { class: "tile-button", type: "button" });

  /**
   * @param {object} options
   * @param {string} options.id
   * @param {"person" | "screen" | "slide" | "common"} options.kind
   * @param {string} options.userId
   * @param {boolean} [options.self]
   * @param {(tile: Tile) => void} options.onPin
   * @param {() => void} options.onBlocked the browser has refused to play sound
   */
  constructor({ id, kind, userId, self = false, onPin, onBlocked }) {
    this.id = id;
    this.kind = kind;
    this.userId = userId;
    this.self = self;
    this.onBlocked = onBlocked;
    this.element = h(
      "article",
      { class: `tile tile-${kind}${self ? " tile-self" : ""}`, data: { tile: id } },
      this.#avatar,
      h("div", { class: "tile-badges" }, this.#hand, this.#quality),
      h("div", { class: "tile-tools" }, this.#pin),
      h("div", { class: "tile-footer" }, this.#mic, this.#label),
    );
    this.#pin.addEventListener("click", () => onPin(this));
    this.element.addEventListener("dblclick", () => onPin(this));
    this.setPinned(false);
    this.#showPicture();
  }

  get name() {
    return this.#name;
  }

  /** @param {string} name */
  setName(name) {
    this.#name = name;
    this.#label.textContent = this.self ? `${name} (${t("you")})` : this.#heading(name);
    this.#initials.textContent = initialsOf(name);
    this.#avatar.dataset.hue = String(hueOf(this.userId));
    this.setPinned(this.element.classList.contains("is-pinned"));
    this.#describe();
  }

  /**
   * Shows a stream of somebody else, or none.
   * @param {RemoteStream | null} stream
   */
  show(stream) {
    if (stream?.id === this.stream?.id) return;
    this.video?.remove();
    this.video = null;
    this.stream = stream;
    if (stream) {
      const data = { userId: stream.userId, streamId: stream.id, label: stream.label };
      this.#insert(h("video", { autoplay: true, playsinline: "", data }), stream.mediaStream);
    }
    this.#showPicture();
  }

  /**
   * Shows one's own picture, mirrored and silent.
   * @param {MediaStream} mediaStream
   */
  showSelf(mediaStream) {
    this.#insert(h("video", { autoplay: true, playsinline: "", muted: true, data: { self: "" } }), mediaStream);
  }

  /** @param {string} address of the picture */
  showSlide(address) {
    this.#slide ??= h("img", { class: "tile-slide", data: { slide: "" } });
    if (!this.#slide.parentNode) this.element.prepend(this.#slide);
    if (this.#slide.getAttribute("src") !== address) this.#slide.src = address;
    this.#slide.alt = this.#label.textContent ?? "";
  }

  /** @param {HTMLElement | null} tools what the slide is turned with, where oneself presents */
  setTools(tools) {
    if (tools === this.#tools) return;
    this.#tools?.remove();
    this.#tools = tools;
    if (tools) this.element.append(tools);
  }

  /** Tries again to play, from within a click. */
  play() {
    this.video?.play().catch(() => {});
  }

  /** @param {import("../types.js").Muted} muted */
  setMuted(muted) {
    this.#muted = muted;
    this.#mic.hidden = !muted.audio || this.kind !== "person";
    this.#showPicture();
    this.#describe();
  }

  /** @param {boolean} speaking */
  setSpeaking(speaking) {
    if (speaking === this.#speaking) return;
    this.#speaking = speaking;
    this.element.classList.toggle("is-speaking", speaking);
    this.#describe();
  }

  /** @param {boolean} active the one who is heard most */
  setActive(active) {
    this.element.classList.toggle("is-active", active);
  }

  /** @param {boolean} raised */
  setHand(raised) {
    this.#hand.hidden = !raised;
    this.#describe();
  }

  /** @param {number} bars 0 to 4; a good connection is not worth a sign */
  setQuality(bars) {
    this.#quality.hidden = bars > 2;
    this.#quality.dataset.bars = String(bars);
    this.#quality.replaceChildren(signal(bars));
    this.#quality.title = qualityText(bars);
  }

  /** @param {boolean} pinned */
  setPinned(pinned) {
    this.element.classList.toggle("is-pinned", pinned);
    const label = t(pinned ? "unpin" : "pin", { name: this.#name });
    this.#pin.title = label;
    this.#pin.setAttribute("aria-label", label);
    this.#pin.replaceChildren(icon(pinned ? "unpin" : "pin"));
  }

  /** @param {import("./grid.js").Rect} rect where the tile moves to */
  place({ left, top, width, height }) {
    const { style } = this.element;
    this.size = { width, height };
    style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
    style.width = `${Math.floor(width)}px`;
    style.height = `${Math.floor(height)}px`;
    this.element.classList.toggle("is-small", width < 170);
    this.element.classList.toggle("is-tiny", width < 110);
  }

  remove() {
    this.video?.remove();
    this.element.remove();
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {MediaStream} mediaStream
   */
  #insert(video, mediaStream) {
    this.video = video;
    video.setAttribute("aria-label", this.#label.textContent ?? "");
    video.srcObject = mediaStream;
    video.addEventListener("resize", () => this.#showPicture());
    mediaStream.addEventListener("addtrack", () => this.#showPicture());
    mediaStream.addEventListener("removetrack", () => this.#showPicture());
    this.element.prepend(video);
    video.play().catch((error) => error.name === "NotAllowedError" && this.onBlocked());
  }

  /** @param {string} name */
  #heading(name) {
    if (this.kind === "person") return name;
    if (this.kind === "common") return t(this.stream?.label === "playback" ? "film" : "everybody");
    return t(this.kind === "slide" ? "slidesOf" : "screenOf", { name });
  }

  /** A picture is there when it is not muted and a frame has come. */
  #showPicture() {
    const frames = (this.video?.videoWidth ?? 0) > 0;
    this.element.classList.toggle("has-picture", frames && !this.#muted.video);
  }

  #describe() {
    const parts = [this.#label.textContent];
    if (this.#muted.audio && this.kind === "person") parts.push(t("microphoneOff"));
    if (this.#speaking) parts.push(t("speaking"));
    this.element.setAttribute("aria-label", parts.join(", "));
  }
}

/** @param {string} name */
export function initialsOf(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toUpperCase() || "?";
}

/** @param {string} id */
export function hueOf(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}

/** @param {number} bars */
export function qualityText(bars) {
  return t(bars >= 4 ? "connectionGood" : bars >= 2 ? "connectionFair" : "connectionPoor");
}
