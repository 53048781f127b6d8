"""What may be sent to a subscriber that gives no transport-wide feedback: from REMB and receiver reports.

Pure; has the face of `congestion.Estimate`, so that whoever shares the rate out need not know which it is. A receiver
that tells what it can take (REMB) is believed, as far as loss does not say otherwise; without that the rate grows while
nothing is lost. draft-alvestrand-rmcat-remb-03; RFC 3550 section 6.4; draft-ietf-rmcat-gcc-02 section 6.
"""

from dataclasses import dataclass, field

from mediaserver.rtp.congestion import MIN_BPS, START_BPS
from mediaserver.rtp.loss_limit import LOW, LossLimit
from mediaserver.rtp.probing import ProbeWish

NO_LIMIT_BPS = 10e9  # no line of one participant is faster
GROWTH = 0.15  # per second while nothing is lost: nothing else tells what the line carries
AHEAD = 3.0  # times what is sent, at most: the next layer is about so far away
MAX_STEP = 2.0  # seconds of growth at once
BELIEVED = 5.0  # seconds that a REMB message counts


@dataclass(slots=True)
class ReportEstimate:
    """Of one connection, or until it gives better feedback."""

    start_bps: float = START_BPS
    wanted_bps: float = NO_LIMIT_BPS
    loss: LossLimit = field(default_factory=lambda: LossLimit(MIN_BPS))
    round_trip: float = 0.0
    """Seconds; 0.0: not known."""
    _rate: float = field(init=False)
    _last: float | None = None
    _reported: int = 0
    _lost: int = 0

    def __post_init__(self) -> None:
        self._rate = self.start_bps

    @property
    def rate_bps(self) -> float:
        return max(min(self._rate, self.loss.limit_bps), MIN_BPS)

    def reports(
        self, *, sent_bps: float, reported: int, lost: int, remb_bps: float | None, remb_age: float, now: float
    ) -> float:
        """Takes in counters of the connection, about once a second: packets `reported` so far, `lost` of them."""
        step = 0.0 if self._last is None else min(now - self._last, MAX_STEP)
        self._last = now
        packets, gone = reported - self._reported, lost - self._lost
        self._reported, self._lost = reported, lost
        if packets > 0:
            self.loss.add(packets - gone, gone, sent_bps, now)
        if remb_bps and 0 <= remb_age < BELIEVED:
            self._rate = remb_bps
        elif packets > 0 and self.loss.loss - self.loss.inherent < LOW:
            self._rate = max(self._rate, min(self._rate * (1 + GROWTH) ** step, max(AHEAD * sent_bps, self.start_bps)))
        self._rate = min(self._rate, max(self.loss.limit_bps, MIN_BPS))
        return self.rate_bps

    def probe(self, now: float) -> ProbeWish | None:
        """Never: nobody would tell what came of it."""
        return None
