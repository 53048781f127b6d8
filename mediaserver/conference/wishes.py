"""What a participant wants to receive of a stream, and which layer of a picture fits that. Pure.

A wish is a ceiling. Fitting wishes into the bandwidth there is is not decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

BEST = -1
USUAL_SIZE = (1280, 720)  # of the best layer, until a key frame has told
ENLARGED = 0.75  # of a box's size is enough for a picture that fills it

Size = tuple[int, int]
"""Width and height, pixels."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to receive of a stream; None is without a limit. `priority` (1 to 255) counts when not everything fits."""

    audio: bool = True
    video: bool = True
    max_width: int | None = None
    max_height: int | None = None
    max_fps: float | None = None
    priority: int | None = None

    def includes(self, kind: str) -> bool:
        return self.audio if kind == "audio" else self.video


def fitting_layer(wish: Wish, count: int, known: Mapping[int, Size]) -> int:
    """The best of `count` layers (0 is the best) that is no larger than wished, the smallest if all are larger.

    BEST where nothing limits it. A layer whose size is not known yet is taken for half of the one above it, or for
    double of the one below.
    """
    if (wish.max_width is None and wish.max_height is None) or count < 2:
        return BEST
    for layer in range(count):
        width, height = _size(layer, known or {0: USUAL_SIZE})
        if _fits(width, wish.max_width) and _fits(height, wish.max_height):
            return layer
    return count - 1


def covering_layer(box: Size, count: int, known: Mapping[int, Size]) -> int:
    """The smallest of `count` layers that need not be enlarged much to fill `box`; BEST if there is but one."""
    if count < 2:
        return BEST
    for layer in reversed(range(count)):
        width, height = _size(layer, known or {0: USUAL_SIZE})
        if width >= box[0] * ENLARGED and height >= box[1] * ENLARGED:
            return layer
    return 0


def _fits(size: float, limit: int | None) -> bool:
    return limit is None or size <= limit


def _size(layer: int, known: Mapping[int, Size]) -> tuple[float, float]:
    nearest = min(known, key=lambda other: (abs(other - layer), other))
    scale = 2.0 ** (nearest - layer)
    width, height = known[nearest]
    return width * scale, height * scale
