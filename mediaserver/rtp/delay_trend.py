"""Whether packets wait longer and longer on their way: the trend of the one-way delay, and what it means.

Pure state for one receiver; fed with groups of packets (`arrivals.py`), a message at a time. A line through the last
delays over time gives the trend; over a threshold that follows the trend's own unrest, the line is overused. What
follows for the rate is `rate_control.py`'s. draft-ietf-rmcat-gcc-02 sections 5.3 and 5.4, with the trend line in place
of the Kalman filter, as in the field.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from mediaserver.rtp.arrivals import Group

WINDOW = 20  # groups that the line goes through
SMOOTHING = 0.9  # weight of the past in the delay
GAIN = 4.0  # of the slope, to be compared with milliseconds
MAX_COUNTED = 60  # groups; until then a trend counts less
FIRST_THRESHOLD = 12.5  # ms
MIN_THRESHOLD, MAX_THRESHOLD = 6.0, 600.0  # ms
OUTLIER = 15.0  # ms over the threshold: a trend so steep does not move it
GROW, SHRINK = 0.0087, 0.039  # of the threshold, per ms
MAX_STEP_MS = 100.0  # time that counts at once when the threshold moves
OVERUSE_MS = 10.0  # the trend must last so long
REBASE_MS = 60_000.0  # times are counted anew, so that squares stay exact
BASE_MS = 2_000.0  # the least delay of the last one or two of these is the line's without a queue
MAX_GAP_MS = 3_000.0  # after a pause, or a step of the receiver's clock, everything begins anew


class Usage(Enum):
    NORMAL = "normal"
    OVERUSE = "overuse"
    UNDERUSE = "underuse"


@dataclass(slots=True)
class _Line:
    """A straight line through the last points, least squares; sums are kept, so a point costs the same always."""

    points: deque[tuple[float, float]] = field(default_factory=deque)
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def add(self, x: float, y: float) -> float:
        """Returns the slope: 0.0 until there are enough points, or where all lie above each other."""
        points = self.points
        points.append((x, y))
        self.x += x
        self.y += y
        self.xx += x * x
        self.xy += x * y
        if len(points) <= WINDOW:
            return 0.0
        x, y = points.popleft()
        self.x -= x
        self.y -= y
        self.xx -= x * x
        self.xy -= x * y
        spread = WINDOW * self.xx - self.x * self.x
        return (WINDOW * self.xy - self.x * self.y) / spread if spread > 0.0 else 0.0

    def shift(self, back: float) -> None:
        points = [(x - back, y) for x, y in self.points]
        self.points.clear()
        self.x = self.y = self.xx = self.xy = 0.0
        for x, y in points:
            self.add(x, y)


@dataclass(slots=True)
class DelayTrend:
    """`usage` is the judgement after the last message."""

    usage: Usage = Usage.NORMAL
    trend: float = 0.0
    """ms; what is held against `threshold`."""
    threshold: float = FIRST_THRESHOLD
    _line: _Line = field(default_factory=_Line)
    _sent_us: float = -math.inf
    _arrived_us: int = 0
    _began_us: int = 0
    _delay: float = 0.0
    _smoothed: float = 0.0
    _base: float = 0.0
    """The least delay of the present span, that began at `_base_us`; and of the one before."""
    _base_before: float = 0.0
    _base_us: int = 0
    _count: int = 0
    _slope: float = 0.0
    _over_ms: float = -1.0
    """How long the trend has been over the threshold; negative: it is not."""
    _overs: int = 0

    @property
    def queue_ms(self) -> float:
        """How much longer packets are under way now than when they did not wait."""
        return self._delay - min(self._base, self._base_before)

    def add(self, groups: Iterable[Group]) -> Usage:
        for sent_us, arrived_us, _ in groups:
            sent_ms = (sent_us - self._sent_us) / 1000.0
            arrived_ms = (arrived_us - self._arrived_us) / 1000.0
            self._sent_us, self._arrived_us = sent_us, arrived_us
            if not (0.0 <= sent_ms < MAX_GAP_MS and -MAX_GAP_MS < arrived_ms < MAX_GAP_MS):
                self._begin(arrived_us)
                continue
            self._delay += arrived_ms - sent_ms
            self._smoothed += (1.0 - SMOOTHING) * (self._delay - self._smoothed)
            if self._delay < self._base or arrived_us - self._base_us > BASE_MS * 1000.0:
                self._rebase(arrived_us)
            x = (arrived_us - self._began_us) / 1000.0
            if x > REBASE_MS:
                self._line.shift(x)
                self._began_us, x = arrived_us, 0.0
            self._judge(self._line.add(x, self._smoothed), sent_ms, arrived_ms)
        return self.usage

    def _rebase(self, arrived_us: int) -> None:
        if arrived_us - self._base_us > BASE_MS * 1000.0:
            self._base_before, self._base_us = self._base, arrived_us
        self._base = self._delay

    def _begin(self, arrived_us: int) -> None:
        """The receiver's clock was set, or there was a long pause: what was means nothing any more."""
        self._line = _Line()
        self._began_us = self._base_us = arrived_us
        self._base = self._base_before = 0.0
        self._delay = self._smoothed = self._slope = self.trend = 0.0
        self._over_ms, self._overs, self._count = -1.0, 0, 0
        self.usage = Usage.NORMAL

    def _judge(self, slope: float, sent_ms: float, arrived_ms: float) -> None:
        if self._count < MAX_COUNTED:
            self._count += 1
        trend = self.trend = self._count * slope * GAIN
        threshold = self.threshold
        if trend > threshold:
            self._over(slope, sent_ms)
        else:
            self._over_ms, self._overs = -1.0, 0
            self.usage = Usage.UNDERUSE if trend < -threshold else Usage.NORMAL
        self._slope = slope
        size = trend if trend >= 0.0 else -trend
        if size <= threshold + OUTLIER:
            self._follow(size, arrived_ms)

    def _over(self, slope: float, sent_ms: float) -> None:
        self._overs += 1
        self._over_ms = sent_ms / 2 if self._over_ms < 0 else self._over_ms + sent_ms
        if self._over_ms > OVERUSE_MS and self._overs > 1 and slope >= self._slope:
            self._over_ms, self._overs = 0.0, 0
            self.usage = Usage.OVERUSE

    def _follow(self, size: float, arrived_ms: float) -> None:
        """Moves the threshold towards the trend's size: slowly up, so that loss-driven flows do not starve us."""
        threshold = self.threshold
        if size <= threshold <= MIN_THRESHOLD:
            return  # as always on a calm line
        pace = SHRINK if size < threshold else GROW
        moved = threshold + pace * (size - threshold) * min(max(arrived_ms, 0.0), MAX_STEP_MS)
        self.threshold = min(max(moved, MIN_THRESHOLD), MAX_THRESHOLD)
