"""Where people stand in the composite: named layouts, maps of a caller's own, tiles by number of people.

Pure rectangles on one of two canvases. Who sits in which box is `seats.py`'s; how a picture fills its box is decided
here too (`place`), as the same rule tells which layer of a picture is worth receiving. Every edge is even, since the
composite halves its colour planes.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.errors import MediaError

STANDARD, WIDESCREEN = (1280, 960), (1280, 720)
MAX_BOXES = 10
MAX_MAP_BYTES = 4096  # of a map written as JSON: ten boxes take a tenth of it
MIN_SIDE = 2  # pixels: less has no colour
FITS = ("auto", "contain", "cover")
KEPT_BY_COVER = 0.6  # `auto` shows a picture whole rather than less of it than this
BENT = 0.02  # a picture whose shape is this close to its box's is stretched: nobody sees it, and nothing is cropped

NAMES = (
    "one",
    "two",
    "four",
    "six",
    "nine",
    "present-lower-3",
    "present-upper-6",
    "present-two-upper-6",
    "present-upper-right-9",
    "present-vertical-9",
)


class BadLayout(MediaError):
    """A layout that cannot be shown; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the composite, in pixels. `fit`: auto, contain (all of a picture) or cover (all of the box)."""

    left: int
    top: int
    width: int
    height: int
    fit: str = "auto"

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def overlaps(self, other: "Box") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def canvas_of(widescreen: bool) -> tuple[int, int]:
    """Width and height of the composite."""
    return WIDESCREEN if widescreen else STANDARD


def named(name: str, widescreen: bool = False) -> tuple[Box, ...]:
    """The boxes of a named layout, in the order in which they are taken; raises `BadLayout` for another name."""
    if name not in NAMES:
        raise BadLayout(f"there is no layout {name!r}: it is one of {', '.join(NAMES)}")
    width, height = canvas_of(widescreen)
    if name.startswith("present-"):
        return _presenting(name, width, height)
    return _tiles(name, width, height)


def name_for(people: int) -> str:
    """The layout that tiles so many people; beyond nine, nine of them are shown."""
    return next((name for most, name in ((1, "one"), (2, "two"), (4, "four"), (6, "six")) if people <= most), "nine")


def presentation_for(people: int) -> str:
    """The layout that shows a slide or screen large, in its first box, with so many people beside it."""
    return next((name for most, name in ((3, "present-lower-3"), (6, "present-upper-6")) if people <= most), _RING)


def largest(boxes: Sequence[Box]) -> int:
    """The index of the box that a presentation takes: the largest, the first among equals."""
    return max(range(len(boxes)), key=lambda i: (boxes[i].width * boxes[i].height, -i))


def mapped(given: object, widescreen: bool = False) -> tuple[Box, ...]:
    """The boxes of a caller's own map, a list or its JSON; raises `BadLayout`. Odd edges move to the even pixel."""
    boxes = _from_json(given) if isinstance(given, str) else given
    if not isinstance(boxes, list | tuple) or not boxes:
        raise BadLayout("a map is a list of boxes [x, y, width, height, fit]")
    if len(boxes) > MAX_BOXES:
        raise BadLayout(f"a map has at most {MAX_BOXES} boxes, not {len(boxes)}")
    return tuple(_mapped_box(box, *canvas_of(widescreen), at=index) for index, box in enumerate(boxes))


@dataclass(frozen=True, slots=True)
class Placement:
    """What of a picture is shown (`crop`), and where in the composite (`at`)."""

    crop: Box
    at: Box


def place(box: Box, width: int, height: int) -> Placement:
    """How a picture of `width` x `height` fills `box`."""
    shape, wanted = width / height, box.width / box.height
    if abs(shape / wanted - 1) < BENT:
        return Placement(Box(0, 0, width, height), box)
    kept = min(shape / wanted, wanted / shape)
    if box.fit == "cover" or (box.fit == "auto" and kept >= KEPT_BY_COVER):
        return Placement(_cropped(width, height, wanted), box)
    return Placement(Box(0, 0, width, height), _inside(box, shape))


_RING = "present-upper-right-9"
_GRIDS = {"one": ((1, 1), (1, 1)), "four": ((2, 2), (2, 2)), "six": ((2, 3), (3, 2)), "nine": ((3, 3), (3, 3))}
"""Columns and rows on the standard and on the wide canvas; `two` has bands of its own."""
_NUMBER = re.compile(r"-?[0-9]{1,6}")


