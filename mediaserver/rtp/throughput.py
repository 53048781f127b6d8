"""How much comes through: bits per second that a receiver has acknowledged, and that are sent.

Pure. Measured in the receiver's time, over half a second; and since a queue has begun to stand, for the moment in which
a line turns out to be full: what arrives then is what it carries, be it less than before (the line has become narrower)
or more (a burst has filled it).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from mediaserver.rtp.arrivals import Group

WINDOW_US = 500_000
FULL_US = 60_000  # over which a full line's rate is measured at least
MAX_GAP_US = 2_000_000  # after a pause, or a step of the receiver's clock, a new window begins
SENT_WINDOW = 0.5  # seconds


@dataclass(slots=True)
class Throughput:
    """`rate_bps` is 0.0 until half a second has been told of."""

    rate_bps: float = 0.0
    _groups: deque[tuple[int, int, int]] = field(default_factory=deque)
    """(when it arrived, bytes, how long it was under way by the two clocks); the first one's bytes came before."""
    _size: int = 0

    def add(self, groups: Iterable[Group]) -> float:
        window = self._groups
        total = self._size
        for sent_us, arrived_us, size in groups:
            if window and not 0 <= arrived_us - window[-1][0] < MAX_GAP_US:
                window.clear()
                total = 0
            window.append((arrived_us, size, arrived_us - sent_us))
            total += size
        self._size = total
        if window:
            self._measure(window[-1][0])
        return self.rate_bps

    def _measure(self, last_us: int) -> None:
        """Lets what is older than the window go, but for the one group that it begins with."""
        window = self._groups
        begins = last_us - WINDOW_US
        while len(window) > 1 and window[1][0] <= begins:
            self._size -= window.popleft()[1]
        first_us, first_size, _ = window[0]
        if first_us <= begins:
            self.rate_bps = (self._size - first_size) * 8e6 / (last_us - first_us)

    def full_bps(self) -> float:
        """The most that came through since the queue began that stands now: the line's rate; 0.0: too little came."""
        groups = list(self._groups)
        if not groups:
            return 0.0
        begins = min(range(len(groups)), key=lambda n: (groups[n][2], -n))
        while begins > 0 and groups[-1][0] - groups[begins][0] < FULL_US:
            begins -= 1
        best, first, size = 0.0, begins, 0
        for arrived_us, group_size, _ in groups[begins + 1 :]:
            size += group_size
            while first + 1 < len(groups) and arrived_us - groups[first + 1][0] >= FULL_US:
                first += 1
                size -= groups[first][1]
            if (span := arrived_us - groups[first][0]) >= FULL_US:
                best = max(best, size * 8e6 / span)
        return best


@dataclass(slots=True)
class SendingRate:
    """What has been sent lately, as feedback tells of it: by the times of its messages."""

    _told: deque[tuple[float, int]] = field(default_factory=deque)
    _bytes: int = 0

    def add(self, size_bytes: int, now: float) -> None:
        self._told.append((now, size_bytes))
        self._bytes += size_bytes
        while self._told[0][0] < now - SENT_WINDOW:
            self._bytes -= self._told.popleft()[1]

    def rate_bps(self) -> float:
        """0.0 before there are three messages."""
        if len(self._told) < 3:
            return 0.0
        span = self._told[-1][0] - self._told[0][0]
        return (self._bytes - self._told[0][1]) * 8 / span if span > 0 else 0.0
