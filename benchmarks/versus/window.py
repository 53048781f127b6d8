"""What one measurement has shown, and what several come to. Pure."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.load import Figures
from benchmarks.versus.search import Verdict

LOSS_LIMIT = 0.005  # of all packets: past this a rate has not held
UNDER_WAY = 0.02  # seconds: what was sent so shortly before the end need not have arrived
KEPT_PACE = 0.98  # of the packets that publishers should have sent; with fewer the generator is too slow
GENERATOR_FULL = 0.97  # of its core's time
OWN_DROPS = 0.001  # of what arrived; more datagrams thrown away by the generator's sockets spoil a measurement


@dataclass(frozen=True)
class Window:
    """One measurement of `seconds`."""

    seconds: float
    asked: float
    """Packets a second that should have been forwarded."""
    fan_out: int
    frame: int
    """Packets that are forwarded of one picture of one publisher."""
    cpu: float | None
    """Seconds of the server's, all threads; None: not known."""
    generator: float
    """Seconds of the load generator's thread."""
    figures: Figures
    own_drops: int

    @property
    def rate(self) -> float:
        """Packets a second that came through."""
        return self.figures.received / self.seconds

    @property
    def us(self) -> float:
        """Of the server's CPU per forwarded packet."""
        return (self.cpu or 0.0) * 1e6 / max(1, self.figures.received) if self.cpu is not None else float("nan")

    @property
    def generator_us(self) -> float:
        """Of the generator's, per packet that arrived: sending, receiving, checking."""
        return self.generator * 1e6 / max(1, self.figures.received)

    @property
    def generator_busy(self) -> float:
        return self.generator / self.seconds

    @property
    def server_busy(self) -> float:
        return (self.cpu or 0.0) / self.seconds if self.cpu is not None else float("nan")

    @property
    def loss(self) -> float:
        """Of what was sent, 0 to 1: holes in the numbers, or what has not come yet though it is due (a server that
        queues loses nothing for a while)."""
        expected = self.figures.sent * self.fan_out
        may_be_under_way = max(self.frame, UNDER_WAY * self.asked)
        missing = max(0.0, expected - self.figures.received - may_be_under_way) / max(1, expected)
        return max(missing, self.figures.lost_by_sequence / max(1, expected))

    @property
    def verdict(self) -> Verdict:
        if self.loss <= LOSS_LIMIT and self._kept_pace:
            return Verdict.HELD
        if not self._kept_pace or self.generator_busy > GENERATOR_FULL or self._spoiled:
            return Verdict.GENERATOR
        return Verdict.LOST

    @property
    def _kept_pace(self) -> bool:
        return self.figures.sent * self.fan_out >= KEPT_PACE * self.asked * self.seconds - self.frame

    @property
    def _spoiled(self) -> bool:
        return self.own_drops > OWN_DROPS * max(1, self.figures.received)


def median(windows: Sequence[Window], what: Callable[[Window], float]) -> float:
    return statistics.median(what(window) for window in windows)


def spread(windows: Sequence[Window], what: Callable[[Window], float]) -> tuple[float, float]:
    values = [what(window) for window in windows]
    return min(values), max(values)


def latency(share: float) -> Callable[[Window], float]:
    """Seconds, of a window."""
    return lambda window: window.figures.latency(share)


def loss_of_all(windows: Sequence[Window]) -> float:
    """Weighted by the packets of each."""
    sent = sum(w.figures.sent for w in windows)
    return sum(w.loss * w.figures.sent for w in windows) / max(1, sent)
