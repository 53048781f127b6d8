"""When to try whether a line carries more, by sending more for an instant; and what such a try has shown.

Pure. An SFU's streams come in steps, so what is sent seldom fills the line, and the estimate cannot grow by that alone.
A probe is a short burst of padding (retransmissions of what was sent) at a rate: two at the start, one more while they
come through, then one now and then while more is wanted than the estimate grants. After the probe controller and the
probe bitrate estimator of the field's GCC implementation.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from mediaserver.rtp.arrivals import LOST, Record

START_FACTORS = (3.0, 6.0)  # of the rate at the start
NEXT_FACTOR = 2.0  # of what was found, or of the estimate
FURTHER = 0.7  # of its rate came through: the next one is twice as fast
SOONEST, PERIOD = 1.0, 5.0  # seconds between tries: after one that went well; doubled up to, while they do not
PATIENCE = 1.0  # seconds for the answer to a probe
SETTLE = 0.35  # seconds, beyond the round trip, in which a probe's own queue is seen
CALM = 1.5  # seconds since the last decrease, before a try
START_SPAN, SPAN = 0.02, 0.03  # seconds that a probe lasts: at the start its rate is far from what is known
MIN_BYTES = 2_500  # of a probe, so that it goes over several packets
LATEST = 0.25  # seconds after which nothing counts as part of the probe
DENSE = 0.6  # of a probe's rate: what is sent more slowly is not the probe
MIN_PART = 0.6  # of a probe's bytes must have come
MIN_SPAN_US, MAX_SPAN_US = 1_000, 1_000_000
MAX_RATIO = 2.0  # arrived faster than sent: the times are worth nothing
SATURATED = 0.9  # arrived slower than this part of the sending rate: the line's own rate was seen,
UTILISATION = 0.95  # of which so much is taken
MOST = 1.1  # of a probe's own rate, although other things were sent with it
SOON, LATER, LATEST_TRY = 0.6, 2.0, 30.0  # seconds between stretches: after success; after failure, doubled, up to
ENOUGH = 1.1  # times what is wanted is never exceeded


@dataclass(frozen=True, slots=True)
class ProbeWish:
    """Send padding at `rate_bps`, on top of nothing: what else is sent counts, until `size_bytes` have gone out."""

    rate_bps: float
    size_bytes: int


@dataclass(slots=True)
class Probe:
    """A probe that is out, and what has come of it: the packets since then that were sent about as fast as wished."""

    wish: ProbeWish
    since: float
    _first: Record | None = None
    _last: Record | None = None
    _sent: int = 0
    """Bytes, lost ones and the first record's included."""
    _came: int = 0
    """Bytes, without the first record's."""

    def add(self, records: Iterable[Record]) -> float | None:
        """Takes in records of one message; returns the rate that was carried once enough of it came."""
        since_us, until_us = self.since * 1e6, (self.since + LATEST) * 1e6
        for record in records:
            if not since_us <= record[0] <= until_us:
                continue
            if not self._dense(record):
                if self._sent >= MIN_PART * self.wish.size_bytes:
                    return self._rate()
                self._begin(record)
            else:
                self._go_on(record)
            if self._sent >= self.wish.size_bytes:
                return self._rate()
        return None

    def _dense(self, record: Record) -> bool:
        """Whether the record goes on with what was sent before at about the rate of the probe."""
        if self._first is None:
            return False
        span_us = record[0] - self._first[0]
        return (self._sent + record[2] - self._first[2]) * 8e6 >= DENSE * self.wish.rate_bps * span_us

    def _begin(self, record: Record) -> None:
        came = record[1] != LOST
        self._first, self._last, self._came = (record if came else None), None, 0
        self._sent = record[2] if came else 0

    def _go_on(self, record: Record) -> None:
        self._sent += record[2]
        if record[1] == LOST:
            return
        self._came += record[2]
        if self._first and record[1] > (self._last or self._first)[1]:
            self._last = record

    def _rate(self) -> float | None:
        """None if too little came, or if the times make no sense."""
        first, last = self._first, self._last
        if first is None or last is None or first[2] + self._came < MIN_PART * self.wish.size_bytes:
            return None
        sent_us, arrived_us = last[0] - first[0], last[1] - first[1]
        if not (MIN_SPAN_US < sent_us < MAX_SPAN_US and MIN_SPAN_US < arrived_us < MAX_SPAN_US):
            return None
        sent_bps, arrived_bps = self._came * 8e6 / sent_us, self._came * 8e6 / arrived_us
        if arrived_bps > MAX_RATIO * sent_bps:
            return None
        if arrived_bps < SATURATED * sent_bps:
            return UTILISATION * arrived_bps
        return min(sent_bps, arrived_bps)


