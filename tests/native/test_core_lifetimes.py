"""Objects come and go: none stays behind, none is used after it has gone."""

import gc
import os
import weakref
from pathlib import Path

import pytest

from mediaserver.native import Connection, Engine, EventKind, Sink, Track, address_from, address_text
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import Extension
from tests.support.simulation import Simulation, camera, microphone, simulcast

CYCLES = 10_000
KEY = bytes(28)
PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_GROWTH = 1024  # bytes for each cycle


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def one_cycle(engine: Engine, number: int) -> None:
    address = address_from(0, f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 5000)
    connection = Connection(engine)
    connection.allow(address)
    connection.send_to(address)
    connection.keys("SRTP_AEAD_AES_128_GCM", KEY, KEY)
    connection.receive_extensions({1: Extension.MID})
    connection.send_feedback()
    track = Track(engine, "audio")
    connection.receive_track(track, mid="0", payloads={111: (CodecId.OPUS, 48000)}, retransmissions={})
    sink = Sink(connection, "audio", ssrc=1, repair_ssrc=0, sequence=1, timestamp=1, cname="x")
    sink.accept({CodecId.OPUS: (111, -1)}, {})
    sink.attach(track)
    for end in ((sink, track, connection), (connection, track, sink), (track, connection, sink))[number % 3]:
        end.close()
    engine.poll()


def test_ten_thousand_connections_tracks_and_sinks_leave_nothing_behind() -> None:
    engine = Engine(simulated=True)
    for number in range(500):
        one_cycle(engine, number)
    gc.collect()
    before = resident_bytes()
    for number in range(CYCLES):
        one_cycle(engine, number)
    gc.collect()
    assert (resident_bytes() - before) / CYCLES < MOST_GROWTH


def test_video_tracks_give_their_memory_back() -> None:
    engine = Engine(simulated=True)
    for _ in range(50):
        Track(engine, "video").close()
        engine.poll()
    before = resident_bytes()
    for _ in range(2000):
        Track(engine, "video").close()
        engine.poll()
    assert (resident_bytes() - before) / 2000 < MOST_GROWTH


def test_what_is_dropped_without_being_closed_is_closed() -> None:
    sim = Simulation(seed=91)
    stage = sim.publish([camera(), microphone()])
    seat = sim.subscribe(list(stage.tracks.values()), kinds=["video", "audio"])
    sim.run(0.5)
    engine, address, watched = sim.engine, stage.line.address, weakref.ref(sim)
    data = bytes([0x80, 96]) + bytes(50)
    now = sim.now
    del sim, stage, seat
    gc.collect()
    assert watched() is None
    engine.poll()
    before = engine.stats()["dropped_unknown_address"]
    engine.receive(address, data, now)
    engine.advance(now + 1)
    assert engine.stats()["dropped_unknown_address"] == before + 1
    assert engine.sent() == []


def test_everything_may_be_closed_twice_and_after_the_engine() -> None:
    sim = Simulation(seed=92)
    stage = sim.publish([camera()])
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(0.2)
    things: list[Sink | Track | Connection] = [seat.sinks[0], stage.tracks["v"], stage.line.native, seat.line.native]
    for thing in things:
        thing.close()
        thing.close()
    sim.engine.close()
    for thing in things:
        thing.close()
    sim.engine.close()
    assert seat.sinks[0].stats() == {}
    assert stage.line.native.stats() == {}
    assert stage.tracks["v"].layers() == []
    with pytest.raises(RuntimeError):
        stage.line.native.send_to(address_from(0, "10.0.0.1", 1))
    with pytest.raises(RuntimeError):
        Connection(sim.engine)


def test_closing_the_engine_first_leaves_nothing_that_hurts_later() -> None:
    sim = Simulation(seed=93)
    stage = sim.publish(simulcast(), declare=False)
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(0.3)
    sim.engine.close()
    seat.sinks[0].close()
    stage.tracks["v"].close()
    seat.line.native.close()
    del sim, stage, seat
    gc.collect()


def test_a_closed_track_leaves_its_sinks_parked_and_fit_for_another() -> None:
    sim = Simulation(seed=94)
    one, two = sim.publish([camera(source=1)]), sim.publish([camera(source=2)])
    sim.run(0.3)
    seat = sim.subscribe([one.tracks["v"]])
    sim.run(0.3)
    one.tracks["v"].close()
    sim.run(0.3)
    seat.sinks[0].attach(two.tracks["v"])
    sim.run(0.5)
    assert seat.stream.shown[-1].source == 2
    with pytest.raises(RuntimeError):
        seat.sinks[0].attach(one.tracks["v"])


