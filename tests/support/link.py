"""One direction of a line: when, how often and whether a datagram arrives. Seeded, and without a clock of its own."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Weather:
    """What a direction of a line does to datagrams. Times in seconds, chances from 0 to 1."""

    delay: float = 0.02
    jitter: float = 0.0
    """Up to so much more delay, in order."""
    loss: float = 0.0
    duplicates: float = 0.0
    reordered: float = 0.0
    """Chance of being held up by `held_up`, while others pass."""
    held_up: float = 0.01
    rate_bps: float | None = None
    queue: float = 0.3
    """Behind a rate: what would wait longer is lost."""


class Link:
    def __init__(self, weather: Weather, seed: int) -> None:
        self.weather = weather
        self._random = Random(seed)
        self._busy_until = self._last = 0.0
        self.sent = self.lost = 0

    def arrivals(self, size: int, now: float) -> list[float]:
        """When the copies of a datagram of `size` bytes, sent now, arrive; none if it is lost."""
        w, chance = self.weather, self._random.random
        self.sent += 1
        leaves = now if w.rate_bps is None else max(now, self._busy_until) + size * 8 / w.rate_bps
        if chance() < w.loss or leaves - now > w.queue:
            self.lost += 1
            return []
        self._busy_until = leaves
        times = [self._one(leaves)]
        if chance() < w.duplicates:
            times.append(self._one(leaves))
        return times

    def _one(self, leaves: float) -> float:
        w = self.weather
        if self._random.random() < w.reordered:
            return leaves + w.delay + w.held_up
        self._last = max(self._last, leaves + w.delay + self._random.random() * w.jitter)
        return self._last
