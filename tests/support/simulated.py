"""Time and timers that only move when a test moves them."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.clock import MovableClock


@dataclass(order=True, slots=True)
class _Timer:
    at: float
    number: int
    callback: Callable[[], object] | None = field(compare=False)

    def cancel(self) -> None:
        self.callback = None


@dataclass(slots=True)
class SimulatedTime:
    """A clock and a scheduler in one: `advance` rings what is due on the way, in order."""

    clock: MovableClock = field(default_factory=MovableClock)
    _timers: list[_Timer] = field(default_factory=list)
    _numbers: itertools.count = field(default_factory=itertools.count)

    def call_later(self, delay: float, callback: Callable[[], object]) -> _Timer:
        timer = _Timer(self.clock.now + delay, next(self._numbers), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, seconds: float) -> None:
        end = self.clock.now + seconds
        while self._timers and self._timers[0].at <= end:
            timer = heapq.heappop(self._timers)
            self.clock.now = max(self.clock.now, timer.at)
            if timer.callback:
                timer.callback()
        self.clock.now = end

    def running(self) -> int:
        """How many timers are armed."""
        return sum(timer.callback is not None for timer in self._timers)
