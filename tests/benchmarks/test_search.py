"""The search for the highest rate that holds."""

import pytest

from benchmarks.versus.search import RateSearch, Verdict

FLOOR, CEILING = 2.0, 4000.0


def searched(capacity: float, why: Verdict = Verdict.LOST, start: float = 25.0) -> tuple[RateSearch, list[float]]:
    """A search at something that holds up to its capacity, and the rates it has tried."""
    search, tried = RateSearch(start, CEILING, FLOOR), []
    while not search.done:
        tried.append(search.rate)
        search.tell(Verdict.HELD if search.rate <= capacity else why)
    return search, tried


@pytest.mark.parametrize("capacity", [3.0, 24.0, 25.0, 26.0, 100.0, 333.3, 3999.0])
def test_comes_as_near_as_its_precision_from_below(capacity):
    search, _ = searched(capacity)
    assert search.held <= capacity <= search.held * (1 + search.precision)


def test_tries_no_rate_twice_and_few_of_them():
    _, tried = searched(700.0)
    assert len(set(tried)) == len(tried) < 15


def test_stops_at_the_ceiling_when_all_holds():
    search, tried = searched(1e9)
    assert (search.held, search.why) == (CEILING, Verdict.HELD)
    assert max(tried) == CEILING


def test_gives_up_at_the_floor_when_nothing_holds():
    search, tried = searched(0.0)
    assert (search.held, min(tried)) == (0.0, FLOOR)


def test_says_whose_limit_it_was():
    search, _ = searched(300.0, Verdict.GENERATOR)
    assert search.why is Verdict.GENERATOR


def test_the_lowest_failure_tells_why():
    search = RateSearch(100.0, CEILING, FLOOR, precision=0.5)
    search.tell(Verdict.HELD)
    search.tell(Verdict.GENERATOR)
    search.tell(Verdict.LOST)
    assert (search.done, search.held, search.why) == (True, 100.0, Verdict.LOST)
