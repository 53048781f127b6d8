/**
 * The lists of cameras, microphones and loudspeakers, and the level meter: on the page before joining and in the settings.
 */

import { LevelMeter, loudness } from "./devices.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { mayUse } from "./policy.js";
import { t } from "./texts.js";

/** @typedef {import("./devices.js").LocalMedia} LocalMedia */

const SEGMENTS = 16;
const METER_EVERY = 60; // milliseconds

/** A row of segments that follows the microphone. */
export class Meter {
  #meter = new LevelMeter();
  #timer = 0;
  #lit = -1;

  /** @param {LocalMedia} media */
  constructor(media) {
    this.element = h("div", { class: "meter", role: "meter", "aria-label": t("level"), "aria-valuemin": 0, "aria-valuemax": SEGMENTS });
    this.element.append(...Array.from({ length: SEGMENTS }, () => h("i")));
    this.media = media;
  }

  start() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#draw(), METER_EVERY);
  }

  stop() {
    clearInterval(this.#timer);
  }

  #draw() {
    this.#meter.listen(/** @type {MediaStreamTrack | null} */ (this.media.track("audio")));
    const lit = this.media.on.audio ? Math.round(loudness(this.#meter.level()) * SEGMENTS) : 0;
    if (lit === this.#lit) return;
    this.#lit = lit;
    this.element.setAttribute("aria-valuenow", String(lit));
    [...this.element.children].forEach((segment, index) => segment.classList.toggle("on", index < lit));
  }
}

/**
 * @param {LocalMedia} media
 * @param {object} [options]
 * @param {(deviceId: string) => void} [options.onSpeaker] with it, loudspeakers can be chosen too, where the browser allows
 * @returns {HTMLElement}
 */
export function deviceChoice(media, { onSpeaker } = {}) {
  const microphone = chooser("mic", t("microphone"), (id) => media.choose("audio", id));
  const camera = chooser("camera", t("camera"), (id) => media.choose("video", id));
  const choosable = onSpeaker && "setSinkId" in HTMLMediaElement.prototype;
  const speaker = choosable ? chooser("speaker", t("speakers"), onSpeaker) : null;
  const refresh = async () => {
    const devices = await media.list();
    microphone.fill(devices.filter((device) => device.kind === "audioinput"), media.chosen.audio);
    camera.fill(devices.filter((device) => device.kind === "videoinput"), media.chosen.video);
    speaker?.fill(devices.filter((device) => device.kind === "audiooutput"), undefined);
  };
  media.addEventListener("devices", refresh);
  refresh();
  return h("div", { class: "choice" }, mayUse("audio") && microphone.element, mayUse("video") && camera.element, speaker?.element);
}

/**
 * @param {string} iconName
 * @param {string} label
 * @param {(deviceId: string) => void} onChange
 */
function chooser(iconName, label, onChange) {
  const select = h("select", { "aria-label": label, on: { change: () => onChange(select.value) } });
  return {
    element: h("label", { class: "field field-select" }, h("span", { class: "field-icon" }, icon(iconName)), select),
    /**
     * @param {MediaDeviceInfo[]} devices
     * @param {string | undefined} chosen
     */
    fill(devices, chosen) {
      const keep = chosen ?? select.value;
      const options = devices.map((device, index) => h("option", { value: device.deviceId, text: device.label || `${label} ${index + 1}` }));
      select.replaceChildren(...(options.length ? options : [h("option", { value: "", text: t("systemDefault") })]));
      if (devices.some((device) => device.deviceId === keep)) select.value = keep;
      select.disabled = options.length === 0;
    },
  };
}
