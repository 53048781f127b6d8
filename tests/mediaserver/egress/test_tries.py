"""How often a target is tried again: so many times, and anew once it has held."""

from mediaserver.egress.tries import PROVEN, Tries


def test_three_more_tries_with_growing_pauses_then_it_is_given_up() -> None:
    tries = Tries((1.0, 4.0, 10.0))
    assert [tries.failed(0.1) for _ in range(4)] == [1.0, 4.0, 10.0, None]


def test_what_has_held_for_a_while_begins_anew() -> None:
    tries = Tries((1.0, 4.0, 10.0))
    assert [tries.failed(lasted) for lasted in (0.1, 5.0, PROVEN - 1, PROVEN, 0.1)] == [1.0, 4.0, 10.0, 1.0, 4.0]


def test_without_pauses_there_is_one_try() -> None:
    assert Tries(()).failed(0.0) is None
