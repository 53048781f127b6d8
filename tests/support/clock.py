"""A clock that only moves when a test moves it."""

from dataclasses import dataclass


@dataclass(slots=True)
class MovableClock:
    """Follows `mediaserver.clock.Clock`. Times are float seconds."""

    now: float = 1000.0
    wall_offset: float = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self.wall_offset

    def advance(self, seconds: float) -> float:
        """Moves on and returns the new monotonic time."""
        assert seconds >= 0, "time only grows"
        self.now += seconds
        return self.now
