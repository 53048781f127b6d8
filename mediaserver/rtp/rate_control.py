"""How a rate follows from the judgement of the delay: up while the line is calm, down when it is overused.

Pure. Additive near the capacity that overuse has shown before, else multiplicative; down to a part of what came
through.
draft-ietf-rmcat-gcc-02 section 5.5, with the changes of the field: decreases no faster than one in a round trip, a
pace of the additive increase that follows the round trip.
"""

import math
from dataclasses import dataclass, field

from mediaserver.rtp.delay_trend import Usage

BETA = 0.85  # of what came through is kept at overuse
GROWTH = 0.08  # per second, far from the capacity
AHEAD = 1.5  # times what comes through: no higher without proof
AHEAD_BPS = 10_000.0
NEAR = 1.05  # times the capacity that was seen: likewise
MIN_PACE_BPS = 4_000.0  # per second, near the capacity
PACKET_BITS = 1200 * 8
FRAMES = 30  # a second
FEEDBACK_DELAY = 0.1  # seconds that overuse takes to be seen, beyond the round trip
MIN_WAIT, MAX_WAIT = 0.01, 0.2  # seconds between two decreases
CALM = 1.5  # seconds since the last decrease: the next one is the first,
LIMITED = 0.7  # and if no more than this part of the rate is sent, others may have filled the line
DEEP = 0.5  # so little of the rate comes through: no waiting
MAX_STEP = 1.0  # seconds of growth at once


@dataclass(slots=True)
class Capacity:
    """What the line carried when it was overused: a mean and its spread, relative to the mean's root."""

    mean_kbps: float = 0.0
    _variance: float = 0.4

    def saw(self, rate_bps: float) -> None:
        rate = rate_bps / 1000.0
        if not self.mean_kbps:
            self.mean_kbps = rate
            return
        self.mean_kbps += 0.05 * (rate - self.mean_kbps)
        error = (rate - self.mean_kbps) ** 2 / max(self.mean_kbps, 1.0)
        self._variance = min(max(0.95 * self._variance + 0.05 * error, 0.4), 2.5)

    def above(self, rate_bps: float) -> bool:
        """Whether this rate is clearly more than the line is known to carry."""
        return bool(self.mean_kbps) and rate_bps / 1000.0 > self.mean_kbps + self._spread()

    def below(self, rate_bps: float) -> bool:
        return bool(self.mean_kbps) and rate_bps / 1000.0 < self.mean_kbps - self._spread()

    def _spread(self) -> float:
        return 3.0 * math.sqrt(self._variance * self.mean_kbps)


@dataclass(slots=True)
class RateControl:
    """`rate_bps` is what may be sent as far as the delay tells."""

    rate_bps: float
    min_bps: float
    max_bps: float
    decreased_at: float | None = None
    _capacity: Capacity = field(default_factory=Capacity)
    _rising: bool = False
    _last: float | None = None

    @property
    def capacity_bps(self) -> float:
        """What the line carries, as overuse has shown; 0.0: not known, or not any more."""
        return self._capacity.mean_kbps * 1000.0

    def update(self, usage: Usage, through_bps: float, full_bps: float, now: float, round_trip: float) -> float:
        """`through_bps`: what is acknowledged; `full_bps`: of late, at overuse. 0.0 while that is not known."""
        step = 0.0 if self._last is None else min(now - self._last, MAX_STEP)
        self._last = now
        if usage is Usage.OVERUSE:
            self._rising = False
            self._decrease(full_bps or through_bps, now, round_trip)
        elif usage is Usage.UNDERUSE:
            self._rising = False  # queues empty themselves: wait
        elif not self._rising:
            self._rising = True
        else:
            self._increase(through_bps, step, round_trip)
        return self.rate_bps

    def set(self, rate_bps: float) -> None:
        """A probe has shown this."""
        self.rate_bps = min(max(rate_bps, self.min_bps), self.max_bps)
        if self._capacity.above(self.rate_bps):
            self._capacity = Capacity()

    def _increase(self, through_bps: float, step: float, round_trip: float) -> None:
        if self._capacity.above(through_bps):
            self._capacity = Capacity()
        if self._capacity.mean_kbps:
            more = self._pace(round_trip) * step
        else:
            more = max(self.rate_bps * ((1 + GROWTH) ** step - 1), 1000.0 * step)
        ceiling = AHEAD * through_bps + AHEAD_BPS if through_bps else self.max_bps
        if self._capacity.mean_kbps:
            ceiling = min(ceiling, NEAR * self.capacity_bps)
        if self.rate_bps < ceiling:
            self.rate_bps = min(self.rate_bps + more, ceiling, self.max_bps)

    def _pace(self, round_trip: float) -> float:
        """bit/s per second: one packet more in each time that an answer takes."""
        frame = self.rate_bps / FRAMES
        packet = frame / -(-frame // PACKET_BITS)
        return max(MIN_PACE_BPS, packet / (2 * (round_trip + FEEDBACK_DELAY)))

    def _decrease(self, through_bps: float, now: float, round_trip: float) -> None:
        wait = min(max(round_trip, MIN_WAIT), MAX_WAIT)
        deep = through_bps < DEEP * self.rate_bps
        ago = math.inf if self.decreased_at is None else now - self.decreased_at
        if ago < wait and not deep:
            return
        kept = BETA * through_bps if through_bps else self.rate_bps / 2
        if ago > CALM and 0 < through_bps < LIMITED * self.rate_bps:
            kept = BETA * self.rate_bps
        if through_bps:
            if kept > self.rate_bps and self._capacity.mean_kbps:
                kept = BETA * self._capacity.mean_kbps * 1000.0
            if self._capacity.below(through_bps):
                self._capacity = Capacity()
            self._capacity.saw(through_bps)
        self.rate_bps = max(min(self.rate_bps, kept), self.min_bps)
        self.decreased_at = now
