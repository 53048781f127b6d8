"""Which layers a track has at present, how large each is and what it costs now.

Pure. Fed now and then with what the native core counts per layer. A layer costs what it has lately cost at most, and
that is forgotten slowly: what was dear a moment ago will be so again (a screen that is scrolled). A layer that has
gone quiet while others go on was switched off by its publisher. Who receives which is decided in `allocation.py`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

ALL = -1  # temporal layers: every frame
USUAL_SIZE = (1280, 720)  # of the best layer, until a key frame has told
USUAL_FPS = 30.0
QUIET = 2.0  # seconds without a packet, beyond the liveliest layer: switched off
OVERHEAD = 1.05  # what goes over the wire per payload: headers, tags, some retransmissions
FORGET = 0.1  # per second, of what a layer has cost at most
BELIEVED = 0.4  # part of a rise that counts at once: encoders' rates go up and down, pacing evens that out;
LEAP = 1.5  # times what it cost: that counts whole
NOTABLE = 0.05  # part by which a cost must have changed to be told: whoever shares it out has work with it
YOUNG = 2.0  # seconds in which a new layer is taken to cost at least what is usual:
USUAL_BITS_PER_PIXEL = 0.06  # and frame
TEMPORAL_SHARES = {1: (1.0,), 2: (0.6, 1.0), 3: (0.45, 0.65, 1.0)}  # of a layer's bits, up to each temporal layer

Counters = Mapping[str, int | float]


@dataclass(frozen=True, slots=True)
class Layer:
    """One quality of a picture. `spatial`: 0 is the best; `temporal`: the highest that is sent, or ALL."""

    spatial: int
    width: int
    height: int
    fps: float
    rate_bps: float
    temporal: int = ALL

    @property
    def quality(self) -> tuple[int, float]:
        return self.width * self.height, self.fps


@dataclass(slots=True)
class TrackLayers:
    """Of one track. Its counters are the native core's: layer, rate_bps, width, height, age, fps, temporal_layers."""

    _costs: dict[int, float] = field(default_factory=dict)
    _since: dict[int, float] = field(default_factory=dict)
    _last: float | None = None
    _told: tuple[Layer, ...] = ()

    def measured(self, counters: Sequence[Counters], now: float) -> tuple[Layer, ...]:
        """The layers there are now, the cheapest first: each is better and dearer than the one before.

        The very same answer as before where nothing notable has changed.
        """
        fade = 0.0 if self._last is None else FORGET * (now - self._last)
        self._last = now
        live = _live(counters)
        self._since = {number: self._since.get(number, now) for number in live}
        self._costs = {
            number: _cost(each["rate_bps"] * OVERHEAD, self._costs.get(number, 0.0), math.exp(-fade))
            for number, each in live.items()
        }
        known = {number: (int(each["width"]), int(each["height"])) for number, each in live.items() if each["width"]}
        found: list[Layer] = []
        for number, each in live.items():
            width, height = size_of(number, known)
            fps = float(each.get("fps", 0.0)) or USUAL_FPS
            cost = self._costs[number]
            if now - self._since[number] < YOUNG:
                cost = max(cost, USUAL_BITS_PER_PIXEL * width * height * fps)
            found += _temporal(Layer(number, width, height, fps, cost), int(each.get("temporal_layers", 0)))
        layers = worthwhile(found)
        if not _alike(layers, self._told):
            self._told = layers
        return self._told


def _cost(now_bps: float, before_bps: float, kept: float) -> float:
    """Goes up by a part of a rise, and down slowly."""
    if now_bps >= LEAP * before_bps:
        return now_bps
    return max(before_bps + BELIEVED * (now_bps - before_bps), kept * before_bps)


def size_of(layer: int, known: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    """What is not known yet is taken for half of the layer above it, or for double of the one below."""
    sizes = known or {0: USUAL_SIZE}
    nearest = min(sizes, key=lambda other: (abs(other - layer), other))
    scale = 2.0 ** (nearest - layer)
    width, height = sizes[nearest]
    return max(round(width * scale), 1), max(round(height * scale), 1)


def worthwhile(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The cheapest first, without those that cost as much as a better one."""
    kept: list[Layer] = []
    for layer in sorted(layers, key=lambda each: each.quality, reverse=True):
        if not kept or layer.rate_bps < kept[-1].rate_bps:
            kept.append(layer)
    return tuple(reversed(kept))


def _temporal(layer: Layer, number: int) -> list[Layer]:
    """A layer with all its frames, with every other, and so on; `number` of temporal layers, 0 if that is not known."""
    shares = TEMPORAL_SHARES.get(number, (1.0,))
    top = len(shares) - 1
    return [
        replace(
            layer,
            fps=layer.fps / 2 ** (top - n),
            rate_bps=layer.rate_bps * share,
            temporal=ALL if n == top else n,
        )
        for n, share in enumerate(shares)
    ]


def _alike(some: Sequence[Layer], others: Sequence[Layer]) -> bool:
    return len(some) == len(others) and all(
        a.spatial == b.spatial
        and a.quality == b.quality
        and a.temporal == b.temporal
        and abs(a.rate_bps - b.rate_bps) <= NOTABLE * b.rate_bps
        for a, b in zip(some, others, strict=True)
    )


def _live(counters: Sequence[Counters]) -> dict[int, Counters]:
    """Those that have media now, by number; all are quiet together when nothing moves in the picture."""
    come = [each for each in counters if each["age"] >= 0]
    liveliest = min((each["age"] for each in come), default=0.0)
    return {int(each["layer"]): each for each in come if each["age"] <= liveliest + QUIET}
