"""What may be sent to one subscriber: an estimate of what its line carries, from its transport-wide feedback.

Puts the parts together: the trend of the delay (`delay_trend.py`) moves the rate (`rate_control.py`), loss limits it
(`loss_limit.py`), probes lift it (`probing.py`). Pure, without a clock or a timer: driven by `feedback` with what the
native core made of each message (`arrivals.py`), and asked a few times a second for a `probe` to send. What is sent
within the estimate is decided in `allocation.py`; who gives no such feedback has a `report_estimate.ReportEstimate`.
draft-ietf-rmcat-gcc-02 and its successors in the field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mediaserver.rtp.arrivals import Arrivals, Record
from mediaserver.rtp.delay_trend import DelayTrend, Usage
from mediaserver.rtp.loss_limit import LossLimit
from mediaserver.rtp.probing import Prober, ProbeWish, Stretcher
from mediaserver.rtp.rate_control import RateControl
from mediaserver.rtp.throughput import SendingRate, Throughput

START_BPS = 300_000.0
MIN_BPS = 30_000.0  # one voice
MAX_BPS = 50_000_000.0
FIRST_ROUND_TRIP = 0.2  # seconds, until feedback has told
VANISHED = 2  # probes in a row without an answer
SMALL_QUEUE_MS = 20.0  # is none: a large picture takes so long to pass
LARGE_QUEUE_MS = 100.0  # leaves no doubt
ODD = 0.8  # of what came until now comes at most, although no large queue stands: a receiver may have stumbled;
SURE = 2  # messages in a row must say so
PACING = 2.0  # times the estimate: key frames do not drown a thin line, nor wait for long;
PACING_FULL = 1.2  # where it is known what the line carries, or it was full a moment ago
FULL_FOR = 1.5  # seconds, after the rate was taken down, that the line is taken to be full
SILENCE = 1.0  # seconds without feedback, although something was sent, after which the rate is taken down
SILENT_PART = 0.7  # of it is left then, again after each such time


@dataclass(slots=True)
class Estimate:
    """Of one connection. `wanted_bps`, what could be sent at most, may be changed at any time."""

    rate: RateControl = field(default_factory=lambda: RateControl(START_BPS, MIN_BPS, MAX_BPS))
    loss: LossLimit = field(default_factory=lambda: LossLimit(MIN_BPS))
    trend: DelayTrend = field(default_factory=DelayTrend)
    round_trip: float = FIRST_ROUND_TRIP
    """Seconds from sending to hearing of it, the receiver's waiting included; the shortest of late."""
    _arrivals: Arrivals = field(default_factory=Arrivals)
    _through: Throughput = field(default_factory=Throughput)
    _sending: SendingRate = field(default_factory=SendingRate)
    _prober: Prober = field(default_factory=lambda: Prober(MAX_BPS))
    _stretcher: Stretcher = field(default_factory=Stretcher)
    _started: bool = False
    _heard: float | None = None
    _overused: int = 0
    """Messages in a row that tell of overuse."""

    @property
    def rate_bps(self) -> float:
        """What may be sent now, everything included: headers, retransmissions, padding."""
        return max(min(self.rate.rate_bps, self.loss.limit_bps), MIN_BPS)

    @property
    def through_bps(self) -> float:
        """What has come through of late; 0.0: not known yet."""
        return self._through.rate_bps

    @property
    def probes_vanish(self) -> bool:
        """Whether probes have been asked for, and nothing was heard of them."""
        return self._prober.unanswered >= VANISHED

    def pace_bps(self, now: float) -> float:
        """How fast a burst may leave: closely, where it would fill the line."""
        decreased = self.rate.decreased_at
        full = bool(self.rate.capacity_bps) or (decreased is not None and now - decreased < FULL_FOR)
        return (PACING_FULL if full else PACING) * self.rate_bps

    @property
    def started(self) -> bool:
        """Whether there has been any feedback."""
        return self._started

    @property
    def wanted_bps(self) -> float:
        return self._prober.wanted_bps

    @wanted_bps.setter
    def wanted_bps(self, bps: float) -> None:
        self._prober.wanted_bps = bps

    def feedback(self, records: Sequence[Record], now: float) -> float:
        """Takes in one message, and returns the estimate after it."""
        self._heard = now
        if not self._started:
            self._started = True
            self._prober.start(self.rate_bps)
        told = self._arrivals.message(records)
        if told.newest_sent_us:
            self._trip(now - told.newest_sent_us / 1e6)
        self._sending.add(told.size_bytes, now)
        limit_bps = self.loss.limit_bps
        self.loss.add(told.received, told.lost, self._sending.rate_bps(), now, self._through.rate_bps)
        if self.loss.forgot:
            self.rate.rate_bps = min(self.rate.rate_bps, max(limit_bps, MIN_BPS))  # nothing has shown that more fits
        usage = self.trend.add(told.groups)
        self._through.add(told.groups)
        self._control(usage, now)
        self._lift(self._prober.heard(records))
        return self.rate_bps

    def probe(self, now: float) -> ProbeWish | None:
        """A probe to send now; ask a few times a second, and more often during the first second."""
        if not self._started:
            return None
        if self.trend.usage is not Usage.NORMAL:
            return None
        return self._prober.due(self.rate_bps, self.rate.decreased_at, now)

    def stretch(self, rate_bps: float, now: float) -> float:
        """Where no probes are sent: lets `rate_bps` be tried, if the line has been calm. Taken back if it fails."""
        calm = self._started and self.trend.usage is Usage.NORMAL and self.loss.limit_bps >= rate_bps
        if calm and rate_bps > self.rate_bps and self._stretcher.may(self.rate.decreased_at, now):
            self._lift(rate_bps)
        return self.rate_bps

    def silence(self, now: float) -> float:
        """To be called now and then while something is sent: a line that says nothing carries nothing."""
        if self._heard is not None and now - self._heard >= SILENCE:
            self._heard = now
            self.rate.rate_bps = max(self.rate_bps * SILENT_PART, MIN_BPS)
            self.rate.decreased_at = now
            self._prober.stop()
        return self.rate_bps

    def _trip(self, seconds: float) -> None:
        """Follows the shortest: down at once, up slowly."""
        if 0 < seconds < self.round_trip:
            self.round_trip = seconds
        elif seconds > 0:
            self.round_trip += 0.05 * (min(seconds, 2.0) - self.round_trip)

    def _control(self, usage: Usage, now: float) -> None:
        full_bps = 0.0
        if usage is Usage.OVERUSE and self.trend.queue_ms < SMALL_QUEUE_MS:
            usage = Usage.UNDERUSE  # a picture's own packets waiting for each other, or mere unrest
        self._overused = self._overused + 1 if usage is Usage.OVERUSE else 0
        if usage is Usage.OVERUSE:
            self._prober.stop()
            full_bps = self._through.full_bps()
            odd = full_bps < ODD * self._through.rate_bps and self.trend.queue_ms < LARGE_QUEUE_MS
            if (odd and self._overused < SURE) or self._prober.disturbs(self.round_trip, now):
                usage = Usage.UNDERUSE  # what stands there empties itself, or is told of again
        passing = 1 - self.loss.inherent
        self.rate.update(usage, self._through.rate_bps / passing, full_bps / passing, now, self.round_trip)

    def _lift(self, rate_bps: float | None) -> None:
        """A probe lifts the estimate, and never takes it down: it is too short to tell."""
        if rate_bps and rate_bps > self.rate_bps:
            self.rate.set(max(rate_bps, self.rate.rate_bps))
            self.loss.release(rate_bps)
