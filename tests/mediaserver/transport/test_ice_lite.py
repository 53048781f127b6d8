"""The lite side of ICE: who is answered, where our packets go, and what a restart leaves alone."""

from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.errors import MalformedPacket
from mediaserver.transport import stun
from mediaserver.transport.ice_lite import MAX_GENERATIONS, MAX_PROVED, Agent, Credentials

FIRST = Credentials("aaaa", "p" * 32)
SECOND = Credentials("bbbb", "q" * 32)
SOURCE = ("192.0.2.7", 5000)
WIFI, MOBILE, TCP = b"wifi", b"mobile", b"tcp"


@dataclass
class Peer:
    """A peer that controls, and the agent it checks."""

    agent: Agent = field(default_factory=lambda: Agent(FIRST))
    transactions: count = field(default_factory=count)

    def check(self, address=WIFI, now=0.0, credentials=FIRST, *, nominate=False, **attributes):
        message = self.message(credentials, nominate, **attributes)
        return self.agent.receive(message, address, SOURCE, now, stream=address == TCP)

    def message(self, credentials=FIRST, nominate=False, **attributes):
        attributes = {"priority": 1, "controlling": 5, "use_candidate": nominate} | attributes
        transaction = next(self.transactions).to_bytes(12, "big")
        username = f"{credentials.ufrag}:peer"
        return stun.parse(stun.request(transaction, username, credentials.pwd.encode(), **attributes))


def test_a_check_is_answered_with_the_address_it_came_from():
    answer = stun.parse(Peer().check().answer)
    assert (answer.kind, answer.mapped) == (stun.SUCCESS, SOURCE)
    assert stun.authentic(answer, FIRST.pwd.encode())


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(stun.write(stun.REQUEST, bytes(12), [], None), id="no name, no integrity"),
        pytest.param(stun.write(stun.REQUEST, bytes(12), [(6, b"aaaa:peer")], None), id="no integrity"),
        pytest.param(stun.write(stun.REQUEST, bytes(12), [(6, b"aaaa:peer")], b"guess"), id="wrong password"),
        pytest.param(stun.write(stun.REQUEST, bytes(12), [(6, b"zzzz:peer")], b"p" * 32), id="foreign name"),
        pytest.param(stun.write(stun.REQUEST, bytes(12), [(6, b"aaaa")], b"p" * 32), id="name without colon"),
        pytest.param(stun.write(stun.INDICATION, bytes(12), [(6, b"aaaa:peer")], b"p" * 32), id="indication"),
        pytest.param(stun.write(stun.SUCCESS, bytes(12), [(6, b"aaaa:peer")], b"p" * 32), id="answer to nothing"),
    ],
)
def test_nobody_else_gets_an_answer_or_changes_anything(message):
    agent = Agent(FIRST)
    verdict = agent.receive(stun.parse(message), WIFI, SOURCE, 0.0)
    assert verdict.answer is None
    assert verdict.dropped
    assert (verdict.proved, verdict.moved) == (False, False)
    assert (agent.path, agent.last_check) == (None, None)


@pytest.mark.parametrize(
    ("checks", "path"),
    [
        pytest.param([(WIFI, 0.0, False)], WIFI, id="the first before anything is nominated"),
        pytest.param([(WIFI, 0.0, False), (MOBILE, 0.1, False)], WIFI, id="not a later one"),
        pytest.param([(WIFI, 0.0, False), (MOBILE, 0.1, True)], MOBILE, id="but the nominated one"),
        pytest.param([(WIFI, 0.0, True), (MOBILE, 0.1, True)], MOBILE, id="the last that was nominated"),
        pytest.param([(WIFI, 0.0, True), (MOBILE, 0.1, False)], WIFI, id="a spare pair moves nothing"),
        pytest.param([(WIFI, 0.0, True), (MOBILE, 5.0, False)], MOBILE, id="rebinding without a nomination"),
        pytest.param([(WIFI, 0.0, True), (MOBILE, 0.5, True)], MOBILE, id="rebinding with a nomination"),
        pytest.param(
            [(WIFI, 0.0, True), (WIFI, 4.0, False), (MOBILE, 5.0, False)],
            WIFI,
            id="a path that is checked is not silent",
        ),
        pytest.param(
            [(WIFI, 0.0, True), (MOBILE, 5.0, False), (WIFI, 5.1, True)], WIFI, id="back when nominated again"
        ),
        pytest.param([(TCP, 0.0, False), (WIFI, 0.1, False)], WIFI, id="datagrams rather than a stream"),
        pytest.param([(WIFI, 0.0, False), (TCP, 0.1, False)], WIFI, id="whichever comes first"),
        pytest.param([(TCP, 0.0, False), (WIFI, 0.1, False), (TCP, 0.2, True)], TCP, id="unless it is nominated"),
        pytest.param([(TCP, 0.0, True), (WIFI, 0.1, False)], TCP, id="or was"),
        pytest.param([(TCP, 0.0, True), (WIFI, 0.1, True)], WIFI, id="until something else is"),
        pytest.param(
            [(WIFI, 0.0, True), (TCP, 5.0, False), (WIFI, 5.1, False)],
            WIFI,
            id="a stream that has helped out gives way without a nomination",
        ),
    ],
)
def test_packets_go_to(checks, path):
    peer = Peer()
    for address, now, nominate in checks:
        before = peer.agent.path
        assert peer.check(address, now, nominate=nominate).moved == (peer.agent.path != before)
    assert peer.agent.path == path


