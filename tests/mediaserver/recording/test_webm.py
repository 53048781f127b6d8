"""Files that any player reads, finished or cut off anywhere, on a full disk too; FFmpeg is the judge."""

import errno
import os
from functools import cache
from pathlib import Path

import av
import pytest

from mediaserver.media.depacketize import Depacketizer
from mediaserver.media.headers import codec_private, opus_head, picture_size
from mediaserver.recording.webm import Damaged, TrackHeader, WebmFile, extension
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import decoded, number_of, parts, pictures, tones

PICTURES = [CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE, CodecId.AV1]
SOUND = TrackHeader(CodecId.OPUS, opus_head())


def frames_of(codec: CodecId, count: int = 90, key_every: int = 30) -> list[tuple[bytes, bool]]:
    depacketizer = Depacketizer(codec)
    return [
        (frame.data, frame.key)
        for i, (data, key) in enumerate(pictures(codec, count, key_every=key_every))
        for payload, marker in parts(codec, data, key=key)
        for frame in depacketizer.push(payload, i * 3000, marker)
    ]


def header_of(codec: CodecId) -> TrackHeader:
    data, _ = frames_of(codec)[0]
    return TrackHeader(codec, codec_private(codec, data), *picture_size(codec, data))


def write(file: WebmFile, codec: CodecId, begin: int = 0, end: int = 90) -> None:
    """Frames 1/30 s apart, flushed each second as the worker does."""
    for i in range(begin, end):
        data, key = frames_of(codec)[i]
        file.write(0, i / 30, data, key=key)
        if i % 30 == 29:
            file.flush()


def shown(path: Path) -> list[tuple[float, int]]:
    """(seconds, number in the picture) of all that a player would show."""
    with av.open(str(path)) as container:
        return [(round(frame.time or 0.0, 2), number_of(frame)) for frame in container.decode(video=0)]


@cache
def numbers(codec: CodecId) -> list[int]:
    """What the pictures show after coding."""
    return [number_of(frame) for frame in decoded(codec, [data for data, _ in frames_of(codec)])]


def expected(end: int = 90, begin: int = 0, codec: CodecId = CodecId.VP8) -> list[tuple[float, int]]:
    return [(round(round(i / 30 * 1000) / 1000, 2), numbers(codec)[i]) for i in range(begin, end)]


@pytest.mark.parametrize("codec", PICTURES)
def test_a_finished_file_shows_every_picture_and_tells_its_duration(tmp_path: Path, codec: CodecId) -> None:
    path = tmp_path / f"a.{extension(codec)}"
    file = WebmFile.create(path, [header_of(codec)])
    write(file, codec)
    assert file.close() == pytest.approx(3.0, abs=0.01)
    assert shown(path) == expected(codec=codec)
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(3_000_000, abs=10_000)
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 180)
        assert ("matroska" in container.format.name) or ("webm" in container.format.name)


@pytest.mark.parametrize("codec", PICTURES)
def test_a_finished_file_can_be_sought_in(tmp_path: Path, codec: CodecId) -> None:
    path = tmp_path / f"a.{extension(codec)}"
    file = WebmFile.create(path, [header_of(codec)])
    write(file, codec)
    file.close()
    with av.open(str(path)) as container:
        container.seek(2_100_000)
        assert number_of(next(container.decode(video=0))) == 60


