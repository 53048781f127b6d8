"""Temporal layers, and spatial layers of one stream: what a sink leaves out, and what a decoder sees of it."""

from itertools import pairwise

import pytest

from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import Extension
from tests.support import payloads
from tests.support.layered import PATTERN, LayeredCamera, layers_of
from tests.support.link import Weather
from tests.support.rtp_peer import Tag, read_tag
from tests.support.rtp_subscriber import Received
from tests.support.simulation import SUBSCRIBED_IDS, Seat, Simulation

TEMPORAL = [CodecId.VP8, CodecId.VP9, CodecId.AV1, CodecId.H264_BASELINE]
DESCRIPTOR_ID = SUBSCRIBED_IDS[Extension.DEPENDENCY_DESCRIPTOR]

SETTLED = 0.3  # seconds: everything sent has come, or come again


class Watching:
    """A layered camera and one who watches it."""

    def __init__(self, codec: CodecId, *, spatial: int = 1, loss: float = 0.0, key_mode: bool = False) -> None:
        self.codec = codec
        self.sim = Simulation(seed=91)
        self.camera = LayeredCamera(self.sim, codec, spatial, key_mode)
        self.camera.run(1)
        self.seat: Seat = self.sim.subscribe([self.track], down=Weather(delay=0.02, loss=loss))
        self.seat.stream.patience = 1e9  # it does not know layers, and would ask for key frames
        self.camera.layer.wants_key = False
        self.camera.run(8)

    @property
    def track(self):  # type: ignore[no-untyped-def]
        return self.camera.stage.tracks["v"]

    def want(self, layer: int = -1, temporal: int = -1) -> None:
        self.sim.run(SETTLED)
        self.seat.sinks[0].attach(self.track, layer, temporal)

    def packets(self, since: int = 0) -> list[Received]:
        """Those of picture `since` and later."""
        self.sim.run(SETTLED)
        return [p for p in self.seat.stream.in_order() if read_tag(p.payload).frame >= since]

    def tags(self, since: int = 0) -> list[Tag]:
        return [read_tag(p.payload) for p in self.packets(since)]


def aligned(watching: Watching) -> int:
    """Goes on to the end of a temporal pattern; the number of the next picture."""
    while watching.camera._since_key % len(PATTERN) != len(PATTERN) - 1:
        watching.camera.run(1)
    return watching.camera.sent


@pytest.mark.parametrize("codec", TEMPORAL)
@pytest.mark.parametrize("temporal", [0, 1, 2, -1])
def test_frames_above_the_wanted_temporal_layer_stay_behind(codec: CodecId, temporal: int) -> None:
    watching = Watching(codec)
    begin = aligned(watching)
    watching.want(temporal=temporal)
    watching.camera.run(16)
    wanted = [t for t in PATTERN if t <= temporal or temporal < 0] * 4
    assert [layer[2] for layer in layers_of(watching.tags(begin))] == wanted
    assert watching.seat.sinks[0].stats()["temporal"] == (-1 if temporal in (2, -1) else temporal)


@pytest.mark.parametrize("codec", TEMPORAL)
def test_more_temporal_layers_come_back_without_a_key_frame(codec: CodecId) -> None:
    watching = Watching(codec)
    watching.want(temporal=0)
    watching.camera.run(8)
    keys = len(watching.camera.layer.plis)
    begin = aligned(watching)
    watching.want()
    watching.camera.run(16)
    assert [layer[2] for layer in layers_of(watching.tags(begin))][-8:] == [*PATTERN] * 2
    assert len(watching.camera.layer.plis) == keys


