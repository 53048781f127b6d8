"""Who speaks, by what their sound says."""

import itertools
from collections.abc import Callable, Mapping

import pytest

from mediaserver.rtp.speakers import MAX_CHANGES, TELL_EVERY, Speaker, Speakers, level_of

EVERY = 0.1
LOUD, SOFT, HUM = 15, 30, 55  # -dBov
Told = list[tuple[float, tuple[Speaker, ...]]]
Line = Callable[[float], int | None]
"""-dBov of a voice at a time; None: nothing is said."""


def talks(since: float, until: float, level: int = LOUD) -> Line:
    return lambda now: level if since <= now < until else None


def in_turns(length: float, first: bool, level: int = LOUD) -> Line:
    return lambda now: level if (int(now / length + 1e-6) % 2 == 0) is first else None


def follow(people: Mapping[str, Line], seconds: float, speakers: Speakers | None = None) -> Told:
    """What is told, with times. In silence a client sends now and then a packet without voice."""
    speakers = speakers or Speakers()
    told: Told = []
    for n in range(round(seconds / EVERY)):
        now = n * EVERY
        for name, line in people.items():
            level = line(now)
            if level is not None:
                speakers.heard(name, 5, 5, level, now)
            elif n % 4 == 0:
                speakers.heard(name, 1, 0, 127, now)
        if (changed := speakers.update(now)) is not None:
            told.append((now, changed))
    return told


def names(told: Told) -> list[list[str]]:
    """Without repetitions."""
    lists = [[each.id for each in speakers] for _, speakers in told]
    return [each for n, each in enumerate(lists) if n == 0 or each != lists[n - 1]]


@pytest.mark.parametrize(("dbov", "level"), [(0, 1.0), (10, 1.0), (35, 0.5), (60, 0.0), (127, 0.0)])
def test_levels_go_from_silence_to_one(dbov: int, level: float) -> None:
    assert level_of(dbov) == level


def test_in_silence_nothing_is_told() -> None:
    assert follow({"a": talks(9, 9), "b": talks(9, 9)}, 5.0) == []


def test_a_voice_counts_after_a_moment_and_for_a_while() -> None:
    told = follow({"a": talks(1.0, 3.0)}, 6.0)
    assert names(told) == [["a"], []]
    assert 1.1 <= told[0][0] <= 1.4
    assert 3.5 <= told[-1][0] <= 4.5


def test_a_cough_is_no_voice() -> None:
    assert follow({"a": talks(1.0, 1.15)}, 4.0) == []


def test_humming_below_the_threshold_is_no_voice() -> None:
    speakers = Speakers()
    for n in range(50):
        speakers.heard("a", 5, 0, HUM, n * EVERY)
        assert speakers.update(n * EVERY) is None


def test_a_loud_sound_counts_although_the_client_never_marks_a_voice() -> None:
    speakers = Speakers()
    told = None
    for n in range(10):
        speakers.heard("a", 5, 0, SOFT, n * EVERY)
        told = speakers.update(n * EVERY) or told
    assert told is not None
    assert [each.id for each in told] == ["a"]


def test_the_louder_one_comes_first() -> None:
    told = follow({"a": talks(0.0, 9.0, SOFT), "b": talks(2.0, 9.0, LOUD)}, 6.0)
    assert names(told) == [["a"], ["a", "b"], ["b", "a"]] or names(told) == [["a"], ["b", "a"]]
    levels = [each.level for each in told[-1][1]]
    assert levels == sorted(levels, reverse=True)


@pytest.mark.parametrize("turn", [0.1, 0.2, 0.3])
def test_people_who_talk_in_fast_turns_keep_their_places(turn: float) -> None:
    told = follow({"a": in_turns(turn, True), "b": in_turns(turn, False)}, 20.0)
    settled = names([each for each in told if each[0] > 3.0])
    assert len(settled) <= 1
    assert all(len(each) == 2 for each in settled)


def test_slow_turns_are_followed() -> None:
    told = follow({"a": in_turns(4.0, True), "b": in_turns(4.0, False)}, 16.0)
    first = [speakers[0].id for _, speakers in told if speakers]
    assert [each for n, each in enumerate(first) if n == 0 or each != first[n - 1]] == ["a", "b", "a", "b"]


def test_nothing_is_told_more_than_five_times_a_second() -> None:
    people = {name: in_turns(0.7 + n / 10, n % 2 == 0, LOUD + 5 * n) for n, name in enumerate("abcdef")}
    times = [at for at, _ in follow(people, 20.0)]
    assert len(times) > 20
    assert min(b - a for a, b in itertools.pairwise(times)) >= TELL_EVERY - 1e-9


def test_an_even_voice_is_told_once_or_twice() -> None:
    assert len(follow({"a": talks(0.0, 30.0)}, 25.0)) <= 4


def test_voices_begin_and_end_no_more_than_five_times_a_second() -> None:
    speakers = Speakers()
    changes: list[tuple[float, str, bool]] = []
    for n in range(100):
        now = n * EVERY
        for k in range(12):
            if 1.0 <= now < 4.0:
                speakers.heard(f"{k}", 5, 5, LOUD, now)
        speakers.update(now)
        changes += [(now, who, on) for who, on in speakers.voices(now)]
    for at, _, _ in changes:
        assert sum(at <= other < at + 1.0 for other, _, _ in changes) <= MAX_CHANGES
    for k in range(12):
        assert [on for _, who, on in changes if who == f"{k}"] == [True, False]


def test_whoever_leaves_is_gone_at_once() -> None:
    speakers = Speakers()
    follow({"a": talks(0.0, 9.0), "b": talks(0.0, 9.0)}, 3.0, speakers)
    speakers.left("a")
    speakers.left("nobody")
    assert [each.id for each in speakers.update(3.2) or ()] == ["b"]
    assert speakers.voices(3.2) in ([("b", True)], [])


def test_the_last_who_spoke_come_first_and_stay_while_others_are_silent() -> None:
    speakers = Speakers()
    people = {"a": talks(0.0, 2.0), "b": talks(3.0, 5.0), "c": talks(6.0, 8.0)}
    follow(people, 12.0, speakers)
    assert speakers.last(2, ["a", "b", "c", "d", "e"]) == ["c", "b"]
    assert speakers.last(9, ["d", "a", "e", "b", "c"]) == ["c", "b", "a", "d", "e"]
    assert speakers.last(1, ["a", "d"]) == ["a"]
    assert speakers.last(3, []) == []


def test_fast_turns_do_not_change_who_spoke_last() -> None:
    speakers = Speakers()
    people = {"a": in_turns(0.2, True), "b": in_turns(0.2, False)}
    follow(people, 5.0, speakers)
    first = speakers.last(1, ["a", "b"])
    for n in range(50, 100):
        now = n * EVERY
        for name, line in people.items():
            if (level := line(now)) is not None:
                speakers.heard(name, 5, 5, level, now)
        speakers.update(now)
        assert speakers.last(1, ["a", "b"]) == first
