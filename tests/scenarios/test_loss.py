"""Lossy lines: what is lost is asked for and sent again, and nobody sees it."""

import pytest

from mediaserver.rtp.codecs import CodecId
from tests.support.continuity import assert_continuous, missing
from tests.support.link import Weather
from tests.support.rtp_publisher import Layer
from tests.support.simulation import Simulation, camera

RAIN = Weather(delay=0.02, loss=0.05)  # each way: a round trip of 40 ms
LONGEST_FREEZE = 0.5  # seconds
MINUTE = 60.0


@pytest.mark.parametrize(
    ("codec", "seed"),
    [
        (CodecId.VP8, 1),
        (CodecId.VP8, 2),
        (CodecId.VP9, 3),
        (CodecId.H264_BASELINE, 4),
        (CodecId.AV1, 5),
    ],
)
def test_a_minute_of_video_over_a_line_that_loses_one_in_twenty_never_freezes_for_half_a_second(
    codec: CodecId, seed: int
) -> None:
    sim = Simulation(seed=seed)
    stage = sim.publish([camera(codec)], up=RAIN, down=RAIN)
    sim.run(0.3)
    seat = sim.subscribe(list(stage.tracks.values()), up=RAIN, down=RAIN)
    sim.run(MINUTE)
    assert seat.stream.longest_freeze(sim.now) <= LONGEST_FREEZE
    assert len(seat.stream.shown) >= MINUTE * 30 - 30
    assert len(stage.peer.layers[0].plis) <= 2
    assert_continuous(seat.stream, codec=codec, complete=False)
    assert all(s > max(seat.stream.packets) - 60 for s in missing(seat.stream))


def test_a_long_round_trip_is_not_taken_for_loss_and_needs_no_key_frames() -> None:
    far = Weather(delay=0.15, loss=0.03)
    sim = Simulation(seed=6)
    stage = sim.publish([camera()], up=far, down=far)
    sim.run(0.6)
    seat = sim.subscribe(list(stage.tracks.values()))
    seat.stream.patience = 1.0
    sim.run(20)
    assert stage.peer.layers[0].plis == []
    assert seat.stream.longest_freeze(sim.now) < 1.2
    (layer,) = stage.tracks["v"].layers()
    assert layer["nacked"] < 2.5 * layer["recovered"]


def test_reordered_and_doubled_packets_are_neither_lost_nor_sent_twice() -> None:
    odd = Weather(delay=0.02, reordered=0.05, held_up=0.003, duplicates=0.05)
    sim = Simulation(seed=7)
    stage = sim.publish([camera()], up=odd)
    sim.run(0.3)
    seat = sim.subscribe(list(stage.tracks.values()))
    sim.run(10)
    stats = sim.engine.stats()
    assert_continuous(seat.stream)
    assert seat.stream.duplicates == 0
    assert sim.watch.repeats == 0
    assert stats["dropped_replayed"] > 30
    assert stats["nacks_sent"] == 0


def quiet_layer(sequence: int) -> Layer:
    return camera(sequence=sequence, packets_per_frame=2)


@pytest.mark.parametrize("sequence", [65530, 65535, 0])
def test_holes_across_the_wrap_are_asked_for_and_filled(sequence: int) -> None:
    sim = Simulation(seed=8)
    stage = sim.publish([quiet_layer((sequence - 20) & 0xFFFF)], up=Weather(loss=0.25), down=Weather())
    sim.run(0.2)
    seat = sim.subscribe(list(stage.tracks.values()), sequence=32767 - 5)
    sim.run(3)
    assert len(seat.stream.shown) >= 85
    assert_continuous(seat.stream, complete=False)
    (layer,) = stage.tracks["v"].layers()
    assert layer["recovered"] > 20
    assert layer["lost"] <= 4  # what is on its way


def test_reports_to_the_publisher_tell_what_was_lost_before_it_was_repaired() -> None:
    sim = Simulation(seed=9)
    stage = sim.publish([camera()], up=Weather(loss=0.1))
    sim.subscribe(list(stage.tracks.values()))
    sim.run(30)
    fractions = [block.fraction_lost / 256 for _, block in stage.peer.reports]
    assert 0.07 < sum(fractions) / len(fractions) < 0.13
    assert stage.peer.reports[-1][1].lost == pytest.approx(stage.line.up.lost, rel=0.2)


def test_a_burst_too_long_to_repair_costs_one_key_frame() -> None:
    sim = Simulation(seed=10)
    stage = sim.publish([camera()])
    sim.run(0.3)
    seat = sim.subscribe(list(stage.tracks.values()))
    sim.run(2)
    stage.line.up.weather = Weather(loss=1.0)
    sim.run(2.5)
    stage.line.up.weather = Weather()
    back_at = sim.now
    sim.run(3)
    assert len([at for at in stage.peer.layers[0].plis if at > back_at]) == 1
    assert seat.stream.longest_freeze(sim.now) < 2.5 + 0.2
    assert_continuous(seat.stream, complete=False)
