/**
 * The layouts of the common picture, each as a little picture of itself.
 */

import { h } from "../dom.js";
import { tt } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 40;
const HEIGHT = 30;
const GAP = 1;

/** @typedef {[left: number, top: number, width: number, height: number]} Box in percent */

/**
 * @param {number} columns
 * @param {number} rows
 * @param {Box} [area]
 * @returns {Box[]}
 */
function tiles(columns, rows, [left, top, width, height] = [0, 0, 100, 100]) {
  return Array.from({ length: columns * rows }, (_, index) => [
    left + ((index % columns) * width) / columns,
    top + (Math.floor(index / columns) * height) / rows,
    width / columns,
    height / rows,
  ]);
}

/** @type {Record<string, Box[]>} */
export const LAYOUTS = {
  one: tiles(1, 1),
  two: tiles(2, 1, [0, 25, 100, 50]),
  four: tiles(2, 2),
  six: tiles(2, 3),
  nine: tiles(3, 3),
  "present-lower-3": [[0, 0, 100, 75], ...tiles(3, 1, [0, 75, 100, 25])],
  "present-upper-6": [[0, 17, 100, 83], ...tiles(6, 1, [0, 0, 100, 17])],
  "present-two-upper-6": [...tiles(2, 1, [0, 33, 100, 50]), ...tiles(6, 1, [0, 0, 100, 17])],
  "present-upper-right-9": [[0, 20, 80, 80], ...tiles(5, 1, [0, 0, 100, 20]), ...tiles(1, 4, [80, 20, 20, 80])],
  "present-vertical-9": [[0, 0, 60, 100], ...tiles(2, 4, [60, 0, 40, 80]), [70, 80, 20, 20]],
};

/**
 * @param {Box[]} boxes
 * @returns {SVGSVGElement}
 */
function pictureOf(boxes) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ class: "layout-picture", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (const [left, top, width, height] of boxes) {
    const rect = document.createElementNS(SVG, "rect");
    const at = { x: (left * WIDTH) / 100 + GAP / 2, y: (top * HEIGHT) / 100 + GAP / 2, width: (width * WIDTH) / 100 - GAP, height: (height * HEIGHT) / 100 - GAP, rx: 1 };
    for (const [key, value] of Object.entries(at)) rect.setAttribute(key, value.toFixed(2));
    svg.append(rect);
  }
  return svg;
}

/** Ask for one of them; the one that is shown is marked. */
export class LayoutChoice {
  /** @type {Map<string | null, HTMLInputElement>} */ #choices = new Map();

  /** @param {(name: string | null) => Promise<unknown>} choose null: by number of people */
  constructor(choose) {
    this.element = h("div", { class: "layouts", role: "radiogroup", "aria-label": tt("layout") });
    for (const name of [null, ...Object.keys(LAYOUTS)]) {
      const label = tt(/** @type {import("./texts.js").ToolTextKey} */ (`layout_${name ?? "auto"}`));
      const input = h("input", { type: "radio", name: "layout", value: name ?? "auto", class: "visually-hidden", on: { change: () => choose(name).catch(() => this.show(this.shown)) } });
      const picture = name === null ? h("span", { class: "layout-auto", text: "A" }) : pictureOf(LAYOUTS[name] ?? []);
      this.#choices.set(name, input);
      this.element.append(h("label", { class: "layout", title: label }, input, picture, h("span", { class: "visually-hidden", text: label })));
    }
    this.shown = /** @type {string | null} */ (null);
  }

  /** @param {string | null} name */
  show(name) {
    this.shown = name;
    for (const [each, input] of this.#choices) input.checked = each === name;
  }
}
