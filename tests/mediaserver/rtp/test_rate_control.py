"""The rate as it follows from the judgement of the delay."""

import pytest

from mediaserver.rtp.delay_trend import Usage
from mediaserver.rtp.rate_control import BETA, RateControl

MIN, MAX = 30_000.0, 10e6
STEP = 0.1
ROUND_TRIP = 0.1


def controlled(rate_bps: float) -> RateControl:
    return RateControl(rate_bps, MIN, MAX)


def run(control: RateControl, usage: Usage, seconds: float, *, since: float, through: float | None = None) -> float:
    """`through` None: all that may be sent is sent, and comes through."""
    for n in range(round(seconds / STEP)):
        passing = control.rate_bps if through is None else through
        control.update(usage, passing, passing, since + n * STEP, ROUND_TRIP)
    return control.rate_bps


def test_grows_by_a_twelfth_a_second_while_the_capacity_is_unknown() -> None:
    assert run(controlled(1e6), Usage.NORMAL, 5.0, since=0.0) == pytest.approx(1e6 * 1.08**5, rel=0.03)


def test_never_gets_far_ahead_of_what_comes_through() -> None:
    assert run(controlled(1e6), Usage.NORMAL, 60.0, since=0.0, through=1e6) == pytest.approx(1.51e6, rel=0.001)


def test_overuse_takes_it_below_what_came_through() -> None:
    control = controlled(2e6)
    control.update(Usage.OVERUSE, 2e6, 1.5e6, 0.0, ROUND_TRIP)
    assert control.rate_bps == BETA * 1.5e6


def test_a_second_decrease_waits_for_the_first_to_act() -> None:
    control = controlled(2e6)
    control.update(Usage.OVERUSE, 2e6, 1.9e6, 10.0, ROUND_TRIP)
    first = control.rate_bps
    control.update(Usage.OVERUSE, 1.7e6, 1.7e6, 10.05, ROUND_TRIP)
    assert control.rate_bps == first
    control.update(Usage.OVERUSE, 1.7e6, 1.7e6, 10.15, ROUND_TRIP)
    assert control.rate_bps == BETA * 1.7e6


def test_a_collapse_is_followed_at_once() -> None:
    control = controlled(2e6)
    control.update(Usage.OVERUSE, 2e6, 1.9e6, 10.0, ROUND_TRIP)
    control.update(Usage.OVERUSE, 5e5, 5e5, 10.05, ROUND_TRIP)
    assert control.rate_bps == BETA * 5e5


def test_who_sends_little_does_not_fall_to_that_because_others_fill_the_line() -> None:
    control = controlled(2e6)
    control.update(Usage.OVERUSE, 2e5, 2e5, 10.0, ROUND_TRIP)
    assert control.rate_bps == BETA * 2e6
    control.update(Usage.OVERUSE, 2e5, 2e5, 10.3, ROUND_TRIP)
    assert control.rate_bps == BETA * 2e5, "but if the line stays full, it does"


def test_while_queues_empty_themselves_it_waits() -> None:
    assert run(controlled(1e6), Usage.UNDERUSE, 5.0, since=0.0) == 1e6


def test_near_the_known_capacity_it_grows_by_a_packet_per_answer() -> None:
    control = controlled(2e6)
    control.update(Usage.OVERUSE, 2e6, 2e6, 0.0, ROUND_TRIP)
    before = control.rate_bps
    grown = run(control, Usage.NORMAL, 4.0, since=0.1, through=1.7e6) - before
    assert 50_000 < grown < 200_000
    assert grown < before * (1.08**4 - 1) / 2


def test_a_capacity_that_is_clearly_exceeded_is_forgotten() -> None:
    control = controlled(1e6)
    control.update(Usage.OVERUSE, 1e6, 1e6, 0.0, ROUND_TRIP)
    before = run(control, Usage.NORMAL, 0.3, since=0.1, through=2e6)
    assert run(control, Usage.NORMAL, 3.0, since=0.4, through=2e6) > before * 1.2


def test_a_probe_sets_it_within_bounds() -> None:
    control = controlled(1e6)
    control.set(3e6)
    assert control.rate_bps == 3e6
    control.set(1e9)
    assert control.rate_bps == MAX
    control.set(1.0)
    assert control.rate_bps == MIN


def test_it_never_falls_below_its_least() -> None:
    control = controlled(1e6)
    for n in range(50):
        control.update(Usage.OVERUSE, 10_000, 10_000, n * 0.5, ROUND_TRIP)
    assert control.rate_bps == MIN


def test_overuse_before_anything_is_known_halves_it() -> None:
    control = controlled(300_000)
    control.update(Usage.OVERUSE, 0.0, 0.0, 0.0, ROUND_TRIP)
    assert control.rate_bps == 150_000
