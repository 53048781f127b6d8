"""What comes through, and what is sent."""

import pytest

from mediaserver.rtp.arrivals import Group
from mediaserver.rtp.throughput import SendingRate, Throughput

SPAN = 10_000  # us between groups


def stream(rate_bps: float, seconds: float, *, since: float = 0.0) -> list[Group]:
    first, size = round(since * 1e6), round(rate_bps * SPAN / 8e6)
    return [(at, first + at, size) for at in range(0, round(seconds * 1e6), SPAN)]


def test_nothing_is_known_before_half_a_second() -> None:
    through = Throughput()
    assert through.add(stream(1e6, 0.4)) == 0.0
    assert through.full_bps() > 0.0


@pytest.mark.parametrize("rate_bps", [40_000, 1e6, 20e6])
def test_measures_what_arrives(rate_bps: float) -> None:
    through = Throughput()
    assert through.add(stream(rate_bps, 3.0)) == pytest.approx(rate_bps, rel=0.05)
    assert through.full_bps() == pytest.approx(rate_bps, rel=0.05)


def test_a_line_that_has_become_narrower_shows_within_150_ms() -> None:
    through = Throughput()
    through.add(stream(3e6, 2.0))
    through.add(stream(4e5, 0.2, since=2.0))
    assert through.full_bps() == pytest.approx(4e5, rel=0.05)
    assert through.rate_bps > 1e6


def test_a_burst_shows_what_the_line_carries() -> None:
    through = Throughput()
    through.add(stream(3e5, 2.0))
    through.add(stream(2e6, 0.07, since=2.0))
    assert through.full_bps() == pytest.approx(2e6, rel=0.05)
    assert through.rate_bps < 1e6


def test_what_a_burst_has_shown_is_known_as_long_as_its_queue_stands() -> None:
    """A key frame of 100 ms at the line's 800 kbit/s; small packets that waited behind it come more slowly."""
    through = Throughput()
    through.add(stream(2e5, 2.0))
    key = [(2_000_000 + n * 1_000, 2_000_000 + n * 10_000, 1_000) for n in range(10)]
    behind = [(2_020_000 + n * 10_000, 2_110_000 + n * 10_000, 250) for n in range(10)]
    through.add(key + behind)
    assert through.full_bps() == pytest.approx(8e5, rel=0.1)


def test_a_step_of_the_receivers_clock_begins_a_new_window() -> None:
    through = Throughput()
    through.add(stream(1e6, 2.0, since=100.0))
    through.add(stream(1e6, 2.0, since=1.0))
    assert through.rate_bps == pytest.approx(1e6, rel=0.05)


def test_what_is_sent_is_measured_over_half_a_second() -> None:
    sending = SendingRate()
    assert sending.rate_bps() == 0.0
    for n in range(100):
        sending.add(12_500, 50.0 + n / 10)
    assert sending.rate_bps() == pytest.approx(1e6)
