"""Narrow lines: what is estimated, what is sent because of it, and how long it waits. Estimate and allocation only."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from tests.support.estimation import Narrow, Seen, Sender, cameras
from tests.support.link import Weather

SETTLED = 15  # seconds
USED = 0.8  # of what could be used
LONGEST_WAIT = 0.35  # seconds in a queue, once settled: now and then more is tried
USUAL_WAIT = 0.06
LONGEST_TRY = 0.38  # where nothing can be padded: a better layer is tried for as long as an answer takes


def mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def usable(sender: Sender, rate_bps: float) -> float:
    """What the line carries, or what there is to send if that is less."""
    return min(rate_bps, sender.allocator.wanted_bps)


def middle(seen: list[Seen], value: Callable[[Seen], float]) -> float:
    return sorted(value(each) for each in seen)[len(seen) // 2]


@pytest.mark.parametrize("people", [1, 3, 8])
@pytest.mark.parametrize("round_trip", [0.04, 0.2])
@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("rate_bps", [2_000_000, 800_000, 300_000])
def test_after_15_s_four_fifths_of_a_line_are_found_and_no_queue_stands_in_it(
    rate_bps: float, loss: float, round_trip: float, people: int
) -> None:
    line = Narrow(Weather(delay=round_trip / 2, loss=loss, rate_bps=rate_bps, queue=0.5), seed=5)
    sender = line.add(cameras(people))
    line.run(45)
    settled = sender.seen[SETTLED:]
    assert mean(each.estimate_bps for each in settled) >= USED * usable(sender, rate_bps)
    assert middle(settled, lambda each: each.queue) <= USUAL_WAIT
    assert max(each.queue for each in settled) <= LONGEST_WAIT
    assert sender.changes <= 20


@pytest.mark.parametrize("round_trip", [0.04, 0.2])
@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("rate_bps", [10_000_000, 2_000_000, 800_000, 300_000])
def test_without_padding_better_layers_are_tried_instead(rate_bps: float, loss: float, round_trip: float) -> None:
    line = Narrow(Weather(delay=round_trip / 2, loss=loss, rate_bps=rate_bps, queue=0.5), seed=1)
    sender = line.add(cameras(3), padding=False)
    line.run(45)
    settled = sender.seen[SETTLED:]
    assert mean(each.estimate_bps for each in settled) >= USED * usable(sender, rate_bps)
    assert middle(settled, lambda each: each.queue) <= USUAL_WAIT
    assert max(each.queue for each in settled) <= LONGEST_TRY
    assert sender.changes <= 20


@pytest.mark.parametrize("jitter", [0.005, 0.02])
@pytest.mark.parametrize("every", [0.05, 0.25], ids=["frequent", "rare"])
def test_jitter_and_the_rhythm_of_feedback_do_not_matter_much(jitter: float, every: float) -> None:
    line = Narrow(Weather(delay=0.04, jitter=jitter, rate_bps=2e6, queue=0.5), seed=6, feedback_every=every)
    sender = line.add(cameras(5))
    line.run(45)
    settled = sender.seen[SETTLED:]
    assert mean(each.estimate_bps for each in settled) >= 0.75 * 2e6
    assert max(each.queue for each in settled) <= LONGEST_WAIT


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("round_trip", "loss", "queue"), [(0.04, 0.0, 0.3), (0.2, 0.02, 0.3), (0.04, 0.0, 1.0)])
def test_a_sudden_drop_is_followed_within_seconds_and_so_is_the_way_back(
    round_trip: float, loss: float, queue: float, seed: int
) -> None:
    wide = Weather(delay=round_trip / 2, loss=loss, rate_bps=3e6, queue=queue)
    line = Narrow(wide, seed=seed)
    sender = line.add(cameras(3))
    line.run(20)
    assert sender.seen[-1].estimate_bps >= USED * 3e6
    line.link.weather = replace(wide, rate_bps=400_000)
    line.run(20)
    dropped = sender.seen[20:]
    assert all(each.queue <= 0.15 for each in dropped[4:]), "the queue has emptied itself"
    assert all(each.estimate_bps <= 1.1 * 400_000 for each in dropped[2:])
    assert mean(each.estimate_bps for each in dropped[5:]) >= 0.7 * 400_000
    assert all(None not in each.layers for each in dropped[5:] if each.estimate_bps > 1.25 * 400_000)
    line.link.weather = wide
    line.run(25)
    back = sender.seen[40:]
    assert next(n for n, each in enumerate(back) if each.estimate_bps >= USED * 3e6) <= 12
    assert next(n for n, each in enumerate(back) if 0 in each.layers) <= 15


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("rate_bps", "round_trip"), [(2e6, 0.04), (2e6, 0.2), (4e6, 0.04)])
def test_who_comes_later_gets_a_share_of_the_same_line(rate_bps: float, round_trip: float, seed: int) -> None:
    line = Narrow(Weather(delay=round_trip / 2, rate_bps=rate_bps, queue=0.3), seed=seed)
    first = line.add(cameras(3))
    line.run(15)
    second = line.add(cameras(3))
    line.run(75)
    shares = [mean(each.came_bps for each in sender.seen[-40:]) for sender in (first, second)]
    assert min(shares) >= 0.5 * rate_bps / 2
    assert sum(shares) >= 0.7 * rate_bps
    assert max(each.queue for each in second.seen[SETTLED:]) <= LONGEST_WAIT


@pytest.mark.parametrize(("rate_bps", "most"), [(1_000_000, 0.08), (500_000, 0.12)])
def test_a_line_without_a_queue_is_not_run_into_the_ground(rate_bps: float, most: float) -> None:
    line = Narrow(Weather(delay=0.02, rate_bps=rate_bps, queue=0.02), seed=7)
    sender = line.add(cameras(3))
    line.run(20)
    before = line.link.sent, line.link.lost
    line.run(40)
    assert (line.link.lost - before[1]) / (line.link.sent - before[0]) <= most
    assert mean(each.estimate_bps for each in sender.seen[20:]) >= 0.7 * rate_bps


@pytest.mark.parametrize("loss", [0.1, 0.2, 0.3])
def test_loss_that_begins_in_a_call_costs_a_moment_only(loss: float) -> None:
    calm = Weather(delay=0.02, rate_bps=2e6, queue=0.3)
    line = Narrow(calm, seed=8)
    sender = line.add(cameras(3))
    line.run(20)
    line.link.weather = replace(calm, loss=loss)
    line.run(45)
    assert mean(each.estimate_bps for each in sender.seen[-30:]) >= 0.7 * 2e6


def test_a_line_that_dies_is_given_up_and_found_again() -> None:
    calm = Weather(delay=0.02, rate_bps=2e6, queue=0.3)
    line = Narrow(calm, seed=9)
    sender = line.add(cameras(3))
    line.run(20)
    line.link.weather = replace(calm, loss=1.0)
    line.run(10)
    assert sender.seen[-1].estimate_bps < 300_000
    assert sender.levels() == (2, None, None) or sender.levels().count(None) == 3
    line.link.weather = calm
    line.run(20)
    assert sender.seen[-1].estimate_bps >= USED * 2e6


def test_the_same_seed_gives_the_same_run() -> None:
    def run() -> list[Seen]:
        line = Narrow(Weather(delay=0.05, jitter=0.01, loss=0.03, rate_bps=1e6), seed=10)
        sender = line.add(cameras(4))
        line.run(15)
        return sender.seen

    assert run() == run()
