"""Times measured on a machine that may have other things to do."""

import statistics
from collections.abc import Awaitable, Callable, Sequence

TRIES = 3


async def least(measure: Callable[[], Awaitable[float]], bar: float) -> float:
    """The first measurement under `bar`, or the least of some: what disturbs from outside only ever adds."""
    measured: list[float] = []
    while len(measured) < TRIES and not any(each < bar for each in measured):
        measured.append(await measure())
    return min(measured)


def percentile(times: Sequence[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]
