"""Pictures as planes of numbers: views into decoded frames, scaling, and frames made of planes.

A `Picture` is a frame of PyAV; `Planes` are its Y, U and V, each uint8 (height, width), colour halved both ways, in
limited range (16 to 235). libswscale does the scaling; whole pictures go through it at once, cropped ones plane by
plane, so that what is cropped away is never touched.
"""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
Picture = av.VideoFrame

TICKS = 90_000  # a second, in the times pictures carry
TICK = Fraction(1, TICKS)
LARGER, SMALLER = int(Interpolation.BILINEAR), int(Interpolation.AREA)
FULL_RANGE = int(ColorRange.JPEG)


def views(picture: Picture) -> Planes:
    """The planes of a yuv420p picture, shared with it: what is written there is in the picture."""
    y, u, v = (_view(plane) for plane in picture.planes)
    return y, u, v


def blank(width: int, height: int) -> Picture:
    """A picture with planes of its own, whose content is undefined."""
    return Picture(width, height, "yuv420p")


def stamp(picture: Picture, at: float) -> None:
    """Gives a picture its time in seconds."""
    picture.time_base = TICK
    picture.pts = round(at * TICKS)


def plain(picture: Picture) -> Picture:
    """The same picture upright, in yuv420p and limited range; itself if it is that already."""
    if picture.format.name != "yuv420p" or picture.color_range == FULL_RANGE:
        picture = picture.reformat(format="yuv420p", dst_color_range=ColorRange.MPEG, threads=1)
    return _turned(picture, picture.rotation % 360) if picture.rotation % 360 else picture


class Scaler:
    """Brings the pictures of one source to one size; keeps libswscale's tables from picture to picture."""

    def __init__(self) -> None:
        self._whole = VideoReformatter()
        self._parts = tuple(VideoReformatter() for _ in range(3))

    def scale(self, picture: Picture, crop: tuple[int, int, int, int], width: int, height: int) -> Planes:
        """The part `crop` (left, top, width, height; even left and top) as planes of `width` x `height`, both even.

        May be views into the picture, where nothing is to be scaled.
        """
        if crop == (0, 0, picture.width, picture.height):
            if crop[2:] == (width, height):
                return views(picture)
            method = _method(picture.width, width)
            return views(self._whole.reformat(picture, width, height, interpolation=method, threads=1))
        left, top, wide, high = crop
        y, u, v = views(picture)
        half = (slice(top // 2, (top + high + 1) // 2), slice(left // 2, (left + wide + 1) // 2))
        luma = self._plane(0, y[top : top + high, left : left + wide], width, height)
        return luma, self._plane(1, u[half], width // 2, height // 2), self._plane(2, v[half], width // 2, height // 2)

    def _plane(self, index: int, plane: Plane, width: int, height: int) -> Plane:
        if plane.shape == (height, width):
            return plane
        grey = av.VideoFrame.from_numpy_buffer(plane, "gray")
        method = _method(plane.shape[1], width)
        scaled = self._parts[index].reformat(grey, width, height, interpolation=method, threads=1)
        return _view(scaled.planes[0])


def _method(given: int, wanted: int) -> int:
    return SMALLER if wanted < given else LARGER


def _view(plane: Any) -> Plane:
    rows: Plane = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def _turned(picture: Picture, degrees: int) -> Picture:
    """A copy rotated counter-clockwise by a multiple of 90 degrees."""
    turned = [np.rot90(plane, degrees // 90) for plane in views(picture)]
    upright = blank(turned[0].shape[1], turned[0].shape[0])
    for target, plane in zip(views(upright), turned, strict=True):
        target[:] = plane
    upright.time_base, upright.pts = picture.time_base, picture.pts
    return upright
