/**
 * A page of another site that shows a room: how to embed it, to hear what happens there, and to tell it what to do.
 *
 * Works from any origin that the server's `embed.frame_ancestors` names; copy the three files. The room's link may stand in the query:
 * `embedding.html?room=https%3A%2F%2Fmeet.example%2Froom%2F...`, and what it may not use: `&off=camera,microphone`.
 */

const POLICIES = { camera: "camera", microphone: "microphone", screen: "display-capture" };
const ALWAYS = ["fullscreen", "autoplay", "clipboard-write", "picture-in-picture", "screen-wake-lock"];

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @type {HTMLIFrameElement | null} */
let frame = null;
let roomOrigin = "";

/**
 * @param {string} link of a room
 * @param {string[]} off what it may not use
 */
function open(link, off) {
  const address = new URL(link);
  if (!/^https?:$/.test(address.protocol)) throw new Error("a room's link begins with https");
  const on = Object.entries(POLICIES).filter(([name]) => !off.includes(name)).map(([, policy]) => policy);
  const none = Object.entries(POLICIES).filter(([name]) => off.includes(name)).map(([, policy]) => `${policy} 'none'`);
  frame = document.createElement("iframe");
  frame.title = "Lesson";
  frame.allow = [...on, ...ALWAYS, ...none].join(";");
  frame.src = address.href;
  roomOrigin = address.origin;
  element("frame").replaceChildren(frame);
}

// What the room says. Only our own frame counts: any window may send messages to this one.
addEventListener("message", ({ source, origin, data }) => {
  if (!frame || source !== frame.contentWindow || origin !== roomOrigin || data?.source !== "conference") return;
  const { source: _, type, ...rest } = data;
  const item = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = type;
  item.append(name, Object.keys(rest).length ? ` ${JSON.stringify(rest)}` : "");
  item.dataset.type = type;
  element("messages").prepend(item);
});

// What we tell the room.
element("commands").addEventListener("click", ({ target }) => {
  const { type, kind } = /** @type {HTMLElement} */ (target).dataset;
  if (type) frame?.contentWindow?.postMessage({ type, kind }, roomOrigin);
});

element("open").addEventListener("submit", (event) => {
  event.preventDefault();
  const off = Object.keys(POLICIES).filter((name) => !(/** @type {HTMLInputElement} */ (element(name)).checked));
  open(/** @type {HTMLInputElement} */ (element("link")).value, off);
});

const query = new URLSearchParams(location.search);
const room = query.get("room");
if (room) open(room, (query.get("off") ?? "").split(","));
