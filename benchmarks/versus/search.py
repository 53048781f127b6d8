"""Which rate is the highest that holds? Pure: told whether a rate held, it names the next to try."""

import math
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How a rate went."""

    HELD = "held"
    LOST = "packets are lost"
    GENERATOR = "the load generator's limit"


@dataclass
class RateSearch:
    """Up by `growth` until a rate fails (or down until one holds), then between the two as near as `precision`."""

    rate: float
    """To try next."""
    ceiling: float
    floor: float
    growth: float = 1.6
    precision: float = 0.06
    held: float = 0.0
    """The highest that did; 0.0: none did so far."""
    why: Verdict = Verdict.HELD
    """Why nothing higher holds; HELD: the ceiling did."""
    _failed: float = math.inf
    done: bool = False

    def tell(self, verdict: Verdict) -> None:
        """How `rate` went; afterwards `rate` is the next one, or the search is `done`."""
        if verdict is Verdict.HELD:
            self.held = max(self.held, self.rate)
        elif self.rate < self._failed:
            self._failed, self.why = self.rate, verdict
        self.done = self._finished()
        if not self.done:
            self.rate = self._next()

    def _finished(self) -> bool:
        if self.held >= self.ceiling or self._failed <= self.floor:
            return True
        return self._failed < self.held * (1 + self.precision)

    def _next(self) -> float:
        if not self.held:
            return max(self.floor, self.rate / self.growth)
        if self._failed == math.inf:
            return min(self.ceiling, self.rate * self.growth)
        return math.sqrt(self.held * self._failed)
