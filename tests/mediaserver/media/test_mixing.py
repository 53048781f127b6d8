"""Sums of sound: who is in them, when, how loud, and never clipped."""

import numpy as np
import pytest

from mediaserver.media.mixing import BLOCK, CEILING, HELD, RATE, Limiter, Mixer, silence
from tests.support.pictures import loudness_of, tone

STEP = BLOCK / RATE


def mixed(mixer: Mixer, blocks: int, start: float = 0.0, but: str = "") -> np.ndarray:
    return np.concatenate([mixer.mix(start + index * STEP, but=but) for index in range(blocks)])


def test_silence_without_sources() -> None:
    assert not Mixer().mix(0.0).any()
    assert Mixer().mix(5.0, but=("a",)).shape == (BLOCK, 2)


def test_sound_is_heard_at_its_time_to_the_sample() -> None:
    mixer = Mixer()
    mixer.add("a", np.full((100, 2), 0.5, np.float32), 0.01)
    heard = mixed(mixer, 2)[:, 0]
    assert np.flatnonzero(heard).tolist() == list(range(480, 580))


@pytest.mark.parametrize(
    ("but", "heard"), [("", "abc"), ("a", "bc"), ("b", "ac"), ("x", "abc"), ("ac", "b"), ("abc", "")]
)
def test_each_hears_all_others(but: str, heard: str) -> None:
    mixer = Mixer()
    pitches = {"a": 400, "b": 800, "c": 1600}
    for name, pitch in pitches.items():
        mixer.add(name, tone(pitch, 0.0, RATE // 2), 0.0)
    sound = mixed(mixer, 25, but=but)
    for name, pitch in pitches.items():
        assert round(loudness_of(pitch, sound), 2) == (0.25 if name in heard else 0.0)


def test_the_same_block_can_be_asked_for_again() -> None:
    mixer = Mixer()
    mixer.add("a", tone(440, 0.0, loudness=2.0), 0.0)
    assert np.array_equal(mixer.mix(0.0), mixer.mix(0.0, but=("x",)))


def test_jitter_of_times_is_smoothed_over() -> None:
    mixer = Mixer()
    chance = np.random.default_rng(3)
    for index in range(50):
        at = index * STEP
        mixer.add("a", tone(440, at), at + 0.1 + chance.uniform(-0.008, 0.008))
    sound = mixed(mixer, 48, 0.12)
    steps = np.abs(np.diff(sound[:, 0]))
    assert steps.max() < 0.25 * 2 * np.pi * 440 / RATE * 1.2


def test_a_gap_is_silent_and_what_follows_is_in_its_place() -> None:
    mixer = Mixer()
    mixer.add("a", np.full((BLOCK, 2), 0.5, np.float32), 0.0)
    mixer.add("a", np.full((BLOCK, 2), 0.25, np.float32), 0.1)
    heard = mixed(mixer, 7)[:, 0].reshape(7, BLOCK)
    assert [float(block.mean()) for block in heard] == [0.5, 0, 0, 0, 0, 0.25, 0]


def test_a_source_that_jumps_back_replaces_what_it_brought() -> None:
    mixer = Mixer()
    mixer.add("a", np.full((RATE, 2), 0.5, np.float32), 0.0)
    mixer.add("a", np.full((BLOCK, 2), 0.25, np.float32), 0.1)
    heard = mixed(mixer, 8)[:, 0].reshape(8, BLOCK)
    assert [float(block.mean()) for block in heard] == [0.5] * 5 + [0.25, 0.0, 0.0]


def test_what_comes_too_late_is_lost() -> None:
    mixer = Mixer()
    mixer.mix(1.0)
    mixer.add("a", np.full((BLOCK * 2, 2), 0.5, np.float32), 1.0)
    mixer.add("b", np.full((BLOCK, 2), 0.5, np.float32), 0.2)
    heard = mixed(mixer, 2, 1.0 + STEP)[:, 0].reshape(2, BLOCK)
    assert [float(block.mean()) for block in heard] == [0.5, 0.0]


def test_what_is_far_ahead_is_bounded() -> None:
    mixer = Mixer()
    mixer.mix(0.0)
    mixer.add("a", np.full((HELD * 3, 2), 0.5, np.float32), STEP)
    heard = mixed(mixer, 110, STEP)[:, 0]
    assert np.count_nonzero(heard) == HELD


def test_a_long_conversation_goes_on_in_place() -> None:
    mixer = Mixer()
    for index in range(1000):
        at = 3600 + index * STEP
        mixer.add("a", tone(440, at), at)
        sound = mixer.mix(at)
    assert np.allclose(sound, tone(440, at), atol=1e-3)


def test_gains_change_smoothly() -> None:
    mixer = Mixer()
    mixer.add("a", np.full((RATE, 2), 0.5, np.float32), 0.0)
    mixer.mix(0.0)
    mixer.gains = {"a": 0.0}
    fading = mixer.mix(STEP)[:, 0]
    assert np.all(np.diff(fading) <= 0)
    assert (round(float(fading[0]), 2), round(float(fading[-1]), 2)) == (0.5, 0.0)
    assert not mixer.mix(2 * STEP).any()


def test_a_source_that_is_removed_is_silent() -> None:
    mixer = Mixer()
    mixer.add("a", tone(440, 0.0, RATE), 0.0)
    mixer.remove("a")
    assert not mixer.mix(0.0).any()


def test_quiet_sound_is_left_as_it_is() -> None:
    block = tone(440, 0.0, loudness=0.8)
    assert np.array_equal(Limiter().limit(block), block)


@pytest.mark.parametrize("loudness", [1.0, 2.0, 10.0])
def test_loud_sums_never_clip_and_keep_their_pitch(loudness: float) -> None:
    limiter = Limiter()
    blocks = [limiter.limit(tone(440, index * STEP, loudness=loudness)) for index in range(50)]
    assert max(float(np.abs(block).max()) for block in blocks) <= 1.0
    settled = np.concatenate(blocks[-10:])
    assert abs(loudness_of(440, settled) - CEILING) < 0.02
    assert loudness_of(1320, settled) < 0.01


def test_after_a_loud_moment_loudness_comes_back() -> None:
    limiter = Limiter()
    limiter.limit(tone(440, 0.0, loudness=4.0))
    for _ in range(60):
        block = limiter.limit(tone(440, 0.0, loudness=0.5))
    assert np.allclose(block, tone(440, 0.0, loudness=0.5), atol=0.01)


def test_limiting_changes_nothing_it_was_given() -> None:
    block = tone(440, 0.0, loudness=4.0)
    before = block.copy()
    Limiter().limit(block)
    assert np.array_equal(block, before)
    assert silence().shape == (BLOCK, 2)
