"""The estimate as a whole, fed by hand; over simulated lines it is tried in `tests/scenarios/test_estimates.py`."""

import pytest

from mediaserver.rtp.arrivals import LOST, Record
from mediaserver.rtp.congestion import MIN_BPS, START_BPS, Estimate
from mediaserver.rtp.probing import ProbeWish

EVERY = 0.1
GROUP = 0.01


class Line:
    """Sends at a rate, with a queue as told, and answers."""

    def __init__(self, estimate: Estimate) -> None:
        self.estimate = estimate
        self.now = 50.0

    def run(self, seconds: float, rate_bps: float, *, growth: float = 0.0, loss: float = 0.0) -> float:
        """`growth`: seconds that the queue grows in a second."""
        size, owed = round(rate_bps * GROUP / 8), 0.0
        for message in range(round(seconds / EVERY)):
            records: list[Record] = []
            for n in range(round(EVERY / GROUP)):
                sent = self.now + n * GROUP
                queue = 0.02 + growth * (message * EVERY + n * GROUP)
                owed += 10 * loss
                gone, owed = int(owed), owed % 1
                if gone:
                    records.append((round(sent * 1e6), LOST, size * gone // 10, gone))
                records.append((round(sent * 1e6), round((sent + queue + 900) * 1e6), size, 10 - gone))
            self.now += EVERY
            self.estimate.feedback(records, self.now + 0.02)
        return self.estimate.rate_bps


def test_begins_low_and_knows_nothing() -> None:
    estimate = Estimate()
    assert (estimate.rate_bps, estimate.through_bps) == (START_BPS, 0.0)
    assert estimate.probe(1.0) is None, "nothing came through yet"
    assert estimate.silence(100.0) == START_BPS


def test_first_feedback_brings_the_first_probe() -> None:
    estimate = Estimate()
    line = Line(estimate)
    line.run(0.1, 250_000)
    wish = estimate.probe(line.now)
    assert isinstance(wish, ProbeWish)
    assert wish.rate_bps == 3 * START_BPS
    assert wish.size_bytes >= 0.02 * wish.rate_bps / 8


def test_grows_while_the_line_is_calm() -> None:
    line = Line(Estimate())
    rate = START_BPS
    for _ in range(100):
        rate = line.run(0.3, rate)
    assert rate > 4 * START_BPS
    assert line.estimate.through_bps == pytest.approx(rate, rel=0.2)


def test_a_growing_queue_takes_it_down_and_calls_probes_off() -> None:
    line = Line(Estimate())
    for _ in range(10):
        line.run(1.0, line.estimate.rate_bps)
    before = line.estimate.rate_bps
    assert line.run(1.0, before, growth=0.3) < 0.9 * before
    assert line.estimate.probe(line.now) is None


def test_a_line_that_says_nothing_carries_nothing() -> None:
    line = Line(Estimate())
    line.run(5.0, 500_000)
    before = line.estimate.rate_bps
    assert line.estimate.silence(line.now + 0.5) == before
    for seconds in range(1, 20):
        line.estimate.silence(line.now + 1.1 * seconds)
    assert line.estimate.rate_bps == MIN_BPS


def test_the_round_trip_is_the_shortest_of_late() -> None:
    line = Line(Estimate())
    line.run(3.0, 500_000)
    assert line.estimate.round_trip == pytest.approx(0.03, abs=0.01)


def test_wanting_more_lets_it_try_more() -> None:
    line = Line(Estimate())
    line.estimate.wanted_bps = 200_000.0
    line.run(1.0, 200_000)
    assert line.estimate.probe(line.now) is None
    line.estimate.wanted_bps = 2e6
    line.run(5.0, 200_000)
    assert line.estimate.probe(line.now)


def test_nothing_the_records_say_breaks_it() -> None:
    estimate = Estimate()
    now = 1.0
    odd: list[list[Record]] = [
        [],
        [(0, 0, 0, 0)],
        [(5, LOST, 100, 1)] * 3,
        [(10**15, 1, 10, 1), (3, 2**62, 10, 1), (10**15, -5, 2**31 - 1, 2**31 - 1)],
        [(1_000_000, 7, 10, 1), (1_000_000, 7, 10, 1)],
        [(2_000_000, 8, 0, 0), (2_500_000, 9, 10, -4)],
    ]
    for _ in range(5):
        for records in odd:
            now += 0.1
            assert MIN_BPS <= estimate.feedback(records, now) < float("inf")
            estimate.probe(now)
