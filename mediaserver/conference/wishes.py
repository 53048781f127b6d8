"""What a participant wants to receive of a stream, and which layer of a picture fits that. Pure.

A wish is a ceiling. Fitting wishes into the bandwidth there is is not decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BEST = -1
USUAL_WIDTH_PX = 1280  # of the best layer, until a key frame has told
USUAL_HEIGHT_PX = 720


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


def fitting_layer(wish: Wish, layers: Sequence[Mapping[str, int | float]]) -> int:
    """The best layer that is no larger than wished, the smallest if all are; BEST where nothing limits it.

    `layers` are best first, each with `width` and `height` where known: a layer whose size is not known yet is
    taken for half of the one above it, or for double of the one below.
    """
    if (wish.max_width is None and wish.max_height is None) or len(layers) < 2:
        return BEST
    for layer, (width, height) in enumerate(_sizes(layers)):
        if _fits(width, wish.max_width) and _fits(height, wish.max_height):
            return layer
    return len(layers) - 1


def _fits(size: float, limit: int | None) -> bool:
    return limit is None or size <= limit


def _sizes(layers: Sequence[Mapping[str, int | float]]) -> list[tuple[float, float]]:
    """Width and height of each layer, guessed from the nearest better known one where they have to be."""
    known = {i: (layer["width"], layer["height"]) for i, layer in enumerate(layers) if layer.get("width")}
    if not known:
        known = {0: (USUAL_WIDTH_PX, USUAL_HEIGHT_PX)}
    sizes: list[tuple[float, float]] = []
    for i in range(len(layers)):
        nearest = min(known, key=lambda k: (abs(k - i), k))
        width, height = known[nearest]
        sizes.append((width * 2.0 ** (nearest - i), height * 2.0 ** (nearest - i)))
    return sizes
