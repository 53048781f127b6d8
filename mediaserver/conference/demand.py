"""Which layers of a picture somebody could want, so that its publisher need not encode the rest. Pure.

What is wanted is told by wishes alone, not by what fits a line: what does not fit now may fit in a moment. A better
layer is wanted back at once; that one is not wanted any more must have lasted. The last layer always is: whoever comes
begins with it.
"""

from dataclasses import dataclass

STOP_AFTER = 5.0  # seconds without anybody who could want a layer


@dataclass(slots=True)
class Demand:
    """Of one picture. Layers count from 0, the best."""

    best: int = 0
    """As its publisher was told last; all from there on are sent."""
    _less_since: float | None = None

    def follow(self, best: int, now: float) -> bool:
        """`best` is the best layer that somebody could want; returns whether the publisher is to be told."""
        if best < self.best:
            self.best, self._less_since = best, None
            return True
        if best == self.best:
            self._less_since = None
            return False
        if self._less_since is None:
            self._less_since = now
        if now - self._less_since < STOP_AFTER:
            return False
        self.best, self._less_since = best, None
        return True
