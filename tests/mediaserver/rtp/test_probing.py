"""When probes are sent, and what they show."""

from itertools import pairwise

import pytest

from mediaserver.rtp.arrivals import LOST, Record
from mediaserver.rtp.probing import LATEST_TRY, PERIOD, SOON, UTILISATION, Probe, Prober, ProbeWish, Stretcher

START = 300_000.0
GROUP = 0.005  # seconds
WISH = ProbeWish(1e6, 2500)


def train(
    rate_bps: float,
    arriving_bps: float,
    *,
    since: float = 10.0,
    seconds: float = 0.03,
    before: float = 0.0,
    lost: tuple[int, ...] = (),
) -> list[Record]:
    """A probe at a rate, over a line that lets `arriving_bps` through. `before`: sent so much earlier."""
    size = round(rate_bps * GROUP / 8)
    records = []
    for n in range(round(seconds / GROUP) + 1):
        sent = since - before + n * GROUP
        arrived = 5000 + since + n * size * 8 / arriving_bps
        records.append((round(sent * 1e6), LOST if n in lost else round(arrived * 1e6), size, 2))
    return records


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param(train(1e6, 1e6), 1e6, id="all comes through"),
        pytest.param(train(1e6, 5e5), UTILISATION * 5e5, id="the line's own rate shows"),
        pytest.param(train(1e6, 0.95e6), 0.95e6, id="almost all comes through"),
        pytest.param(train(1e6, 1.5e6), 1e6, id="arrives a little faster than sent"),
        pytest.param(train(1e6, 3e6), None, id="arrives much faster than sent"),
        pytest.param(train(1e6, 1e6, seconds=0.01), None, id="too little yet"),
        pytest.param(train(1e6, 1e6, before=1.0), None, id="sent before the probe"),
        pytest.param(train(1e6, 1e6, lost=(1, 2, 3, 4)), None, id="too much is lost"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_what_a_probe_shows(records: list[Record], expected: float | None) -> None:
    shown = Probe(WISH, since=10.0).add(records)
    assert shown == (None if expected is None else pytest.approx(expected, rel=0.06))


def test_a_little_loss_takes_its_part_only() -> None:
    shown = Probe(WISH, since=10.0).add(train(1e6, 1e6, lost=(2,)))
    assert shown is not None
    assert 0.6e6 < shown < 1e6


def test_what_is_sent_slowly_before_and_after_is_not_the_probe() -> None:
    before = train(2e5, 2e5, since=10.0, seconds=0.02)
    probe = train(1e6, 1e6, since=10.025, seconds=0.02)
    after = train(2e5, 2e5, since=10.05, seconds=0.05)
    assert Probe(WISH, since=10.0).add(before + probe + after) == pytest.approx(1e6, rel=0.06)


def test_a_probe_that_was_never_sent_shows_nothing() -> None:
    assert Probe(WISH, since=10.0).add(train(4e5, 4e5, seconds=0.3)) is None


def test_a_probe_may_be_told_of_in_two_messages() -> None:
    probe = Probe(WISH, since=10.0)
    records = train(1e6, 1e6)
    assert probe.add(records[:3]) is None
    assert probe.add(records[3:]) == pytest.approx(1e6, rel=0.06)


def carried(prober: Prober, wish: ProbeWish, line_bps: float, now: float) -> float | None:
    rate = wish.rate_bps
    return prober.heard(train(rate, min(rate, line_bps), since=now, seconds=wish.size_bytes * 8 / rate + 0.01))


def ramp(line_bps: float, wanted_bps: float = 10e6) -> tuple[float, list[float]]:
    """The estimate that probes alone lead to, and their rates; all within the first two seconds."""
    prober = Prober(wanted_bps)
    prober.start(START)
    now, rate, rates = 10.0, START, []
    while now < 12.0:
        if wish := prober.due(rate, None, now):
            rates.append(wish.rate_bps)
            rate = max(rate, carried(prober, wish, line_bps, now) or 0.0)
        now += 0.1
    return rate, rates


@pytest.mark.parametrize(("line_bps", "least"), [(300_000, 1.0), (700_000, 0.9), (2e6, 0.8), (6e6, 0.9)])
def test_the_first_probes_find_what_the_line_carries(line_bps: float, least: float) -> None:
    rate, rates = ramp(line_bps)
    assert least * line_bps <= rate <= 1.05 * line_bps
    assert rates[0] == 3 * START
    assert len(rates) <= 6


def test_nobody_probes_for_more_than_is_wanted() -> None:
    rate, rates = ramp(20e6, wanted_bps=1e6)
    assert max(rates) <= 1.1e6
    assert 1e6 <= rate <= 1.2e6


def test_one_probe_at_a_time_and_an_unanswered_one_is_given_up() -> None:
    prober = Prober(10e6)
    prober.start(START)
    assert prober.due(START, None, 10.0)
    assert prober.due(START, None, 10.5) is None
    assert prober.due(START, None, 11.1)


def test_tries_again_now_and_then_while_more_is_wanted() -> None:
    prober = Prober(2e6)
    times = [n / 10 for n in range(300) if prober.due(1e6, None, n / 10)]
    assert len(times) == pytest.approx(30 / PERIOD, abs=1)
    prober.wanted_bps = 0.9e6
    assert not any(prober.due(1e6, None, 30 + n / 10) for n in range(300))


def test_waits_until_the_line_has_calmed_down() -> None:
    prober = Prober(2e6)
    assert prober.due(1e6, 99.0, 100.0) is None
    assert prober.due(1e6, 99.0, 101.0)


def test_probes_that_nothing_is_heard_of_are_counted() -> None:
    prober = Prober(10e6)
    prober.start(START)
    for n in range(40):
        if prober.due(START, None, n / 10):
            prober.heard(train(START, START, since=n / 10, seconds=0.5))
    assert prober.unanswered == 3


def test_what_was_planned_is_called_off_when_the_line_is_full() -> None:
    prober = Prober(10e6)
    prober.start(START)
    prober.due(START, None, 10.0)
    prober.stop()
    assert prober.due(START, 10.0, 11.2) is None


def test_its_own_queue_is_known_for_what_it_is() -> None:
    prober = Prober(10e6)
    assert not prober.disturbs(0.1, 10.0)
    prober.due(1e6, None, 10.0)
    assert prober.disturbs(0.1, 10.3)
    assert not prober.disturbs(0.1, 11.0)


def tries(seconds: float, failing: bool) -> list[float]:
    """When a better layer may be tried; failing, each takes the rate down half a second later."""
    stretcher, calm, tried = Stretcher(), None, []
    for n in range(round(seconds * 10)):
        now = n / 10
        if failing and tried and tried[-1] <= now - 0.5 and (calm is None or calm < tried[-1]):
            calm = now
        if stretcher.may(calm, now):
            tried.append(now)
    return tried


def test_better_layers_are_tried_one_after_the_other_while_that_goes_well() -> None:
    tried = tries(6.0, failing=False)
    assert tried[0] == 0.0
    assert all(b - a == pytest.approx(SOON, abs=0.11) for a, b in pairwise(tried))


def test_and_ever_more_rarely_while_it_does_not() -> None:
    gaps = [b - a for a, b in pairwise(tries(300.0, failing=True))]
    assert gaps[0] >= 2.0
    assert all(b >= a - 0.11 for a, b in pairwise(gaps))
    assert gaps[-1] == pytest.approx(LATEST_TRY + 0.5, abs=0.2)
