"""How a budget is shared: tables for what is meant, properties for what must never be."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.rtp.allocation import (
    HOLD,
    LOWEST_OF,
    RESERVE,
    Allocation,
    Allocator,
    Choice,
    Reason,
    Request,
    allocate,
)
from mediaserver.rtp.layers import Layer, worthwhile

SIZES = {2: (320, 180), 1: (640, 360), 0: (1280, 720)}


def layers(*rates: float) -> tuple[Layer, ...]:
    """The cheapest first; rates in kbit/s."""
    numbers = range(len(rates) - 1, -1, -1)
    return tuple(Layer(n, *SIZES[n], 30.0, rate * 1000) for n, rate in zip(numbers, rates, strict=True))


def camera(key: str, priority: int = 128, rates: Sequence[float] = (150, 500, 1500), **wish: int) -> Request:
    return Request(key, layers(*rates), priority=priority, **wish)  # type: ignore[arg-type]


def screen(key: str, priority: int = 128, rates: Sequence[float] = (300, 2000)) -> Request:
    return Request(key, layers(*rates), screen=True, priority=priority)


def shown(allocation: Allocation) -> list[int | None]:
    """Rates in kbit/s, None for paused."""
    return [None if choice.layer is None else round(choice.rate_bps / 1000) for choice in allocation.values()]


@pytest.mark.parametrize(
    ("budget", "sound", "requests", "expected"),
    [
        pytest.param(10_000, 0, [camera("a"), camera("b")], [1500, 1500], id="there is room for everything"),
        pytest.param(100, 0, [camera("a")], [None], id="paused if not even the smallest fits"),
        pytest.param(200, 60, [camera("a")], [None], id="sound comes first"),
        pytest.param(50, 60, [camera("a")], [None], id="sound even beyond the budget"),
        pytest.param(310, 0, [camera("a"), camera("b"), camera("c")], [150, 150, None], id="some are paused"),
        pytest.param(1000, 0, [camera("a"), camera("b")], [500, 500], id="evenly"),
        pytest.param(2100, 0, [camera("a"), camera("b")], [1500, 500], id="what is left goes to the first"),
        pytest.param(1650, 0, [camera("a"), camera("b"), camera("c")], [500, 500, 500], id="all grow before one does"),
        pytest.param(1700, 0, [camera("a"), camera("b", 200)], [150, 1500], id="by priority"),
        pytest.param(1550, 0, [camera("a"), camera("b", 200)], [None, 1500], id="priority over pauses"),
        pytest.param(450, 0, [camera("a"), screen("s")], [150, 300], id="everybody's smallest before better ones"),
        pytest.param(310, 0, [camera("a"), screen("s")], [None, 300], id="screens before cameras"),
        pytest.param(2200, 0, [camera("a"), screen("s")], [150, 2000], id="better screens before better cameras"),
        pytest.param(600, 0, [screen("s"), camera("a", 200)], [None, 500], id="but not before more important cameras"),
        pytest.param(1000, 0, [screen("s"), camera("a")], [300, 500], id="what a screen cannot use is not wasted"),
        pytest.param(9000, 0, [camera("a", max_height=360)], [500], id="no larger than wished"),
        pytest.param(9000, 0, [camera("a", max_width=100)], [150], id="the smallest if all are larger"),
        pytest.param(9000, 0, [camera("a", max_fps=15)], [150], id="nor faster"),
        pytest.param(9000, 0, [Request("a", ())], [None], id="nothing to show"),
        pytest.param(0, 0, [], [], id="nobody"),
    ],
)
def test_shares(budget: float, sound: float, requests: list[Request], expected: list[int | None]) -> None:
    assert shown(allocate(budget * 1000, sound * 1000, requests)) == expected


def test_few_frames_are_for_the_smallest_size_or_for_who_wishes_them() -> None:
    temporal = tuple(
        Layer(n, *SIZES[n], fps, rate * 1000, t)
        for n, rates in ((2, (60, 150)), (1, (300, 500)), (0, (900, 1500)))
        for t, fps, rate in zip((0, -1), (15.0, 30.0), rates, strict=True)
    )
    best = [layer.rate_bps / 1000 for layer in Request("a", temporal).wished()]
    assert best == [60, 150, 500, 1500]
    slow = [layer.rate_bps / 1000 for layer in Request("a", temporal, max_fps=20).wished()]
    assert slow == [60, 300, 900]


@pytest.mark.parametrize(
    ("budget", "request_", "expected"),
    [
        (9000, camera("a"), Reason.PUBLISHER),
        (9000, camera("a", max_height=360), Reason.WISH),
        (200, camera("a", max_height=360), Reason.BANDWIDTH),
        (600, camera("a"), Reason.BANDWIDTH),
        (10, camera("a"), Reason.BANDWIDTH),
        (9000, Request("a", ()), Reason.PUBLISHER),
    ],
)
def test_tells_why_nothing_better_is_received(budget: float, request_: Request, expected: Reason) -> None:
    assert allocate(budget * 1000, 0, [request_])["a"].reason is expected


def test_nine_people_over_a_thin_line_see_the_speaker() -> None:
    requests = [camera("speaker", 255), *(camera(f"{n}", 100, max_height=180) for n in range(8))]
    assert shown(allocate(700_000, 60_000, requests)) == [500] + [None] * 8
    assert shown(allocate(1_000_000, 60_000, requests)) == [500, 150, 150, *[None] * 6]


@st.composite
def requests(draw: st.DrawFn) -> list[Request]:
    found = []
    for n in range(draw(st.integers(1, 8))):
        rates = draw(st.lists(st.integers(20, 3000), min_size=0, max_size=3, unique=True).map(sorted))
        found.append(
            Request(
                n,
                worthwhile(layers(*rates)),
                screen=draw(st.booleans()),
                priority=draw(st.sampled_from((1, 128, 128, 255))),
                max_height=draw(st.sampled_from((None, None, 180, 360))),
            )
        )
    return found


def spent(allocation: Allocation) -> float:
    return sum(choice.rate_bps for choice in allocation.values())


@given(requests(), st.integers(0, 12_000_000), st.integers(0, 500_000))
def test_the_budget_is_never_exceeded_but_for_sound(wanted: list[Request], budget: int, sound: int) -> None:
    assert spent(allocate(budget, sound, wanted)) <= max(budget - sound, 0)


@given(requests(), st.integers(0, 12_000_000), st.integers(0, 3_000_000))
def test_with_more_to_spend_the_most_important_picture_is_never_worse(
    wanted: list[Request], budget: int, more: int
) -> None:
    first = min(wanted, key=lambda r: (-r.priority, not r.screen))
    alone = [first, *(r for r in wanted if r is not first and r.priority < first.priority)]
    less, better = allocate(budget, 0, alone)[first.key], allocate(budget + more, 0, alone)[first.key]
    assert better.rate_bps >= less.rate_bps


@given(st.integers(1, 9), st.lists(st.integers(0, 15_000_000), min_size=2, max_size=6).map(sorted))
def test_among_equals_nobody_is_worse_off_with_more_to_spend(number: int, budgets: list[int]) -> None:
    wanted = [camera(str(n)) for n in range(number)]
    results = [allocate(budget, 0, wanted) for budget in budgets]
    for less, more in pairwise(results):
        assert all(more[key].rate_bps >= choice.rate_bps for key, choice in less.items())


@given(st.integers(1, 9), st.integers(0, 15_000_000))
def test_equals_are_never_further_apart_than_a_layer(number: int, budget: int) -> None:
    choices = allocate(budget, 0, [camera(str(n)) for n in range(number)]).values()
    levels = [0 if choice.layer is None else 3 - choice.layer.spatial for choice in choices]
    assert max(levels) - min(levels) <= 1


# over time

WANTED = (camera("a"), camera("b"), camera("c"))
SOUND = 50_000.0


def following(budget: float) -> Allocator:
    allocator = Allocator()
    allocator.request(WANTED, SOUND, budget * 1000, 0.0)
    return allocator


def run(allocator: Allocator, budget: float, seconds: float, *, since: float) -> list[list[int | None]]:
    """What is shown after each fifth of a second."""
    return [shown(allocator.update(budget * 1000, since + n / 5)) for n in range(round(seconds * 5))]


def changes(seen: Sequence[object]) -> int:
    return sum(a != b for a, b in pairwise(seen))


def test_begins_with_what_fits_with_reserve() -> None:
    assert shown(following(1550 / RESERVE - 1).allocation) == [500, 500, 150]
    assert shown(following(1550 / RESERVE + 1).allocation) == [500, 500, 500]


def test_lowers_at_once() -> None:
    allocator = following(2000)
    assert shown(allocator.update(700_000, 1.0)) == [150, 150, 150]


def test_raises_step_by_step_so_that_key_frames_do_not_come_together() -> None:
    seen = run(following(300), 5_000, 5.0, since=1.0)
    assert seen[0] != seen[-1] == [1500, 1500, 1500]
    assert all(sum(filter(None, b)) - sum(filter(None, a)) <= 0.25 * 5_000 for a, b in pairwise(seen))


def test_after_a_lowering_it_waits_before_it_raises() -> None:
    allocator = following(2000)
    allocator.update(1_400_000, 1.0)
    seen = run(allocator, 1800, 10.0, since=1.2)
    first = next(n for n, each in enumerate(seen) if each == [500, 500, 500])
    assert max(HOLD, LOWEST_OF) <= first / 5 + 0.2 <= HOLD + LOWEST_OF


def test_raises_that_do_not_last_are_tried_ever_more_rarely() -> None:
    allocator = following(2000)
    seen = []
    now = 0.0
    for _ in range(600):
        now += 0.2
        fits = sum(filter(None, shown(allocator.allocation))) < 1400
        seen.append(shown(allocator.update((2_000 if fits else 1_300) * 1000, now)))
    assert changes(seen[:150]) > changes(seen[-150:])
    assert changes(seen[-300:]) <= 6


def test_a_line_that_is_clearly_better_than_what_failed_is_used_at_once() -> None:
    allocator = following(2000)
    now = 0.0
    for _ in range(300):
        now += 0.2
        fits = sum(filter(None, shown(allocator.allocation))) < 1400
        allocator.update((2_000 if fits else 1_300) * 1000, now)
    seen = run(allocator, 20_000, 6.0, since=now)
    assert seen[-1] == [1500, 1500, 1500]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("budget", [400, 700, 1200, 1600, 1700, 3000, 4000])
def test_a_budget_that_trembles_by_a_tenth_changes_nothing_for_long(budget: float, seed: int) -> None:
    random = Random(seed)
    allocator = following(budget)
    seen = [shown(allocator.update(budget * 1000 * random.uniform(0.9, 1.1), n / 5)) for n in range(600)]
    assert changes(seen[:100]) <= 4
    assert changes(seen[100:]) <= 2


@given(st.lists(st.floats(10_000, 8e6), min_size=1, max_size=60), requests())
def test_over_time_too_the_budget_is_never_exceeded(budgets: list[float], wanted: list[Request]) -> None:
    allocator = Allocator()
    allocator.request(wanted, SOUND, budgets[0], 0.0)
    for n, budget in enumerate(budgets):
        allocator.update(budget, n / 5)
        assert spent(allocator.allocation) <= max(budget - SOUND, 0) + 1e-6


def test_dearer_layers_lower_what_no_longer_fits() -> None:
    allocator = following(1700)
    dear = tuple(camera(r.key, rates=(150, 800, 1500)) for r in WANTED)  # type: ignore[arg-type]
    assert shown(allocator.request(dear, SOUND, 1_700_000, 1.0)) == [800, 150, 150]


def test_a_new_wish_is_followed_at_once() -> None:
    allocator = following(1000)
    wished = (camera("a"), camera("b"), camera("c", 255))
    assert shown(allocator.request(wished, SOUND, 1_000_000, 1.0)) == [150, 150, 500]


def test_tells_what_it_costs_and_what_could_be_used() -> None:
    allocator = following(1000)
    assert allocator.cost_bps == SOUND + 800_000
    assert allocator.wanted_bps == pytest.approx((SOUND + 4_500_000) / RESERVE)


@pytest.mark.parametrize(("budget", "expected"), [(300, 350), (600, 500), (20_000, None)])
def test_tells_what_the_next_step_needs(budget: float, expected: float | None) -> None:
    allocator = following(budget)
    if expected is None:
        assert allocator.next_bps is None
    else:
        assert allocator.next_bps is not None
        assert run(allocator, allocator.next_bps / 1000 + 1, 3.0, since=1.0)[-1] != shown(following(budget).allocation)


def test_what_is_held_is_paused_and_says_why_whatever_fits() -> None:
    held = replace(camera("a"), held=True)
    allocator = Allocator()
    shared = allocator.request((held, camera("b")), 0.0, 100e6, 0.0)
    assert shared["a"] == Choice(None, Reason.SPEAKERS)
    assert shared["b"].layer is not None
    assert allocator.wanted_bps < 3e6
    shared = allocator.request((camera("a"), camera("b")), 0.0, 100e6, 0.2)
    assert shared["a"].layer is not None
