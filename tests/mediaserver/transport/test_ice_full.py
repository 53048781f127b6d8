"""The side of ICE that asks: whom it tries, whom it nominates, whom it believes."""

from itertools import pairwise

import pytest

from mediaserver.transport import stun
from mediaserver.transport.ice_full import CONSENT_EVERY, MAX_ADDRESSES, PACE, RETRY_AFTER, Asker
from mediaserver.transport.ice_lite import Agent, Credentials

OURS, THEIRS = Credentials("0a1b2c3d", "o" * 24), Credentials("theirs", "t" * 24)
FIRST, SECOND, STRANGE = b"first", b"second", b"strange"
SOURCE = ("192.0.2.7", 5000)
REASON = "no"


@pytest.fixture
def asker() -> Asker:
    count = iter(range(1_000_000))
    asker = Asker(OURS, lambda size: next(count).to_bytes(size, "big"))
    asker.ask(THEIRS, [FIRST, SECOND], now=0.0)
    return asker


def checks(asker: Asker, now: float) -> dict[bytes, stun.Message]:
    return {address: stun.parse(data) for address, data in asker.due(now)}


def succeed(asker: Asker, address: bytes, check: stun.Message, now: float, pwd: str = THEIRS.pwd):
    return asker.receive(stun.parse(stun.success(check, SOURCE, pwd.encode())), address, SOURCE, now)


def nominate(asker: Asker, address: bytes = FIRST, now: float = 0.0) -> None:
    succeed(asker, address, checks(asker, now)[address], now)
    assert succeed(asker, address, checks(asker, now)[address], now).moved


def test_tries_one_address_after_the_other(asker: Asker):
    assert list(checks(asker, 0.0)) == [FIRST]
    assert asker.deadline() == PACE
    assert list(checks(asker, PACE)) == [SECOND]


def test_a_check_is_one_of_a_side_in_control(asker: Asker):
    check = checks(asker, 0.0)[FIRST]
    assert check.username == "theirs:0a1b2c3d"
    assert check.controlling is not None
    assert not check.use_candidate
    assert check.transaction[:4].hex() == OURS.ufrag
    assert stun.authentic(check, THEIRS.pwd.encode())


def test_tries_again_slower_each_time(asker: Asker):
    now, seen = 0.0, []
    for _ in range(len(RETRY_AFTER) + 2):
        assert FIRST in checks(asker, now)
        seen.append(now)
        now = next(place.due for place in asker._places if place.address == FIRST)
    pauses = [round(b - a, 3) for a, b in pairwise(seen)]
    assert pauses == [*RETRY_AFTER, RETRY_AFTER[-1]]


def test_nominates_who_answers_first_and_nobody_else(asker: Asker):
    first, second = checks(asker, 0.0)[FIRST], checks(asker, PACE)[SECOND]
    verdict = succeed(asker, SECOND, second, 0.1)
    assert (verdict.proved, verdict.moved, asker.path) == (True, False, None)
    assert not succeed(asker, FIRST, first, 0.1).moved
    nomination = checks(asker, 0.1)
    assert list(nomination) == [SECOND]
    assert nomination[SECOND].use_candidate
    assert succeed(asker, SECOND, nomination[SECOND], 0.2).moved
    assert asker.path == SECOND
    assert checks(asker, 0.3) == {}


def test_a_lost_nomination_is_repeated(asker: Asker):
    succeed(asker, FIRST, checks(asker, 0.0)[FIRST], 0.0)
    assert checks(asker, 0.0)[FIRST].use_candidate
    assert checks(asker, RETRY_AFTER[0])[FIRST].use_candidate


def test_asks_for_consent_on_the_path_alone(asker: Asker):
    nominate(asker)
    assert asker.deadline() == CONSENT_EVERY
    consent = checks(asker, CONSENT_EVERY)
    assert list(consent) == [FIRST]
    assert not consent[FIRST].use_candidate
    assert asker.last_check == 0.0
    succeed(asker, FIRST, consent[FIRST], CONSENT_EVERY + 0.1)
    assert asker.last_check == CONSENT_EVERY + 0.1


@pytest.mark.parametrize(
    ("address", "pwd", "dropped"),
    [
        pytest.param(STRANGE, THEIRS.pwd, "stun_unauthentic", id="from elsewhere"),
        pytest.param(FIRST, "x" * 24, "stun_unauthentic", id="by somebody who does not know the password"),
        pytest.param(FIRST, OURS.pwd, "stun_unauthentic", id="with our own password"),
    ],
)
def test_believes_no_answer_but_the_peers(asker: Asker, address: bytes, pwd: str, dropped: str):
    verdict = succeed(asker, address, checks(asker, 0.0)[FIRST], 0.0, pwd)
    assert (verdict.dropped, verdict.proved, asker.last_check) == (dropped, False, None)


def test_an_answer_to_nothing_and_one_that_comes_twice_are_dropped(asker: Asker):
    check = checks(asker, 0.0)[FIRST]
    assert succeed(asker, FIRST, check, 0.0).dropped is None
    assert succeed(asker, FIRST, check, 0.0).dropped == "stun_not_asked"


def test_a_refusal_proves_nothing(asker: Asker):
    check = checks(asker, 0.0)[FIRST]
    refusal = stun.failure(check, stun.ROLE_CONFLICT, REASON, THEIRS.pwd.encode())
    verdict = asker.receive(stun.parse(refusal), FIRST, SOURCE, 0.0)
    assert (verdict.dropped, verdict.proved) == ("stun_refused", False)


def test_answers_the_peers_own_checks_and_moves_nowhere_for_them(asker: Asker):
    username = f"{OURS.ufrag}:{THEIRS.ufrag}"
    request = stun.request(b"x" * 12, username, OURS.pwd.encode(), priority=1, controlled=7, use_candidate=True)
    verdict = asker.receive(stun.parse(request), STRANGE, SOURCE, 0.0)
    assert verdict.answer is not None
    assert (stun.parse(verdict.answer).kind, verdict.proved, verdict.moved) == (stun.SUCCESS, False, False)


def test_stays_in_control(asker: Asker):
    username = f"{OURS.ufrag}:{THEIRS.ufrag}"
    request = stun.request(b"x" * 12, username, OURS.pwd.encode(), priority=1, controlling=7)
    verdict = asker.receive(stun.parse(request), FIRST, SOURCE, 0.0)
    assert verdict.answer is not None
    assert stun.parse(verdict.answer).error == stun.ROLE_CONFLICT


def test_no_stranger_is_answered(asker: Asker):
    request = stun.request(b"x" * 12, f"{OURS.ufrag}:a", b"wrong", priority=1, controlled=7)
    assert asker.receive(stun.parse(request), STRANGE, SOURCE, 0.0).answer is None


def test_no_more_addresses_are_tried_than_there_may_be():
    asker = Asker(OURS, bytes)
    asker.ask(THEIRS, [bytes((n,)) for n in range(100)], now=0.0)
    assert len(checks(asker, 1000.0)) == MAX_ADDRESSES


def test_agrees_with_the_side_that_only_answers(asker: Asker):
    lite = Agent(THEIRS)
    for _ in range(2):
        for address, check in asker.due(0.0):
            answer = lite.receive(stun.parse(check), address, SOURCE, 0.0).answer
            assert answer is not None
            asker.receive(stun.parse(answer), address, SOURCE, 0.0)
    assert asker.path == lite.path == FIRST
