/**
 * The bench for engineers: joins with chosen options, then shows every stream's numbers once a second, the session descriptions
 * and every message. What it knows can be copied as JSON.
 */

import { Conference } from "./client.js";
import { LocalMedia } from "./ui/devices.js";
import { find, h } from "./ui/dom.js";
import { logo } from "./ui/icons.js";
import { LabStream, kilobits, milliseconds } from "./ui/lab-stream.js";
import { readOptions } from "./ui/options.js";
import { ScreenPublishing } from "./ui/publishing.js";
import { syntheticMedia } from "./ui/synthetic.js";
import { farewell } from "./ui/texts.js";
import { Timeline } from "./ui/timeline.js";

/** @typedef {{ at: string, way: "in" | "out" | "here", message: unknown }} Entry */

const SAMPLE_EVERY = 1000; // milliseconds
const MOST_ENTRIES = 1000; // of the log
const MOST_SAMPLES = 600; // kept for copying: ten minutes
const CONNECTION_COLUMNS = ["connection", "state", "way", "local", "remote", "encryption", "in", "out", "estimate", "round trip"];

const form = {
  token: /** @type {HTMLInputElement} */ (find("#token")),
  name: /** @type {HTMLInputElement} */ (find("#name")),
  source: /** @type {HTMLSelectElement} */ (find("#source")),
  codec: /** @type {HTMLSelectElement} */ (find("#codec")),
  size: /** @type {HTMLSelectElement} */ (find("#size")),
  fps: /** @type {HTMLSelectElement} */ (find("#fps")),
  limit: /** @type {HTMLSelectElement} */ (find("#limit")),
  simulcast: /** @type {HTMLInputElement} */ (find("#simulcast")),
};

class Bench {
  /** @type {Conference | null} */ conference = null;
  /** @type {Map<string, LabStream>} */ streams = new Map();
  /** @type {Entry[]} */ log = [];
  /** @type {unknown[]} */ samples = [];
  /** @type {() => void} */ stopMedia = () => {};
  /** @type {ScreenPublishing | null} */ screen = null;
  timeline = new Timeline();
  tab = "Events";
  timer = 0;

