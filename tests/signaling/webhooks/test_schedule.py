import pytest

from signaling.webhooks.schedule import Patience, State, Verdict, verdict

PATIENCE = Patience(pauses=(1.0, 5.0, 30.0), total=100.0)


@pytest.mark.parametrize("code", [200, 201, 204, 299])
def test_any_2xx_is_a_delivery(code: int):
    assert verdict(PATIENCE, code=code, attempts=1, since=0.0, now=7.0) == Verdict(State.DONE, 7.0)


@pytest.mark.parametrize("code", [None, 100, 199, 300, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503, 600])
def test_anything_else_is_tried_again(code: int | None):
    assert verdict(PATIENCE, code=code, attempts=1, since=0.0, now=7.0) == Verdict(State.PENDING, 8.0)


@pytest.mark.parametrize(("attempts", "pause"), [(1, 1.0), (2, 5.0), (3, 30.0), (4, 30.0), (50, 30.0)])
def test_pauses_grow_and_the_last_one_repeats(attempts: int, pause: float):
    assert verdict(PATIENCE, code=500, attempts=attempts, since=0.0, now=7.0).next_at == 7.0 + pause


def test_a_try_that_would_come_too_late_is_not_made():
    assert verdict(PATIENCE, code=500, attempts=3, since=0.0, now=70.0).state is State.PENDING
    assert verdict(PATIENCE, code=500, attempts=3, since=0.0, now=70.1).state is State.FAILED


def test_who_had_to_wait_too_long_for_the_first_try_has_had_one():
    assert verdict(PATIENCE, code=None, attempts=1, since=0.0, now=5000.0).state is State.FAILED


def test_the_default_pauses_make_so_many_tries_in_a_day():
    patience, now, attempts = Patience((1.0, 5.0, 30.0, 120.0, 600.0, 3600.0), 86400.0), 0.0, 1
    while (result := verdict(patience, code=500, attempts=attempts, since=0.0, now=now)).state is State.PENDING:
        now, attempts = result.next_at, attempts + 1
    assert (attempts, now) == (29, 756.0 + 23 * 3600)


def test_without_pauses_it_is_tried_at_once():
    assert verdict(Patience((), 10.0), code=500, attempts=9, since=0.0, now=1.0).next_at == 1.0
