"""What waits for somebody who has lost their socket."""

import pytest

from signaling.live.held import MAX_BYTES, MAX_MESSAGES, Held


def said(number, who="bert", size=0):
    return {"type": "offer", "from": who, "seq": number, "sdp": "x" * size}


def test_it_is_handed_over_once_and_in_order():
    held = Held()
    for number in range(3):
        held.keep(said(number))
    assert held.take({"bert"}) == [said(number) for number in range(3)]
    assert held.take({"bert"}) == []


def test_what_comes_from_people_who_have_left_is_dropped():
    held = Held()
    held.keep(said(1, "anna"))
    held.keep(said(2, "bert"))
    assert held.take({"bert": None}) == [said(2)]


@pytest.mark.parametrize(
    ("size", "kept"),
    [pytest.param(0, MAX_MESSAGES, id="many"), pytest.param(MAX_BYTES // 4, 3, id="large")],
)
def test_it_is_bounded_and_the_first_are_kept(size, kept):
    held = Held()
    for number in range(MAX_MESSAGES + 10):
        held.keep(said(number, size=size))
    assert [message["seq"] for message in held.take({"bert"})] == list(range(kept))
    held.keep(said(1))
    assert held.take({"bert"}) == [said(1)]
