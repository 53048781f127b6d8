"""Header extensions and headers as they leave: ids of the subscriber, values of the publisher."""

import pytest

from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import Extension
from tests.support.link import Weather
from tests.support.rtp_peer import read_tag
from tests.support.rtp_subscriber import Received
from tests.support.simulation import Simulation, camera, microphone

DESCRIPTORS = (b"\x80\x01\x02", b"\xc0\x00\x01" + bytes(range(40)), bytes(range(1, 17)))


@pytest.mark.parametrize("descriptor", DESCRIPTORS, ids=len)
@pytest.mark.parametrize("number", [4, 14, 15, 200])
def test_a_dependency_descriptor_passes_under_the_subscribers_id(descriptor: bytes, number: int) -> None:
    sim = Simulation(seed=81)
    stage = sim.publish([camera(CodecId.AV1, descriptor=descriptor)])
    seat = sim.subscribe([stage.tracks["v"]], extensions={Extension.DEPENDENCY_DESCRIPTOR: number})
    sim.run(0.5)
    assert len(seat.stream.shown) >= 13
    assert all(p.extensions == ((number, descriptor),) for p in seat.stream.in_order())


@pytest.mark.parametrize("level", [0, 30, 127, 0x80 | 5])
def test_an_audio_level_passes_under_the_subscribers_id(level: int) -> None:
    sim = Simulation(seed=82)
    stage = sim.publish([microphone(level=level)])
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"], extensions={Extension.AUDIO_LEVEL: 9})
    sim.run(0.3)
    assert len(seat.stream.packets) >= 13
    assert all(p.extensions == ((9, bytes([level])),) for p in seat.stream.in_order())


def test_extensions_that_were_not_negotiated_stay_behind() -> None:
    sim = Simulation(seed=83)
    stage = sim.publish([microphone(level=3), camera(descriptor=DESCRIPTORS[0])])
    seat = sim.subscribe([stage.tracks["a"], stage.tracks["v"]], kinds=["audio", "video"], extensions={})
    sim.run(0.3)
    assert all(p.extensions == () for stream in seat.peer.streams for p in stream.in_order())


def test_a_repair_carries_the_same_extensions_but_its_own_time() -> None:
    sim = Simulation(seed=84)
    stage = sim.publish([camera(CodecId.AV1, descriptor=DESCRIPTORS[1])])
    sim.run(0.2)
    seat = sim.subscribe([stage.tracks["v"]], down=Weather(loss=0.2))
    sim.run(2)
    repaired = [p for p in seat.stream.in_order() if p.repaired]
    assert len(repaired) > 20
    for packet in repaired:
        values = dict(packet.extensions)
        assert values[14] == DESCRIPTORS[1]
        assert abs(time_of(values[2]) - (packet.at - 0.02) % 64) < 0.01


def time_of(value: bytes) -> float:
    return int.from_bytes(value) / 2**18


def test_the_send_time_is_when_it_was_sent() -> None:
    sim = Simulation(seed=85)
    stage = sim.publish([camera()])
    sim.run(0.1)
    seat = sim.subscribe([stage.tracks["v"]], extensions={Extension.ABS_SEND_TIME: 1})
    sim.run(1)
    for packet in seat.stream.in_order():
        ((number, value),) = packet.extensions
        assert number == 1
        assert abs(time_of(value) - (packet.at - 0.02) % 64) < 0.001


def forwarded(codec: CodecId, **options: int) -> list[Received]:
    sim = Simulation(seed=86)
    layer = camera(codec, **options) if codec != CodecId.OPUS else microphone()  # type: ignore[arg-type]
    stage = sim.publish([layer])
    codecs: dict[int, tuple[int, int]] = {codec: (117, 118)}
    kind = "audio" if codec == CodecId.OPUS else "video"
    seat = sim.subscribe(list(stage.tracks.values()), kinds=[kind], codecs=codecs, down=Weather(loss=0.1))
    sim.run(1)
    sent = {(t.frame, t.part): p for p in layer.history.values() for t in [read_tag(p.payload)]}
    for packet in seat.stream.in_order():
        tag = read_tag(packet.payload)
        assert packet.payload_type in (117, 118)
        original = sent[tag.frame, tag.part]
        rewritten = {CodecId.VP8: 6, CodecId.VP9: 3}.get(codec, 0)  # bytes
        assert packet.payload[rewritten:] == original.payload[rewritten:]
    return seat.stream.in_order()


@pytest.mark.parametrize("codec", list(CODECS))
def test_payloads_pass_unchanged_but_for_the_numbers_of_vp8_and_vp9(codec: CodecId) -> None:
    assert len(forwarded(codec)) > 20


@pytest.mark.parametrize("size", [70, 100, 1150])
def test_short_and_long_vp8_payloads_pass(size: int) -> None:
    assert len(forwarded(CodecId.VP8, size=size)) > 50
