"""Drawing into the planes of a picture: copy, blend, fade. Numbers only; scaling is `media/pictures.py`'s.

What lies over a picture is a `Sprite`: made once from RGBA, cut into cells, each of which is empty (skipped), solid
(copied) or in between (blended with integers prepared beforehand). Colours become limited-range BT.601, which is what
browsers send.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaserver.composition.layouts import Box
from mediaserver.media.pictures import Plane, Planes

Rgb = NDArray[np.uint8]
Rgba = NDArray[np.uint8]
Words = tuple[NDArray[np.uint16], ...]
CELL = 64  # pixels: the side of the cells into which sprites are cut


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
    y, u, v = planes
    luma = y[box.top : box.bottom, box.left : box.right]
    half = (slice(box.top // 2, box.bottom // 2), slice(box.left // 2, box.right // 2))
    return luma, u[half], v[half]


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


@dataclass(frozen=True, slots=True)
class _Cell:
    """`box` of the canvas, and what goes there: planes to copy, or `ink` to add to what `keep` leaves of it."""

    box: Box
    solid: Planes | None
    ink: Words = ()
    keep: Words = ()


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
                _draw(cell, canvas, within)


def _draw(cell: _Cell, canvas: Planes, within: Box) -> None:
    left, top = max(cell.box.left, within.left), max(cell.box.top, within.top)
    right, bottom = min(cell.box.right, within.right), min(cell.box.bottom, within.bottom)
    shared = Box(left, top, right - left, bottom - top)
    inner = Box(left - cell.box.left, top - cell.box.top, shared.width, shared.height)
    for index, target in enumerate(part(canvas, shared)):
        if cell.solid is not None:
            target[:] = part(cell.solid, inner)[index]
            continue
        window = _window(inner, index)
        mixed = target * cell.keep[index][window]
        mixed += cell.ink[index][window]
        mixed >>= 8
        np.copyto(target, mixed, casting="unsafe")


def _window(box: Box, index: int) -> tuple[slice, slice]:
    by = 1 if index == 0 else 2
    return slice(box.top // by, box.bottom // by), slice(box.left // by, box.right // by)


def _cells(rgba: Rgba, left: int, top: int) -> Iterator[_Cell]:
    planes, (ink, keep) = yuv_of(rgba[..., :3]), _inks(rgba)
    height, width = rgba.shape[:2]
    for y in range(0, height, CELL):
        for x in range(0, width, CELL):
            inner = Box(x, y, min(CELL, width - x), min(CELL, height - y))
            alpha = rgba[y : inner.bottom, x : inner.right, 3]
            box = Box(left + x, top + y, inner.width, inner.height)
            if alpha.min() == 255:
                yield _Cell(box, copied(part(planes, inner)))
            elif alpha.any():
                windows = [_window(inner, index) for index in range(3)]
                yield _Cell(box, None, *(tuple(p[w] for p, w in zip(of, windows, strict=True)) for of in (ink, keep)))


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
