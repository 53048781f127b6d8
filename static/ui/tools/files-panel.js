/**
 * The panel of the meeting's files: brought, turned into slides, looked through, presented, deleted.
 */

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { near } from "./near.js";
import { SlideViewer } from "./slides.js";
import { tt } from "./texts.js";

/** @typedef {import("../../rooms.js").MeetingCalls} MeetingCalls */
/** @typedef {import("../../types.js").MeetingFile} MeetingFile */

const TAKEN = "application/pdf,image/png,image/jpeg,image/webp";

export class FilesPanel {
  /** @type {MeetingFile[]} */ #files = [];
  /** @type {Map<HTMLElement, File>} those on their way */ #sending = new Map();
  #list = h("ul", { class: "files-list" });
  #empty = h("div", { class: "empty" }, icon("file"), h("strong", { text: tt("filesEmpty") }), h("p", { text: tt("filesEmptyHint") }));
  #input = h("input", { type: "file", accept: TAKEN, multiple: true, class: "visually-hidden", tabIndex: -1, id: "file" });
  #viewer;
  #main;

  /**
   * @param {MeetingCalls} calls
   * @param {(work: Promise<unknown>) => void} attempt
   */
  constructor(calls, attempt) {
    this.calls = calls;
    this.attempt = attempt;
    this.#viewer = new SlideViewer({
      onBack: () => this.#showList(),
      onPresent: (slide) => attempt(calls.present(slide)),
      onTurn: (slide) => attempt(calls.changeSlide(slide)),
      onStop: () => attempt(calls.stopPresentation()),
    });
    this.#input.addEventListener("change", () => {
      this.send([...(this.#input.files ?? [])]);
      this.#input.value = "";
    });
    const add = h("button", { class: "button button-quiet button-wide", type: "button", on: { click: () => this.#input.click() } }, icon("upload"), tt("upload"));
    this.#main = h("div", { class: "files-main" }, this.#empty, this.#list, h("div", { class: "files-add" }, add, this.#input, h("p", { class: "tool-hint", text: tt("uploadHint") })));
    this.element = h("div", { class: "files" }, this.#main);
    this.#takeDrops();
  }

  /** @param {File[]} files */
  send(files) {
    for (const file of files) this.attempt(this.#send(file));
  }

  /**
   * @param {MeetingFile[]} files
   * @param {string | null} slide that oneself presents
   */
  show(files, slide) {
    this.#files = files;
    this.#viewer.follow(slide);
    if (this.#viewer.file && !files.some(({ id }) => id === this.#viewer.file?.id)) this.#showList();
    this.#list.replaceChildren(...files.map((file) => this.#row(file)), ...this.#sending.keys());
    this.#empty.hidden = files.length + this.#sending.size > 0;
  }

  /**
   * Turns the slide that oneself presents, wherever it was begun.
   * @param {string} slide
   * @param {-1 | 1} step
   */
  turn(slide, step) {
    const slides = this.#files.map(({ links }) => links.slides).find((each) => each.includes(slide)) ?? [];
    const next = slides[slides.indexOf(slide) + step];
    if (next) this.attempt(this.calls.changeSlide(next));
  }

  /**
   * @param {string} slide
   * @returns {{ index: number, count: number } | null} where it is in its file
   */
  placeOf(slide) {
    const slides = this.#files.map(({ links }) => links.slides).find((each) => each.includes(slide));
    return slides ? { index: slides.indexOf(slide), count: slides.length } : null;
  }

  /** @param {File} file */
  async #send(file) {
    const bar = h("progress", { max: 1, value: 0, "aria-label": file.name });
    const told = h("small", { text: tt("sending", { share: "0" }) });
    const row = h("li", { class: "file is-busy" }, h("span", { class: "file-picture" }, icon("upload")), h("span", { class: "file-name" }, h("span", { text: file.name }), told, bar));
    this.#sending.set(row, file);
    this.#list.append(row);
    this.#empty.hidden = true;
    try {
      await this.calls.upload(file, (share) => {
        bar.value = share;
        told.textContent = tt("sending", { share: percent(share) });
      });
    } finally {
      this.#sending.delete(row);
      row.remove();
      this.#empty.hidden = this.#files.length + this.#sending.size > 0;
    }
  }

  /** @param {MeetingFile} file */
  #row(file) {
    const { id, name, links, failed } = file;
    const [thumbnail] = links.thumbnails;
    const picture = h("span", { class: "file-picture" }, thumbnail ? h("img", { src: near(thumbnail, links.download), alt: "" }) : icon("file"));
    const text = h("span", { class: "file-name" }, h("span", { text: name }), stateOf(file));
    const open = h("button", { class: "file-open", type: "button", disabled: !links.slides.length, title: tt("open", { name }), on: { click: () => this.#open(file) } }, picture, text);
    const label = tt("remove", { name });
    const remove = h("button", { class: "person-action", type: "button", title: label, "aria-label": label, on: { click: () => this.attempt(this.calls.deleteFile(id)) } }, icon("trash"));
    return h("li", { class: `file${failed ? " is-failed" : ""}`, data: { file: id } }, open, remove);
  }

  /** @param {MeetingFile} file */
  #open(file) {
    this.#viewer.open(file);
    this.element.replaceChildren(this.#viewer.element);
    this.#viewer.element.focus();
  }

  #showList() {
    this.#viewer.file = null;
    this.element.replaceChildren(this.#main);
  }

  #takeDrops() {
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.element.classList.add("is-over");
    });
    this.element.addEventListener("dragleave", () => this.element.classList.remove("is-over"));
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.element.classList.remove("is-over");
      this.send([...(event.dataTransfer?.files ?? [])]);
    });
  }
}

/** @param {MeetingFile} file */
function stateOf({ failed, converted, conversion_progress: share, links, name }) {
  if (failed) return h("small", { text: tt("fileFailed") });
  const count = links.slides.length;
  if (converted) return h("small", { text: count === 1 ? tt("slideOne") : tt("slideCount", { count: String(count) }) });
  return h("span", { class: "file-progress" }, h("small", { text: tt("converting", { share: percent(share) }) }), h("progress", { max: 1, value: share, "aria-label": name }));
}

/** @param {number} share */
const percent = (share) => String(Math.round(share * 100));
