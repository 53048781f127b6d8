"""The real engine: sockets on loopback, two packet threads, handover between them. Waits for events, never for time."""

import os
import select
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from mediaserver.native import Connection, Engine, EventKind, Sink, Track, address_from, address_text
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CodecId
from tests.support.rtp_peer import Srtp
from tests.support.rtp_publisher import Layer, Publisher, SenderClock
from tests.support.rtp_subscriber import ReceivedStream, Subscriber
from tests.support.simulation import ACCEPTED, camera

PROFILE = "SRTP_AEAD_AES_128_GCM"
PATIENCE = 10.0  # seconds: what has not come by then will not come
STUN = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(listen=[("127.0.0.1", 0)], threads=2)
    engine.start()
    yield engine
    engine.close()


@dataclass(slots=True)
class Peer:
    """A socket, its connection in the engine, and both ends of the keys."""

    socket: socket.socket
    native: Connection
    srtp: Srtp

    def read(self) -> bytes:
        readable, _, _ = select.select([self.socket], [], [], PATIENCE)
        assert readable, "nothing came"
        return self.socket.recv(65536)


def event_of(engine: Engine, kind: EventKind) -> tuple[object, ...]:
    """The next event of this kind; the others are passed over."""
    while True:
        for event in engine.poll(1):
            if event[0] == kind:
                return event
        readable, _, _ = select.select([engine.fileno()], [], [], PATIENCE)
        assert readable, f"no {kind.name} came"


_ssrcs = count(1)


def connect(engine: Engine, thread: int) -> Peer:
    """As a participant does: a STUN message tells the address, then keys are agreed on."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(engine.sockets[0])
    sock.send(STUN)
    _, address, data, connection_id = event_of(engine, EventKind.STUN)
    assert (data, connection_id) == (STUN, 0)
    assert isinstance(address, bytes)
    assert address_text(address) == (*sock.getsockname(), "udp")
    native = Connection(engine, thread)
    native.send_to(address)
    keys = os.urandom(28), os.urandom(28)
    native.keys(PROFILE, keys[0], keys[1])
    return Peer(sock, native, Srtp(PROFILE, keys[0], keys[1]))


def publish(engine: Engine, thread: int, layer: Layer) -> tuple[Peer, Publisher, Track]:
    peer = connect(engine, thread)
    track = Track(engine, "video", thread)
    peer.native.receive_extensions({1: 1})
    peer.native.send_feedback()
    peer.native.receive_track(
        track, mid=layer.mid, payloads={96: (CodecId.VP8, 90000)}, retransmissions={97: 96}, ssrcs=[layer.ssrc]
    )
    return peer, Publisher(peer.srtp, [layer], peer.socket.sendall, SenderClock()), track


def subscribe(engine: Engine, thread: int, track: Track) -> tuple[Peer, Subscriber]:
    peer = connect(engine, thread)
    subscriber = Subscriber(peer.srtp, peer.socket.sendall, 99)
    subscriber.streams.append(ReceivedStream(next(_ssrcs), next(_ssrcs)))
    stream = subscriber.streams[0]
    sink = Sink(
        peer.native, "video", ssrc=stream.ssrc, repair_ssrc=stream.repair_ssrc, sequence=7, timestamp=7, cname="x"
    )
    sink.accept(ACCEPTED, {})
    sink.attach(track)
    return peer, subscriber


def until(peer: Peer, receive: Callable[[bytes, float], None], done: Callable[[], bool]) -> None:
    while not done():
        receive(peer.read(), 0.0)


@pytest.mark.parametrize("thread", [0, 1])
def test_media_reaches_everybody_whichever_thread_the_kernel_gave_it_to(engine: Engine, thread: int) -> None:
    layer = camera()
    peer, publisher, track = publish(engine, thread, layer)
    seats = [subscribe(engine, thread, track) for _ in range(6)]
    for i in range(20):
        publisher.send_frame(layer, i / 30)
        for seat, subscriber in seats:
            stream = subscriber.streams[0]
            until(seat, subscriber.receive, lambda s=stream, i=i: len(s.packets) >= 4 * (i + 1))  # type: ignore[misc]
    stats = engine.stats()
    assert all(len(s.streams[0].shown) == 20 for _, s in seats)
    assert stats["packets_forwarded"] == 20 * 4 * 6
    assert stats["dropped_handover_full"] == stats["dropped_unknown_address"] == 0
    assert peer.native.stats()["packets_received"] == 80
    assert engine.load()[1 - thread] == 0


def test_both_threads_hand_over_what_belongs_to_the_other(engine: Engine) -> None:
    """The kernel spreads ports over the threads' sockets: of these many some come to the wrong one."""
    for thread in [0, 1] * 8:
        peer = connect(engine, thread)
        peer.socket.send(b"\x16\xfe\xfd" + bytes(10))
        event = event_of(engine, EventKind.DTLS)
        assert event[3] == peer.native.id
    assert 0 < engine.stats()["handed_over"] < 16 + 1


