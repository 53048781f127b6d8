/**
 * The page on which a stream is watched: `/watch?stream=<key>`, with `lang=de` in German.
 */

import { LiveStream } from "./live-stream.js";
import { find, h } from "./ui/dom.js";
import { icon, logo } from "./ui/icons.js";
import { speak } from "./ui/texts.js";
import { t } from "./ui/watch-texts.js";

const LATE = 4; // seconds that it shows less than it could, before there is a way back
const QUIET_AFTER = 3000; // milliseconds without a move, until the bar goes
const LOOK_EVERY = 500; // milliseconds

/** @typedef {Parameters<typeof t>[0]} TextKey */

const parameters = new URLSearchParams(location.search);
await speak(parameters.get("lang") ?? navigator.language);

const screen = find("#screen");
const video = /** @type {HTMLVideoElement} */ (find("#video"));
const volume = /** @type {HTMLInputElement} */ (find("#volume"));
const key = parameters.get("stream") ?? "";
const stream = new LiveStream(video, `/hls/${encodeURIComponent(key)}/index.m3u8`);

/** Begins to play, without sound where a browser wants to be asked for it first. */
async function play() {
  try {
    await video.play();
  } catch {
    video.muted = true;
    find("#sound").hidden = false;
    await video.play().catch(() => {});
  }
}

function togglePlay() {
  if (video.paused) stream.goLive().catch(() => {});
  else video.pause();
}

function toggleSound() {
  video.muted = !video.muted;
  if (!video.muted && video.volume === 0) video.volume = 0.5;
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else screen.requestFullscreen?.().catch(() => {});
}

/** @param {string} id @param {string} name @param {TextKey} label */
function dress(id, name, label) {
  const button = find(id);
  button.replaceChildren(icon(name));
  button.title = t(label);
  button.setAttribute("aria-label", t(label));
}

/** The frame is as wide as the picture. */
function fitScreen() {
  if (video.videoWidth) screen.style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
}

function showControls() {
  dress("#play", video.paused ? "play" : "pause", video.paused ? "play" : "pause");
  dress("#mute", video.muted || video.volume === 0 ? "speakerOff" : "speaker", video.muted ? "unmute" : "mute");
  dress("#full", document.fullscreenElement ? "shrink" : "expand", document.fullscreenElement ? "fullEnd" : "full");
  volume.value = String(video.muted ? 0 : video.volume);
  if (!video.muted) find("#sound").hidden = true;
}

function showState() {
  const { state } = stream;
  document.body.dataset.state = state;
  const playing = state === "live";
  find("#cover").hidden = playing;
  find("#bar").hidden = find("#keys").hidden = !playing;
  find("#spinner").hidden = !["loading", "waiting", "interrupted"].includes(state);
  find("#again").hidden = state !== "missing";
  if (!playing) {
    find("#heading").textContent = t(/** @type {TextKey} */ (`is_${state}`));
    find("#hint").textContent = t(/** @type {TextKey} */ (`is_${state}Hint`));
    find("#sound").hidden = true;
  }
  showTime();
}

function showTime() {
  const seconds = stream.behind();
  const late = stream.state === "live" && (video.paused || stream.late() > LATE);
  const badge = find("#badge");
  badge.hidden = stream.state !== "live" && stream.state !== "ended";
  badge.textContent = t(stream.state === "ended" ? "ended" : "live");
  badge.classList.toggle("is-late", late);
  find("#live").hidden = !late;
  find("#behind").textContent = seconds === null ? "" : t("behind", { seconds: seconds.toLocaleString(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) });
  document.body.dataset.behind = seconds === null ? "" : seconds.toFixed(2);
}

/** @type {Record<string, () => unknown>} */
const KEYS = {
  " ": togglePlay,
  k: togglePlay,
  m: toggleSound,
  f: toggleFull,
  l: () => stream.goLive(),
  ArrowUp: () => (video.volume = Math.min(1, video.volume + 0.1)),
  ArrowDown: () => (video.volume = Math.max(0, video.volume - 0.1)),
};

/** @param {KeyboardEvent} event */
function typed(event) {
  const { target } = event;
  const own = target instanceof HTMLInputElement || (target instanceof HTMLButtonElement && event.key === " ");
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || own || event.ctrlKey || event.metaKey || event.altKey || stream.state !== "live") return;
  event.preventDefault();
  action();
  wake();
}

/** @type {number | undefined} */
let sleeping;

function wake() {
  screen.classList.remove("is-quiet");
  clearTimeout(sleeping);
  sleeping = setTimeout(() => screen.classList.toggle("is-quiet", !video.paused), QUIET_AFTER);
}

function dressPage() {
  document.title = `${t("title")} – Folkmoot`;
  find("#brand").prepend(logo());
  find("#bar").setAttribute("aria-label", t("playback"));
  volume.setAttribute("aria-label", t("volume"));
  find("#again").textContent = t("again");
  find("#live").textContent = t("goLive");
  find("#sound").replaceChildren(icon("speaker"), t("unmute"));
  const keys = /** @type {const} */ ([["K", "keyPlay"], ["M", "keyMute"], ["L", "keyLive"], ["F", "keyFull"]]);
  find("#keys").setAttribute("aria-label", t("keys"));
  find("#keys").replaceChildren(...keys.map(([name, what]) => h("div", {}, h("dt", {}, h("kbd", { text: name })), h("dd", { text: t(what) }))));
}

dressPage();
showControls();
showState();
stream.addEventListener("change", showState);
stream.addEventListener("ready", play);
for (const type of ["play", "pause", "volumechange"]) video.addEventListener(type, () => (showControls(), wake()));
video.addEventListener("resize", fitScreen);
document.addEventListener("fullscreenchange", showControls);
document.addEventListener("keydown", typed);
for (const type of ["pointermove", "pointerdown", "focusin"]) screen.addEventListener(type, wake);
video.addEventListener("click", togglePlay);
video.addEventListener("dblclick", toggleFull);
volume.addEventListener("input", () => ((video.muted = false), (video.volume = Number(volume.value))));
find("#play").addEventListener("click", togglePlay);
find("#mute").addEventListener("click", toggleSound);
find("#sound").addEventListener("click", toggleSound);
find("#live").addEventListener("click", () => stream.goLive());
find("#full").addEventListener("click", toggleFull);
find("#again").addEventListener("click", () => stream.start());
setInterval(showTime, LOOK_EVERY);
stream.start();