  constructor() {
    find("#brand").prepend(logo());
    find("#form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.join();
    });
    find("#actions").addEventListener("click", (event) => this.act(/** @type {HTMLElement} */ (event.target).dataset.action));
    find("#copy").addEventListener("click", () => this.copy());
    find("#connections thead").append(h("tr", {}, ...CONNECTION_COLUMNS.map((text) => h("th", { scope: "col", text }))));
    find("#move").append(this.timeline.element);
    this.prefill();
    this.drawTabs();
  }

  prefill() {
    const options = readOptions(location);
    form.token.value = options.credential?.token ?? "";
    form.name.value = options.name || "Lab";
    form.codec.value = options.codec ?? "vp8";
    form.simulcast.checked = options.simulcast;
    if (options.fps) choose(form.fps, String(options.fps));
    if (options.width && options.height) choose(form.size, `${options.width}x${options.height}`);
    offerRooms();
    if (options.autojoin && options.credential) this.join();
  }

  async join() {
    const token = form.token.value.trim();
    const conference = new Conference({ credential: { token }, key: readOptions(location).key, name: form.name.value });
    this.conference = /** @type {any} */ (window).conference = conference;
    this.listen(conference);
    find("#problem").hidden = true;
    const publishing = this.publish(conference);
    try {
      await conference.join();
      await publishing;
    } catch (error) {
      this.note("here", String(error));
    }
  }

  /** @param {Conference} conference */
  async publish(conference) {
    const [width = 1280, height = 720] = form.size.value.split("x").map(Number);
    const size = { width, height, fps: Number(form.fps.value) };
    const stream = await this.open(size);
    if (!stream) return;
    const codec = /** @type {"vp8" | "vp9" | "h264" | "av1"} */ (form.codec.value);
    const options = { codec, simulcast: form.simulcast.checked, maxBitrate: Number(form.limit.value) || undefined };
    const streamId = await conference.publish(stream, options);
    this.show({ streamId, userId: "", label: "camera", name: form.name.value, mediaStream: stream, onWish: null });
    this.screen = new ScreenPublishing(conference, { codec }, () => {});
  }

  /**
   * @param {{ width: number, height: number, fps: number }} size
   * @returns {Promise<MediaStream | null>}
   */
  async open(size) {
    if (form.source.value === "none") return null;
    if (form.source.value === "test") {
      const { stream, stop } = syntheticMedia(size);
      this.stopMedia = stop;
      return stream;
    }
    const media = new LocalMedia(size);
    media.addEventListener("problem", (event) => this.complain(`Camera or microphone: ${/** @type {CustomEvent} */ (event).detail.name}`));
    this.stopMedia = () => media.stop();
    await media.start({ audio: true, video: true });
    return media.stream.getTracks().length ? media.stream : null;
  }

  /** @param {Conference} conference */
  listen(conference) {
    conference.on("state", ({ state, reason }) => this.stateChanged(state, reason));
    conference.on("message", (message) => this.note("in", message));
    conference.on("sent", (message) => this.note("out", message));
    conference.on("error", ({ error }) => this.note("here", `${error.name}: ${error.message}`));
    conference.on("modechange", ({ mode }) => this.moving(mode));
    conference.on("move", ({ stream, step }) => this.timeline.note(stream.id, this.nameOf(stream.userId), step));
    conference.on("stream", ({ stream: { id, userId, label, mediaStream } }) => {
      this.show({ streamId: id, userId, label, name: this.nameOf(userId), mediaStream, onWish: (wish) => conference.want(id, wish) });
    });
    conference.on("streamended", ({ stream }) => this.hide(stream.id));
  }

  /** @param {string} mode that the conference changes to */
  moving(mode) {
    document.body.dataset.mode = mode;
    document.body.dataset.e2ee = String(this.conference?.e2ee);
    find("#move").hidden = false;
    this.timeline.begin();
  }

  /** @param {string | null} userId */
  nameOf(userId) {
    return this.conference?.participants.find((participant) => participant.id === userId)?.name || userId?.slice(0, 8) || "";
  }

  /**
   * @param {string} state
   * @param {string | null} reason
   */
  stateChanged(state, reason) {
    document.body.dataset.state = state;
    find("#state").textContent = state;
    this.note("here", { state, reason });
    const inside = state === "joined" || state === "reconnecting";
    find("#actions").hidden = !inside;
    find("#join").hidden = inside || state === "joining";
    clearInterval(this.timer);
    if (inside) this.timer = setInterval(() => this.sample(), SAMPLE_EVERY);
    if (state === "joined" && this.conference) {
      document.body.dataset.mode = this.conference.mode;
      document.body.dataset.e2ee = String(this.conference.e2ee);
    }
    if (state === "left" || state === "error") this.ended(state, reason ?? "");
  }

  /**
   * @param {string} state
   * @param {string} reason
   */
  ended(state, reason) {
    if (state === "error") document.body.dataset.error = reason;
    this.stopMedia();
    for (const id of [...this.streams.keys()]) this.hide(id);
    const { heading, hint } = farewell(state === "error" ? "error" : "end", reason, this.conference?.errorCode);
    this.complain(`${heading}. ${hint}`);
  }

  /** @param {string} text */
  complain(text) {
    find("#problem").hidden = false;
    find("#problem").textContent = text;
  }

  /** @param {ConstructorParameters<typeof LabStream>[0]} options */
  show(options) {
    const stream = new LabStream(options);
    this.streams.set(options.streamId, stream);
    find("#streams").append(stream.element);
    find("#empty").hidden = true;
  }

  /** @param {string} streamId */
  hide(streamId) {
    this.streams.get(streamId)?.remove();
    this.streams.delete(streamId);
    find("#empty").hidden = this.streams.size > 0;
  }

  async sample() {
    const { conference } = this;
    if (!conference) return;
    const streams = await conference.getStats();
    const connections = await conference.getConnectionStats();
    this.samples.push({ at: new Date().toISOString(), connections, streams });
    if (this.samples.length > MOST_SAMPLES) this.samples.shift();
    for (const stats of streams) this.streams.get(stats.streamId)?.update(stats);
    find("#unconnected").hidden = connections.length > 0;
    find("#connections tbody").replaceChildren(...connections.map((connection) => connectionRow(connection, this.nameOf(connection.userId))));
    if (this.tab !== "Events") this.drawText();
  }

  /** @param {string | undefined} action */
  act(action) {
    const { conference } = this;
    if (!conference || !action) return;
    if (action === "ice-publish") conference.restartIce("publish");
    else if (action === "ice-subscribe") conference.restartIce("subscribe");
    else if (action === "leave") conference.leave();
    else if (action === "mute") for (const { id } of conference.ownStreams) conference.mute(id, { audio: !conference.muted(id).audio });
    else if (action === "screen") this.toggleScreen();
  }

  toggleScreen() {
    const work = this.screen?.sharing ? this.screen.stop() : this.screen?.start();
    work?.catch((error) => this.note("here", String(error)));
  }

  // ---- descriptions and messages

  get descriptions() {
    const { publish, subscribe } = this.conference?.connections ?? { publish: null, subscribe: null };
    return {
      "Publish: offer": publish?.localDescription?.sdp ?? "",
      "Publish: answer": publish?.remoteDescription?.sdp ?? "",
      "Subscribe: offer": subscribe?.remoteDescription?.sdp ?? "",
      "Subscribe: answer": subscribe?.localDescription?.sdp ?? "",
    };
  }

  drawTabs() {
    const tabs = ["Events", ...Object.keys(this.descriptions)].map((name) =>
      h("button", { type: "button", role: "tab", "aria-selected": String(name === this.tab), text: name, on: { click: () => this.openTab(name) } }),
    );
    find("#tabs").replaceChildren(...tabs);
    this.drawText();
  }

  /** @param {string} name */
  openTab(name) {
    this.tab = name;
    this.drawTabs();
  }

  drawText() {
    const text = find("#text");
    const next = this.tab === "Events" ? this.log.map(lineOf).join("\n") : /** @type {Record<string, string>} */ (this.descriptions)[this.tab];
    if (next && text.textContent === next) return;
    const atEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 24;
    text.textContent = next || "Nothing yet.";
    if (this.tab === "Events" && atEnd) text.scrollTop = text.scrollHeight;
  }

  /**
   * @param {Entry["way"]} way
   * @param {unknown} message
   */
  note(way, message) {
    this.log.push({ at: new Date().toISOString(), way, message: withoutSecrets(message) });
    if (this.log.length > MOST_ENTRIES) this.log.shift();
    if (this.tab === "Events") this.drawText();
  }

  async copy() {
    const { descriptions, log, samples } = this;
    const settings = Object.fromEntries(Object.entries(form).filter(([key]) => key !== "token").map(([key, field]) => [key, field.type === "checkbox" ? /** @type {HTMLInputElement} */ (field).checked : field.value]));
    const text = JSON.stringify({ browser: navigator.userAgent, settings, descriptions, log, samples, move: this.timeline.noted }, null, 1);
    const button = find("#copy");
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy as JSON"), 1500);
  }
}

