/**
 * The icons of all pages: strokes on a 24 by 24 grid, coloured by the text around them.
 */

/** @type {Record<string, string>} path data */
const PATHS = {
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z M5.5 11a6.5 6.5 0 0 0 13 0 M12 17.5V21 M8.5 21h7",
  micOff: "M9 9v2a3 3 0 0 0 4.6 2.5 M15 11V6a3 3 0 0 0-5.7-1.3 M5.5 11a6.5 6.5 0 0 0 10.3 5.3 M18.5 11a6.5 6.5 0 0 1-.7 2.9 M12 17.5V21 M8.5 21h7 M4 3.5l16.5 16.5",
  camera: "M4.5 6.5h8.5a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H4.5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2z M15 10.7l5-2.9a.7.7 0 0 1 1 .6v7.2a.7.7 0 0 1-1 .6l-5-2.9",
  cameraOff: "M9 6.5h4a2 2 0 0 1 2 2V12 M14.6 16.7a2 2 0 0 1-1.6.8H4.5a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.6-2 M15 10.7l5-2.9a.7.7 0 0 1 1 .6v7.2 M3.5 3.5l17 17",
  screen: "M4.5 4.5h15a2 2 0 0 1 2 2v8.5a2 2 0 0 1-2 2h-15a2 2 0 0 1-2-2V6.5a2 2 0 0 1 2-2z M12 14V8 M9.3 10.5L12 7.8l2.7 2.7 M8 20.5h8",
  hand: "M7.5 12.5V6.2a1.4 1.4 0 0 1 2.8 0V11 M10.3 10.5V4.4a1.4 1.4 0 0 1 2.8 0V10.5 M13.1 10.5V5.4a1.4 1.4 0 0 1 2.8 0V12 M15.9 11.5V8a1.4 1.4 0 0 1 2.8 0v6.5c0 3.6-2.6 6.5-6.2 6.5-2.8 0-4.3-1.3-5.6-3.6l-2.4-4.2a1.4 1.4 0 0 1 2.3-1.5l1.5 1.9",
  chat: "M4.5 4.5h15a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H10l-4.3 3.3a.5.5 0 0 1-.8-.4V17.5h-.4a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2z M7.5 9.2h9 M7.5 12.8h5.5",
  people: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M2.5 19.5c.5-3.3 3.2-5 6.5-5s6 1.7 6.5 5 M15.5 4.9a3.5 3.5 0 0 1 0 6.3 M18 15.2c1.9.7 3.2 2.2 3.5 4.3",
  leave: "M3.3 14.3c-.7-.6-1-1.5-.7-2.4C3.6 9 7.6 7.3 12 7.3s8.4 1.7 9.4 4.6c.3.9 0 1.8-.7 2.4l-1.3 1.1a1.2 1.2 0 0 1-1.3.1l-2.3-1.2a1.2 1.2 0 0 1-.7-1.2l.2-1.5c-2.1-.7-4.5-.7-6.6 0l.2 1.5c0 .5-.2 1-.7 1.2l-2.3 1.2a1.2 1.2 0 0 1-1.3-.1z",
  settings: "M4 7h9.5 M18.5 7H20 M16 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z M20 17h-9.5 M5.5 17H4 M8 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  link: "M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7l-1.3 1.3 M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.3-1.3",
  lock: "M6.5 10.5h11a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7a1.5 1.5 0 0 1 1.5-1.5z M8 10.5V7.5a4 4 0 0 1 8 0v3 M12 14.5v2",
  shield: "M12 3.5l7 2.5v5.5c0 4.3-2.9 7.6-7 9-4.1-1.4-7-4.7-7-9V6z M9 12l2.2 2.2L15.2 10",
  record: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  stop: "M7 5h10a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z",
  photo: "M4.5 7.5h3l1.5-2.5h6l1.5 2.5h3a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18V9a1.5 1.5 0 0 1 1.5-1.5z M12 16.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6z",
  file: "M6.5 3.5h7l4.5 4.5v11a1.5 1.5 0 0 1-1.5 1.5h-10A1.5 1.5 0 0 1 5 19V5a1.5 1.5 0 0 1 1.5-1.5z M13.5 3.5V8H18 M8.5 13h6 M8.5 16.5h4",
  upload: "M12 15.5V5 M7.8 8.8L12 4.6l4.2 4.2 M4.5 15.5v2.5a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-2.5",
  present: "M3.5 4.5h17 M5 4.5v9.5a1.5 1.5 0 0 0 1.5 1.5h11a1.5 1.5 0 0 0 1.5-1.5V4.5 M12 15.5v2 M12 17.5l-3.5 3 M12 17.5l3.5 3 M8.5 12V9.5 M12 12V7.5 M15.5 12v-3",
  previous: "M14.5 5.5L8 12l6.5 6.5",
  next: "M9.5 5.5L16 12l-6.5 6.5",
  layers: "M12 4l8.5 4.5L12 13 3.5 8.5z M3.5 12L12 16.5 20.5 12 M3.5 15.5L12 20l8.5-4.5",
  trash: "M4.5 7h15 M9.5 7V4.5h5V7 M6.5 7l.8 12a1.5 1.5 0 0 0 1.5 1.4h6.4a1.5 1.5 0 0 0 1.5-1.4l.8-12 M10 11v5.5 M14 11v5.5",
  tools: "M4.5 4.5h5v5h-5z M14.5 4.5h5v5h-5z M4.5 14.5h5v5h-5z M17 14v6 M14 17h6",
  again: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3 M19.5 4v4.5H15",
  download: "M12 4.5V15 M7.8 11.2l4.2 4.2 4.2-4.2 M4.5 16v2a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-2",
  invite: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M2.5 19.5c.5-3.3 3.2-5 6.5-5s6 1.7 6.5 5 M18.5 8v6 M15.5 11h6",
  text: "M5 6.5h14 M12 6.5V19 M9.5 19h5",
  check: "M4.5 12.5l5 5L19.5 7",
  close: "M6 6l12 12 M18 6L6 18",
  pin: "M9 3.5h6 M10 3.5l-.6 6.2L6.5 13h11l-2.9-3.3-.6-6.2 M12 13v7.5",
  unpin: "M9.5 3.5H15 M14 3.5l.6 6.2 2.9 3.3h-2 M9.5 9.5L6.5 13h6.5 M12 13.5v7 M4 3.5l16.5 16.5",
  send: "M4 12L3.5 5.2a.8.8 0 0 1 1.1-.8l15.6 6.9a.8.8 0 0 1 0 1.4L4.6 19.6a.8.8 0 0 1-1.1-.8z M4 12h8",
  grid: "M4.5 4.5h6v6h-6z M13.5 4.5h6v6h-6z M4.5 13.5h6v6h-6z M13.5 13.5h6v6h-6z",
  focus: "M4.5 4.5h15a1 1 0 0 1 1 1v8h-17v-8a1 1 0 0 1 1-1z M3.5 16.5h4.5v3H3.5z M10 16.5h4.5v3H10z M16.5 16.5h4v3h-4z",
  help: "M4.5 5.5h15a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-15a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2z M6.5 9.5h.01 M10 9.5h.01 M13.5 9.5h.01 M17.3 9.5h.01 M6.5 12.5h.01 M17.3 12.5h.01 M10 12.5h3.5 M8 15.5h8",
  remove: "M10 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M3.5 19.5c.5-3.3 3.2-5 6.5-5 1.6 0 3 .4 4.2 1.2 M17 16l4 4 M21 16l-4 4",
  speaker: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z M15.5 9a4.2 4.2 0 0 1 0 6 M18 6.5a7.8 7.8 0 0 1 0 11",
  speakerOff: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z M16 9.5l5 5 M21 9.5l-5 5",
  play: "M7.5 5.2a.7.7 0 0 1 1.1-.6l10.2 6.8a.7.7 0 0 1 0 1.2L8.6 19.4a.7.7 0 0 1-1.1-.6z",
  pause: "M7.5 5h2.5v14H7.5z M14 5h2.5v14H14z",
  expand: "M4.5 9V4.5H9 M15 4.5h4.5V9 M19.5 15v4.5H15 M9 19.5H4.5V15",
  shrink: "M9 4.5V9H4.5 M19.5 9H15V4.5 M15 19.5V15h4.5 M4.5 15H9v4.5",
  warning: "M12 4.2l8.7 15a.9.9 0 0 1-.8 1.3H4.1a.9.9 0 0 1-.8-1.3z M12 10v4.5 M12 17.3h.01",
  arrow: "M4.5 12h15 M13.5 6l6 6-6 6",
  plus: "M12 5v14 M5 12h14",
  book: "M5 4.5h9.5a3 3 0 0 1 3 3v12H8a3 3 0 0 1-3-3z M5 16.5a2.5 2.5 0 0 1 2.5-2.5h10 M8.5 8.5h5",
  chart: "M4 19.5h16 M6.5 16V11 M11 16V6.5 M15.5 16v-3.5 M19 16V9",
  flask: "M9.5 3.5h5 M10.5 3.5v6L5 18.6a1.3 1.3 0 0 0 1.1 1.9h11.8a1.3 1.3 0 0 0 1.1-1.9l-5.5-9.1v-6 M7.5 15h9",
  copy: "M9 8.5h9.5a1 1 0 0 1 1 1V19a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V9.5a1 1 0 0 1 1-1z M5 15.5a1 1 0 0 1-.5-.9V5a1 1 0 0 1 1-1h9.6a1 1 0 0 1 .9.5",
};

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name a key of the table above
 * @returns {SVGSVGElement} hidden from screen readers: what it is on carries the label
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}