def test_a_track_may_be_fed_by_another_connection_and_goes_on() -> None:
    sim = Simulation(seed=95)
    first = sim.publish([camera(source=1)])
    second = sim.publish([camera(source=1, sequence=1010, timestamp=9)])
    seat = sim.subscribe([first.tracks["v"]])
    sim.run(0.5)
    second.tracks = first.tracks
    sim.describe(second, "v")
    second.peer.layers[0].wants_key = True
    first.line.native.close()
    sim.run(1.2)
    assert seat.stream.shown[-1].at > sim.now - 0.1
    assert seat.stream.longest_freeze(sim.now) < 0.3
    assert seat.peer.srtp.refused == 0


def test_a_track_that_changes_its_section_is_fed_by_the_new_one_only() -> None:
    sim = Simulation(seed=96)
    stage = sim.publish([camera()])
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(0.3)
    layer = stage.peer.layers[0]
    stage.line.native.receive_track(
        stage.tracks["v"], mid="w", payloads={96: (CodecId.VP8, 90000)}, retransmissions={97: 96}
    )
    layer.mid, layer.wants_key = "w", True
    sim.run(0.5)
    assert seat.stream.shown[-1].at > sim.now - 0.1
    stage.tracks["v"].close()
    sim.run(0.3)
    assert sim.engine.stats()["dropped_unknown_ssrc"] > 20


def test_the_path_in_use_is_not_forgotten_however_many_addresses_are_allowed() -> None:
    sim = Simulation(seed=97)
    stage = sim.publish([camera()])
    seat = sim.subscribe([stage.tracks["v"]])
    for port in range(6000, 6030):
        stage.line.native.allow(address_from(0, "10.9.9.9", port))
    sim.run(0.5)
    assert len(seat.stream.shown) >= 12
    stage.line.native.allow(address_from(0, "10.9.9.9", 6000))
    assert sim.engine.stats()["dropped_unknown_address"] == 0


def test_an_address_may_change_hands_and_come_back() -> None:
    sim = Simulation(seed=98)
    stage, other = sim.publish([camera()]), sim.publish([camera(source=2)])
    sim.run(0.1)
    other.line.native.allow(stage.line.address)
    sim.run(0.1)
    assert sim.engine.stats()["dropped_unauthentic"] + sim.engine.stats()["dropped_unknown_ssrc"] > 5
    stage.line.native.allow(stage.line.address)
    other.line.native.close()
    before = stage.tracks["v"].layers()[0]["packets"]
    sim.run(0.5)
    assert stage.tracks["v"].layers()[0]["packets"] >= before + 50


def test_a_layers_first_packet_is_told_once() -> None:
    sim = Simulation(seed=99)
    stage = sim.publish(simulcast(CodecId.VP9), declare=False)
    sim.run(0.5)
    layers = [event for event in sim.engine.poll() if event[0] == EventKind.LAYER]
    track = stage.tracks["v"].id
    assert sorted(layers) == [(EventKind.LAYER, track, layer, CodecId.VP9) for layer in range(3)]


def test_layers_tell_what_came() -> None:
    sim = Simulation(seed=100)
    stage = sim.publish(simulcast(), declare=False)
    sim.run(3)
    told = stage.tracks["v"].layers()
    assert [(t["layer"], t["width"], t["height"]) for t in told] == [(0, 1280, 720), (1, 640, 360), (2, 320, 180)]
    for entry, layer in zip(told, stage.peer.layers, strict=True):
        assert entry["packets"] == pytest.approx(layer.sent_packets, abs=8)
        assert entry["rate_bps"] == pytest.approx(layer.packets_per_frame * 30 * 8 * 970, rel=0.1)
        assert 0 <= entry["age"] < 0.05
        assert entry["jitter"] < 0.001


@pytest.mark.parametrize(("ip", "port"), [("192.0.2.1", 1), ("2001:db8::1", 65535), ("::1", 5000), ("0.0.0.0", 0)])
def test_addresses_are_read_as_they_were_written(ip: str, port: int) -> None:
    assert address_text(address_from(3, ip, port)) == (ip, port, "udp")


@pytest.mark.parametrize("arguments", [(0, "no.ip", 1), (0, "1.2.3.4", 65536), (99, "1.2.3.4", 1), (-1, "1.2.3.4", 1)])
def test_impossible_addresses_are_refused(arguments: tuple[int, str, int]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        address_from(*arguments)
