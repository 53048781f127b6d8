"""Loss that sending less would mend, told from loss that is there anyway."""

import math
from collections.abc import Callable
from random import Random

import pytest

from mediaserver.rtp.loss_limit import LossLimit

STEP = 0.1
PACKET_BITS = 8000


def run(
    limit: LossLimit,
    line: Callable[[float], float],
    seconds: float,
    *,
    since: float,
    wanted: float = 2e6,
    random: Random | None = None,
) -> list[float]:
    """`line`: the part that is lost of what is sent at a rate. Sent is what is wanted, as far as the limit lets."""
    sent = []
    owed = 0.0
    for n in range(round(seconds / STEP)):
        rate = min(wanted, limit.limit_bps)
        packets = max(round(rate * STEP / PACKET_BITS), 1)
        if random:
            gone = sum(random.random() < line(rate) for _ in range(packets))
        else:
            owed += packets * line(rate)
            gone, owed = int(owed), owed % 1
        limit.add(packets - gone, gone, rate, since + n * STEP)
        sent.append(rate)
    return sent


def steady(loss: float) -> Callable[[float], float]:
    return lambda _rate: loss


def policer(rate_bps: float, loss: float = 0.0) -> Callable[[float], float]:
    return lambda rate: 1 - (1 - loss) * min(1.0, rate_bps / rate)


def test_without_loss_there_is_no_limit() -> None:
    limit = LossLimit(30_000)
    run(limit, steady(0.0), 10.0, since=0.0)
    assert limit.limit_bps == math.inf
    assert limit.loss == limit.inherent == 0.0


@pytest.mark.parametrize("loss", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_loss_that_was_there_from_the_start_is_no_reason(loss: float, seed: int) -> None:
    limit = LossLimit(30_000)
    run(limit, steady(loss), 5.0, since=0.0, random=Random(seed))
    sent = run(limit, steady(loss), 60.0, since=5.0, random=Random(seed + 10))
    assert sum(sent) / len(sent) > 0.93 * 2e6
    assert limit.inherent == pytest.approx(loss, abs=0.04)


@pytest.mark.parametrize("loss", [0.05, 0.1, 0.2, 0.3])
def test_loss_that_begins_is_tried_and_then_believed(loss: float) -> None:
    limit = LossLimit(30_000)
    run(limit, steady(0.0), 20.0, since=0.0)
    run(limit, steady(loss), 20.0, since=20.0)
    sent = run(limit, steady(loss), 30.0, since=40.0)
    assert sum(sent) / len(sent) > 0.95 * 2e6


@pytest.mark.parametrize("rate_bps", [300_000, 1e6, 1.5e6])
def test_a_policer_is_found_and_held_to(rate_bps: float) -> None:
    limit = LossLimit(30_000)
    run(limit, policer(rate_bps), 15.0, since=0.0)
    sent = run(limit, policer(rate_bps), 45.0, since=15.0)
    assert 0.75 * rate_bps < sum(sent) / len(sent) < 1.2 * rate_bps


def test_a_policer_is_found_beside_what_the_line_loses_anyway() -> None:
    limit = LossLimit(30_000)
    run(limit, steady(0.05), 20.0, since=0.0)
    run(limit, policer(1e6, 0.05), 15.0, since=20.0)
    sent = run(limit, policer(1e6, 0.05), 45.0, since=35.0)
    assert 0.7e6 < sum(sent) / len(sent) < 1.2e6


def test_a_limit_is_lifted_when_the_line_is_whole_again() -> None:
    limit = LossLimit(30_000)
    run(limit, policer(1e6), 20.0, since=0.0)
    assert run(limit, steady(0.0), 25.0, since=20.0)[-1] == 2e6


def test_a_probe_that_came_through_lifts_it_at_once() -> None:
    limit = LossLimit(30_000)
    run(limit, policer(5e5), 10.0, since=0.0)
    limit.release(1.8e6)
    assert limit.limit_bps >= 1.8e6


def test_it_never_falls_below_its_least() -> None:
    limit = LossLimit(30_000)
    run(limit, policer(1000.0), 60.0, since=0.0)
    assert limit.limit_bps >= 30_000


def test_packets_that_come_after_all_take_their_loss_back() -> None:
    limit = LossLimit(30_000)
    for n in range(100):
        limit.add(30, 10 if n % 2 else -10, 2e6, n * STEP)
    assert limit.limit_bps == math.inf
