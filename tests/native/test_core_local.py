"""Packets to and from a process of ours: plain, on a socket that never makes the packet thread wait."""

import os
import select
import socket
from collections.abc import Iterator

import pytest

from mediaserver.native import Connection, Engine, EventKind, Sink, Track, address_from, address_text
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.packet import RtpPacket, read_packet, write_packet
from tests.support.link import Weather
from tests.support.rtp_peer import Plain, read_tag
from tests.support.rtp_publisher import Publisher, SenderClock
from tests.support.rtp_subscriber import ReceivedStream, Subscriber
from tests.support.simulation import ACCEPTED, Seat, Simulation, camera, microphone, simulcast

PATIENCE = 10.0  # seconds: what has not come by then will not come
PLAIN_ACCEPTED = {codec: (payload_type, -1) for codec, (payload_type, _) in ACCEPTED.items()}


def tap(sim: Simulation, track: Track, kind: str = "video") -> Seat:
    """As `Simulation.subscribe`, but the subscriber is a process of ours."""
    line, plain = sim.local_line()
    peer = Subscriber(plain, lambda data: sim.send(line, data), sim.random.getrandbits(32))
    line.receive = peer.receive
    ssrc = sim.random.getrandbits(32)
    sink = Sink(line.native, kind, ssrc=ssrc, repair_ssrc=0, sequence=5, timestamp=77, cname="publisher")
    sink.accept(PLAIN_ACCEPTED, {})
    peer.streams.append(ReceivedStream(ssrc, 0, video=kind == "video"))
    sink.attach(track)
    sim.every(0.005, lambda: peer.tick(sim.now))
    sim.flush()
    return Seat(peer, line, [sink])


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE, CodecId.AV1])
def test_a_tap_gets_every_packet_decrypted_and_in_its_own_numbers(codec: CodecId) -> None:
    sim = Simulation(seed=1)
    layer = camera(codec)
    stage = sim.publish([layer])
    seat = tap(sim, stage.tracks["v"])
    sim.run(2)
    assert len(seat.stream.shown) >= 58
    assert [p.sequence for p in seat.stream.in_order()] == list(range(5, 5 + len(seat.stream.packets)))
    assert {read_tag(p.payload).source for p in seat.stream.packets.values()} == {1}


def test_a_tap_hears_sender_reports_that_tell_when_things_were_captured() -> None:
    sim = Simulation(seed=2)
    stage = sim.publish([camera()], clock=SenderClock(offset=1_600_000_000.0))
    seat = tap(sim, stage.tracks["v"])
    sim.run(5)
    assert len(seat.stream.reports) >= 4
    last = seat.stream.shown[-1]
    captured = seat.stream.ntp_of(last.timestamp, 90000) - 2208988800.0 - sim.wall_offset
    assert captured == pytest.approx(last.captured, abs=0.05)


def test_what_a_tap_has_lost_comes_again_without_rtx() -> None:
    sim = Simulation(seed=3)
    stage = sim.publish([camera()])
    seat = tap(sim, stage.tracks["v"])
    sim.run(0.1)
    seat.line.down.weather = Weather(delay=0.0, loss=0.1)
    sim.run(2)
    seat.line.down.weather = Weather(delay=0.0)
    sim.run(1)
    assert seat.line.down.lost > 10
    assert len(seat.stream.shown) >= 85


def test_a_tap_can_ask_for_a_key_frame() -> None:
    sim = Simulation(seed=4)
    layer = camera()
    stage = sim.publish([layer])
    seat = tap(sim, stage.tracks["v"])
    sim.run(2)
    before = sum(shown.key for shown in seat.stream.shown)
    seat.peer.ask([rtcp.Pli(seat.peer.ssrc, seat.stream.ssrc)])
    sim.run(1)
    assert sum(shown.key for shown in seat.stream.shown) == before + 1


def test_a_tap_gets_the_best_layer_and_sound_without_its_repetitions() -> None:
    sim = Simulation(seed=5)
    layers = [*simulcast(), microphone()]
    stage = sim.publish(layers, declare=False)
    picture, sound = tap(sim, stage.tracks["v"]), tap(sim, stage.tracks["a"], "audio")
    sim.run(2)
    assert picture.stream.shown[-1].source == 1
    assert len(sound.stream.packets) >= 95


def test_a_tap_costs_other_subscribers_nothing_and_theirs_stay_encrypted() -> None:
    sim = Simulation(seed=6)
    stage = sim.publish([camera()])
    seat = sim.subscribe([stage.tracks["v"]])
    tapped = tap(sim, stage.tracks["v"])
    sim.run(1)
    assert min(len(seat.stream.shown), len(tapped.stream.shown)) >= 28
    assert seat.peer.srtp.refused == 0


