/**
 * The tiles of a conference and where they are: keeps a tile for everybody and every shared screen, arranges them when something
 * changes, and tells how large each stream is shown, so that no more than that is sent.
 */

import { Tile } from "./tile.js";
import { arrange, faceToFace, feature } from "./grid.js";

/** @typedef {import("../types.js").Participant} Participant */
/** @typedef {import("../types.js").RemoteStream} RemoteStream */
/** @typedef {import("../types.js").Wish} Wish */

const GAP = 8; // pixels between tiles
const SMALL_GAP = 5;
const SMALL_STAGE = 560; // pixels of width below which the small gap holds
const SIZE_STEP = 40; // pixels: wishes are rounded up, so that a moving window does not change them all the time
const CAMERA_ASPECT = 16 / 9;
const PRIORITY = { featured: 100, screen: 80, speaking: 40, other: 10 };

export class Stage {
  /** @type {Map<string, Tile>} */ #tiles = new Map();
  /** @type {Tile | null} */ #pinned = null;
  /** @type {string | null} */ #speaker = null;
  /** @type {Set<Element>} tiles that are in sight */ #inSight = new Set();
  #focus = false;
  #element;
  #owner;
  #sight;

  /**
   * @param {HTMLElement} element
   * @param {object} owner
   * @param {(streamId: string, wish: Wish) => void} owner.want
   * @param {() => void} owner.onBlocked
   */
  constructor(element, owner) {
    this.#element = element;
    this.#owner = owner;
    new ResizeObserver(() => this.arrange()).observe(element);
    this.#sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) isIntersecting ? this.#inSight.add(target) : this.#inSight.delete(target);
      this.#tellWishes();
    });
  }

  get tiles() {
    return [...this.#tiles.values()];
  }

  /** Whether one picture shows everybody: then nobody has a tile of their own. */
  get together() {
    return this.tiles.some((tile) => tile.stream?.label === "one_view");
  }

  /** Whether the one who speaks is shown large. */
  get focus() {
    return this.#focus;
  }

  set focus(focus) {
    this.#focus = focus;
    this.arrange();
  }

  /** @param {string} userId */
  person(userId) {
    return this.#tiles.get(`person ${userId}`);
  }

  /**
   * @param {Participant} participant
   * @param {boolean} self
   */
  addPerson({ id, name }, self) {
    const known = this.person(id);
    if (known) return known.setName(name);
    this.#add(new Tile({ ...this.#common(), id: `person ${id}`, kind: "person", userId: id, self }), name);
  }

  /** @param {string} userId */
  removePerson(userId) {
    for (const tile of this.tiles) if (tile.userId === userId && (tile.kind === "person" || tile.stream)) this.#remove(tile);
  }

  /**
   * @param {RemoteStream} stream
   * @param {string} name of whose it is
   */
  addStream(stream, name) {
    if (stream.label === "camera") {
      if (!this.person(stream.userId)) this.addPerson({ id: stream.userId, name }, false);
      this.person(stream.userId)?.show(stream);
      return this.#tellWishes();
    }
    const kind = stream.label === "screen" ? "screen" : "common";
    const tile = new Tile({ ...this.#common(), id: `stream ${stream.id}`, kind, userId: stream.userId });
    tile.show(stream);
    this.#add(tile, name);
  }

  /** @param {RemoteStream} stream */
  removeStream(stream) {
    const tile = this.withStream(stream.id);
    if (tile?.kind === "person") tile.show(null);
    else if (tile) this.#remove(tile);
  }

  /**
   * A place for what somebody presents, large until `removeTile`.
   * @param {string} userId
   * @param {string} name
   */
  addSlide(userId, name) {
    const tile = new Tile({ ...this.#common(), id: "slide", kind: "slide", userId });
    this.#add(tile, name);
    return tile;
  }

  /** @param {Tile} tile */
  removeTile(tile) {
    if (this.#tiles.has(tile.id)) this.#remove(tile);
  }

  /** @param {string} streamId */
  withStream(streamId) {
    return this.tiles.find((tile) => tile.stream?.id === streamId);
  }

  /**
   * @param {Set<string>} speaking
   * @param {string | null} loudest among the others
   */
  setSpeakers(speaking, loudest) {
    for (const tile of this.tiles) {
      tile.setSpeaking(tile.kind === "person" && speaking.has(tile.userId));
      tile.setActive(tile.kind === "person" && tile.userId === loudest);
    }
    if (!loudest || loudest === this.#speaker) return;
    this.#speaker = loudest;
    if (this.#focus) this.arrange();
    else this.#tellWishes();
  }

  /** Plays what the browser has held back, from within a click. */
  play() {
    for (const tile of this.tiles) tile.play();
  }

  arrange() {
    const { clientWidth: width, clientHeight: height } = this.#element;
    if (!width || !height) return;
    const gap = width < SMALL_STAGE ? SMALL_GAP : GAP;
    const area = { left: gap, top: gap, width: width - 2 * gap, height: height - 2 * gap };
    const { together } = this;
    for (const tile of this.tiles) tile.element.hidden = together && tile.kind === "person";
    const tiles = this.#ordered().filter(({ element }) => !element.hidden);
    const featured = this.#featured();
    for (const tile of tiles) tile.element.classList.toggle("is-featured", tile === featured);
    const own = tiles.find((tile) => tile.self);
    const others = tiles.filter((tile) => tile !== own);
    this.#element.classList.toggle("is-face-to-face", !featured && !!own && others.length === 1);
    if (featured) this.#placeFeatured(featured, tiles, area, gap);
    else if (own && others.length === 1) this.#placeTwo(own, /** @type {Tile} */ (others[0]), area, gap);
    else arrange(tiles.length, area, gap).forEach((rect, index) => tiles[index]?.place(rect));
    this.#tellWishes();
  }

  #common() {
    return { onPin: (/** @type {Tile} */ tile) => this.#pin(tile), onBlocked: this.#owner.onBlocked };
  }

  /**
   * @param {Tile} tile
   * @param {string} name
   */
  #add(tile, name) {
    tile.setName(name);
    this.#tiles.set(tile.id, tile);
    this.#element.append(tile.element);
    this.#sight.observe(tile.element);
    this.arrange();
  }

  /** @param {Tile} tile */
  #remove(tile) {
    if (tile === this.#pinned) this.#pinned = null;
    this.#tiles.delete(tile.id);
    this.#sight.unobserve(tile.element);
    this.#inSight.delete(tile.element);
    tile.remove();
    this.arrange();
  }

  /** @param {Tile} tile */
  #pin(tile) {
    this.#pinned = this.#pinned === tile ? null : tile;
    for (const other of this.tiles) other.setPinned(other === this.#pinned);
    this.arrange();
  }

  /** Screens and slides first, then the others in the order they came, oneself last. */
  #ordered() {
    /** @param {Tile} tile */
    const rank = (tile) => (tile.kind !== "person" ? 0 : tile.self ? 2 : 1);
    return this.tiles.sort((a, b) => rank(a) - rank(b));
  }

  /** @returns {Tile | null} */
  #featured() {
    if (this.#tiles.size < 2) return null;
    const screens = this.tiles.filter((tile) => tile.kind !== "person");
    const speaker = this.#focus ? (this.person(this.#speaker ?? "") ?? this.tiles.find((tile) => !tile.self)) : null;
    const pinned = this.#pinned?.element.hidden ? null : this.#pinned;
    return pinned ?? screens.at(-1) ?? speaker ?? null;
  }

  /**
   * @param {Tile} featured
   * @param {Tile[]} tiles
   * @param {import("./grid.js").Rect} area
   * @param {number} gap
   */
  #placeFeatured(featured, tiles, area, gap) {
    const others = tiles.filter((tile) => tile !== featured);
    const places = feature(others.length, area, gap);
    featured.place(places.featured);
    places.strip.forEach((rect, index) => others[index]?.place(rect));
  }

  /**
   * @param {Tile} own
   * @param {Tile} other
   * @param {import("./grid.js").Rect} area
   * @param {number} gap
   */
  #placeTwo(own, other, area, gap) {
    const places = faceToFace(area, gap);
    other.place(places.other);
    own.place(places.own);
  }

  #tellWishes() {
    const featured = this.#featured();
    for (const tile of this.tiles) if (tile.stream) this.#owner.want(tile.stream.id, this.#wish(tile, tile === featured));
  }

  /**
   * @param {Tile} tile
   * @param {boolean} featured
   * @returns {Wish}
   */
  #wish(tile, featured) {
    if (!this.#inSight.has(tile.element)) return { video: false };
    const { size } = tile;
    const cropped = tile.kind === "person"; // then the picture is larger than the tile in one direction
    const width = cropped ? Math.max(size.width, size.height * CAMERA_ASPECT) : size.width;
    const height = cropped ? Math.max(size.height, size.width / CAMERA_ASPECT) : size.height;
    const role = featured ? "featured" : tile.kind === "screen" ? "screen" : tile.userId === this.#speaker ? "speaking" : "other";
    return { maxWidth: pixels(width), maxHeight: pixels(height), priority: PRIORITY[role] };
  }
}

/** @param {number} size in CSS pixels */
function pixels(size) {
  return Math.ceil((size * devicePixelRatio) / SIZE_STEP) * SIZE_STEP;
}
