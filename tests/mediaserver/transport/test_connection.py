"""A connection from its first check to its end, over the real core on simulated time."""

import asyncio

import pytest
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from mediaserver.transport import stun
from mediaserver.transport.connection import Lost, Opened, State, TextReceived
from mediaserver.transport.sdp import Fingerprint, SctpParameters
from tests.support.dtls_peer import halves
from tests.support.webrtc_peer import MOBILE, WIFI, Peer, World

WRONG = Fingerprint("sha-256", ":".join(["00"] * 32))


@pytest.fixture
def world():
    return World()


@pytest.fixture
def peer(world):
    return Peer(world)


def test_goes_from_new_to_open(peer):
    seen = [peer.connection.state]
    peer.describe()
    seen.append(peer.connection.state)
    assert peer.check().kind == stun.SUCCESS
    seen.append(peer.connection.state)
    peer.handshake()
    seen.append(peer.connection.state)
    assert seen == [State.NEW, State.CHECKING, State.SECURING, State.OPEN]
    assert peer.events == [Opened()]
    assert peer.dtls.connected
    assert peer.connection.stats()["srtp_profile"] == "SRTP_AEAD_AES_128_GCM"
    assert peer.connection.stats()["path"] == "198.51.100.1:5001/udp"


def test_a_peer_may_be_faster_than_its_description(peer):
    peer.check()
    peer.handshake()
    assert (peer.connection.state, peer.events) == (State.SECURING, [])
    peer.describe()
    assert (peer.connection.state, peer.events) == (State.OPEN, [Opened()])


def test_a_peer_that_is_not_the_described_one_is_told_and_lost(peer):
    peer.describe(fingerprints=(WRONG,))
    peer.check()
    peer.handshake()
    assert peer.connection.state is State.CLOSED
    assert [type(event) for event in peer.events] == [Lost]
    assert "alert" in peer.dtls.error


def test_a_late_description_of_somebody_else_is_fatal(peer):
    peer.check()
    peer.handshake()
    peer.describe(fingerprints=(WRONG,))
    assert peer.connection.state is State.CLOSED
    assert [type(event) for event in peer.events] == [Lost]


def test_a_hello_in_two_datagrams_in_the_wrong_order_opens_it(peer):
    peer.describe()
    peer.check()
    peer.exchange(list(reversed(halves(peer.dtls.step()[0]))))
    assert peer.connection.state is State.OPEN


def test_dtls_of_strangers_is_never_looked_at(world, peer):
    peer.describe()
    peer.check()
    hello = peer.dtls.step()
    stranger = Peer(world, MOBILE)
    assert world.receive(MOBILE, *stranger.dtls.step()) == []
    peer.exchange(hello)
    assert peer.connection.state is State.OPEN


def test_a_stranger_without_the_password_gets_no_answer_and_no_path(peer):
    peer.describe()
    assert peer.check(pwd="guess") is None
    assert peer.check(ufrag="nobody") is None
    assert peer.connection.state is State.CHECKING
    assert peer.world.port.stats()["stun_unauthentic"] == 1
    assert peer.world.port.stats()["stun_unknown_ufrag"] == 1


def test_a_handshake_that_takes_too_long_is_lost(world, peer):
    peer.describe()
    peer.check()
    for _ in range(7):
        world.advance(2.0)
        assert peer.check()
    assert peer.events == []
    world.advance(1.5)
    assert peer.events == [Lost("the handshake took too long")]
    assert peer.connection.state is State.CLOSED


def test_a_peer_that_never_checks_is_lost(world, peer):
    world.advance(1000.0)
    assert peer.events == []
    peer.describe()
    world.advance(29.0)
    assert peer.events == []
    world.advance(1.5)
    assert peer.events == [Lost("no check came")]


def test_consent_that_is_not_renewed_expires(world, peer):
    peer.connect()
    for _ in range(20):
        world.advance(5.0)
        peer.check(nominate=False)
    assert peer.events == [Opened()]
    world.advance(29.5)
    assert peer.connection.state is State.OPEN
    world.advance(1.0)
    assert peer.events == [Opened(), Lost("consent has expired")]
    assert peer.check() is None


def test_it_follows_a_peer_to_a_new_address(world, peer):
    peer.connect()
    peer.address = MOBILE
    peer.check()
    sent = world.receive(MOBILE, *peer.dtls.send(b"x"))
    assert peer.connection.stats()["path"] == "203.0.113.9:6001/udp"
    peer.connection.close()
    assert {to for to, _ in world.engine.sent() + sent} == {MOBILE}


def test_a_restart_keeps_the_connection_open_and_the_path_until_the_new_names_nominate(world, peer):
    peer.connect()
    old = peer.connection.local_ufrag, peer.connection.local_pwd
    peer.connection.restart_ice()
    peer.describe(ufrag="again", pwd="q" * 24)
    assert old != (peer.connection.local_ufrag, peer.connection.local_pwd)
    peer.address = MOBILE
    peer.check(nominate=False)
    assert peer.connection.stats()["path"] == "198.51.100.1:5001/udp"
    peer.check(nominate=True)
    assert peer.connection.stats()["path"] == "203.0.113.9:6001/udp"
    peer.address = WIFI
    assert peer.check(ufrag=old[0], pwd=old[1])
    assert peer.connection.stats()["path"] == "203.0.113.9:6001/udp"
    assert peer.events == [Opened()]


def test_restarts_do_not_pile_up_names(world, peer):
    peer.connect()
    for _ in range(50):
        peer.connection.restart_ice()
    assert world.port.stats()["ufrags"] <= 3
    peer.connection.close()
    assert world.port.stats()["ufrags"] == 0


