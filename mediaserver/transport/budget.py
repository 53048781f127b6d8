"""How much of something a peer may still do: a token bucket. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """Refills by `rate` per second up to `burst`, where it starts. Times are monotonic seconds."""

    rate: float
    burst: float
    _left: float = -1.0
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Whether one more is allowed now."""
        if self._left < 0:
            self._left, self._at = self.burst, now
        self._left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
