"""Drawing into the planes of a picture: copy, blend, fade. Numbers only; scaling is `media/pictures.py`'s.

What lies over a picture is a `Sprite`: made once from RGBA, cut into cells, each of which is empty (skipped), solid
(copied) or in between (blended with integers prepared beforehand). Colours become limited-range BT.601, which is what
browsers send.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import EllipsisType

import numpy as np
from numpy.typing import NDArray

from mediaserver.composition.layouts import Box
from mediaserver.media.pictures import Plane, Planes

Rgb = NDArray[np.uint8]
Rgba = NDArray[np.uint8]
Words = tuple[NDArray[np.uint16], ...]
Window = tuple[slice, slice]
CELL_WIDTH, CELL_HEIGHT = 256, 64  # pixels: of the cells into which sprites are cut; a name is one or two


def yuv_of(rgb: Rgb) -> Planes:
    """Planes of an RGB picture, uint8 (height, width, 3), both sides even."""
    y, u, v = _full(rgb)
    return _bytes(y), _bytes(_halved(u)), _bytes(_halved(v))


def flat(width: int, height: int, colour: str) -> Planes:
    """Planes of one colour, `#rrggbb`."""
    rgb = np.array([[[int(colour[i : i + 2], 16) for i in (1, 3, 5)]] * 2] * 2, np.uint8)
    y, u, v = (int(plane[0, 0]) for plane in yuv_of(rgb))
    half = (height // 2, width // 2)
    return np.full((height, width), y, np.uint8), np.full(half, u, np.uint8), np.full(half, v, np.uint8)


def put(canvas: Planes, planes: Planes, left: int, top: int) -> None:
    """Copies planes into the canvas, at an even place where they fit."""
    for index, (target, plane) in enumerate(zip(canvas, planes, strict=True)):
        x, y = (left, top) if index == 0 else (left // 2, top // 2)
        target[y : y + plane.shape[0], x : x + plane.shape[1]] = plane


def part(planes: Planes, box: Box) -> Planes:
    """The planes within `box` (even), shared with the whole."""
    y, u, v = (plane[window] for plane, window in zip(planes, _windows(box), strict=True))
    return y, u, v


def copied(planes: Planes) -> Planes:
    y, u, v = planes
    return y.copy(), u.copy(), v.copy()


def fade(canvas: Planes, former: Planes, share: float) -> None:
    """Lets `former` shine through the canvas; `share` from 0.0 (all of the former) to 1.0 (none)."""
    weight = np.int16(round((1 - share) * 64))
    for target, old in zip(canvas, former, strict=True):
        difference = old.astype(np.int16)
        difference -= target
        difference *= weight
        difference >>= 6
        difference += target
        np.copyto(target, difference, casting="unsafe")


class Sprite:
    """Something with transparency at a fixed place of the canvas."""

    def __init__(self, rgba: Rgba, left: int, top: int, width: int, height: int) -> None:
        """`rgba`: uint8 (height, width, 4), not premultiplied. What lies outside the canvas is cut off."""
        even = _even_edges(rgba, left, top, width, height)
        self._cells = [] if even is None else list(_cells(*even))

    def draw(self, canvas: Planes, within: Box) -> None:
        """Draws what lies in `within` (even)."""
        for cell in self._cells:
            if cell.box.overlaps(within):
                cell.draw(canvas, within)


@dataclass(frozen=True, slots=True)
class _Cell:
    """`box` of the canvas, and what goes there: planes to copy, or `ink` to add to what `keep` leaves of it."""

    box: Box
    windows: tuple[Window, Window, Window]
    solid: Planes | None
    ink: Words = ()
    keep: Words = ()
    room: Words = ()
    """Where the sums are made."""

    def draw(self, canvas: Planes, within: Box) -> None:
        box, (left, top) = self.box, (max(self.box.left, within.left), max(self.box.top, within.top))
        right, bottom = min(box.right, within.right), min(box.bottom, within.bottom)
        whole = right - left == box.width and bottom - top == box.height
        shared = box if whole else Box(left, top, right - left, bottom - top)
        windows = self.windows if whole else _windows(shared)
        inner = None if whole else _windows(Box(left - box.left, top - box.top, shared.width, shared.height))
        for index, plane in enumerate(canvas):
            self._blend(index, plane[windows[index]], inner[index] if inner else ...)

    def _blend(self, index: int, target: Plane, window: "Window | EllipsisType") -> None:
        if self.solid is not None:
            target[:] = self.solid[index][window]
            return
        mixed = self.room[index][window]
        np.copyto(mixed, target)  # widening on its own is twice as fast as within the product
        mixed *= self.keep[index][window]
        mixed += self.ink[index][window]
        mixed >>= 8
        target[:] = mixed


def _windows(box: Box) -> tuple[Window, Window, Window]:
    """Where a box (even) lies in each plane."""
    half = (slice(box.top // 2, box.bottom // 2), slice(box.left // 2, box.right // 2))
    return (slice(box.top, box.bottom), slice(box.left, box.right)), half, half


def _cells(rgba: Rgba, left: int, top: int) -> Iterator[_Cell]:
    planes, (ink, keep) = yuv_of(rgba[..., :3]), _inks(rgba)
    for inner in _cuts(rgba[..., 3]):
        alpha = rgba[inner.top : inner.bottom, inner.left : inner.right, 3]
        box = Box(left + inner.left, top + inner.top, inner.width, inner.height)
        if alpha.min() == 255:
            yield _Cell(box, _windows(box), copied(part(planes, inner)))
        elif alpha.any():
            add, stay = (tuple(p[w] for p, w in zip(of, _windows(inner), strict=True)) for of in (ink, keep))
            yield _Cell(box, _windows(box), None, add, stay, tuple(np.empty_like(plane) for plane in add))


def _cuts(alpha: Plane) -> Iterator[Box]:
    """Cells of a size that suits the processor, none with rows that are solid and rows that are not."""
    height, width = alpha.shape
    solid = (alpha == 255).all(axis=1).reshape(-1, 2).all(axis=1)
    borders = {0, height, *(2 * (np.flatnonzero(np.diff(solid)) + 1)).tolist(), *range(0, height, CELL_HEIGHT)}
    rows = sorted(borders)
    for y, below in pairwise(rows):
        for x in range(0, width, CELL_WIDTH):
            yield Box(x, y, min(CELL_WIDTH, width - x), below - y)


def _inks(rgba: Rgba) -> tuple[Words, Words]:
    """What each plane adds, times its alpha of 256 (the half that is added rounds the sum), and what stays."""
    alpha = rgba[..., 3].astype(np.float32) * (256 / 255)
    y, u, v = _full(rgba[..., :3])
    ink = _words(y * alpha + 127), _words(_halved(u * alpha) + 127), _words(_halved(v * alpha) + 127)
    half = _words(256 - _halved(alpha))
    return ink, (_words(256 - alpha), half, half)


def _even_edges(rgba: Rgba, left: int, top: int, width: int, height: int) -> tuple[Rgba, int, int] | None:
    """The part on the canvas, with transparent edges added until all of them are even; None if there is none."""
    rgba = rgba[max(0, -top) : height - top if height > top else 0, max(0, -left) : width - left if width > left else 0]
    if not rgba.size:
        return None
    left, top = max(0, left), max(0, top)
    before = (top % 2, left % 2)
    after = ((before[0] + rgba.shape[0]) % 2, (before[1] + rgba.shape[1]) % 2)
    padded = np.pad(rgba, ((before[0], after[0]), (before[1], after[1]), (0, 0)), mode="edge")
    padded[: before[0], :, 3] = 0
    padded[:, : before[1], 3] = 0
    padded[padded.shape[0] - after[0] :, :, 3] = 0
    padded[:, padded.shape[1] - after[1] :, 3] = 0
    return padded, left - before[1], top - before[0]


def _full(rgb: Rgb) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Y, U and V of each pixel."""
    r, g, b = (rgb[..., i].astype(np.float32) for i in range(3))
    y = 16 + 0.25679 * r + 0.50413 * g + 0.09791 * b
    u = 128 - 0.14822 * r - 0.29099 * g + 0.43922 * b
    v = 128 + 0.43922 * r - 0.36779 * g - 0.07143 * b
    return y, u, v


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of each two by two."""
    height, width = plane.shape
    halved: NDArray[np.float32] = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    return halved


def _bytes(plane: NDArray[np.float32]) -> Plane:
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)


def _words(plane: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.rint(plane).astype(np.uint16)