def test_a_lost_packet_is_sent_again_and_a_key_frame_is_asked_for(engine: Engine) -> None:
    layer = camera()
    peer, publisher, track = publish(engine, 1, layer)
    seat, subscriber = subscribe(engine, 1, track)
    publisher.send_frame(layer, 0.0)
    stream = subscriber.streams[0]
    until(seat, subscriber.receive, lambda: len(stream.packets) == 4)
    subscriber.ask([rtcp.Nack(99, stream.ssrc, (stream.highest or 0,)), rtcp.Pli(99, stream.ssrc)])
    until(seat, subscriber.receive, lambda: stream.repairs == 1)
    until(peer, publisher.receive, lambda: len(layer.plis) == 1)


def test_a_run_of_packets_arrives_in_order_with_and_without_offload() -> None:
    for offload in (True, False):
        engine = Engine(listen=[("127.0.0.1", 0)], segment_offload=offload, run_wait=0.001)
        engine.start()
        layer = camera(packets_per_frame=30)
        _, publisher, track = publish(engine, 0, layer)
        seat, subscriber = subscribe(engine, 0, track)
        stream = subscriber.streams[0]
        publisher.send_frame(layer, 0.0)
        until(seat, subscriber.receive, lambda s=stream: len(s.packets) == 30)  # type: ignore[misc]
        assert [p.sequence for p in stream.packets.values()] == list(range(7, 37))
        assert (engine.stats()["segment_runs"] > 0) == offload
        engine.close()


def test_a_stream_carries_what_udp_would(engine: Engine) -> None:
    """RFC 4571: a length before each packet, cut anywhere."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    address = engine.adopt_stream(ours.detach(), 1, ("192.0.2.7", 4000))
    assert address_text(address) == ("192.0.2.7", 4000, "tcp")
    frame = len(STUN).to_bytes(2) + STUN
    for byte in frame:
        theirs.send(bytes([byte]))
    assert event_of(engine, EventKind.STUN)[1:3] == (address, STUN)
    engine.feed_stream(address, frame + frame[:5])
    engine.feed_stream(address, frame[5:])
    for _ in range(2):
        assert event_of(engine, EventKind.STUN)[1] == address
    native = Connection(engine, 1)
    native.send_to(address)
    assert engine.send(address, b"answer")
    assert theirs.recv(100) == b"\x00\x06answer"
    theirs.close()
    assert event_of(engine, EventKind.STREAM_CLOSED)[1] == address
    native.close()


def test_connections_come_and_go_while_packets_flow(engine: Engine) -> None:
    layer = camera()
    _, publisher, track = publish(engine, 0, layer)
    steady, subscriber = subscribe(engine, 0, track)
    stream = subscriber.streams[0]
    for i in range(60):
        peer, other = subscribe(engine, 0, track)
        layer.wants_key = i % 10 == 0
        publisher.send_frame(layer, i / 30)
        until(peer, other.receive, lambda s=other.streams[0]: len(s.packets) >= 4)  # type: ignore[misc]
        until(steady, subscriber.receive, lambda i=i: len(stream.shown) == i + 1)  # type: ignore[misc]
        peer.native.close()
        peer.socket.close()
    assert subscriber.srtp.refused == 0


def test_a_port_that_is_taken_is_told_and_the_engine_can_be_thrown_away() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="cannot listen"):
            Engine(listen=[("127.0.0.1", taken.getsockname()[1])])


def test_addresses_of_sockets_that_do_not_exist_are_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="socket"):
        Connection(engine).send_to(address_from(5, "127.0.0.1", 9))
    with pytest.raises(ValueError, match="thread"):
        engine.adopt_stream(0, 7, ("127.0.0.1", 9))


def test_a_plain_packet_of_a_stranger_on_a_real_socket_is_only_counted(engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(engine.sockets[0])
        for data in (b"", b"\x80", bytes(60000), b"\xff", STUN):
            stranger.send(data)
        event_of(engine, EventKind.STUN)
    stats = engine.stats()
    assert stats["dropped_empty"] == stats["dropped_too_long"] == stats["dropped_unknown_first_byte"] == 1
    assert stats["dropped_unknown_address"] == 1
