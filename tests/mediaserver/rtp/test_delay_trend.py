"""The trend of the delay, and what it says about the line."""

from collections.abc import Callable, Iterator
from math import sin
from random import Random

import pytest

from mediaserver.rtp.arrivals import Group
from mediaserver.rtp.delay_trend import MAX_THRESHOLD, MIN_THRESHOLD, DelayTrend, Usage

EVERY = 20_000  # us between groups
DELAY = 5_000_000_000  # the receiver's clock is somewhere else


def groups(number: int, queue: Callable[[int], float], *, first: int = 0) -> Iterator[Group]:
    """`queue`: milliseconds that the n-th group waits."""
    for n in range(first, first + number):
        yield n * EVERY, n * EVERY + DELAY + round(queue(n) * 1000), 1200


def judged(queue: Callable[[int], float], number: int = 100) -> list[Usage]:
    trend = DelayTrend()
    return [trend.add([group]) for group in groups(number, queue)]


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        pytest.param(lambda n: 20, Usage.NORMAL, id="a steady delay"),
        pytest.param(lambda n: 20 + 0.05 * n, Usage.NORMAL, id="a receiver's clock that runs slow"),
        pytest.param(lambda n: 20 + 3 * n, Usage.OVERUSE, id="a growing queue"),
        pytest.param(lambda n: 1000 - 3 * n, Usage.UNDERUSE, id="a queue that empties itself"),
    ],
)
def test_judges_the_line(queue: Callable[[int], float], expected: Usage) -> None:
    assert judged(queue)[-1] is expected


def test_a_queue_is_noticed_before_it_has_grown_by_100_ms() -> None:
    usages = judged(lambda n: 20 if n < 50 else 20 + 4 * (n - 50))
    first = usages.index(Usage.OVERUSE)
    assert 50 < first < 75


def test_noise_is_not_overuse() -> None:
    random = Random(1)
    usages = judged(lambda n: 20 + random.uniform(0, 5), number=2000)
    assert usages.count(Usage.OVERUSE) < 10


def test_a_single_late_group_is_not_overuse() -> None:
    assert Usage.OVERUSE not in judged(lambda n: 60 if n == 50 else 20)


def test_messages_or_single_groups_make_no_difference() -> None:
    one, other = DelayTrend(), DelayTrend()
    all_groups = list(groups(90, lambda n: 20 + max(0, n - 40)))
    for group in all_groups:
        one.add([group])
    for at in range(0, 90, 9):
        other.add(all_groups[at : at + 9])
    assert (one.trend, one.threshold, one.usage) == (other.trend, other.threshold, other.usage)


def test_the_threshold_follows_unrest_and_comes_back() -> None:
    trend = DelayTrend()
    trend.add(groups(1500, lambda n: 40 + 12 * sin(n / 8)))
    assert 1.3 * MIN_THRESHOLD < trend.threshold <= MAX_THRESHOLD
    trend.add(groups(500, lambda n: 20, first=1500))
    assert trend.threshold == MIN_THRESHOLD


def test_an_hour_changes_nothing_in_precision() -> None:
    trend = DelayTrend()
    trend.add(groups(180_000, lambda n: 20))
    assert abs(trend.trend) < 0.01
    usages = [trend.add([group]) for group in groups(60, lambda n: 20 + 4 * (n - 180_000), first=180_000)]
    assert Usage.OVERUSE in usages


@pytest.mark.parametrize(
    "jump", [-3_600_000_000, 3_600_000_000, 5_000_000], ids=["clock set back", "set forward", "a pause"]
)
def test_a_step_of_the_receivers_clock_begins_anew(jump: int) -> None:
    trend = DelayTrend()
    trend.add(groups(100, lambda n: 20))
    for sent, arrived, size in groups(100, lambda n: 20, first=100):
        assert trend.add([(sent, arrived + jump, size)]) is Usage.NORMAL
    assert trend.trend == 0.0


def test_a_queue_is_told_from_a_delay_that_is_always_there() -> None:
    trend = DelayTrend()
    trend.add(groups(200, lambda n: 20))
    assert trend.queue_ms == pytest.approx(0.0, abs=0.1)
    trend.add(groups(40, lambda n: 20 + (n - 200), first=200))
    assert trend.queue_ms == pytest.approx(39.0, abs=1.0)
    trend.add(groups(300, lambda n: 60, first=240))
    assert trend.queue_ms == pytest.approx(0.0, abs=0.1), "the line has become longer"