def test_what_a_process_of_ours_sends_is_a_source_like_any_other() -> None:
    sim = Simulation(seed=7)
    line, plain = sim.local_line()
    layer = camera()
    producer = Publisher(plain, [layer], lambda data: sim.send(line, data), SenderClock())
    line.receive = producer.receive
    line.native.send_feedback(transport_cc=False)
    track = Track(sim.engine, "video")
    line.native.receive_track(
        track, mid="v", payloads={96: (CodecId.VP8, 90000)}, retransmissions={}, ssrcs=[layer.ssrc]
    )
    producer.identify = producer.transport_cc = False
    sim.every(1 / 30, lambda: producer.send_frame(layer, sim.now))
    sim.run(3)
    seat = sim.subscribe([track])
    sim.run(2)
    assert len(seat.stream.shown) >= 55
    assert layer.plis, "it is asked for key frames as any publisher"


def test_only_a_process_of_ours_is_trusted_without_keys() -> None:
    engine = Engine(simulated=True)
    with pytest.raises(ValueError, match="process of ours"):
        Connection(engine).trust(address_from(0, "127.0.0.1", 9))
    with pytest.raises(ValueError, match="unknown SRTP profile"):
        Connection(engine).keys("SRTP_PLAIN", b"", b"")


# on real sockets


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(listen=[("127.0.0.1", 0)], threads=1)
    engine.start()
    yield engine
    engine.close()


class Process:
    """Our end of a socket pair: a process that sends and reads plain packets."""

    def __init__(self, engine: Engine, *, room_bytes: int = 1 << 20) -> None:
        theirs, self.socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room_bytes)
        theirs.setblocking(False)
        self.address = engine.adopt_local(theirs.detach(), 0)
        self.native = Connection(engine)
        self.native.trust(self.address)

    def read(self) -> bytes:
        readable, _, _ = select.select([self.socket], [], [], PATIENCE)
        assert readable, "nothing came"
        return self.socket.recv(65536)


def producer_of(engine: Engine) -> tuple[Process, Track]:
    process, track = Process(engine), Track(engine, "audio")
    process.native.send_feedback(transport_cc=False)
    process.native.receive_track(track, mid="a", payloads={111: (CodecId.OPUS, 48000)}, retransmissions={}, ssrcs=[1])
    return process, track


def carry(process: Process, track: Track) -> None:
    sink = Sink(process.native, "audio", ssrc=9, repair_ssrc=0, sequence=100, timestamp=0, cname="x")
    sink.accept({CodecId.OPUS: (111, -1)}, {})
    sink.attach(track)


def sound(number: int, size: int = 100) -> bytes:
    return write_packet(RtpPacket(111, number & 0xFFFF, number * 960, 1, number.to_bytes(4) + bytes(size)))


def media(process: Process) -> RtpPacket:
    """The next packet that is no report."""
    while 192 <= (data := process.read())[1] < 224:
        pass
    return read_packet(data)


def test_packets_go_from_one_process_of_ours_to_another(engine: Engine) -> None:
    source, track = producer_of(engine)
    tapped = Process(engine)
    carry(tapped, track)
    assert address_text(tapped.address) == ("", 0, "local")
    for number in range(50):
        source.socket.send(sound(number))
        packet = media(tapped)
        assert packet.payload[:4] == number.to_bytes(4)
        assert packet.sequence == 100 + number


def test_a_process_that_does_not_read_loses_packets_and_nobody_else_does(engine: Engine) -> None:
    source, track = producer_of(engine)
    lazy, keen = Process(engine, room_bytes=4096), Process(engine)
    carry(lazy, track)
    carry(keen, track)
    for number in range(500):
        source.socket.send(sound(number, 900))
        assert media(keen).payload[:4] == number.to_bytes(4)
    assert engine.stats()["dropped_local_full"] > 400
    assert media(lazy).payload[:4] == bytes(4), "what had room waits"


def test_the_end_of_the_process_is_told_and_its_connection_falls_silent(engine: Engine) -> None:
    source, track = producer_of(engine)
    tapped = Process(engine)
    carry(tapped, track)
    source.socket.send(sound(0))
    media(tapped)
    tapped.socket.close()
    source.socket.send(sound(1))
    while True:
        events = engine.poll()
        if any(event[:2] == (EventKind.STREAM_CLOSED, tapped.address) for event in events):
            break
        assert events or select.select([engine.fileno()], [], [], PATIENCE)[0]
    tapped.native.close()
    another = Process(engine)
    carry(another, track)
    source.socket.send(sound(2))
    assert media(another).payload[:4] == (2).to_bytes(4)


def test_garbage_from_the_process_is_counted(engine: Engine) -> None:
    source, track = producer_of(engine)
    tapped = Process(engine)
    carry(tapped, track)
    for garbage in (b"\x80", b"\x80" * 11, os.urandom(60000)[:1] + bytes(5000), b"\x80\xc8" + bytes(40), b"\xff" * 30):
        source.socket.send(garbage)
    source.socket.send(sound(0))
    assert media(tapped).payload[:4] == bytes(4)
    assert engine.stats()["dropped_too_long"] == 1
    assert Plain().protect(b"x") == b"x"
