/**
 * A small plot of one quantity over the last minutes, drawn on a canvas in the colours of the page.
 */

import { h } from "./dom.js";

const KEEP = 120; // samples
const WIDTH = 168; // CSS pixels
const HEIGHT = 44;

export class Plot {
  /** @type {number[]} */ #values = [];
  #canvas = h("canvas", { class: "plot-canvas" });
  #now = h("output", { class: "plot-now" });

  /**
   * @param {string} label
   * @param {(value: number) => string} format
   * @param {number} least the top of the scale is never lower than this
   */
  constructor(label, format, least) {
    this.format = format;
    this.least = least;
    this.element = h("figure", { class: "plot" }, h("figcaption", {}, h("span", { text: label }), this.#now), this.#canvas);
    this.#canvas.width = WIDTH * devicePixelRatio;
    this.#canvas.height = HEIGHT * devicePixelRatio;
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", label);
  }

  /** @param {number | null} value null where nothing was measured */
  add(value) {
    this.#values.push(value ?? Number.NaN);
    if (this.#values.length > KEEP) this.#values.shift();
    this.#now.textContent = value === null ? "–" : this.format(value);
    this.#draw();
  }

  #draw() {
    const context = this.#canvas.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(this.#canvas);
    const top = Math.max(this.least, ...this.#values.filter(Number.isFinite)) * 1.1;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    const line = new Path2D();
    let started = false;
    this.#values.forEach((value, index) => {
      if (Number.isNaN(value)) return void (started = false);
      const x = WIDTH - (this.#values.length - 1 - index) * (WIDTH / (KEEP - 1));
      const y = HEIGHT - 1.5 - (value / top) * (HEIGHT - 4);
      if (started) line.lineTo(x, y);
      else line.moveTo(x, y);
      started = true;
    });
    context.strokeStyle = style.color;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.stroke(line);
  }
}
