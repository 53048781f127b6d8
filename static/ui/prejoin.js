/**
 * The page before joining: how one looks and sounds, which devices, which name.
 */

import { Meter, deviceChoice } from "./device-choice.js";
import { h } from "./dom.js";
import { icon, logo } from "./icons.js";
import { keepName, keptName } from "./name.js";
import { mayUse } from "./policy.js";
import { problemText, t } from "./texts.js";

/** @typedef {import("./devices.js").LocalMedia} LocalMedia */

const LONGEST_NAME = 64;

/**
 * Shows the page in `element` and takes it away again when the person joins.
 * @param {HTMLElement} element
 * @param {LocalMedia} media
 * @param {object} options
 * @param {string} options.name
 * @param {boolean} options.fixed the name cannot be chosen
 * @param {boolean} options.audio
 * @param {boolean} options.video
 * @param {boolean} options.listens who joins will only watch and listen: no device is needed
 * @param {string} [options.roomName]
 * @param {boolean} options.stays there is no way to other pages
 * @returns {Promise<string>} the name to join with
 */
export function askToJoin(element, media, { name, fixed, audio, video, listens, roomName, stays }) {
  const preview = h("video", { autoplay: true, playsinline: "", muted: true, data: { self: "" } });
  const empty = h("p", { class: "preview-empty" });
  const microphone = toggle("audio", media);
  const camera = toggle("video", media);
  const meter = new Meter(media);
  const problems = h("div", { class: "problems", role: "status" });
  const nameField = h("input", { type: "text", maxLength: LONGEST_NAME, placeholder: t("namePlaceholder"), autocomplete: "name", value: name || keptName(), readOnly: fixed, id: "name" });
  const button = h("button", { class: "button button-primary button-wide", type: "submit", text: t("join") });
  const form = h(
    "form",
    { class: "prejoin-form" },
    h("h1", { text: roomName ?? t("ready") }),
    h("p", { class: "muted", text: t(listens ? "listenHint" : "readyHint") }),
    h("label", { class: "field-label", htmlFor: "name", text: t("yourName") }),
    h("div", { class: "field" }, nameField),
    !listens && deviceChoice(media),
    !listens && meter.element,
    problems,
    button,
  );
  const frame = h("div", { class: "preview" }, preview, empty, h("div", { class: "preview-tools" }, mayUse("audio") && microphone.element, mayUse("video") && camera.element));
  const brand = h(stays ? "span" : "a", { class: "brand lobby-brand", href: stays ? undefined : "/" }, logo(), h("span", { text: "Folkmoot" }));
  element.replaceChildren(brand, h("div", { class: `prejoin${listens ? " prejoin-listener" : ""}` }, !listens && frame, form));

  let starting = video;
  const draw = () => {
    if (media.on.video) preview.srcObject ??= media.stream; // an empty stream would keep the page loading for ever
    frame.classList.toggle("has-picture", media.on.video);
    empty.textContent = t(starting ? "cameraStarting" : "cameraIsOff");
    microphone.draw();
    camera.draw();
  };
  /** @type {Map<string, string>} */
  const told = new Map();
  const onChange = () => {
    for (const kind of /** @type {const} */ (["audio", "video"])) if (media.on[kind]) told.delete(kind);
    tellProblems(problems, told);
    draw();
  };
  /** @param {any} event */
  const onProblem = ({ detail: { kind, name: why } }) => {
    told.set(kind, problemText(kind, why));
    tellProblems(problems, told);
  };
  media.addEventListener("change", onChange);
  media.addEventListener("problem", onProblem);
  media.start({ audio, video }).then(() => {
    starting = false;
    draw();
  });
  draw();
  meter.start();
  if (matchMedia("(hover: hover)").matches) (fixed ? button : nameField).focus();

  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      meter.stop();
      media.removeEventListener("change", onChange);
      media.removeEventListener("problem", onProblem);
      button.disabled = true;
      button.textContent = t("joining");
      const chosen = nameField.value.trim();
      if (!fixed) keepName(chosen);
      resolve(chosen);
    });
  });
}

/**
 * @param {HTMLElement} element
 * @param {Map<string, string>} told
 */
function tellProblems(element, told) {
  element.replaceChildren(...[...told.values()].map((text) => h("p", { class: "notice notice-warning" }, icon("warning"), h("span", { text }))));
}

/**
 * @param {"audio" | "video"} kind
 * @param {LocalMedia} media
 */
function toggle(kind, media) {
  const element = h("button", { class: "round", type: "button", on: { click: () => media.set(kind, !media.on[kind]) } });
  return {
    element,
    draw() {
      const on = media.on[kind];
      const label = kind === "audio" ? t(on ? "muteOn" : "muteOff") : t(on ? "cameraOn" : "cameraOff");
      element.replaceChildren(icon(kind === "audio" ? (on ? "mic" : "micOff") : on ? "camera" : "cameraOff"));
      element.classList.toggle("is-off", !on);
      element.setAttribute("aria-pressed", String(!on));
      element.setAttribute("aria-label", label);
      element.title = label;
    },
  };
}