@dataclass(slots=True)
class Prober:
    """Asked for `due` probes, one at a time; told what came back."""

    wanted_bps: float
    """Nobody could use more."""
    _waiting: deque[float] = field(default_factory=deque)
    unanswered: int = 0
    """How many probes in a row nothing was heard of: perhaps none was sent."""
    _out: Probe | None = None
    _tried: float = -PERIOD
    _pause: float = SOONEST

    def start(self, rate_bps: float) -> None:
        """The line is up: find out quickly what it carries."""
        self._waiting = deque(rate_bps * factor for factor in START_FACTORS)

    def due(self, rate_bps: float, calm_since: float | None, now: float) -> ProbeWish | None:
        """The next probe to send now, if any; `calm_since` is when the rate was last taken down."""
        if self._out and now - self._out.since < PATIENCE:
            return None
        self.unanswered += self._out is not None
        self._out = None
        ceiling = ENOUGH * self.wanted_bps
        while self._waiting:
            wish = min(self._waiting.popleft(), ceiling)
            if wish > rate_bps:
                return self._send(wish, START_SPAN, now)
        calm = calm_since is None or now - calm_since > CALM
        if calm and rate_bps < self.wanted_bps and now - self._tried >= self._pause:
            self._pause = min(2 * self._pause, PERIOD)
            return self._send(min(NEXT_FACTOR * rate_bps, ceiling), SPAN, now)
        return None

    def heard(self, records: Iterable[Record]) -> float | None:
        """What the probe that is out has shown, once; it is over then."""
        if self._out is None:
            return None
        rate_bps = self._out.add(records)
        if rate_bps is None:
            return None
        if rate_bps < FURTHER * self._out.wish.rate_bps:
            self._waiting.clear()
        else:
            self._pause = SOONEST
            if not self._waiting:
                self._waiting.append(NEXT_FACTOR * rate_bps)
        self.unanswered = 0
        ceiling = MOST * self._out.wish.rate_bps
        self._out = None
        return min(rate_bps, ceiling)

    def disturbs(self, round_trip: float, now: float) -> bool:
        """Whether a queue that is seen now may be the last probe's own."""
        return now - self._tried < round_trip + SETTLE

    def stop(self) -> None:
        """The line is full: what was planned is called off."""
        self._waiting.clear()

    def _send(self, rate_bps: float, span: float, now: float) -> ProbeWish:
        self._tried = now
        wish = ProbeWish(rate_bps, max(int(rate_bps * span / 8), MIN_BYTES))
        self._out = Probe(wish, now)
        return wish


@dataclass(slots=True)
class Stretcher:
    """Where no padding can be sent, only a better layer can show what a line carries: when that may be tried."""

    _tried: float | None = None
    _wait: float = SOON
    _failed: bool = False

    def may(self, calm_since: float | None, now: float) -> bool:
        """Whether to try now; `calm_since` is when the rate was last taken down."""
        if self._tried is not None and not self._failed and calm_since is not None and calm_since > self._tried:
            self._failed = True
            self._wait = min(max(2 * self._wait, LATER), LATEST_TRY)
        last = max((at for at in (self._tried, calm_since) if at is not None), default=None)
        if last is not None and now - last < self._wait:
            return False
        if not self._failed:
            self._wait = SOON
        self._tried, self._failed = now, False
        return True
