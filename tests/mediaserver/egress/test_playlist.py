"""The playlist as players see it, and what it says of names they ask for."""

from itertools import pairwise

import pytest

from mediaserver.egress.playlist import KEPT, WINDOW, Playlist, beginning_name, part_name, segment_name

THIRD = 1 / 3
BEGAN = 1_772_440_200.25


def grown(parts: int, playlist: Playlist | None = None, *, per_segment: int = 6, at: float = BEGAN) -> Playlist:
    """So many more parts, six of a third of a second to a segment."""
    if playlist is None:
        playlist = Playlist(2.0, THIRD)
        playlist.begin()
    for n in range(parts):
        place = n % per_segment
        first, last = place == 0, place == per_segment - 1
        playlist.add(THIRD, at + n * THIRD, independent=first, first=first, last=last)
    return playlist


def test_the_list_of_a_stream_that_has_just_begun() -> None:
    assert grown(8).text().splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.001",
        "#EXT-X-PART-INF:PART-TARGET=0.3334",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        '#EXT-X-MAP:URI="1.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-02T08:30:00.250Z",
        '#EXT-X-PART:DURATION=0.33333,URI="0.0.m4s",INDEPENDENT=YES',
        *[f'#EXT-X-PART:DURATION=0.33333,URI="0.{n}.m4s"' for n in range(1, 6)],
        "#EXTINF:2.00000,",
        "0.m4s",
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-02T08:30:02.250Z",
        '#EXT-X-PART:DURATION=0.33333,URI="1.0.m4s",INDEPENDENT=YES',
        '#EXT-X-PART:DURATION=0.33333,URI="1.1.m4s"',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="1.2.m4s"',
    ]


def test_the_window_rolls_and_only_the_newest_segments_have_parts() -> None:
    lines = grown(6 * 20 + 2).text().splitlines()
    assert "#EXT-X-MEDIA-SEQUENCE:14" in lines
    assert [line for line in lines if not line.startswith("#")] == [f"{n}.m4s" for n in range(14, 20)]
    assert '#EXT-X-MAP:URI="1.mp4"' in lines
    with_parts = {line.split('"')[1].split(".")[0] for line in lines if line.startswith("#EXT-X-PART:")}
    assert with_parts == {"17", "18", "19", "20"}


def test_without_parts_it_is_a_list_for_anybody() -> None:
    text = grown(6 * 3 + 2).text(parts=False)
    assert [line for line in text.splitlines() if "PART" in line or "SERVER" in line] == []
    assert text.count("#EXTINF") == 3


def test_another_file_is_a_discontinuity_that_is_remembered() -> None:
    playlist = grown(8)
    assert playlist.begin() == 2
    grown(6 * 2, playlist, at=BEGAN + 60)
    lines = playlist.text().splitlines()
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at - 2 : at + 2] == [
        "#EXTINF:0.66667,",
        "1.m4s",
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="2.mp4"',
    ]
    grown(6 * (WINDOW + 2), playlist, at=BEGAN + 90)
    lines = playlist.text().splitlines()
    assert "#EXT-X-DISCONTINUITY" not in lines
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1" in lines
    assert '#EXT-X-MAP:URI="2.mp4"' in lines


def test_a_file_that_was_replaced_before_it_had_a_part_is_no_discontinuity() -> None:
    playlist = Playlist(2.0, THIRD)
    playlist.begin()
    playlist.begin()
    assert "#EXT-X-DISCONTINUITY" not in grown(6, playlist).text().splitlines()


def test_the_end_completes_what_is_there() -> None:
    playlist = grown(8)
    playlist.end()
    lines = playlist.text().splitlines()
    assert lines[-3:] == ["#EXTINF:0.66667,", "1.m4s", "#EXT-X-ENDLIST"]
    assert not [line for line in lines if "PRELOAD" in line]
    assert playlist.has(99, 99)


def test_no_segment_is_longer_than_the_target_duration() -> None:
    playlist = grown(9, per_segment=9)
    assert "#EXT-X-TARGETDURATION:3" in playlist.text().splitlines()


@pytest.mark.parametrize(
    ("number", "part", "there"),
    [
        pytest.param(0, None, True, id="an old segment"),
        pytest.param(1, None, True, id="the newest segment"),
        pytest.param(2, None, False, id="one that is not complete"),
        pytest.param(2, 1, True, id="its newest part"),
        pytest.param(2, 2, False, id="its next part"),
        pytest.param(1, 5, True, id="the last part of a complete one"),
        pytest.param(1, 6, True, id="behind it: the first of the next"),
        pytest.param(3, 0, False, id="one that is to come"),
    ],
)
def test_what_is_listed(number: int, part: int | None, there: bool) -> None:
    assert grown(6 * 2 + 2).has(number, part) is there


def test_behind_the_last_part_of_a_complete_segment_comes_the_first_of_the_next() -> None:
    playlist = grown(6)
    assert not playlist.has(0, 6)
    playlist.add(THIRD, BEGAN + 2, independent=True, first=True, last=False)
    assert playlist.has(0, 6)


@pytest.mark.parametrize(("number", "far"), [(2, False), (3, False), (4, True)])
def test_who_asks_for_what_nobody_could_know_of_is_told_apart(number: int, far: bool) -> None:
    assert grown(6 * 2 + 2).is_far(number) is far


def test_what_was_listed_can_be_had_for_as_long_again() -> None:
    assert grown(6 * 20).oldest == 20 - WINDOW - KEPT


def test_positions_follow_each_other() -> None:
    playlist = Playlist(2.0, THIRD)
    playlist.begin()
    positions = [
        playlist.add(THIRD, BEGAN, independent=n % 6 == 0, first=n % 6 == 0, last=n % 6 == 5) for n in range(14)
    ]
    assert positions == [(n // 6, n % 6) for n in range(14)]
    assert all(a < b for a, b in pairwise(positions))
    assert playlist.next == (2, 2)


def test_names() -> None:
    assert (part_name((3, 1)), segment_name(3), beginning_name(1)) == ("3.1.m4s", "3.m4s", "1.mp4")
