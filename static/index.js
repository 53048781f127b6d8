/**
 * The start page: begin a meeting (on development servers), join one by its link, see what the server can do.
 */

import { find, h } from "./ui/dom.js";
import { familyCards } from "./ui/families.js";
import { icon, logo } from "./ui/icons.js";

/** @typedef {{ version: string, families: string[], dev: boolean, realtime_key?: string }} About */

const FEATURES = /** @type {const} */ ([
  ["people", "Meetings in the browser", "Camera, screen, chat and raised hands in any current browser. People join by a link."],
  ["grid", "Forwarding, not mixing", "Each picture is passed on as it was sent, by a native core in one process and over one port."],
  ["chart", "Simulcast", "Senders offer their picture in several sizes, and each receiver is passed one of them. No picture is encoded twice."],
  ["camera", "Codecs of today", "VP8, VP9, H.264 and AV1 for pictures. Opus for sound, with forward error correction."],
  ["link", "Comes back by itself", "A changed network, a reload or a lost connection: the meeting goes on without a click."],
  ["book", "Made to be built upon", "REST and WebSocket interfaces, a client library without a build step, metrics for Prometheus."],
]);
const LINKS = /** @type {const} */ ([
  ["book", "/docs", "API reference", "Every call, rendered from OpenAPI"],
  ["people", "/team", "Team", "Recordings, webhook and permalinks"],
  ["flask", "/lab", "Lab", "Codecs, layers and live plots of a call"],
  ["chart", "/metrics", "Metrics", "What the server is doing now"],
]);
const KEY_SIZE = 16; // bytes of an encrypted meeting's key
const TOKEN = /^[0-9a-f]{64}$/i;

/** @param {string} text shown until the next attempt; empty for none */
function complain(text) {
  const problem = find("#problem");
  problem.textContent = text;
  problem.hidden = !text;
}

/**
 * Where a pasted text leads.
 * @param {string} text a link of this server, or a bare token
 * @returns {string | null}
 */
function destinationOf(text) {
  if (TOKEN.test(text)) return `/app?token=${text}`;
  const known = /^(\/app\?|\/room\/)/;
  try {
    const address = new URL(text.includes("://") || text.startsWith("/") ? text : `${location.protocol}//${text}`, location.origin);
    const path = address.pathname + address.search + address.hash;
    return address.origin === location.origin && known.test(path) ? path : null;
  } catch {
    return null;
  }
}

/** @param {About} about */
function show({ version, families, dev, realtime_key }) {
  find("#version").textContent = version;
  find("#families").append(...familyCards(families));
  find("#interfaces").hidden = families.length === 0;
  const hint = find("#hint");
  hint.hidden = false;
  if (!dev || !realtime_key) {
    hint.textContent = "Meetings on this server are made by its applications. Ask yours for a link.";
    return;
  }
  hint.textContent = "This is a development server: anybody at this computer can start a meeting.";
  const button = find("#new");
  button.append(icon("plus"), h("span", { text: "New meeting" }));
  button.hidden = false;
  button.addEventListener("click", () => begin(/** @type {HTMLButtonElement} */ (button), realtime_key));
  const encrypted = find("#new-encrypted");
  encrypted.append(icon("lock"), h("span", { text: "New encrypted meeting" }));
  encrypted.hidden = false;
  encrypted.addEventListener("click", () => begin(/** @type {HTMLButtonElement} */ (encrypted), realtime_key, { e2ee: true }));
}

/**
 * Makes a room and goes there.
 * @param {HTMLButtonElement} button
 * @param {string} key
 * @param {{ e2ee?: boolean }} [options] encrypted end to end: with a key that only the link has
 */
async function begin(button, key, { e2ee = false } = {}) {
  complain("");
  button.disabled = true;
  try {
    const headers = { "Content-Type": "application/json", "x-vcs-token": key };
    const response = await fetch("/api/realtime/room", { method: "POST", headers, body: JSON.stringify({ conferenceType: "SFU", e2ee }) });
    const body = await response.json();
    if (!response.ok) throw new Error(body.description?.join(" ") ?? response.statusText);
    location.assign(`/app?token=${encodeURIComponent(body.room.token)}${e2ee ? `#key=${newKey()}` : ""}`);
  } catch (error) {
    complain(`The meeting could not be made. ${error instanceof Error ? error.message : ""}`);
    button.disabled = false;
  }
}

/** @returns {string} base64url */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_SIZE));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function build() {
  find("#brand").prepend(logo());
  find("#features").append(
    ...FEATURES.map(([name, title, text]) => h("li", { class: "feature" }, h("strong", {}, icon(name), title), h("p", { text }))),
  );
  find("#links").append(
    ...LINKS.map(([name, href, title, text]) =>
      h("a", { class: "card", href }, icon(name), h("span", {}, h("strong", { text: title }), h("small", { text })), icon("arrow")),
    ),
  );
  /** @type {HTMLInputElement} */
  const link = find("#link");
  link.addEventListener("input", () => complain(""));
  find("#join").addEventListener("submit", (event) => {
    event.preventDefault();
    const destination = destinationOf(link.value.trim());
    if (destination) location.assign(destination);
    else complain(link.value.trim() ? "That is not a meeting link of this server." : "Paste the link you were given.");
  });
}

build();
addEventListener("pageshow", () => ["#new", "#new-encrypted"].forEach((id) => (/** @type {HTMLButtonElement} */ (find(id)).disabled = false)));
fetch("/about.json")
  .then((response) => response.json())
  .then(show)
  .catch(() => complain("The server cannot be reached."));
