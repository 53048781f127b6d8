"""What the router tells the native core, seen by the packets that go through a simulated engine."""

import random
from types import SimpleNamespace

import pytest
from pylibsrtp import Policy, Session

from mediaserver import native
from mediaserver.conference.router import FIRST_SEQUENCE_LIMIT, Listeners, Router
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.packet import RtpPacket, read_header, write_packet
from mediaserver.transport.negotiation import PublishedSection, Slot

PROFILE = "SRTP_AES128_CM_SHA1_80"
UP_KEY, DOWN_KEY = bytes(range(30)), bytes(range(30, 60))
PUBLISHER, SUBSCRIBER = (native.address_from(0, "192.0.2.1", port) for port in (1111, 2222))
SOUND = PublishedSection("0", "audio", CodecId.OPUS, 111, 48000, {}, (), (77,), (), {}, True, False, False, True)
SLOT = Slot("0", "audio", 4242, 0, "cname", "stream track")


def is_rtcp(data: bytes) -> bool:
    return 192 <= data[1] <= 223  # RFC 5761 section 4


class Wire:
    """One publisher and one subscriber of a simulated engine, and their keys."""

    def __init__(self) -> None:
        self.engine = native.Engine(simulated=True)
        port = SimpleNamespace(engine=self.engine)
        self.listeners = Listeners()
        self.router = Router(port, 0, random.Random(5), self.listeners, remb_bps=1_000_000)
        self.publisher = self._connection(PUBLISHER)
        self.subscriber = self._connection(SUBSCRIBER)
        self.intake = self.router.intake(self.publisher)
        self.sink = self.router.sink(self.subscriber, SLOT)
        self.now = 1.0
        self._up = Session(Policy(key=UP_KEY, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
        self._down = Session(Policy(key=DOWN_KEY, ssrc_type=Policy.SSRC_ANY_INBOUND))
        self._sequence = 60000

    def _connection(self, address: bytes) -> SimpleNamespace:
        connection = native.Connection(self.engine)
        connection.send_to(address)
        connection.keys(PROFILE, UP_KEY, DOWN_KEY)
        return SimpleNamespace(native=connection)

    def speak(self, payload: bytes = b"sound", ssrc: int = 77) -> list[RtpPacket]:
        """The publisher sends a packet; returns what the subscriber gets of it."""
        self.engine.sent()
        self._sequence += 1
        self.now += 0.02
        packet = write_packet(RtpPacket(111, self._sequence, self._sequence * 960 % 2**32, ssrc, payload))
        self.engine.receive(PUBLISHER, self._up.protect(packet), self.now)
        return [self._read(data) for address, data in self.engine.sent() if address == SUBSCRIBER and not is_rtcp(data)]

    def _read(self, data: bytes) -> RtpPacket:
        plain = self._down.unprotect(data)
        header = read_header(plain)
        return RtpPacket(header.payload_type, header.sequence, header.timestamp, header.ssrc, plain[header.length :])


@pytest.fixture
def wire():
    wire = Wire()
    wire.intake.understand([SOUND])
    wire.sink.accept({CodecId.OPUS: (96, -1)}, {})
    return wire


def test_a_fed_source_reaches_the_sink_that_carries_it_in_the_slots_own_numbers(wire):
    source = wire.router.source("audio")
    wire.intake.feed([(source, SOUND)])
    wire.sink.carry(source)
    heard = [packet for _ in range(3) for packet in wire.speak()]
    assert [(packet.payload_type, packet.ssrc, packet.payload) for packet in heard] == [(96, 4242, b"sound")] * 3
    first = heard[0].sequence
    assert first < FIRST_SEQUENCE_LIMIT
    assert [packet.sequence for packet in heard] == [first, first + 1, first + 2]


def test_carrying_nothing_parks_the_slot_and_its_numbers_go_on(wire):
    source = wire.router.source("audio")
    wire.intake.feed([(source, SOUND)])
    wire.sink.carry(source)
    [before] = wire.speak()
    wire.sink.carry(None)
    assert wire.speak() == []
    wire.sink.carry(source)
    [after] = wire.speak()
    assert after.sequence == before.sequence + 1


def test_a_section_that_feeds_nothing_any_more_is_not_forwarded(wire):
    source = wire.router.source("audio")
    wire.intake.feed([(source, SOUND)])
    wire.sink.carry(source)
    assert len(wire.speak()) == 1
    wire.intake.feed([])
    assert wire.speak() == []


def test_a_section_can_change_to_another_source(wire):
    first, second = wire.router.source("audio"), wire.router.source("audio")
    wire.intake.feed([(first, SOUND)])
    wire.sink.carry(second)
    assert wire.speak() == []
    wire.intake.feed([(second, SOUND)])
    assert len(wire.speak()) == 1


def test_a_muted_source_is_silent(wire):
    source = wire.router.source("audio")
    wire.intake.feed([(source, SOUND)])
    wire.sink.carry(source)
    source.mute(True)
    assert wire.speak() == []
    source.mute(False)
    assert len(wire.speak()) == 1


def test_a_closed_source_leaves_the_sink_usable(wire):
    first, second = wire.router.source("audio"), wire.router.source("audio")
    wire.intake.feed([(first, SOUND)])
    wire.sink.carry(first)
    wire.speak()
    first.close()
    wire.sink.carry(None)
    wire.intake.feed([(second, SOUND)])
    wire.sink.carry(second)
    assert len(wire.speak()) == 1


def test_layers_are_told_to_their_source_until_it_closes(wire):
    source = wire.router.source("video")
    heard: list[int] = []
    source.on_layer(heard.append)
    wire.listeners.layers[source.id](2)
    assert heard == [2]
    source.close()
    assert wire.listeners.layers == {}


def test_stream_numbers_of_a_connection_differ_and_none_is_zero():
    class Stubborn(random.Random):
        numbers = iter([0, 5, 5, 6])

        def getrandbits(self, k: int) -> int:
            return next(self.numbers)

    router = Router(SimpleNamespace(), 0, Stubborn(), Listeners(), remb_bps=0)
    taken: set[int] = set()
    assert [router.ssrc(taken), router.ssrc(taken)] == [5, 6]
