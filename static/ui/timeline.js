/**
 * How a conference moved from direct connections to the server, drawn: a line for each stream, in milliseconds since the server said so.
 */

import { h } from "./dom.js";

/** @typedef {import("../types.js").MoveStep} MoveStep */
/** @typedef {{ name: string, at: Partial<Record<MoveStep, number>> }} Line */

/** What lies between a step and the one before it. */
const SPANS = /** @type {const} */ ([
  { until: "offered", text: "direct, the server has not offered it yet" },
  { until: "rendered", text: "direct, the server's copy is on its way" },
  { until: "moved", text: "both are there" },
]);

export class Timeline {
  /** @type {Map<string, Line>} by stream */ #lines = new Map();
  #start = 0;
  #rows = h("div", { class: "move-rows" });
  #legend = h("p", { class: "move-legend" }, ...SPANS.map(({ until, text }) => h("span", {}, h("i", { class: `move-span is-${until}` }), text)));

  constructor() {
    this.element = h("div", { class: "move" }, this.#rows, this.#legend);
  }

  /** The move begins. */
  begin() {
    this.#start = performance.now();
    this.#lines.clear();
    this.#draw();
  }

  /**
   * @param {string} streamId
   * @param {string} name of whose it is
   * @param {MoveStep} step that it has just taken
   */
  note(streamId, name, step) {
    const line = this.#lines.get(streamId) ?? { name, at: {} };
    line.at[step] = performance.now() - this.#start;
    this.#lines.set(streamId, line);
    this.#draw();
  }

  /** What was noted, for copying. */
  get noted() {
    return [...this.#lines].map(([streamId, { at }]) => ({ streamId, ...at }));
  }

  #draw() {
    const end = Math.max(1, ...[...this.#lines.values()].flatMap(({ at }) => Object.values(at)));
    this.#rows.replaceChildren(...[...this.#lines.values()].map((line) => rowOf(line, end)));
  }
}

/**
 * @param {Line} line
 * @param {number} end milliseconds that the whole width stands for
 */
function rowOf({ name, at }, end) {
  let before = 0;
  const spans = SPANS.flatMap(({ until, text }) => {
    const now = at[until];
    if (now === undefined) return [];
    const span = h("i", { class: `move-span is-${until}`, title: `${text}: ${Math.round(before)} to ${Math.round(now)} ms` });
    span.style.width = `${(100 * (now - before)) / end}%`;
    before = now;
    return [span];
  });
  const told = at.moved === undefined ? "under way" : `${Math.round(at.moved)} ms`;
  return h("div", { class: "move-row" }, h("span", { class: "move-name", text: name }), h("div", { class: "move-track" }, ...spans), h("output", { text: told }));
}
