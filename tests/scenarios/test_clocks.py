"""Sender reports: whatever the publisher's clock shows, its sound and its picture stay together."""

import pytest

from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.sequence import timestamp_diff
from tests.support.link import Weather
from tests.support.rtp_peer import read_tag
from tests.support.rtp_publisher import NTP_EPOCH, SenderClock
from tests.support.simulation import Seat, Simulation, camera, microphone, simulcast

IN_SYNC = 0.005  # seconds


def skew(seat: Seat, codecs: tuple[CodecId, CodecId]) -> float:
    """How much later the second stream's clock is than the first's, for what was captured at one moment."""
    told = []
    for stream, codec in zip(seat.peer.streams, codecs, strict=True):
        packet = [p for p in stream.in_order() if p.payload][-1]
        captured = read_tag(packet.payload).captured
        told.append(stream.ntp_of(packet.timestamp, CODECS[codec].clock_rate) - captured)
    return told[1] - told[0]


@pytest.mark.parametrize(
    "clock",
    [
        SenderClock(),
        SenderClock(offset=-3_000_000.0),
        SenderClock(offset=12345.678, drift=200e-6),
        SenderClock(offset=-0.25, drift=-500e-6),
    ],
    ids=["like ours", "weeks behind", "ahead and fast", "slow"],
)
def test_sound_and_picture_of_one_publisher_are_in_sync_within_5_ms(clock: SenderClock) -> None:
    sim = Simulation(seed=51)
    stage = sim.publish([microphone(), camera()], clock=clock, up=Weather(delay=0.03, jitter=0.02))
    sim.run(2.2)
    seat = sim.subscribe([stage.tracks["a"], stage.tracks["v"]], kinds=["audio", "video"])
    for _ in range(4):
        sim.run(2.3)
        assert abs(skew(seat, (CodecId.OPUS, CodecId.VP8))) < IN_SYNC


def test_they_stay_in_sync_when_the_layer_changes_and_after_a_mute() -> None:
    sim = Simulation(seed=52)
    stage = sim.publish([microphone(), *simulcast()], declare=False, clock=SenderClock(77.7, 300e-6))
    sim.run(1.5)
    seat = sim.subscribe([stage.tracks["a"], stage.tracks["v"]], kinds=["audio", "video"])
    sim.run(1)
    for wanted in (2, 0):
        seat.sinks[1].attach(stage.tracks["v"], wanted)
        sim.run(1.5)
        assert abs(skew(seat, (CodecId.OPUS, CodecId.VP8))) < IN_SYNC
    stage.tracks["a"].mute(True)
    sim.run(1)
    stage.tracks["a"].mute(False)
    sim.run(0.3)
    assert abs(skew(seat, (CodecId.OPUS, CodecId.VP8))) < IN_SYNC


def test_reports_are_in_our_wall_clock_and_count_what_was_sent() -> None:
    sim = Simulation(seed=53)
    stage = sim.publish([camera()], clock=SenderClock(offset=999.0))
    sim.run(0.3)
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(5)
    at, report = seat.stream.reports[-1]
    assert report.ntp / 2**32 - NTP_EPOCH == pytest.approx(sim.wall_offset + at, abs=0.1)
    before = [p for p in seat.stream.in_order() if p.at <= at]
    assert report.packets == pytest.approx(len(before), abs=4)
    assert report.octets == pytest.approx(sum(len(p.payload) for p in before), abs=4000)
    assert 4 <= len(seat.stream.reports) <= 7


def test_a_report_follows_a_switch_at_once() -> None:
    sim = Simulation(seed=54)
    stage = sim.publish(simulcast(), declare=False)
    sim.run(1.5)
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(1.6)
    seat.sinks[0].attach(stage.tracks["v"], 2)
    sim.run(0.3)
    switched = next(s for s in seat.stream.shown if s.source == 3)
    report_at, report = next((at, r) for at, r in seat.stream.reports if at >= switched.at)
    assert report_at - switched.at < 0.02
    assert abs(timestamp_diff(report.timestamp, switched.timestamp)) < 90000


@pytest.mark.parametrize("delay", [0.005, 0.02, 0.12])
def test_the_round_trip_is_computed_from_reports(delay: float) -> None:
    sim = Simulation(seed=55)
    stage = sim.publish([camera()])
    sim.run(0.3)
    line = Weather(delay=delay)
    seat = sim.subscribe([stage.tracks["v"]], up=line, down=line)
    sim.run(4)
    assert seat.sinks[0].stats()["round_trip"] == pytest.approx(2 * delay, abs=0.002)
    assert seat.line.native.stats()["round_trip"] == pytest.approx(2 * delay, abs=0.002)


def test_what_a_subscriber_reports_as_lost_is_in_the_sinks_statistics() -> None:
    sim = Simulation(seed=56)
    stage = sim.publish([camera()])
    sim.run(0.3)
    seat = sim.subscribe([stage.tracks["v"]], down=Weather(loss=0.2))
    sim.run(10)
    stats = seat.sinks[0].stats()
    assert 0.08 < stats["fraction_lost"] < 0.35
    assert stats["lost"] == pytest.approx(0.2 * stats["packets"], rel=0.3)
