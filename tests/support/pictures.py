"""Pictures that can be told apart after scaling and coding, and sounds that can be told apart in a mix."""

import numpy as np
from numpy.typing import NDArray

from mediaserver.media.mixing import BLOCK, RATE, Sound
from mediaserver.media.pictures import Picture, blank, stamp, views

CODES = ((60, 90, 200), (110, 200, 90), (160, 60, 120), (210, 150, 160), (90, 160, 60), (190, 100, 100))
"""Y, U, V far enough apart to survive a lossy codec."""


def plain(colour: tuple[int, int, int], width: int = 320, height: int = 180, at: float = 0.0) -> Picture:
    """A picture of one colour (Y, U, V)."""
    picture = blank(width, height)
    for plane, value in zip(views(picture), colour, strict=True):
        plane[:] = value
    stamp(picture, at)
    return picture


def coded(index: int, width: int = 320, height: int = 180, at: float = 0.0) -> Picture:
    """The picture of participant `index`: told by `code_of`."""
    return plain(CODES[index % len(CODES)], width, height, at)


def colour_in(picture: Picture, left: int, top: int, width: int, height: int) -> tuple[int, int, int]:
    """The mean Y, U, V of a rectangle."""
    y, u, v = views(picture)
    half = (slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2))
    means = y[top : top + height, left : left + width].mean(), u[half].mean(), v[half].mean()
    return round(float(means[0])), round(float(means[1])), round(float(means[2]))


def code_of(colour: tuple[int, int, int]) -> int | None:
    """Whose picture this is; None for nobody's."""
    far = [sum(abs(a - b) for a, b in zip(colour, code, strict=True)) for code in CODES]
    best = min(range(len(CODES)), key=far.__getitem__)
    return best if far[best] <= 24 else None


def tone(frequency: float, at: float, samples: int = BLOCK, loudness: float = 0.25) -> Sound:
    """A piece of an endless sine, the same in both ears."""
    t = (np.arange(samples) + round(at * RATE)) / RATE
    wave = (loudness * np.sin(2 * np.pi * frequency * t)).astype(np.float32)
    return np.stack([wave, wave], axis=1)


def loudness_of(frequency: float, samples: NDArray[np.float32]) -> float:
    """How much of this tone is in the first channel: its amplitude."""
    t = np.arange(len(samples)) / RATE
    return float(abs(2 * np.mean(samples[:, 0] * np.exp(-2j * np.pi * frequency * t))))


def portrait(index: int, width: int = 640, height: int = 360) -> Picture:
    """Somebody before a wall, drawn: what golden pictures are made of."""
    down, across = np.mgrid[0:height, 0:width]
    y, u, v = CODES[index % len(CODES)]
    luma = (y * 0.7 + 40 * down / height).astype(np.float32)
    chroma = [np.full((height, width), 128 + (value - 128) * 0.4, np.float32) for value in (u, v)]
    for cx, cy, radius_x, radius_y, colour in (
        (width / 2, height * 1.05, height * 0.38, height * 0.45, (70 + 15 * (index % 4), 140 - 8 * (index % 3), 116)),
        (width / 2, height * 0.42, height * 0.19, height * 0.24, (175, 112, 150)),
    ):
        inside = ((across - cx) / radius_x) ** 2 + ((down - cy) / radius_y) ** 2 < 1
        luma[inside] = colour[0]
        for plane, value in zip(chroma, colour[1:], strict=True):
            plane[inside] = value
    picture = blank(width, height)
    for target, plane in zip(views(picture), (luma, *(c[::2, ::2] for c in chroma)), strict=True):
        target[:] = np.clip(plane, 16, 235)
    stamp(picture, 0.0)
    return picture