def test_a_restart_gives_more_time(world, peer):
    peer.connect()
    world.advance(25.0)
    peer.connection.restart_ice()
    world.advance(25.0)
    assert peer.events == [Opened()]
    peer.check()
    world.advance(25.0)
    assert peer.events == [Opened()]


def test_closing_says_goodbye_once_and_tells_nothing(world, peer):
    peer.connect()
    peer.connection.close()
    for to, datagram in world.engine.sent():
        assert to == WIFI
        peer.dtls.step(datagram)
    assert peer.dtls.error
    peer.connection.close()
    assert world.engine.sent() == []
    assert peer.events == [Opened()]
    assert world.port.stats()["connections"] == 0


def test_a_peer_that_says_goodbye_is_lost(peer):
    peer.connect()
    peer.exchange(peer.dtls.close())
    assert peer.events == [Opened(), Lost("closed by the peer")]


def test_after_the_end_everything_is_quiet(world, peer):
    peer.connect()
    peer.connection.close()
    world.engine.sent()
    peer.connection.restart_ice()
    peer.describe()
    assert not peer.connection.send_text("late")
    assert peer.check() is None
    assert world.receive(WIFI, *peer.dtls.send(b"late")) == []
    assert world.advance(100.0) == []
    assert peer.events == [Opened()]


def test_the_owner_may_close_it_when_it_opens(world):
    peer = Peer(world, on_event=lambda event: peer.connection.close())
    peer.connect()
    assert peer.connection.state is State.CLOSED
    assert world.port.stats()["connections"] == 0


def test_a_mistake_of_ours_ends_only_the_connection_it_happens_in(world):
    told = []

    def stumble(event):
        told.append(event)
        if isinstance(event, Opened):
            raise RuntimeError("a mistake")

    clumsy, other = Peer(world, on_event=stumble), Peer(world, MOBILE)
    clumsy.connect()
    other.connect()
    assert told == [Opened(), Lost("internal error")]
    assert other.connection.state is State.OPEN


@pytest.mark.parametrize("first", range(0, 256, 5))
@pytest.mark.parametrize("stage", ["described", "checked", "open"])
def test_stray_datagrams_end_nothing(world, peer, stage, first):
    peer.describe()
    if stage != "described":
        peer.check()
    if stage == "open":
        peer.handshake()
    before = peer.connection.state
    for address in (WIFI, MOBILE):
        for size in (0, 1, 13, 20, 200, 1400, 65000):
            world.receive(address, (bytes([first]) * size)[:size])
    assert peer.connection.state is before
    if stage != "open":
        peer.check()
        peer.handshake()
    assert peer.connection.state is State.OPEN
    assert [event for event in peer.events if isinstance(event, Lost)] == []


def test_a_flood_of_messages_is_cut_off_but_does_not_end_it(world, peer):
    peer.connect()
    for _ in range(30):
        world.receive(WIFI, *(datagram for _ in range(60) for datagram in peer.dtls.send(b"x")))
    for _ in range(40):
        world.port.pump()
    assert peer.connection.stats()["messages_dropped"] > 500
    assert peer.connection.state is State.OPEN


def test_a_peer_that_wants_to_be_the_server_gets_our_hello(world, peer):
    peer.describe(setup="passive")
    assert world.engine.sent() == []
    request = stun.request(
        bytes(12), f"{peer.connection.local_ufrag}:peer", peer.connection.local_pwd.encode(), priority=1, controlling=1
    )
    sent = [datagram for to, datagram in world.receive(WIFI, request) if to == WIFI and datagram[0] == 22]
    assert len(sent) == 1
    assert sent[0][13] == 1, "a ClientHello"


def test_a_peer_with_the_wrong_role_is_told_to_take_over(peer):
    peer.describe()
    assert peer.check(controlling=None, controlled=9).error == 487
    assert peer.check().kind == stun.SUCCESS


class _Way:
    """The DTLS of an aiortc peer, over `Peer`."""

    state = "connected"
    _role = "client"

    def __init__(self, peer):
        self._peer = peer
        self.out = []

    async def _send_data(self, data):
        self.out += self._peer.dtls.send(data)

    def _register_data_receiver(self, receiver):
        pass

    def _unregister_data_receiver(self, receiver):
        pass


async def test_text_passes_over_the_data_channel(world, peer):
    peer.connection.open_data_channel_transport(SctpParameters(5000, 65536, "data"))
    peer.connect()
    way = _Way(peer)
    sctp = RTCSctpTransport(way)
    await sctp.start(RTCSctpCapabilities(65536), 5000)
    channel = RTCDataChannel(sctp, RTCDataChannelParameters(label="events"))
    heard = []
    channel.on("message", heard.append)

    async def settle():
        for _ in range(20):
            out, way.out = way.out, []
            answers = world.receive(WIFI, *out)
            for _, datagram in answers:
                way.out += peer.dtls.step(datagram)
            received, peer.dtls.received = peer.dtls.received, []
            for packet in received:
                await sctp._handle_data(packet)
            await _tasks()

    await settle()
    assert peer.connection.send_text("from us")
    channel.send("from them")
    await settle()
    assert heard == ["from us"]
    assert peer.events == [Opened(), TextReceived("from them")]
    peer.connection.close()
    assert not peer.connection.send_text("late")
    await sctp.stop()


async def _tasks():
    for _ in range(3):
        await asyncio.sleep(0)
