/**
 * Where tiles go. Pure: a number of tiles and a window in, rectangles out.
 *
 * Pictures are cropped a little to fill their tiles; the arrangement chosen is the one that shows most of all pictures.
 */

/** @typedef {{ left: number, top: number, width: number, height: number }} Rect pixels */

const PICTURE_ASPECT = 16 / 9;
const WIDEST = 16 / 9; // tiles stay between these two shapes
const TALLEST = 3 / 4;
const STRIP_SHARE = 0.22; // of the window, beside a featured tile
const STRIP_LEAST = 120; // pixels
const STRIP_MOST = 260;
const CORNER_SHARE = 0.24; // of the window, for one's own picture in the corner
const CORNER_LEAST = 108;
const CORNER_MOST = 280;

/**
 * @param {number} count
 * @param {Rect} area
 * @param {number} gap
 * @returns {Rect[]} rows from the top, each centred
 */
export function arrange(count, area, gap) {
  if (count === 0 || area.width <= 0 || area.height <= 0) return [];
  let best = { shown: -1, columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const tile = tileSize(columns, Math.ceil(count / columns), area, gap);
    const shown = shownArea(tile);
    if (shown > best.shown) best = { shown, columns, ...tile };
  }
  return rowsOf(count, best, area, gap);
}

/**
 * One tile large, the others in a strip beside or below it.
 * @param {number} others
 * @param {Rect} area
 * @param {number} gap
 * @returns {{ featured: Rect, strip: Rect[] }}
 */
export function feature(others, area, gap) {
  if (others === 0) return { featured: area, strip: [] };
  const beside = area.width > area.height * 1.1;
  const size = clamp((beside ? area.width : area.height) * STRIP_SHARE, STRIP_LEAST, STRIP_MOST);
  const { left, top, width, height } = area;
  if (beside) {
    const strip = { left: left + width - size, top, width: size, height };
    return { featured: { left, top, width: width - size - gap, height }, strip: arrange(others, strip, gap) };
  }
  const strip = { left, top: top + height - size, width, height: size };
  return { featured: { left, top, width, height: height - size - gap }, strip: arrange(others, strip, gap) };
}

/**
 * Two people: the other fills the window, one's own picture floats in its corner.
 * @param {Rect} area
 * @param {number} gap
 * @returns {{ other: Rect, own: Rect }}
 */
export function faceToFace(area, gap) {
  const upright = area.height > area.width;
  const width = clamp(area.width * CORNER_SHARE, CORNER_LEAST, CORNER_MOST);
  const height = upright ? width / TALLEST : width / PICTURE_ASPECT;
  const own = { left: area.left + area.width - width - gap * 1.5, top: area.top + area.height - height - gap * 1.5, width, height };
  return { other: area, own };
}

/**
 * @param {number} columns
 * @param {number} rows
 * @param {Rect} area
 * @param {number} gap
 */
function tileSize(columns, rows, area, gap) {
  const width = (area.width - gap * (columns - 1)) / columns;
  const height = (area.height - gap * (rows - 1)) / rows;
  return { width: Math.max(0, Math.min(width, height * WIDEST)), height: Math.max(0, Math.min(height, width / TALLEST)) };
}

/**
 * How much of a picture can be seen in a tile that it fills.
 * @param {{ width: number, height: number }} tile
 */
function shownArea({ width, height }) {
  if (width <= 0 || height <= 0) return 0;
  const aspect = width / height;
  const visible = Math.min(aspect / PICTURE_ASPECT, PICTURE_ASPECT / aspect);
  return width * height * Math.sqrt(visible); // a cropped picture is still worth more than an empty border
}

/**
 * @param {number} count
 * @param {{ columns: number, width: number, height: number }} tile
 * @param {Rect} area
 * @param {number} gap
 */
function rowsOf(count, { columns, width, height }, area, gap) {
  const rows = Math.ceil(count / columns);
  const top = area.top + (area.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = area.left + (area.width - inRow * width - (inRow - 1) * gap) / 2;
    return { left: left + (index % columns) * (width + gap), top: top + row * (height + gap), width, height };
  });
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