/** @returns {SVGSVGElement} people in a ring: one of them has the word */
export function logo() {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ class: "logo", viewBox: "0 0 32 32", "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (let seat = 0; seat < 7; seat++) {
    const angle = (seat / 7) * 2 * Math.PI - Math.PI / 2;
    const dot = document.createElementNS(SVG, "circle");
    const attributes = { cx: 16 + 11 * Math.cos(angle), cy: 16 + 11 * Math.sin(angle), r: seat ? 2.9 : 4.1, class: seat ? "logo-seat" : "logo-speaker" };
    for (const [key, value] of Object.entries(attributes)) dot.setAttribute(key, typeof value === "number" ? value.toFixed(2) : value);
    svg.append(dot);
  }
  return svg;
}

/**
 * @param {number} bars 0 to 4 of four
 * @returns {SVGSVGElement}
 */
export function signal(bars) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ class: "signal", viewBox: "0 0 16 14", "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (let bar = 0; bar < 4; bar++) {
    const rect = document.createElementNS(SVG, "rect");
    const height = 4 + bar * 3.3;
    const attributes = { x: bar * 4.2, y: 14 - height, width: 2.8, height, rx: 1, class: bar < bars ? "on" : "off" };
    for (const [key, value] of Object.entries(attributes)) rect.setAttribute(key, String(value));
    svg.append(rect);
  }
  return svg;
}
