"""What loss says about the rate: nothing, if the line loses as much at any rate; a limit, if sending less helps.

Pure. Two kinds of loss are told apart: what the line loses whatever is sent (`inherent`), and what comes on top of
it. Only the latter limits the rate. Inherent is what has been lost even in the best of the last seconds, or what
stayed although much less was sent. Loss without delay (policers, short queues) is found here; long queues are
found by `delay_trend.py`.
The bounds are those of draft-ietf-rmcat-gcc-02 section 6, taken over what is inherent.
"""

import math
from collections import deque
from dataclasses import dataclass, field

STEP = 0.4  # seconds that are judged at once, at least,
STEP_PACKETS = 50  # and with so many packets, unless
LONGEST_STEP = 1.5  # seconds have passed
BELOW = 0.85  # of what seems to come through is sent after a reduction: then the rest is what is inherent
SPARED = 0.5  # of what came through is never taken away: loss is told of late, and was acted upon already
WAIT = 0.6  # seconds after a reduction, in which what is told is what was before it
GRAVE = 0.25  # of excess: acted upon at once, less only when it is there a second time
HIGH, LOW = 0.10, 0.02  # of excess: above, the rate goes down; below, the limit goes up
GROWTH = 0.08  # of the limit, per second
FIRST_INHERENT = 0.05  # until a bucket has told
MAX_LEARNT = 0.10  # is believed to be inherent without proof,
CREEP = 0.04  # and so much more at once; what is more, and lasts, is tried:
TRIAL = 0.75  # of the rate is sent for a moment
MAX_PROVED = 0.50  # with it
BUCKET = 2.0  # seconds over which inherent loss is measured
BUCKETS = 5  # of which the best counts,
TRIED_BUCKETS = 2  # even of the first few
PROOF_RATE = 0.8  # of the blamed rate, or less: proves something
PROOF_LOSS = 0.7  # of the blamed loss is still there: it is inherent
DEVIATIONS = 3.0  # of chance, that loss must stand out by


@dataclass(slots=True)
class _Tally:
    """Packets within one span of time."""

    since: float | None = None
    received: int = 0
    lost: int = 0

    def add(self, received: int, lost: int, now: float) -> None:
        if self.since is None:
            self.since = now
        self.received += received
        self.lost += lost

    @property
    def packets(self) -> int:
        return max(self.received + self.lost, 0)

    @property
    def loss(self) -> float:
        return max(self.lost, 0) / self.packets if self.packets else 0.0

    @property
    def typical(self) -> float:
        """What the best of several spans with this loss would not show: it is lucky by about a deviation."""
        loss = self.loss
        return loss + math.sqrt(loss * (1 - loss) / self.packets) if self.packets else 0.0

    def age(self, now: float) -> float:
        return 0.0 if self.since is None else now - self.since


@dataclass(slots=True)
class LossLimit:
    """`limit_bps` is infinite while loss gives no reason for one."""

    min_bps: float
    limit_bps: float = math.inf
    loss: float = 0.0
    """Of the last step."""
    inherent: float = FIRST_INHERENT
    forgot: bool = False
    """The limit was given up just now because much less is sent: nothing has shown that it was wrong."""
    _step: _Tally = field(default_factory=_Tally)
    _bucket: _Tally = field(default_factory=_Tally)
    _buckets: deque[float] = field(default_factory=lambda: deque(maxlen=BUCKETS))
    _learnt: bool = False
    _fastest: float = 0.0
    """The highest sending rate in this step."""
    _suspected: bool = False
    _reduced_at: float = -math.inf
    _blamed: tuple[float, float] | None = None
    """The rate that a limit was set for, and the loss at it."""

    def add(self, received: int, lost: int, sending_bps: float, now: float, through_bps: float = 0.0) -> float:
        """`sending_bps` is what has been sent lately, `through_bps` what of it has come, as far as that is known."""
        self.forgot = False
        self._step.add(received, lost, now)
        self._fastest = max(self._fastest, sending_bps)
        self._bucket.add(received, lost, now)
        if self._bucket.age(now) >= BUCKET and self._bucket.packets >= STEP_PACKETS:
            self._learn(sending_bps)
        age = self._step.age(now)
        if age >= STEP and (self._step.packets >= STEP_PACKETS or age >= LONGEST_STEP):
            self._judge(sending_bps, through_bps, age, now)
        return self.limit_bps

    def release(self, rate_bps: float) -> None:
        """A probe came through at this rate."""
        self.limit_bps = max(self.limit_bps, rate_bps)

    def _learn(self, sending_bps: float) -> None:
        self._buckets.append(self._bucket.typical)
        self._bucket = _Tally()
        best = min(self._buckets)
        if not self._learnt or best <= self.inherent + CREEP:
            self.inherent = best if best < self.inherent else max(self.inherent, min(best, MAX_LEARNT))
            self._learnt = True
        elif len(self._buckets) >= TRIED_BUCKETS and not self._blamed and sending_bps:
            self._blamed = sending_bps, best
            self.limit_bps = max(min(self.limit_bps, TRIAL * sending_bps), self.min_bps)
        if self._blamed and self._excess(self._blamed[1]) <= LOW:
            self._blamed, self.limit_bps = None, math.inf

    def _excess(self, loss: float) -> float:
        return (loss - self.inherent) / (1 - self.inherent)

    def _judge(self, sending_bps: float, through_bps: float, age: float, now: float) -> None:
        packets, self.loss = self._step.packets, self._step.loss
        fastest, self._fastest = self._fastest, 0.0
        self._step = _Tally()
        if not packets or now - self._reduced_at < WAIT:
            return
        if self._blamed and fastest <= PROOF_RATE * self._blamed[0] and self._proved():
            return
        chance = DEVIATIONS * math.sqrt(max(self.inherent * (1 - self.inherent), 0.01) / packets)
        excess = self._excess(self.loss)
        if excess > HIGH and self.loss - self.inherent > chance and sending_bps:
            if self._suspected or excess > GRAVE:
                self._reduce(sending_bps, through_bps, excess)
                self._reduced_at = now
            self._suspected = True
            return
        self._suspected = False
        if excess < LOW or self.loss - self.inherent <= chance:
            self._relax(sending_bps, age)

    def _reduce(self, sending_bps: float, through_bps: float, excess: float) -> None:
        if self._blamed is None or sending_bps > self._blamed[0]:
            self._blamed = sending_bps, self.loss
        below = BELOW * min(self.limit_bps, sending_bps) * (1 - excess)
        self.limit_bps = max(below, min(SPARED * through_bps, self.limit_bps), self.min_bps)

    def _proved(self) -> bool:
        """Much less is sent than when loss was blamed on the rate: was that wrong?"""
        assert self._blamed is not None
        _, loss = self._blamed
        self._blamed = None
        if self.loss < PROOF_LOSS * loss:
            return False
        self.inherent = min(max(self.loss, self.inherent), MAX_PROVED)
        self._buckets.clear()
        self.limit_bps = math.inf
        return True

    def _relax(self, sending_bps: float, age: float) -> None:
        self.limit_bps *= (1 + GROWTH) ** age
        if sending_bps and self.limit_bps > 2 * sending_bps and not self._blamed:
            self.forgot = self.limit_bps < math.inf
            self.limit_bps = math.inf
