/**
 * The list of participants: who is here, muted, raising a hand, how good the connection is; mute and remove where the role allows.
 */

import { h } from "./dom.js";
import { icon, signal } from "./icons.js";
import { t } from "./texts.js";
import { hueOf, initialsOf, qualityText } from "./tile.js";

/** @typedef {{ mute: boolean, kick: boolean, muteAll: boolean }} Rights what oneself may do to others */

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} name
 * @property {boolean} self
 * @property {string | undefined} role
 * @property {boolean} guest
 * @property {boolean} raised
 * @property {boolean} audio whether the microphone is on
 * @property {boolean} video
 * @property {number} bars quality of the connection, 0 to 4
 */

export class People {
  #list = h("ul", { class: "people-list" });
  #muteAll = h("button", { class: "button button-quiet button-wide", type: "button", hidden: true }, icon("micOff"), t("muteAll"));
  #last = "";

  /**
   * @param {object} owner
   * @param {(userId: string) => void} owner.mute
   * @param {(userId: string) => void} owner.kick
   * @param {() => void} owner.muteAll
   */
  constructor(owner) {
    this.owner = owner;
    this.#muteAll.addEventListener("click", () => owner.muteAll());
    this.element = h("div", { class: "people" }, this.#list, this.#muteAll);
  }

  /**
   * @param {Person[]} people
   * @param {Rights} rights
   */
  show(people, rights) {
    const state = JSON.stringify([people, rights]);
    if (state === this.#last) return; // keeps the focus where it is
    this.#last = state;
    const sorted = [...people].sort((a, b) => Number(b.self) - Number(a.self) || Number(b.raised) - Number(a.raised) || a.name.localeCompare(b.name));
    this.#list.replaceChildren(...sorted.map((person) => this.#row(person, rights)));
    this.#muteAll.hidden = !rights.muteAll || people.length < 2;
  }

  /**
   * @param {Person} person
   * @param {Rights} rights
   */
  #row(person, rights) {
    const { id, name, self, raised, audio, video, bars } = person;
    const tag = tagOf(person);
    return h(
      "li",
      { class: "person", data: { person: id } },
      h("span", { class: "avatar avatar-small", data: { hue: String(hueOf(id)) } }, initialsOf(name)),
      h("span", { class: "person-name" }, h("span", { text: self ? `${name} (${t("you")})` : name }), tag && h("small", { text: tag })),
      raised && h("span", { class: "person-hand", title: t("raised", { name }) }, icon("hand")),
      h("span", { class: "person-quality", data: { bars: String(bars) }, title: qualityText(bars) }, signal(bars)),
      h("span", { class: `person-icon${video ? "" : " is-off"}` }, icon(video ? "camera" : "cameraOff")),
      rights.mute && !self && audio
        ? action("mic", t("muteSomebody", { name }), () => this.owner.mute(id))
        : h("span", { class: `person-icon person-mic${audio ? "" : " is-off"}` }, icon(audio ? "mic" : "micOff")),
      rights.kick && !self && action("remove", t("removeSomebody", { name }), () => this.owner.kick(id)),
    );
  }
}

/** @param {Person} person */
function tagOf({ role, guest }) {
  if (role === "moderator") return t("moderator");
  if (role === "subscriber" || role === "listener") return t("listener");
  return guest ? t("guest") : "";
}

/**
 * @param {string} iconName
 * @param {string} label
 * @param {() => void} onClick
 */
function action(iconName, label, onClick) {
  return h("button", { class: "person-action", type: "button", title: label, "aria-label": label, on: { click: onClick } }, icon(iconName));
}
