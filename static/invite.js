/**
 * What the link of an invite opens: who has it signs in or registers, sees what they are given, and takes it.
 *
 * Nothing but the last button uses the invite up.
 */

import { find, h } from "./ui/dom.js";
import { icon, logo } from "./ui/icons.js";
import { t } from "./ui/invite-texts.js";
import { speak } from "./ui/texts.js";
import { hueOf, initialsOf } from "./ui/tile.js";

/** @typedef {{ spaceId: string, spaceName: string, roomName: string | null, alias: string | null, role: string }} Invited */
/** @typedef {{ access_token: string, refresh_token: string }} Tokens */
/** @typedef {"register" | "sign-in"} Way */
/** @typedef {import("./ui/invite-texts.js").TextKey} TextKey */

const PATH = `/v1/invites/${location.pathname.split("/")[2] ?? ""}`;
const PASSWORD_LENGTH = 6; // at least
const page = find("#page");

class Refused extends Error {
  /** @param {string} name @param {string} text */
  constructor(name, text) {
    super(text);
    this.name = name;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, token?: string }} [options]
 */
async function ask(method, path, { body, token } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
    throw new Refused("unreachable", t("unreachable"));
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer.error ?? "server_error", answer.error_description ?? "");
  return answer;
}

/** @param {Invited} invited */
function heading({ roomName, spaceName, role }) {
  const as = t(role.endsWith("moderator") ? "asModerator" : "asUser");
  return [h("h1", { text: t("invited", { what: roomName ?? spaceName }) }), h("p", { class: "muted", text: roomName ? `${spaceName} · ${as}` : as })];
}

/** @param {Invited} invited @param {Way} way */
function showEntry(invited, way) {
  const tab = (/** @type {Way} */ one) =>
    h("button", { type: "button", role: "tab", "aria-selected": String(one === way), text: t(one), on: { click: () => showEntry(invited, one) } });
  const name = field("username", "name", { autocomplete: "name", maxLength: 100 });
  const email = field("email", "email", { type: "email", autocomplete: "email", maxLength: 320 });
  const password = field("password", "password", { type: "password", autocomplete: way === "register" ? "new-password" : "current-password", minLength: way === "register" ? PASSWORD_LENGTH : 1 });
  const problem = h("p", { class: "card-problem", role: "alert", hidden: true });
  const button = h("button", { class: "button button-primary button-wide", type: "submit", text: t(way) });
  const parts = way === "register" ? [name, email, password] : [email, password];
  const form = h("form", { class: "card-form" }, ...parts.map(({ element }) => element), problem, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = { email: email.input.value.trim(), password: password.input.value, ...(way === "register" ? { username: name.input.value.trim() } : {}) };
    await working(button, problem, async () => showAccount(invited, await ask("POST", `${PATH}/${way}`, { body: said })));
  });
  show(...heading(invited), h("div", { class: "card-box" }, h("div", { class: "card-tabs", role: "tablist" }, tab("register"), tab("sign-in")), form));
  parts[0]?.input.focus({ preventScroll: true });
}

/** @param {Invited} invited @param {Tokens} tokens */
async function showAccount(invited, tokens) {
  const { username, email, id } = await ask("GET", "/v1/users/me", { token: tokens.access_token });
  const problem = h("p", { class: "card-problem", role: "alert", hidden: true });
  const button = h("button", { class: "button button-primary button-wide", type: "submit", id: "accept", text: t("accept") });
  const other = h("button", { class: "button button-quiet button-wide", type: "button", text: t("other"), on: { click: () => showEntry(invited, "sign-in") } });
  const avatar = h("span", { class: "avatar", data: { hue: String(hueOf(id)) } }, initialsOf(username));
  const form = h("form", { class: "card-form" }, problem, button, other);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await working(button, problem, async () => {
      await ask("POST", `${PATH}/activate`, { token: tokens.access_token });
      await enter(invited, tokens);
    });
  });
  show(...heading(invited), h("div", { class: "card-box" }, h("div", { class: "card-person" }, avatar, h("p", {}, h("strong", { text: username }), h("small", { text: email }))), form));
  button.focus();
}

/**
 * The role is theirs: leads on to the room, or to those of the space.
 * @param {Invited} invited
 * @param {Tokens} tokens
 */
async function enter({ spaceId, spaceName, alias }, { access_token, refresh_token }) {
  const way = (/** @type {string} */ to) => `/room/${to}?refreshToken=${encodeURIComponent(refresh_token)}`;
  if (alias) return location.replace(way(alias));
  const { items } = await ask("GET", `/v1/spaces/${spaceId}/rooms`, { token: access_token });
  const rooms = items.map((/** @type {{ name: string, alias: string }} */ room) => h("a", { href: way(room.alias) }, h("span", { text: room.name }), icon("arrow")));
  show(h("h1", { text: t("welcome", { what: spaceName }) }), h("p", { class: "muted", text: t(rooms.length ? "chooseRoom" : "noRoom") }), rooms.length && h("nav", { class: "card-box card-rooms" }, ...rooms));
}

/** @param {string} name of why the invite is of no use */
function showOver(name) {
  const known = ["invite_used", "invite_expired", "not_found", "unreachable"].includes(name) ? name : "server_error";
  show(h("span", { class: "card-icon" }, icon("warning")), h("h1", { text: t(/** @type {TextKey} */ (known)) }), h("p", { class: "muted", text: t(/** @type {TextKey} */ (`${known}Hint`)) }));
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} problem
 * @param {() => Promise<void>} work
 */
async function working(button, problem, work) {
  button.disabled = true;
  problem.hidden = true;
  try {
    await work();
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    if (["invite_used", "invite_expired", "not_found"].includes(name)) return showOver(name);
    const known = /** @type {Record<string, TextKey>} */ ({ invalid_grant: "wrongPassword", conflict: "emailInUse", too_many_requests: "tooMany", unreachable: "unreachable" })[name];
    problem.textContent = known ? t(known) : message || t("server_error");
    problem.hidden = false;
  }
  button.disabled = false;
}

/**
 * @param {string} id
 * @param {TextKey} label
 * @param {Record<string, any>} properties
 */
function field(id, label, properties) {
  const input = h("input", { type: "text", required: true, id, ...properties });
  const hint = properties.autocomplete === "new-password" && h("p", { class: "card-hint", text: t("passwordHint") });
  return { input, element: h("div", {}, h("label", { class: "field-label", htmlFor: id, text: t(label) }), h("div", { class: "field" }, input), hint) };
}

/** @param {...(Node | string | number | false | null)} content */
function show(...content) {
  page.replaceChildren(...content.filter((one) => one instanceof Node));
  page.removeAttribute("aria-busy");
}

await speak(new URLSearchParams(location.search).get("lang") ?? navigator.language);
document.title = `${t("title")} – Folkmoot`;
find("#brand").prepend(logo());
try {
  showEntry(await ask("GET", PATH), "register");
} catch (error) {
  showOver(/** @type {Error} */ (error).name);
}
