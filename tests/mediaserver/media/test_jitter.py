"""Packets come back in order; nothing is waited for beyond its deadline, and nothing comes twice."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.media.jitter import ASK_AFTER, ASK_AGAIN, MAX_JUMP, MAX_WAITING, Ordered, Reorder


def push(reorder: Reorder[int], *sequences: int, now: float = 0.0) -> list[tuple[int, int]]:
    return [tuple(each) for s in sequences for each in reorder.push(s & 0xFFFF, s, now)]


@pytest.mark.parametrize(
    ("arrivals", "out"),
    [
        pytest.param([1, 2, 3], [(1, 0), (2, 0), (3, 0)], id="in order"),
        pytest.param([1, 3, 2, 4], [(1, 0), (2, 0), (3, 0), (4, 0)], id="two exchanged"),
        pytest.param([1, 2, 2, 1, 3], [(1, 0), (2, 0), (3, 0)], id="again"),
        pytest.param([65534, 65536, 65535, 65537], [(65534, 0), (65535, 0), (65536, 0), (65537, 0)], id="wrap"),
        pytest.param([1, 3], [(1, 0)], id="a hole is waited for"),
    ],
)
def test_packets_come_in_order(arrivals: list[int], out: list[tuple[int, int]]) -> None:
    assert push(Reorder(0.2), *arrivals) == out


def test_a_hole_is_given_up_after_its_patience_and_told() -> None:
    reorder: Reorder[int] = Reorder(0.2)
    push(reorder, 1, 4, 5, now=1.0)
    assert reorder.next_deadline == pytest.approx(1.2)
    assert list(reorder.expire(1.1)) == []
    assert list(reorder.expire(1.2)) == [Ordered(4, 2), Ordered(5, 0)]
    assert reorder.next_deadline is None
    assert push(reorder, 2) == []
    assert (reorder.lost, reorder.late) == (2, 1)


def test_the_second_hole_has_a_deadline_of_its_own() -> None:
    reorder: Reorder[int] = Reorder(0.2)
    push(reorder, 1, 3, now=1.0)
    push(reorder, 5, now=1.15)
    assert list(reorder.expire(1.2)) == [Ordered(3, 1)]
    assert list(reorder.expire(1.35)) == [Ordered(5, 1)]


def test_what_is_missing_is_asked_for_until_it_comes() -> None:
    reorder: Reorder[int] = Reorder(1.0)
    push(reorder, 65535, 65538, now=0.0)
    assert reorder.missing(ASK_AFTER / 2) == ()
    assert reorder.missing(ASK_AFTER) == (0, 1)
    assert reorder.missing(ASK_AFTER + ASK_AGAIN / 2) == ()
    push(reorder, 65536)
    assert reorder.missing(ASK_AFTER + ASK_AGAIN) == (1,)


def test_a_stream_that_leaps_begins_anew() -> None:
    reorder: Reorder[int] = Reorder(0.2)
    push(reorder, 1, 3)
    assert push(reorder, 3 + 2 * MAX_JUMP) == [(3, 1), (3 + 2 * MAX_JUMP, 1)]
    assert push(reorder, 4 + 2 * MAX_JUMP) == [(4 + 2 * MAX_JUMP, 0)]


def test_what_waits_is_bounded() -> None:
    reorder: Reorder[int] = Reorder(1e9)
    out = push(reorder, 0, *range(2, MAX_WAITING + 3))
    assert out[1] == (2, 1)
    assert len(out) == MAX_WAITING + 2


@given(st.lists(st.integers(0, 60), max_size=200), st.integers(0, 65535))
def test_what_comes_out_is_in_order_without_repetition_and_losses_add_up(arrivals: list[int], start: int) -> None:
    reorder: Reorder[int] = Reorder(0.05)
    out: list[Ordered[int]] = []
    for i, number in enumerate(arrivals):
        out += reorder.expire(i * 0.01)
        out += reorder.push(start + number & 0xFFFF, number, i * 0.01)
    out += reorder.flush()
    numbers = [each.item for each in out]
    assert numbers == sorted(set(numbers))
    for before, after in pairwise(out):
        assert after.item - before.item - 1 == after.lost