def test_an_address_is_proved_once():
    peer = Peer()
    assert [peer.check(address).proved for address in (WIFI, MOBILE, WIFI, MOBILE)] == [True, True, False, False]


def test_an_address_that_was_forgotten_is_proved_again():
    peer = Peer()
    for number in range(MAX_PROVED + 1):
        assert peer.check(b"%d" % number).proved
    assert peer.check(b"0").proved
    assert not peer.check(b"%d" % MAX_PROVED).proved


def test_a_closed_stream_gives_way_to_whoever_checks_next():
    peer = Peer()
    peer.check(TCP, 0.0, nominate=True)
    peer.agent.path_closed(TCP)
    assert peer.check(WIFI, 0.1).moved


def test_a_stream_that_is_not_the_path_may_close():
    peer = Peer()
    peer.check(WIFI, 0.0, nominate=True)
    peer.check(TCP, 0.1)
    peer.agent.path_closed(TCP)
    assert not peer.check(MOBILE, 0.2).moved


def test_a_peer_that_thinks_we_control_is_told_to_take_over():
    peer = Peer()
    verdict = peer.check(controlling=None, controlled=2**64 - 1)
    assert stun.parse(verdict.answer).error == 487
    assert peer.agent.path is None
    assert peer.check().moved


def test_a_check_with_unknown_attributes_is_refused_with_their_names():
    attributes = [(6, b"aaaa:peer"), (0x7FFE, b"")]
    message = stun.parse(stun.write(stun.REQUEST, bytes(12), attributes, FIRST.pwd.encode()))
    verdict = Agent(FIRST).receive(message, WIFI, SOURCE, 0.0)
    assert stun.parse(verdict.answer).error == 420
    assert bytes.fromhex("000a00027ffe") in verdict.answer


def test_consent_is_the_last_check():
    peer = Peer()
    peer.check(now=1.0, nominate=True)
    peer.check(now=8.5)
    assert peer.agent.last_check == 8.5


def test_a_restart_keeps_the_path_until_the_new_credentials_nominate():
    peer = Peer()
    peer.check(WIFI, 0.0, nominate=True)
    assert peer.agent.restart(SECOND) == ()
    assert peer.agent.credentials == SECOND
    assert peer.check(MOBILE, 0.1, SECOND).moved is False
    assert peer.check(WIFI, 0.2).answer
    assert peer.agent.path == WIFI
    assert peer.check(MOBILE, 0.3, SECOND, nominate=True).moved


def test_before_the_new_credentials_nominate_the_old_ones_still_move_the_path():
    peer = Peer()
    peer.check(WIFI, 0.0, nominate=True)
    peer.agent.restart(SECOND)
    assert peer.check(MOBILE, 0.1, nominate=True).moved


@pytest.mark.parametrize(("address", "now"), [(WIFI, 0.3), (TCP, 100.0)])
def test_afterwards_the_old_credentials_are_answered_but_move_prove_and_consent_to_nothing(address, now):
    peer = Peer()
    peer.check(WIFI, 0.0, nominate=True)
    peer.agent.restart(SECOND)
    peer.check(MOBILE, 0.2, SECOND, nominate=True)
    verdict = peer.check(address, now, nominate=True)
    assert verdict.answer
    assert (verdict.proved, verdict.moved) == (False, False)
    assert (peer.agent.path, peer.agent.last_check) == (MOBILE, 0.2)


def test_restarts_that_nobody_follows_do_not_push_out_the_credentials_in_use():
    peer = Peer()
    peer.check(WIFI, 0.0, nominate=True)
    given_up = []
    for number in range(10):
        given_up += peer.agent.restart(Credentials(f"r{number}", "x" * 32))
    assert len(peer.agent.ufrags) == MAX_GENERATIONS
    assert FIRST.ufrag in peer.agent.ufrags
    assert given_up == [f"r{number}" for number in range(10 - MAX_GENERATIONS + 1)]
    assert peer.check(MOBILE, 0.1, nominate=True).moved


def test_tells_whether_a_first_frame_is_worth_a_connection():
    peer = Peer()
    assert peer.agent.authentic(peer.message())
    assert not peer.agent.authentic(peer.message(Credentials(FIRST.ufrag, "guess")))


@given(st.binary(max_size=64).map(lambda body: body + bytes(-len(body) % 4)))
def test_random_attributes_never_move_anything(body):
    agent = Agent(FIRST)
    head = stun.REQUEST.to_bytes(2, "big") + len(body).to_bytes(2, "big") + bytes.fromhex("2112a442") + bytes(12)
    try:
        message = stun.parse(head + body)
    except MalformedPacket:
        return
    assert agent.receive(message, WIFI, SOURCE, 0.0).answer is None
    assert agent.path is None
