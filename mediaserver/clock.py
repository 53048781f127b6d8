"""The only file of the media plane that reads the system's clocks."""

import time
from typing import Protocol


class Clock(Protocol):
    """What everything that needs to know the time is given."""

    def monotonic(self) -> float:
        """Seconds that only grow; where they start means nothing."""

    def wall(self) -> float:
        """Unix time, seconds."""


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()
