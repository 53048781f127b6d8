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
