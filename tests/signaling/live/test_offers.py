"""Subscribe offers as a table of moments: what happens, and what is due then."""

import pytest

from signaling.live.offers import ANSWER_WITHIN, GATHER, MAX_FAILURES, Offers, Step


def listening() -> Offers:
    offers = Offers()
    offers.attached(0.0)
    return offers


def in_flight(now: float = 0.0) -> Offers:
    offers = listening()
    offers.changed(now)
    assert offers.take(now + GATHER) is Step.OFFER
    return offers


def test_nothing_is_due_before_something_changes():
    offers = listening()
    assert offers.deadline() is None
    assert offers.take(100.0) is None


def test_changes_within_ten_milliseconds_go_into_one_offer():
    offers = listening()
    offers.changed(1.0)
    offers.changed(1.004)
    assert offers.deadline() == 1.0 + GATHER
    assert offers.take(1.009) is None
    assert offers.take(1.01) is Step.OFFER
    assert offers.seq == 1
    assert offers.take(1.02) is None


def test_changes_while_an_offer_is_in_flight_wait_for_its_answer():
    offers = in_flight()
    offers.changed(1.0)
    assert offers.take(1.5) is None
    offers.answered(2.0)
    assert offers.deadline() == 2.0 + GATHER
    assert offers.take(2.0 + GATHER) is Step.OFFER
    assert offers.seq == 2


@pytest.mark.parametrize(("seq", "expected"), [(0, False), (1, False), (2, True), (3, False)])
def test_only_the_answer_to_the_offer_in_flight_counts(seq, expected):
    offers = in_flight()
    offers.answered(1.0)
    offers.changed(1.0)
    offers.take(1.0 + GATHER)
    assert offers.expects(seq) is expected


def test_an_answer_is_expected_once():
    offers = in_flight()
    offers.answered(1.0)
    assert not offers.expects(1)


def test_a_restart_asked_for_is_not_forgotten_over_later_changes():
    offers = listening()
    offers.changed(0.0, restart=True)
    offers.changed(0.001)
    assert offers.take(1.0) is Step.RESTART


def test_an_unanswered_offer_becomes_a_fresh_connection_whose_offers_count_from_one():
    offers = in_flight()
    offers.answered(1.0)
    offers.changed(2.0)
    offers.take(3.0)
    assert offers.deadline() == 3.0 + ANSWER_WITHIN
    assert offers.take(2.9 + ANSWER_WITHIN) is None
    assert offers.take(3.0 + ANSWER_WITHIN) is Step.RECONNECT
    assert offers.seq == 1


def test_three_fresh_connections_without_an_answer_are_the_last():
    offers = in_flight()
    steps = []
    while (deadline := offers.deadline()) is not None:
        steps.append(offers.take(deadline))
    assert steps == [Step.RECONNECT] * MAX_FAILURES + [Step.GIVE_UP]


def test_a_connection_that_opens_clears_the_failures():
    offers = in_flight()
    for now in (100.0, 200.0):
        assert offers.take(now) is Step.RECONNECT
    offers.answered(200.1)
    offers.opened()
    for now in (300.0, 400.0, 500.0):
        offers.lost(now)
        assert offers.take(now + GATHER) is Step.RECONNECT
        offers.answered(now + 1)
        offers.opened()


def test_connections_that_never_open_are_given_up_even_when_each_offer_is_answered():
    offers = in_flight()
    steps = []
    for now in (10.0, 20.0, 30.0, 40.0):
        offers.answered(now)
        offers.lost(now)
        steps.append(offers.take(now + GATHER))
    assert steps == [Step.RECONNECT] * MAX_FAILURES + [Step.GIVE_UP]


def test_a_client_that_threw_its_connection_away_gets_a_fresh_one_without_waiting_for_the_old_answer():
    offers = in_flight()
    offers.renewed(1.0)
    assert not offers.expects(1)
    assert offers.take(1.0 + GATHER) is Step.RECONNECT
    assert offers.expects(1)


def test_nobody_is_offered_to_while_nobody_listens():
    offers = in_flight()
    offers.detached()
    offers.changed(1.0)
    assert offers.deadline() is None
    assert offers.take(1000.0) is None


def test_who_comes_back_is_offered_again_on_the_same_connection():
    offers = in_flight()
    offers.answered(1.0)
    offers.detached()
    offers.attached(10.0)
    assert offers.take(10.0 + GATHER) is Step.OFFER
    assert offers.seq == 2


def test_who_comes_back_as_a_new_page_is_offered_a_fresh_connection():
    offers = in_flight()
    offers.detached()
    offers.attached(10.0, fresh=True)
    assert offers.take(10.0 + GATHER) is Step.RECONNECT


def test_a_first_listener_is_offered_nothing_until_there_is_something():
    offers = Offers()
    offers.attached(0.0, fresh=True)
    assert offers.take(1.0) is None
