"""One stream of numbers for a subscriber, whatever happens to what it carries."""

import pytest

from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.sequence import timestamp_diff
from tests.support.continuity import assert_continuous, missing, time_error
from tests.support.link import Weather
from tests.support.rtp_peer import read_tag
from tests.support.rtp_publisher import Layer
from tests.support.simulation import Simulation, Stage, camera, microphone, simulcast

FRAME = 1 / 30


def sources_of(seat_stream_shown: list[int]) -> list[int]:
    """Without repetition: the order in which sources were shown."""
    return [s for i, s in enumerate(seat_stream_shown) if i == 0 or s != seat_stream_shown[i - 1]]


def sim_with_camera(**options: object) -> tuple[Simulation, Stage]:
    sim = Simulation(seed=11)
    stage = sim.publish([camera(**options)])  # type: ignore[arg-type]
    sim.run(0.5)
    return sim, stage


def test_numbers_go_on_through_loss_and_repair() -> None:
    sim = Simulation(seed=12)
    stage = sim.publish([camera()], up=Weather(loss=0.1))
    sim.run(0.2)
    seat = sim.subscribe(list(stage.tracks.values()), down=Weather(loss=0.1))
    sim.run(5)
    stage.line.up.weather = seat.line.down.weather = Weather()
    sim.run(1)
    assert_continuous(seat.stream)
    assert time_error(seat.stream) < 0.5  # the squeezed replay


@pytest.mark.parametrize("bits", [7, 15])
def test_picture_ids_go_on_when_the_slot_carries_another_track(bits: int) -> None:
    sim = Simulation(seed=13)
    one = sim.publish([camera(source=1, picture_id=120, picture_id_bits=bits)])
    two = sim.publish([camera(source=2, picture_id=3, timestamp=10**9, sequence=50000, picture_id_bits=bits)])
    sim.run(0.5)
    seat = sim.subscribe([one.tracks["v"]])
    sim.run(1)
    for stage in (two, one, two):
        seat.sinks[0].detach()
        sim.run(0.7)
        seat.sinks[0].attach(stage.tracks["v"])
        sim.run(1)
    assert_continuous(seat.stream)
    assert sources_of([s.source for s in seat.stream.shown]) == [1, 2, 1, 2]


def test_nothing_is_sent_while_a_slot_is_parked_and_time_goes_on_meanwhile() -> None:
    sim, stage = sim_with_camera()
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(1)
    seat.sinks[0].detach()
    sim.run(0.1)
    before, last = len(seat.stream.packets), seat.stream.in_order()[-1]
    sim.run(3)
    assert len(seat.stream.packets) == before
    seat.sinks[0].attach(stage.tracks["v"])
    sim.run(1)
    following = seat.stream.packets[last.sequence + 1]
    assert timestamp_diff(following.timestamp, last.timestamp) / 90000 == pytest.approx(3.1, abs=0.1)


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.H264_BASELINE])
def test_layers_fall_and_climb_at_key_frames_and_times_stay_true(codec: CodecId) -> None:
    sim = Simulation(seed=14)
    layers = simulcast(codec)
    stage = sim.publish(layers, declare=False)
    sim.run(0.5)
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(2)
    for wanted in (2, 0, 1, 0):
        seat.sinks[0].attach(stage.tracks["v"], wanted)
        sim.run(2.5)
    assert sources_of([s.source for s in seat.stream.shown]) == [1, 3, 1, 2, 1]
    assert_continuous(seat.stream, codec=codec)
    assert seat.stream.longest_freeze(sim.now) < 2.1 * FRAME
    assert max(len(layer.plis) for layer in layers) <= 5


def test_times_of_layers_are_aligned_by_their_reports_however_late_a_layer_travels() -> None:
    sim = Simulation(seed=15)
    stage = sim.publish(simulcast(), declare=False, up=Weather(delay=0.02, jitter=0.03))
    sim.run(1.5)
    seat = sim.subscribe([stage.tracks["v"]], layer=2)
    sim.run(0.5)
    seat.stream.packets.clear()
    for wanted in (0, 2, 1, 0):
        seat.sinks[0].attach(stage.tracks["v"], wanted)
        sim.run(2)
    assert time_error(seat.stream) < 0.002


def test_a_layer_that_stops_is_replaced_by_the_next_one_and_taken_again_when_it_is_back() -> None:
    sim = Simulation(seed=16)
    layers = simulcast()
    stage = sim.publish(layers, declare=False)
    sim.run(0.5)
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(2)
    layers[0].asleep = True
    sim.run(3)
    layers[0].asleep, layers[0].wants_key = False, True
    sim.run(3)
    assert sources_of([s.source for s in seat.stream.shown]) == [1, 2, 1]
    assert seat.stream.longest_freeze(sim.now) < 0.6 + 0.15  # until it counts as stopped
    assert_continuous(seat.stream)


def test_a_muted_camera_sends_nothing_and_comes_back_with_a_key_frame() -> None:
    sim, stage = sim_with_camera()
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(1)
    stage.tracks["v"].mute(True)
    sim.run(0.1)
    count, plis = len(seat.stream.packets), len(stage.peer.layers[0].plis)
    sim.run(5)
    assert len(seat.stream.packets) == count
    assert len(stage.peer.layers[0].plis) == plis, "nobody needs a key frame of what is muted"
    stage.tracks["v"].mute(False)
    sim.run(1)
    assert_continuous(seat.stream)
    assert len(seat.stream.packets) > count + 80
    assert sim.engine.stats()["dropped_muted"] > 500


