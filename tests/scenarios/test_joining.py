"""Late joiners: a picture at once from what is kept since the last key frame, or after one request for everybody."""

from functools import partial
from itertools import pairwise

import pytest

from mediaserver.rtp import rtcp
from mediaserver.rtp.sequence import timestamp_diff
from tests.support.continuity import assert_continuous
from tests.support.link import Weather
from tests.support.simulation import Seat, Simulation, camera, simulcast

ROUND_TRIP = 0.04


def first_frame_delay(seat: Seat, joined_at: float) -> float:
    return seat.stream.shown[0].at - joined_at


def test_a_late_joiner_sees_a_picture_at_once_and_catches_up() -> None:
    sim = Simulation(seed=31)
    stage = sim.publish([camera()])
    sim.run(0.9)
    joined = sim.now
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(2)
    assert first_frame_delay(seat, joined) < ROUND_TRIP
    assert stage.peer.layers[0].plis == []
    assert_continuous(seat.stream)
    shown = [s for s in seat.stream.shown if s.captured < joined - 0.05]
    assert len(shown) >= 25
    squeezed = timestamp_diff(shown[-1].timestamp, shown[0].timestamp) / 90000
    assert squeezed < (shown[-1].captured - shown[0].captured) / 16, "nothing waits for the past to be played"


def test_after_the_replay_time_passes_as_it_does_for_the_publisher() -> None:
    sim = Simulation(seed=32)
    stage = sim.publish([camera()])
    sim.run(0.9)
    joined = sim.now
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(2)
    live = [s for s in seat.stream.shown if s.captured > joined]
    for a, b in pairwise(live):
        assert timestamp_diff(b.timestamp, a.timestamp) / 90000 == pytest.approx(b.captured - a.captured, abs=0.001)


def test_a_joiner_with_losses_gets_the_replay_repaired() -> None:
    sim = Simulation(seed=33)
    stage = sim.publish([camera()], up=Weather(loss=0.1))
    sim.run(0.9)
    joined = sim.now
    seat = sim.subscribe([stage.tracks["v"]], up=Weather(loss=0.1), down=Weather(loss=0.2))
    sim.run(1)
    assert first_frame_delay(seat, joined) < 0.3
    stage.line.up.weather = seat.line.up.weather = seat.line.down.weather = Weather()
    sim.run(1)
    assert_continuous(seat.stream)


def test_a_replay_is_never_longer_than_its_budget() -> None:
    for run in (0.5, 0.9, 1.3, 3.0):
        sim = Simulation(seed=34)
        stage = sim.publish([camera()])
        sim.run(run)
        sim.subscribe([stage.tracks["v"]])
        replayed = sim.engine.stats()["packets_replayed_to_joiners"]
        assert replayed <= 128
        assert (replayed == 0) == (run > 1.1)


def test_a_replay_of_large_packets_is_bounded_in_bytes() -> None:
    sim = Simulation(seed=35)
    stage = sim.publish([camera(size=1150, packets_per_frame=6)])
    sim.run(0.9)  # 162 packets would be too many; after 0.8 s of 1150 bytes it is the bytes
    sim.subscribe([stage.tracks["v"]])
    assert sim.engine.stats()["packets_replayed_to_joiners"] == 0


def test_one_request_goes_upstream_however_many_join_at_once() -> None:
    sim = Simulation(seed=36)
    stage = sim.publish([camera()])
    sim.run(5)
    joined = sim.now
    seats = [sim.subscribe([stage.tracks["v"]]) for _ in range(40)]
    sim.run(0.9)
    assert len(stage.peer.layers[0].plis) == 1
    assert all(first_frame_delay(seat, joined) < 0.2 for seat in seats)


def test_three_hundred_joins_in_ten_seconds_cost_at_most_one_key_frame_a_second_and_layer() -> None:
    sim = Simulation(seed=37)
    layers = [camera(packets_per_frame=5, size=500)]
    stage = sim.publish(layers)
    sim.run(3)
    joins: list[tuple[float, Seat]] = []

    def join() -> None:
        if len(joins) == 300:
            return
        seat = sim.subscribe([stage.tracks["v"]])
        joins.append((sim.now, seat))
        sim.at(sim.now + 1.1, seat.line.native.close)  # what is measured is joining

    sim.every(1 / 30, join)
    sim.run(12)
    assert len(joins) == 300
    delays = sorted(first_frame_delay(seat, at) for at, seat in joins if seat.stream.shown)
    assert all(b - a >= 0.99 for a, b in pairwise(layers[0].plis))
    assert len(delays) == 300
    assert delays[int(len(delays) * 0.95)] < 1.0


def test_a_joiner_begins_with_the_layer_that_has_media_and_climbs_later() -> None:
    sim = Simulation(seed=38)
    layers = simulcast()
    layers[0].asleep = True
    stage = sim.publish(layers, declare=False)
    sim.run(0.9)
    joined = sim.now
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(1)
    assert first_frame_delay(seat, joined) < ROUND_TRIP
    assert {s.source for s in seat.stream.shown} == {2}
    layers[0].asleep = False
    sim.run(1)
    assert seat.stream.shown[-1].source == 1


def test_a_sink_that_is_attached_before_it_has_a_path_gets_the_replay_when_it_has_one() -> None:
    sim = Simulation(seed=39)
    stage = sim.publish([camera()])
    sim.run(0.8)
    seat = sim.subscribe([stage.tracks["v"]], path=False)
    sim.run(0.1)
    assert sim.engine.stats()["packets_forwarded"] == 0
    seat.line.native.send_to(seat.line.address)
    joined = sim.now
    sim.run(1)
    assert first_frame_delay(seat, joined) < 0.04 + 2 * ROUND_TRIP
    assert stage.peer.layers[0].plis == []


def test_key_frames_are_asked_of_no_layer_that_nobody_watches() -> None:
    sim = Simulation(seed=40)
    layers = simulcast()
    stage = sim.publish(layers, declare=False, up=Weather(loss=0.05))
    sim.run(0.5)
    sim.subscribe([stage.tracks["v"]], layer=1)
    stage.tracks["v"].request_keyframe()
    for layer in layers:
        layer.history.clear()
    stage.peer.use_repair = False  # nothing can be repaired: holes are given up
    sim.run(10)
    assert layers[0].plis == layers[2].plis == []
    assert 1 <= len(layers[1].plis) <= 11


@pytest.mark.parametrize("asked", [1, 30])
def test_subscribers_who_keep_asking_do_not_move_the_publisher_more_than_once_a_second(asked: int) -> None:
    sim = Simulation(seed=41)
    stage = sim.publish([camera()])
    seats = [sim.subscribe([stage.tracks["v"]]) for _ in range(asked)]
    for seat in seats:
        sim.every(0.05, partial(seat.peer.ask, [rtcp.Pli(seat.peer.ssrc, seat.stream.ssrc)]))
    sim.run(5)
    plis = stage.peer.layers[0].plis
    assert 4 <= len(plis) <= 6
    assert all(b - a >= 0.99 for a, b in pairwise(plis))
