"""Sound and picture of everybody stay together on our clock, whatever their clocks and lines do."""

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.media.timeline import CLOCK_JUMP, JUMP, NTP_EPOCH, SenderClock, TrackClock, ntp_seconds

HOUR = 3600.0


@dataclass
class Person:
    """Somebody with a clock of their own: sound and picture, on a line with delay."""

    drift: float = 0.0
    offset: float = 12345.0
    """Of their clock to ours."""
    sound_drift: float = 0.0
    """Of the sound card to their clock."""
    delay: float = 0.04
    jitter: float = 0.0
    seed: int = 1
    clock: SenderClock = field(default_factory=SenderClock)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.tracks = {"audio": TrackClock(48000, self.clock), "video": TrackClock(90000, self.clock)}
        self.base = {"audio": 4_000_000_000, "video": 77}

    def timestamp(self, kind: str, at: float) -> int:
        rate = self.tracks[kind].rate * (1 + self.drift) * (1 + (self.sound_drift if kind == "audio" else 0.0))
        return (self.base[kind] + round(at * rate)) & 0xFFFFFFFF

    def arrival(self, at: float) -> float:
        return at + self.delay + self.random.random() * self.jitter

    def report(self, kind: str, at: float) -> None:
        sent = at * (1 + self.drift) + self.offset
        self.tracks[kind].report(self.timestamp(kind, at), sent, self.arrival(at))

    def time(self, kind: str, at: float) -> float:
        return self.tracks[kind].time(self.timestamp(kind, at), self.arrival(at))


def test_ntp_time_becomes_our_seconds() -> None:
    wall_offset = 1_700_000_000.0
    assert ntp_seconds(int((wall_offset + 25.5 + NTP_EPOCH) * 2**32), wall_offset) == pytest.approx(25.5, abs=1e-5)


def test_until_the_first_report_the_time_of_arrival_counts() -> None:
    person = Person()
    assert person.time("video", 10.0) == pytest.approx(10.04)
    assert person.time("video", 10.5) == pytest.approx(10.54)


def test_captured_together_stays_together_though_the_picture_takes_longer() -> None:
    person = Person()
    for at in (0.0, 1.0, 2.0):
        person.report("audio", at)
        person.report("video", at)
    sound = person.tracks["audio"].time(person.timestamp("audio", 2.5), 2.52)
    shown = person.tracks["video"].time(person.timestamp("video", 2.5), 2.7)
    assert shown == pytest.approx(sound, abs=0.002)


@pytest.mark.parametrize("drift", [100e-6, -100e-6])
@pytest.mark.parametrize("sound_drift", [100e-6, 0.0, -100e-6])
def test_an_hour_of_drift_is_followed_within_forty_milliseconds(drift: float, sound_drift: float) -> None:
    people = [Person(drift=drift, sound_drift=sound_drift, jitter=0.02, seed=1), Person(jitter=0.02, seed=2)]
    reference = [person.delay for person in people]
    at = 0.0
    while at < HOUR:
        for person in people:
            person.report("audio", at)
            person.report("video", at + 0.3)
            times = [person.time(kind, at + 0.7) for kind in ("audio", "video")]
            assert abs(times[0] - times[1]) <= 0.005, "lips and voice of one person"
            assert abs(times[0] - (at + 0.7) - reference[0]) <= 0.04, "and everybody else"
        at += 1.0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(-1e-4, 1e-4), st.floats(0.0, 0.06), st.floats(0.0, 0.3))
def test_time_never_runs_backwards_and_lips_stay_with_the_voice(
    seed: int, drift: float, jitter: float, lost_reports: float
) -> None:
    person, random = Person(drift=drift, jitter=jitter, seed=seed), Random(seed)
    before = float("-inf")
    for step in range(30 * 60):
        at = step / 30
        if step % 30 == 7 and random.random() >= lost_reports:
            person.report("video", at)
        if step % 30 == 22 and random.random() >= lost_reports:
            person.report("audio", at)
        time = person.time("video", at)
        assert time > before - JUMP
        before = time
        if step > 30 * 30:
            assert abs(time - person.time("audio", at)) <= 0.04


def test_a_small_correction_is_not_seen_and_a_large_one_is_made_at_once() -> None:
    for error, seen in ((0.05, False), (0.3, True)):
        clock = SenderClock()
        track = TrackClock(90000, clock)
        times = [track.time(round(i * 3000), i / 30 + error) for i in range(30)]
        track.report(90000, 1.0, 1.0)
        times += [track.time(i * 3000, i / 30) for i in range(30, 200)]
        steps = [b - a for a, b in pairwise(times)]
        assert (min(steps) < 0.02) == seen
        assert times[-1] == pytest.approx(199 / 30, abs=0.001)


def test_a_pause_without_reports_is_as_long_as_it_was() -> None:
    track = TrackClock(48000, SenderClock())
    assert track.time(0, 5.0) == 5.0
    assert track.time(960, 65.02) == pytest.approx(65.02), "the timestamps stood still"
    assert track.time(1920, 65.04) == pytest.approx(65.04)


def test_timestamps_wrap() -> None:
    track = TrackClock(90000, SenderClock())
    first = track.time(0xFFFFFF00, 1.0)
    assert track.time(0x100, 1.1) - first == pytest.approx(0x200 / 90000)


def test_a_clock_that_is_set_is_followed_at_once() -> None:
    clock = SenderClock()
    clock.heard(100.0, 1.0)
    clock.heard(101.0 + 2 * CLOCK_JUMP, 2.0)
    assert clock.offset == pytest.approx(-99.0 - 2 * CLOCK_JUMP)


def test_the_quickest_report_tells_the_offset() -> None:
    clock = SenderClock()
    for i in range(200):
        clock.heard(float(i), i + 0.04 + (0.2 if i % 3 else 0.0))
    assert clock.offset == pytest.approx(0.04, abs=0.001)
