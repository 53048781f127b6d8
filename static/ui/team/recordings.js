/**
 * What was recorded in a room, listed and played; and the pictures that were taken there.
 *
 * A link to a file is good for an hour from when it was asked for, so a recording is asked for again when it is played.
 */

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { near } from "../tools/near.js";
import { PagedList, RoomChoice, iconButton, length, nothing, sureToDelete, when } from "./rows.js";

/** @typedef {import("../../team.js").TeamOwner} TeamOwner */
/** @typedef {import("../../types.js").Recording} Recording */
/** @typedef {import("../../types.js").Snapshot} Snapshot */

export class Recordings {
  #room = "";
  #choice = new RoomChoice((roomId) => this.#choose(roomId));
  #video = h("video", { id: "player", controls: true, preload: "metadata", playsinline: "" });
  #title = h("figcaption", { class: "player-title" });
  #player = h("figure", { class: "player", hidden: true }, this.#video, this.#title);
  #list = new PagedList({
    empty: nothing("play", "Nothing is recorded here", "Recordings appear when somebody in the room begins one. They are kept for two weeks."),
    load: (page) => this.owner.calls.recordings(this.#room, page),
    row: (/** @type {Recording} */ recording) => this.#row(recording),
  });

  /** @param {TeamOwner} owner */
  constructor(owner) {
    this.owner = owner;
    this.element = h("div", { class: "team-tab" }, h("h1", { text: "Recordings" }), this.#choice.element, this.#player, this.#list.element);
  }

  async open() {
    await this.owner.attempt(this.owner.calls.rooms().then((rooms) => this.#choice.offer(rooms)));
    if (this.#room) await this.owner.attempt(this.#list.refresh());
    else if (this.#choice.value) await this.#choose(this.#choice.value);
    else this.#choice.focus();
  }

  /** @param {string} roomId */
  async #choose(roomId) {
    this.#room = roomId;
    this.#player.hidden = true;
    this.#video.removeAttribute("src");
    await this.owner.attempt(this.#list.refresh());
  }

  /** @param {Recording} recording */
  #row(recording) {
    const { id, created_at, duration, links, user, room, failed } = recording;
    const date = when(new Date(created_at * 1000));
    const state = failed ? "could not be finished" : duration === null ? "runs now" : links.download ? length(duration) : "is being finished";
    const picture = h("span", { class: "card-icon" }, icon(duration === null ? "record" : "play"));
    const text = h("span", { class: "card-text" }, h("strong", { text: date }), h("small", { text: [state, user?.name, room?.name].filter(Boolean).join(" · ") }));
    const play = h("button", { class: "card-main", type: "button", disabled: !links.download, on: { click: () => this.owner.attempt(this.#play(id, date)) } }, picture, text);
    const download = links.download && h("a", { class: "round round-small", href: near(links.download, links.self), download: `${room?.name ?? "recording"} ${date}.webm`, title: "Download", "aria-label": `Download the recording of ${date}` }, icon("download"));
    return h("li", { class: `card-row${failed ? " is-failed" : ""}`, data: { recording: id } }, play, download, iconButton("trash", `Delete the recording of ${date}`, () => this.#delete(id)));
  }

  /**
   * @param {string} id
   * @param {string} title
   */
  async #play(id, title) {
    const { links } = await this.owner.calls.recording(id);
    if (!links.download) return;
    this.#title.textContent = title;
    this.#player.hidden = false;
    this.#video.setAttribute("aria-label", `Recording of ${title}`);
    this.#video.src = near(links.download, links.self);
    this.#player.scrollIntoView({ block: "nearest", behavior: "smooth" });
    await this.#video.play().catch(() => {}); // then the person presses play
  }

  /** @param {string} id */
  async #delete(id) {
    if (!(await sureToDelete("this recording", "Nobody can watch it any more. This cannot be undone."))) return;
    if (await this.owner.attempt(this.owner.calls.deleteRecording(id))) await this.#choose(this.#room);
  }
}

export class Snapshots {
  #room = "";
  #choice = new RoomChoice((roomId) => this.#choose(roomId));
  #list = new PagedList({
    empty: nothing("photo", "No pictures here", "Pictures appear when somebody in the room takes one. They are kept for two weeks."),
    load: (page) => this.owner.calls.snapshots(this.#room, page),
    row: (/** @type {Snapshot} */ snapshot) => this.#row(snapshot),
  });

  /** @param {TeamOwner} owner */
  constructor(owner) {
    this.owner = owner;
    this.#list.element.classList.add("is-gallery");
    this.element = h("div", { class: "team-tab" }, h("h1", { text: "Pictures" }), this.#choice.element, this.#list.element);
  }

  async open() {
    await this.owner.attempt(this.owner.calls.rooms().then((rooms) => this.#choice.offer(rooms)));
    if (this.#room || this.#choice.value) await this.#choose(this.#room || this.#choice.value);
    else this.#choice.focus();
  }

  /** @param {string} roomId */
  async #choose(roomId) {
    this.#room = roomId;
    await this.owner.attempt(this.#list.refresh());
  }

  /** @param {Snapshot} snapshot */
  #row({ id, created_at, links, creator }) {
    const date = when(new Date(created_at));
    const address = near(links.download);
    const picture = h("a", { class: "shot", href: address, target: "_blank", rel: "noopener" }, h("img", { src: address, alt: `The meeting, ${date}`, loading: "lazy" }));
    const text = h("span", { class: "card-text" }, h("strong", { text: date }), h("small", { text: creator.name }));
    return h("li", { class: "shot-card", data: { snapshot: id } }, picture, text, iconButton("trash", `Delete the picture of ${date}`, () => this.#delete(id)));
  }

  /** @param {string} id */
  async #delete(id) {
    if (!(await sureToDelete("this picture", "This cannot be undone."))) return;
    if (await this.owner.attempt(this.owner.calls.deleteSnapshot(id))) await this.#choose(this.#room);
  }
}