/** @param {Entry} entry */
function lineOf({ at, way, message }) {
  const arrow = { in: "←", out: "→", here: "·" }[way];
  const text = typeof message === "string" ? message : JSON.stringify(message, (key, value) => (key === "sdp" ? `(${value.length} characters)` : value));
  return `${at.slice(11, 23)} ${arrow} ${text}`;
}

/**
 * What is copied from here is pasted into reports: credentials must not be in it.
 * @param {unknown} message
 */
function withoutSecrets(message) {
  return JSON.parse(JSON.stringify(message, (key, value) => (key === "token" || key === "credential" ? "(hidden)" : value)));
}

/**
 * @param {import("./types.js").ConnectionStats} connection
 * @param {string} name of whom it is with, if it is direct
 */
function connectionRow(connection, name) {
  const cells = [
    name ? `${connection.pc}: ${name}` : connection.pc,
    connection.state,
    connection.protocol ?? "–",
    connection.local ?? "–",
    connection.remote ?? "–",
    connection.dtls?.replace("SRTP_", "") ?? "–",
    kilobits(connection.bitrateIn),
    kilobits(connection.bitrateOut),
    connection.availableOutgoing === null ? "–" : kilobits(connection.availableOutgoing),
    milliseconds(connection.roundTrip),
  ];
  return h("tr", {}, ...cells.map((text) => h("td", { text })));
}

/**
 * @param {HTMLSelectElement} select
 * @param {string} value added if it is not among the choices
 */
function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(h("option", { value, text: value }));
  select.value = value;
}

/** On a development server a room is one press away. */
async function offerRooms() {
  const about = await fetch("/about.json").then((response) => response.json());
  if (!about.dev || !about.realtime_key) return;
  const button = find("#make");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const headers = { "Content-Type": "application/json", "x-vcs-token": about.realtime_key };
    const response = await fetch("/api/realtime/room", { method: "POST", headers, body: JSON.stringify({ conferenceType: "SFU" }) });
    form.token.value = (await response.json()).room.token;
  });
}

new Bench();
