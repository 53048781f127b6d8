"""The goals, as ratios within one run, and where a run stands against them. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.versus.row import Row
from benchmarks.versus.search import Verdict

OURS, OTHER, OTHER_ONE_LOOP = "Folkmoot", "Janus", "Janus, 1 event loop"
MEETING, FEW, AUDIENCE, CROWD = "10 x 10", "1 to 10", "1 to 100", "1 to 1000"


@dataclass(frozen=True)
class Bar:
    """A goal, and what was reached."""

    what: str
    value: float
    bound: float
    at_least: bool = False
    excuse: str = ""
    """Why nothing better could be seen."""

    @property
    def held(self) -> bool:
        return bool(self.excuse) or self._reached

    @property
    def _reached(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        goal = f"{'>=' if self.at_least else '<='} {self.bound:.3g}"
        judged = "ok" if self.held else "MISSED"
        excuse = f"; {self.excuse}" if self.excuse else ""
        return f"{judged:6}  {self.what}: {self.value:.3g} (goal {goal}{excuse})"


def bars(rows: Sequence[Row]) -> list[Bar]:
    """Of all goals whose two sides were measured."""
    found = {(row.case, row.target): row for row in rows}
    return [bar for bar in _all(found) if not math.isnan(bar.value)]


def _all(found: dict[tuple[str, str], Row]) -> Iterator[Bar]:
    ours = found.get((MEETING, OURS))
    if ours:
        yield from _meeting(ours, found.get((MEETING, OTHER)), found.get((MEETING, OTHER_ONE_LOOP)))
    listener, theirs = found.get((AUDIENCE, OURS)), found.get((AUDIENCE, OTHER))
    if listener and theirs:
        yield Bar(f"memory per subscriber, {AUDIENCE}, of Janus'", listener.memory / theirs.memory, 1.0)
    few, crowd = found.get((FEW, OURS)), found.get((CROWD, OURS))
    if few and crowd:
        yield Bar("CPU per packet, 1,000 subscribers of 10's", crowd.us / few.us, 1.3)


def _meeting(ours: Row, theirs: Row | None, one_loop: Row | None) -> Iterator[Bar]:
    yield Bar(f"CPU per packet, {MEETING}, of a bare sendto loop's", ours.ratio, 1.5)
    yield Bar(f"CPU per packet, {MEETING}, of a bare sendto loop's at the highest rate", ours.highest_ratio, 1.0)
    yield Bar(f"latency p99, {MEETING}, at half of the highest rate, ms", ours.half_p99 * 1e3, 5.0)
    if theirs:
        yield Bar(f"CPU per packet, {MEETING}, of Janus'", ours.us / theirs.us, 1 / 6)
        limit = Verdict.GENERATOR.value if ours.why == Verdict.GENERATOR.value else ""
        yield Bar(f"highest rate, {MEETING}, of Janus'", ours.highest / theirs.highest, 3.0, True, limit)
    if one_loop:
        yield Bar(f"CPU per packet, {MEETING}, of Janus' with one event loop", ours.us / one_loop.us, 1 / 3)