def _tiles(name: str, width: int, height: int) -> tuple[Box, ...]:
    wide = (width, height) == WIDESCREEN
    if name == "two":
        return _grid(Box(0, (height - 480) // 2, width, 480), 2, 1)
    columns, rows = _GRIDS[name][wide]
    return _grid(Box(0, 0, width, height), columns, rows)


def _grid(area: Box, columns: int, rows: int) -> tuple[Box, ...]:
    """Equal boxes, row by row, that fill `area`."""
    across = [area.left + _even(area.width * i / columns) for i in range(columns + 1)]
    down = [area.top + _even(area.height * i / rows) for i in range(rows + 1)]
    return tuple(
        Box(across[c], down[r], across[c + 1] - across[c], down[r + 1] - down[r])
        for r in range(rows)
        for c in range(columns)
    )


def _presenting(name: str, width: int, height: int) -> tuple[Box, ...]:
    if name == "present-lower-3":
        return _lower(width, height)
    if name == "present-vertical-9":
        return _vertical(width, height)
    if name == _RING:
        return _ring(width, height)
    people = _grid(Box(0, 0, width, _even(height / 6)), 6, 1)
    below = Box(0, people[0].height, width, height - people[0].height)
    if name == "present-upper-6":
        return below, *people
    half = width // 2
    tall = _even(half * 3 / 4)
    two = Box(0, below.top + _even((below.height - tall) / 2), width, tall)
    return *_grid(two, 2, 1), *people


def _lower(width: int, height: int) -> tuple[Box, ...]:
    """Three quarters of the height for the presentation, at 16:9 or all the width, and three people under it."""
    row = height // 4
    used = min(width, _even((height - row) * 16 / 9))
    left = (width - used) // 2
    return Box(left, 0, used, height - row), *_grid(Box(left, height - row, used, row), 3, 1)


def _ring(width: int, height: int) -> tuple[Box, ...]:
    """Fifths: the presentation at the lower left, five people above it and four down the right side."""
    fifths = _grid(Box(0, 0, width, height), 5, 5)
    corner = fifths[9]
    large = Box(0, corner.top, corner.left, height - corner.top)
    return large, *fifths[:5], *(fifths[row * 5 + 4] for row in range(1, 5))


def _vertical(width: int, height: int) -> tuple[Box, ...]:
    """An upright page at the left, people in two columns beside it, the ninth alone in the middle of the last row."""
    columns = _grid(Box(width * 3 // 5, 0, width * 2 // 5, height), 2, 5)
    last = columns[8]
    middle = Box(last.left + _even(last.width / 2), last.top, last.width, last.height)
    return Box(0, 0, width * 3 // 5, height), *columns[:8], middle


def _from_json(text: str) -> object:
    if len(text) > MAX_MAP_BYTES:
        raise BadLayout("the map is too long")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadLayout("the map is no JSON") from None


def _mapped_box(given: object, width: int, height: int, *, at: int) -> Box:
    if not isinstance(given, list | tuple) or len(given) not in (4, 5):
        raise BadLayout(f"box {at} of the map is not [x, y, width, height, fit]")
    fit = given[4] if len(given) == 5 else "auto"
    if fit not in FITS:
        raise BadLayout(f"the fit of box {at} is {fit!r}, not one of {', '.join(FITS)}")
    x, y, w, h = (_pixels(value, at) for value in given[:4])
    if x < 0 or y < 0 or w < MIN_SIDE or h < MIN_SIDE or x + w > width or y + h > height:
        raise BadLayout(f"box {at} of the map does not lie within {width} x {height}")
    left, top = x & ~1, y & ~1
    return Box(left, top, max(MIN_SIDE, (x + w & ~1) - left), max(MIN_SIDE, (y + h & ~1) - top), fit)


def _pixels(value: object, at: int) -> int:
    """A whole number, or its digits: form fields are text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or abs(value) > 1e6:
        raise BadLayout(f"box {at} of the map has a side that is no whole number: {value!r:.40}")
    return int(value)


def _even(value: float) -> int:
    return round(value / 2) * 2


def _cropped(width: int, height: int, wanted: float) -> Box:
    """The middle of a picture, of the shape `wanted`."""
    if width / height > wanted:
        kept = min(width, max(MIN_SIDE, _even(height * wanted)))
        return Box((width - kept) // 2 & ~1, 0, kept, height)
    kept = min(height, max(MIN_SIDE, _even(width / wanted)))
    return Box(0, (height - kept) // 2 & ~1, width, kept)


def _inside(box: Box, shape: float) -> Box:
    """The largest box of this shape in the middle of `box`."""
    width = max(MIN_SIDE, min(box.width, _even(box.height * shape)))
    height = max(MIN_SIDE, min(box.height, _even(box.width / shape)))
    left = box.left + ((box.width - width) // 2 & ~1)
    return Box(left, box.top + ((box.height - height) // 2 & ~1), width, height)
