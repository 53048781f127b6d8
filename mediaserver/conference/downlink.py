"""What one participant's line carries, and how its pictures share it: the estimate and the allocation of a connection.

Decides little by itself: `rtp/congestion.py` estimates from transport-wide feedback, `rtp/report_estimate.py` where
there is none, `rtp/allocation.py` shares. This puts them together for one subscribe connection and says what has
changed. What is wanted, and which layer follows from the outcome, is `quality.py`'s. Pure: driven by `feedback` and
`decide`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mediaserver.events import StreamLayers
from mediaserver.rtp.allocation import RESERVE, Allocation, Allocator, Choice, Reason, Request
from mediaserver.rtp.arrivals import Record
from mediaserver.rtp.congestion import MAX_BPS, MIN_BPS, Estimate
from mediaserver.rtp.rate_control import RateControl
from mediaserver.rtp.report_estimate import NO_LIMIT_BPS, ReportEstimate

FIRST_BPS = 300_000.0  # a small picture: a thin line that begins with more loses its sound, others climb in a second
FIRST_MOST_BPS = 4_000_000.0
PATIENCE = 3.0  # seconds: who has agreed to transport-wide feedback and gives none is then taken for one without
REPORTS_EVERY = 1.0  # seconds
TELL_EVERY = 1.0  # seconds, by contract
MUCH = 2_000  # bytes in a second, that somebody would say something about
SMOOTHING = 0.3  # of loss, per second

PRESSED = 0.8  # of the estimate is left since the last decision: the next one does not wait
_TOLD_PAUSES = (Reason.BANDWIDTH, Reason.SPEAKERS)  # of what was never there nothing is told
NOTABLE = 0.05  # part by which the pace must differ to be set anew


class Core(Protocol):
    """What of the native connection is needed."""

    def stats(self) -> Mapping[str, int | float]: ...
    def probe(self, rate_bps: float, size_bytes: int) -> None: ...
    def pace(self, rate_bps: float) -> None: ...


def _report_estimate() -> ReportEstimate:
    """Everything may be sent until reports say otherwise: who reports nothing at all is not held back."""
    return ReportEstimate(start_bps=NO_LIMIT_BPS)


@dataclass(slots=True)
class Downlink:
    core: Core
    loss: float = 0.0
    """0 to 1, of late."""
    _precise: Estimate | None = None
    _coarse: ReportEstimate = field(default_factory=_report_estimate)
    _allocator: Allocator = field(default_factory=Allocator)
    _agreed_at: float | None = None
    _heard: bool = False
    """Any transport-wide feedback."""
    _reported_at: float | None = None
    _sent_bytes: float = 0.0
    _paced_bps: float = 0.0
    _decided_bps: float = 0.0
    _told: dict[str, StreamLayers] = field(default_factory=dict)
    _told_at: float | None = None
    _told_for: Allocation | None = None
    """All that is to be told of it has been."""

    def agree(self, *, transport_cc: bool) -> None:
        """The client gives transport-wide feedback, or not."""
        if transport_cc and self._precise is None:
            self._precise = Estimate(RateControl(FIRST_BPS, MIN_BPS, MAX_BPS))
        elif not transport_cc:
            self._precise = None

    def feedback(self, records: Sequence[Record], now: float) -> None:
        self._heard = True
        if self._precise:
            self._precise.feedback(records, now)
            self._probe(self._precise, now)

    @property
    def pressed(self) -> bool:
        """Whether so much less can be sent than when it was shared out that this is to be done anew at once."""
        left = self.estimate_bps
        return left < PRESSED * self._decided_bps and left < self._allocator.cost_bps

    @property
    def round_trip(self) -> float:
        """Seconds; as long as nothing is known, a guess."""
        return self._estimate.round_trip

    @property
    def estimate_bps(self) -> float:
        return self._estimate.rate_bps

    def decide(self, requests: Sequence[Request], sound_bps: float, now: float) -> bool:
        """Shares out anew; returns whether anything is received differently now."""
        if self._agreed_at is None:
            self._agreed_at = now
        if self._precise and not self._heard and now - self._agreed_at > PATIENCE:
            self._precise = None
        self._look_at_reports(now)
        if self._precise and not self._precise.started:
            self._precise.rate.set(_first_bps(requests, sound_bps))
        allocator, before = self._allocator, self._allocator.allocation
        self._decided_bps = self._estimate.rate_bps
        allocator.request(requests, sound_bps, self._decided_bps, now)
        self._estimate.wanted_bps = allocator.wanted_bps
        if self._precise:
            self._try_more(self._precise, now)
        self._pace(now)
        return allocator.allocation is not before and allocator.allocation != before

    def _try_more(self, estimate: Estimate, now: float) -> None:
        """By padding; where that goes nowhere (nothing was sent that could be padded), by a better layer."""
        self._probe(estimate, now)
        if estimate.probes_vanish and (more := self._allocator.next_bps):
            estimate.stretch(more, now)

    def _probe(self, estimate: Estimate, now: float) -> None:
        if wish := estimate.probe(now):
            self.core.probe(wish.rate_bps, wish.size_bytes)

    def _pace(self, now: float) -> None:
        rate_bps = self._precise.pace_bps(now) if self._precise else 0.0
        if abs(rate_bps - self._paced_bps) > NOTABLE * self._paced_bps:
            self._paced_bps = rate_bps
            self.core.pace(rate_bps)

    def choice(self, stream_id: str) -> Choice | None:
        """What is received of a picture; None: it was not asked for."""
        return self._allocator.allocation.get(stream_id)

    def stats(self) -> dict[str, float]:
        """What is thought of the line, and made of it."""
        return {
            "estimate_bps": self.estimate_bps,
            "cost_bps": self._allocator.cost_bps,
            "loss": self.loss,
            "round_trip": self.round_trip,
            "held_back": self.held_back,
        }

    @property
    def held_back(self) -> float:
        """0 to 1: how much of what is wished does not fit the line."""
        choices = self._allocator.allocation.values()
        missing = [1.0 if choice.layer is None else 0.5 for choice in choices if choice.reason is Reason.BANDWIDTH]
        return sum(missing) / len(choices) if choices else 0.0

    def changes(self, now: float) -> tuple[StreamLayers, ...]:
        """What is to be told now of how pictures are received."""
        allocation = self._allocator.allocation
        if allocation is self._told_for or (self._told_at is not None and now - self._told_at < TELL_EVERY):
            return ()
        told = {
            str(stream_id): _told_of(str(stream_id), choice)
            for stream_id, choice in allocation.items()
            if choice.layer or choice.reason in _TOLD_PAUSES or stream_id in self._told
        }
        changed = tuple(layers for stream_id, layers in told.items() if self._told.get(stream_id) != layers)
        self._told, self._told_for = told, allocation
        if changed:
            self._told_at = now
        return changed

    @property
    def _estimate(self) -> Estimate | ReportEstimate:
        return self._precise or self._coarse

    def _look_at_reports(self, now: float) -> None:
        if self._reported_at is not None and now - self._reported_at < REPORTS_EVERY:
            return
        counters = self.core.stats()
        sent = counters.get("bytes_sent", 0)
        span = now - self._reported_at if self._reported_at is not None else 0.0
        self._coarse.reports(
            sent_bps=(sent - self._sent_bytes) * 8 / span if span > 0 else 0.0,
            reported=int(counters.get("reported", 0)),
            lost=int(counters.get("reported_lost", 0)),
            remb_bps=float(counters.get("remb_bps", 0)) or None,
            remb_age=float(counters.get("remb_age", -1.0)),
            now=now,
        )
        if self._precise and sent - self._sent_bytes > MUCH:
            self._precise.silence(now)
        self._reported_at, self._sent_bytes = now, sent
        self.loss += SMOOTHING * (self._estimate.loss.loss - self.loss)
        if (round_trip := float(counters.get("round_trip", -1.0))) >= 0:
            self._coarse.round_trip = round_trip


def _first_bps(requests: Sequence[Request], sound_bps: float) -> float:
    """Enough to see everybody once, within reason: what the line really carries is known a moment later."""
    smallest = sum(layers[0].rate_bps for request in requests if (layers := request.wished()))
    return min(max((sound_bps + smallest) / RESERVE + 1.0, FIRST_BPS), FIRST_MOST_BPS)


def _told_of(stream_id: str, choice: Choice) -> StreamLayers:
    layer = choice.layer
    if layer is None:
        return StreamLayers(stream_id, 0, 0, 0.0, True, choice.reason.value)
    return StreamLayers(stream_id, layer.width, layer.height, layer.fps, False, choice.reason.value)


def score(loss: float, round_trip: float, held_back: float) -> float:
    """How good that is to talk over: 1.0 is bad, 5.0 is good."""
    missing = min(25 * loss, 2.5) + min(max(round_trip - 0.15, 0.0) * 2, 1.0) + 1.5 * held_back
    return round(max(5.0 - missing, 1.0), 1)
