"""How loud the audio tracks are: added up by the core, told ten times a second (RFC 6464)."""

from struct import iter_unpack
from typing import NamedTuple

from mediaserver.native import LEVEL_RECORD, EventKind
from tests.support.simulation import Simulation, camera, microphone

VOICE = 0x80


class Level(NamedTuple):
    track: int
    packets: int
    voiced: int
    loudest: int
    mean: int


def told(sim: Simulation) -> list[list[Level]]:
    """The records of each event since the last time."""
    return [
        [Level(*each) for each in iter_unpack(LEVEL_RECORD, event[-1])]  # type: ignore[arg-type]
        for event in sim.engine.poll(10000)
        if event[0] == EventKind.LEVELS
    ]


def test_levels_of_all_tracks_come_together_ten_times_a_second() -> None:
    sim = Simulation(seed=95)
    loud, quiet = sim.publish([microphone(level=VOICE | 20)]), sim.publish([microphone(level=90)])
    sim.run(3)
    events = told(sim)
    assert 26 <= len(events) <= 31
    ids = {loud.tracks["a"].id, quiet.tracks["a"].id}
    assert all({level.track for level in event} == ids for event in events[1:-1])
    of_loud = [level for event in events for level in event if level.track == loud.tracks["a"].id]
    assert {(level.loudest, level.mean) for level in of_loud} == {(20, 20)}
    assert all(level.voiced == level.packets for level in of_loud)
    assert sum(level.packets for level in of_loud) in range(140, 151)
    of_quiet = [level for event in events for level in event if level.track == quiet.tracks["a"].id]
    assert {(level.voiced, level.loudest) for level in of_quiet} == {(0, 90)}


def test_the_loudest_and_the_mean_are_told() -> None:
    sim = Simulation(seed=96)
    stage = sim.publish([microphone(level=127)])
    layer = stage.peer.layers[0]
    sim.run(1.05)
    told(sim)
    for value in (10, 30, 50, 70, 90) * 10:
        layer.level = value
        sim.run(0.02)
    levels = [level for event in told(sim)[2:-1] for level in event]
    assert {level.loudest for level in levels} == {10}
    assert all(45 <= level.mean <= 55 for level in levels)


def test_silence_on_the_line_and_pictures_tell_nothing() -> None:
    sim = Simulation(seed=97)
    sim.publish([camera(level=5), microphone(level=None)])
    sim.run(1)
    assert told(sim) == []


def test_a_muted_track_has_no_level() -> None:
    sim = Simulation(seed=98)
    stage = sim.publish([microphone(level=5)])
    sim.run(0.5)
    stage.tracks["a"].mute(True)
    sim.run(0.3)
    told(sim)
    sim.run(1)
    assert told(sim) == []


def test_tracks_may_go_while_their_level_is_waiting() -> None:
    sim = Simulation(seed=99)
    stages = [sim.publish([microphone(level=5)]) for _ in range(5)]
    sim.run(0.53)
    told(sim)
    for stage in stages[1::2]:
        stage.tracks["a"].close()
    sim.run(0.5)
    left = {stage.tracks["a"].id for stage in stages[::2]}
    assert {level.track for event in told(sim) for level in event} == left


def test_three_hundred_speakers_fit_into_few_events() -> None:
    sim = Simulation(seed=100)
    stages = [sim.publish([microphone(level=i % 128)]) for i in range(300)]
    sim.run(0.35)
    assert {level.track for event in told(sim) for level in event} == {stage.tracks["a"].id for stage in stages}
