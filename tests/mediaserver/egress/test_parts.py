"""A program that is cut: every picture and all sound are in it, in their time, and it is cut where it may be."""

from io import BytesIO
from itertools import pairwise

import av
import numpy as np
import pytest

from mediaserver.egress.cmaf import Run, Sample, fragment, sized_units
from mediaserver.egress.output import EncodedFrame
from mediaserver.egress.parts import PART, Beginning, Cutter, Part
from mediaserver.media.headers import AAC_CONFIG
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import pictures
from tests.support.hls import BEGAN, FPS, cut, files_of, heard, play, shown, strength, together


def parts_of(pieces: list[Beginning | Part]) -> list[Part]:
    return [piece for piece in pieces if isinstance(piece, Part)]


def test_every_picture_and_all_sound_come_out_in_their_time() -> None:
    (file,) = files_of(cut(together(shown(150), heard(5.0))))
    played = play(file)
    assert played.numbers == list(range(150))
    assert played.times == pytest.approx([i / FPS for i in range(150)], abs=1e-4)
    assert strength(played.sound, 440.0) == 1.0
    assert played.sound_at < 0.03
    assert len(played.sound) / 48000 == pytest.approx(5.0, abs=0.1)


def test_sound_stays_with_its_picture() -> None:
    """Silence, and from 2 s on a tone: it begins to be heard then."""
    played = play(files_of(cut(together(shown(120), heard(4.0, silent=2.0))))[0])
    loud = np.flatnonzero(np.abs(played.sound) > 0.2)
    assert played.sound_at + loud[0] / 48000 == pytest.approx(2.0, abs=0.03)


def test_segments_begin_with_key_frames_and_parts_are_a_third_of_a_second() -> None:
    parts = parts_of(cut(together(shown(150), heard(5.0))))
    assert [part.first for part in parts] == [True, *[False] * 5] * 2 + [True, False, False]
    assert [part.last for part in parts] == [*[False] * 5, True] * 2 + [False, False, True]
    assert [part.independent for part in parts] == [part.first for part in parts]
    assert [part.duration for part in parts] == pytest.approx([PART] * 15, abs=1e-4)
    assert [part.at for part in parts] == pytest.approx([BEGAN + i * PART for i in range(15)], abs=1e-4)


def test_each_segment_can_be_begun_with() -> None:
    pieces = cut(together(shown(150), heard(5.0)))
    begin, parts = pieces[0], parts_of(pieces)
    for start, first in ((6, 60), (12, 120)):
        played = play(begin.data + b"".join(part.data for part in parts[start:]))
        assert played.numbers[0] == first


@pytest.mark.parametrize(
    ("keys", "lengths"),
    [
        pytest.param((0, 60, 120), [2.0, 2.0, 1.0], id="every two seconds"),
        pytest.param((0, 30, 90), [1.0, 2.0, 2.0], id="and where somebody else has asked for one"),
    ],
)
def test_where_key_frames_cut(keys: tuple[int, ...], lengths: list[float]) -> None:
    key = shown(1)[0].data
    frames = [EncodedFrame(key, BEGAN + i / FPS, i in keys, 1 / FPS) for i in range(150)]
    parts = parts_of(cut(("video", frame) for frame in frames))
    starts = [part.at for part in parts if part.first] + [BEGAN + 5.0]
    assert [b - a for a, b in pairwise(starts)] == pytest.approx(lengths, abs=1e-4)


def test_pictures_that_are_left_out_leave_no_hole() -> None:
    frames = [frame for i, frame in enumerate(shown(150)) if i % 30 == 0 or not 61 <= i <= 119]
    (file,) = files_of(cut(together(frames, heard(5.0))))
    parts = parts_of(cut(together(frames, heard(5.0))))
    assert sum(part.duration for part in parts) == pytest.approx(5.0, abs=1e-3)
    assert max(part.duration for part in parts) == pytest.approx(1.0, abs=1e-3)
    assert play(file).times[-1] == pytest.approx(149 / FPS, abs=1e-3)


def test_where_time_jumps_another_file_begins_with_the_next_key_frame() -> None:
    before, after = shown(90), shown(150, began=BEGAN + 10.0)[30:]
    pieces = cut(together([*before, *after], []))
    first, second = files_of(pieces)
    assert len(play(first).numbers) == 90
    assert play(second).numbers == list(range(60, 150))
    assert play(second).times[0] == 0.0


def test_pictures_of_another_size_begin_another_file() -> None:
    wide = pictures(CodecId.H264_BASELINE, 30, (640, 360), 60)
    after = [EncodedFrame(data, BEGAN + 1 + i / FPS, key, 1 / FPS) for i, (data, key) in enumerate(wide)]
    files = files_of(cut(together([*shown(30), *after], heard(2.0))))
    sizes = []
    for file in files:
        with av.open(BytesIO(file)) as container:
            sizes.append((container.streams.video[0].width, container.streams.video[0].height))
    assert sizes == [(320, 180), (640, 360)]


def test_what_comes_before_the_first_key_frame_is_left_out() -> None:
    cutter = Cutter(AAC_CONFIG)
    for frame in heard(1.0):
        cutter.audio(frame)
    assert [piece for frame in shown(60)[1:] for piece in cutter.video(frame)] == []


def test_a_key_frame_that_nothing_can_be_learnt_from_begins_nothing() -> None:
    cutter = Cutter(AAC_CONFIG)
    assert list(cutter.video(EncodedFrame(b"\0\0\0\1\x65abc", BEGAN, True, 1 / FPS))) == []


def test_a_fragment_tells_where_each_sample_lies() -> None:
    data = fragment(7, [Run(1, 90_000, [Sample(b"abc", 3000), Sample(b"de", 3000, key=False)]), Run(2, 0, [])])
    size = int.from_bytes(data[:4])
    assert data[4:8] == b"moof"
    assert data[size + 4 : size + 8] == b"mdat"
    assert data[size + 8 :] == b"abcde"
    at = data.index(b"trun")
    assert int.from_bytes(data[at + 12 : at + 16]) == size + 8
    assert data.count(b"traf") == 1


def test_parameter_sets_stand_in_the_beginning_only() -> None:
    units = sized_units(shown(1)[0].data)
    kinds, at = [], 0
    while at < len(units):
        size = int.from_bytes(units[at : at + 4])
        kinds.append(units[at + 4] & 31)
        at += 4 + size
    assert set(kinds) <= {5, 6}
    assert at == len(units)