@pytest.mark.parametrize("codec", TEMPORAL)
@pytest.mark.parametrize("loss", [0.0, 0.1], ids=["calm", "loss"])
def test_numbers_have_no_gaps_whatever_is_left_out(codec: CodecId, loss: float) -> None:
    watching = Watching(codec, loss=loss)
    for temporal in (0, 1, -1, 0, 2, 1):
        watching.want(temporal=temporal)
        watching.camera.run(11)
    watching.want()
    watching.camera.run(20)
    numbers = [p.sequence for p in watching.packets()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    times = [p.timestamp for p in watching.packets()]
    assert times == sorted(times)
    if codec == CodecId.VP8:
        assert_picture_ids_go_on(watching.packets())


def assert_picture_ids_go_on(packets: list[Received]) -> None:
    ids = []
    for packet in packets:
        info = payloads.read_payload(CodecId.VP8, packet.payload)
        assert info is not None
        ids.append((packet.timestamp, info.picture_id))
    frames = list(dict.fromkeys(ids))
    assert len({timestamp for timestamp, _ in frames}) == len(frames)
    assert all((b - a) & 0x7FFF == 1 for (_, a), (_, b) in pairwise(frames))


SVC = [
    pytest.param(CodecId.VP9, False, id="VP9 L3T3"),
    pytest.param(CodecId.AV1, False, id="AV1 L3T3"),
    pytest.param(CodecId.AV1, True, id="AV1 L3T3_KEY"),
]


@pytest.mark.parametrize(("codec", "key_mode"), SVC)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_spatial_layers_above_the_wanted_one_stay_behind(codec: CodecId, key_mode: bool, layer: int) -> None:
    watching = Watching(codec, spatial=3, key_mode=key_mode)
    begin = watching.camera.sent
    watching.want(layer=layer)
    watching.camera.run(8)
    top = 2 - layer
    needed = [top] if key_mode else list(range(top + 1))
    assert [s for _, s, _ in layers_of(watching.tags(begin))] == needed * 8
    assert watching.seat.sinks[0].stats()["layer"] == layer


@pytest.mark.parametrize(("codec", "key_mode"), SVC)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_last_packet_of_each_picture_is_marked(codec: CodecId, key_mode: bool, layer: int) -> None:
    watching = Watching(codec, spatial=3, key_mode=key_mode)
    marks: dict[int, bool] = {}
    begin = watching.camera.sent
    watching.want(layer=layer)
    watching.sim.on_sent = None
    received = watching.seat.peer.streams[0]
    take = received.take

    def noting(packet, now, *, repaired):  # type: ignore[no-untyped-def]
        take(packet, now, repaired=repaired)
        marks[received.highest or 0] = packet.marker

    received.take = noting  # type: ignore[method-assign]
    watching.camera.run(8)
    packets = watching.packets(begin)
    last = {p.timestamp: p.sequence for p in packets}
    assert len(last) == 8
    assert [s for s, mark in marks.items() if mark] == list(last.values())


@pytest.mark.parametrize(("codec", "key_mode"), SVC)
def test_a_higher_spatial_layer_is_taken_at_a_key_picture_that_is_asked_for(codec: CodecId, key_mode: bool) -> None:
    watching = Watching(codec, spatial=3, key_mode=key_mode)
    watching.want(layer=2)
    watching.camera.run(40)  # requests for key pictures come a second apart at least
    asked = len(watching.camera.layer.plis)
    begin = watching.camera.sent
    watching.want(layer=0)
    watching.camera.run(8)
    assert len(watching.camera.layer.plis) == asked + 1
    tags = watching.tags(begin)
    key = next(tag.frame for tag in tags if tag.key)
    assert {tag.source // 8 for tag in tags if tag.frame < key} == {0}
    assert {s for picture, s, _ in layers_of(tags) if picture == key} == {0, 1, 2}
    numbers = [p.sequence for p in watching.packets()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_each_spatial_layer_of_a_stream_is_listed_with_what_it_costs() -> None:
    watching = Watching(CodecId.VP9, spatial=3)
    watching.camera.run(80)
    layers = watching.track.layers()
    assert [layer["layer"] for layer in layers] == [0, 1, 2]
    assert [(layer["width"], layer["height"]) for layer in layers] == [(1280, 720), (640, 360), (320, 180)]
    rates = [float(layer["rate_bps"]) for layer in layers]
    assert rates[0] == pytest.approx(3 * rates[2], rel=0.1)
    assert rates[1] == pytest.approx(2 * rates[2], rel=0.1)
    assert layers[0]["fps"] == pytest.approx(30, abs=2)
    assert layers[0]["temporal_layers"] == 3


def test_frame_numbers_of_descriptors_go_on_when_the_slot_carries_another_track() -> None:
    watching = Watching(CodecId.AV1)
    other = LayeredCamera(watching.sim, CodecId.AV1)
    other.layer.picture_id = 7
    other.run(1)
    watching.seat.sinks[0].attach(other.stage.tracks["v"])
    other.run(8)
    numbers = []
    for packet in watching.seat.stream.in_order():
        number = int.from_bytes(dict(packet.extensions)[DESCRIPTOR_ID][1:3])
        numbers += [number] if number not in numbers[-1:] else []
    assert len(numbers) > 14
    assert all((b - a) & 0xFFFF == 1 for a, b in pairwise(numbers))


def test_a_layer_that_the_encoder_has_switched_off_is_not_waited_for() -> None:
    watching = Watching(CodecId.AV1, spatial=3, key_mode=True)
    watching.sim.run(SETTLED)
    watching.camera.quiet, watching.camera.active = (2,), 0b111111000
    begin = watching.camera.sent
    watching.camera.run(8)
    assert [s for _, s, _ in layers_of(watching.tags(begin))] == [1] * 8


@pytest.mark.parametrize("codec", TEMPORAL)
def test_a_replay_to_who_joins_late_leaves_layers_out(codec: CodecId) -> None:
    watching = Watching(codec)
    other = watching.sim.subscribe([watching.track], temporal=0)
    watching.camera.run(8)
    watching.sim.run(SETTLED)
    packets = other.stream.in_order()
    assert watching.sim.engine.stats()["packets_replayed_to_joiners"] > 0
    assert {read_tag(p.payload).source for p in packets} == {0}
    numbers = [p.sequence for p in packets]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    if codec == CodecId.VP8:
        assert_picture_ids_go_on(packets)
