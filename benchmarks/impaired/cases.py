"""Which lines are measured, and how long: a case is a line whose weather changes in steps."""

from dataclasses import dataclass
from itertools import product

from tests.support.link import Weather

RATES = (2_000_000, 800_000, 300_000)
LOSSES = (0.0, 0.02, 0.1)
ROUND_TRIPS = (0.04, 0.2)
WIDE, NARROW = 3_000_000, 400_000
HEAVY = 0.3  # of the packets
QUEUE = 0.3  # seconds of a line's rate that wait in it; what is more is lost
SETTLE = 15.0  # seconds, by which a line must be used
LOOK = 20.0  # seconds that are judged after it
DROPPED = 25.0  # seconds of each part of the drop


@dataclass(frozen=True)
class Step:
    """The same in both directions."""

    rate_bps: int
    loss: float
    round_trip: float
    seconds: float

    @property
    def weather(self) -> Weather:
        return Weather(delay=self.round_trip / 2, loss=self.loss, rate_bps=self.rate_bps, queue=QUEUE)


@dataclass(frozen=True)
class Case:
    name: str
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)


def steady(rate_bps: int, loss: float, round_trip: float) -> Case:
    name = f"{rate_bps // 1000} kbit/s, {loss:.0%} loss, {round_trip * 1000:.0f} ms"
    return Case(name, (Step(rate_bps, loss, round_trip, SETTLE + LOOK),))


def drop(round_trip: float) -> Case:
    """A line that becomes narrow, and wide again."""
    rates = (WIDE, NARROW, WIDE)
    name = f"{WIDE // 1000} to {NARROW // 1000} kbit/s and back, {round_trip * 1000:.0f} ms"
    return Case(name, tuple(Step(rate, 0.0, round_trip, DROPPED) for rate in rates))


def uplinks(quick: bool) -> list[Case]:
    """What is measured with the camera behind the line; one after the other, since each needs much of a core."""
    if quick:
        return [steady(800_000, 0.02, 0.04)]
    lines = [(2_000_000, 0.0, 0.04), (800_000, 0.02, 0.04), (800_000, 0.1, 0.2), (300_000, 0.02, 0.2)]
    return [*(steady(*line) for line in lines), drop(0.04)]


def batches(quick: bool) -> list[list[Case]]:
    """Cases that are measured at the same time, each on a line of its own, watching the same camera."""
    if quick:
        return [[steady(800_000, 0.02, 0.04), steady(300_000, 0.1, 0.2)], [drop(0.04)]]
    table = [[steady(rate, loss, trip) for loss in LOSSES] for rate, trip in product(RATES, ROUND_TRIPS)]
    return [*table, [drop(trip) for trip in ROUND_TRIPS], [steady(WIDE, HEAVY, trip) for trip in ROUND_TRIPS]]