def test_sound_and_picture_in_one_file_keep_their_times(tmp_path: Path) -> None:
    file = WebmFile.create(tmp_path / "a.webm", [header_of(CodecId.VP8), SOUND])
    for i, (data, key) in enumerate(frames_of(CodecId.VP8)):
        file.write(0, i / 30, data, key=key)
        if i % 10 == 9:
            file.flush()
        for k in range(i * 5 // 3, (i + 1) * 5 // 3):
            file.write(1, k * 0.02, tones(3.0)[k], key=True)
    file.close()
    assert shown(tmp_path / "a.webm") == expected()
    with av.open(str(tmp_path / "a.webm")) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        assert [bytes(packet) for packet in packets] == list(tones(3.0))
        assert packets[50].pts == 1000
    with av.open(str(tmp_path / "a.webm")) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        assert samples == pytest.approx(3 * 48000, abs=1000)


@pytest.mark.parametrize("codec", PICTURES)
@pytest.mark.parametrize("flushed", [1, 2])
def test_a_file_that_nobody_finished_is_read_as_far_as_it_was_flushed(
    tmp_path: Path, codec: CodecId, flushed: int
) -> None:
    path = tmp_path / f"a.{extension(codec)}"
    file = WebmFile.create(path, [header_of(codec)])
    write(file, codec, 0, flushed * 30 + 20)
    file.abandon()
    assert shown(path) == expected(flushed * 30, codec=codec), "as it stands"
    assert WebmFile.resume(path).close() == pytest.approx(flushed, abs=0.01)
    assert shown(path) == expected(flushed * 30, codec=codec)
    with av.open(str(path)) as container:
        container.seek((flushed - 1) * 1_000_000 + 100_000)
        assert number_of(next(container.decode(video=0))) == (flushed - 1) * 30


def test_a_file_cut_anywhere_is_repaired_to_its_last_whole_second(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    file = WebmFile.create(path, [header_of(CodecId.VP8)])
    write(file, CodecId.VP8)
    file.abandon()
    whole = path.read_bytes()
    clusters = [at for at in range(len(whole)) if whole[at : at + 4] == b"\x1f\x43\xb6\x75"]
    assert len(clusters) == 3
    for cut in [*range(clusters[0], len(whole), 997), *clusters, len(whole) - 1]:
        path.write_bytes(whole[:cut])
        repaired = WebmFile.resume(path).close()
        seconds = sum(end <= cut for end in [*clusters[1:], len(whole)])
        assert repaired == pytest.approx(seconds, abs=0.02)
        if seconds:
            assert len(shown(path)) == seconds * 30


def test_a_file_is_written_on_after_it_was_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    file = WebmFile.create(path, [header_of(CodecId.VP8)])
    write(file, CodecId.VP8, 0, 45)
    file.abandon()
    again = WebmFile.resume(path)
    assert again.duration == pytest.approx(1.0, abs=0.01)
    write(again, CodecId.VP8, 60, 90)
    again.close()
    assert shown(path) == expected(30) + expected(90, 60)


def test_a_finished_file_can_be_taken_up_too(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    file = WebmFile.create(path, [header_of(CodecId.VP8)])
    write(file, CodecId.VP8)
    file.close()
    before = path.read_bytes()
    WebmFile.resume(path).close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"x" * 50, b"\x1a\x45\xdf\xa3" + bytes(200), os.urandom(5000)])
def test_what_is_no_file_of_ours_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.webm").write_bytes(content)
    with pytest.raises(Damaged):
        WebmFile.resume(tmp_path / "a.webm")


class FullDisk:
    """Takes so many bytes of a file, not one more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def pwrite(self, fd: int, data: bytes, at: int) -> int:
        if at >= self.room:
            raise OSError(errno.ENOSPC, "no space left")
        return os.pwrite(fd, data[: self.room - at], at)


@pytest.mark.parametrize("spare", [0, 1, 40, 500])
def test_on_a_full_disk_the_file_is_still_finished_and_can_be_sought_in(tmp_path: Path, spare: int) -> None:
    path = tmp_path / "a.webm"
    disk = FullDisk(1 << 40)
    file = WebmFile.create(path, [header_of(CodecId.VP8)], disk.pwrite)
    write(file, CodecId.VP8, 0, 60)
    disk.room = file.size_bytes + spare
    with pytest.raises(OSError, match="no space"):
        write(file, CodecId.VP8, 60, 90)
    assert file.close() >= 1.0
    assert shown(path)[:30] == expected(30)
    with av.open(str(path)) as container:
        assert container.duration is not None
        container.seek(500_000)
        assert number_of(next(container.decode(video=0))) == 0


def test_times_never_run_backwards_and_pauses_stay(tmp_path: Path) -> None:
    file = WebmFile.create(tmp_path / "a.webm", [SOUND])
    for at in (0.0, 0.02, 0.01, 0.04, 100.0, 100.02):
        file.write(0, at, tones(1.0)[0], key=True)
    file.close()
    with av.open(str(tmp_path / "a.webm")) as container:
        assert [p.pts for p in container.demux(audio=0) if p.size] == [0, 20, 20, 40, 100_000, 100_020]


def test_an_existing_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.webm").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        WebmFile.create(tmp_path / "a.webm", [SOUND])