def test_a_muted_microphone_leaves_no_gap() -> None:
    sim = Simulation(seed=17)
    stage = sim.publish([microphone(level=30)])
    sim.run(0.2)
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"])
    sim.run(1)
    stage.tracks["a"].mute(True)
    sim.run(2)
    stage.tracks["a"].mute(False)
    sim.run(1)
    assert_continuous(seat.stream, codec=CodecId.OPUS)
    assert time_error(seat.stream, CodecId.OPUS) < 0.025
    assert len(seat.stream.packets) == pytest.approx(100, abs=4)


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.OPUS])
def test_a_publisher_may_start_over_with_another_ssrc(codec: CodecId) -> None:
    sim = Simulation(seed=18)
    video = codec == CodecId.VP8
    layer = camera() if video else microphone()
    stage = sim.publish([layer], declare=False)
    sim.run(0.2)
    seat = sim.subscribe(list(stage.tracks.values()), kinds=["video" if video else "audio"])
    sim.run(1)
    layer.ssrc, layer.repair_ssrc = 77001, 77002
    layer.sequence, layer.timestamp, layer.picture_id, layer.wants_key = 41000, 3 * 10**9, 2000, True
    layer.history.clear()
    sim.run(2)
    assert_continuous(seat.stream, codec=codec)
    assert seat.stream.in_order()[-1].at > sim.now - 0.1
    assert time_error(seat.stream, codec) < 0.5


def test_a_straggler_of_the_old_ssrc_does_not_take_the_layer_back() -> None:
    sim = Simulation(seed=19)
    layer = camera()
    stage = sim.publish([layer], declare=False)
    seat = sim.subscribe(list(stage.tracks.values()))
    sim.run(1)
    old = camera(sequence=layer.sequence, repair_sequence=50, frame=10_000)
    layer.ssrc, layer.sequence, layer.wants_key = 77001, 41000, True
    sim.run(0.2)
    stage.peer.send_frame(old, sim.now)
    sim.run(1)
    assert stage.tracks["v"].layers()[0]["ssrc"] == 77001
    assert_continuous(seat.stream)
    assert all(read_tag(p.payload).frame < 10_000 for p in seat.stream.in_order())
    assert seat.stream.longest_freeze(sim.now) < 0.2


def test_padding_on_the_media_ssrc_closes_the_gap() -> None:
    sim, stage = sim_with_camera()
    seat = sim.subscribe([stage.tracks["v"]])
    layer = stage.peer.layers[0]

    def pad() -> None:
        for _ in range(5):
            stage.peer.send_padding(layer, sim.now)

    sim.every(0.21, pad, start=sim.now + 0.01)
    sim.run(5)
    assert_continuous(seat.stream)
    assert all(p.payload for p in seat.stream.in_order())
    assert len(seat.stream.shown) >= 145


def test_padding_that_comes_late_leaves_no_hole_that_nobody_can_fill() -> None:
    sim = Simulation(seed=20)
    stage = sim.publish([camera()], up=Weather(loss=0.1, reordered=0.2, held_up=0.02))
    sim.run(0.5)
    seat = sim.subscribe([stage.tracks["v"]], down=Weather(loss=0.05))
    layer = stage.peer.layers[0]
    sim.every(0.05, lambda: stage.peer.send_padding(layer, sim.now), start=sim.now + 0.01)
    sim.run(5)
    stage.line.up.weather = seat.line.down.weather = Weather()
    sim.run(1)
    assert_continuous(seat.stream)
    assert seat.stream.given_up == []
    assert seat.stream.plis == []


def fast(sequence: int) -> Layer:
    return camera(packets_per_frame=40, size=150, sequence=sequence)


def test_more_packets_than_a_number_can_count_pass_both_ways() -> None:
    sim = Simulation(seed=21)
    layer = fast(65000)
    stage = sim.publish([layer], start=False)
    seat = sim.subscribe(list(stage.tracks.values()), up=Weather(delay=0.001), down=Weather(delay=0.001, loss=0.002))
    sim.every(0.01, lambda: stage.peer.send_frame(layer, sim.now))
    sim.run(1.05 * 2**16 / 40 * 0.01)
    highest = max(seat.stream.packets)
    assert highest - min(seat.stream.packets) > 2**16
    assert seat.peer.srtp.refused == 0
    assert [s for s in missing(seat.stream) if s < highest - 200] == []
    assert len(seat.stream.shown) >= layer.frame - 5


@pytest.mark.parametrize("video", [True, False])
def test_a_sender_who_leaves_out_numbers_does_not_lose_its_subscribers(video: bool) -> None:
    """Each time nearly as many as a receiver can follow, with losses in between: it could not authenticate any more."""
    sim = Simulation(seed=22)
    layer = camera() if video else microphone()
    stage = sim.publish([layer])
    seat = sim.subscribe(list(stage.tracks.values()), kinds=["video" if video else "audio"], down=Weather(loss=0.3))
    for _ in range(12):
        sim.run(0.5)
        layer.sequence, layer.wants_key = (layer.sequence + 30000) & 0xFFFF, True
        layer.history.clear()
    sim.run(1)
    assert seat.peer.srtp.refused == 0
    assert seat.stream.in_order()[-1].at > sim.now - 0.2
    assert max(seat.stream.packets) - min(seat.stream.packets) < 4000
