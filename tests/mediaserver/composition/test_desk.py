"""What the desk does with orders and packets, in a time of its own: an hour, a full disk, a codec that changes."""

import errno
import json
import os
from pathlib import Path

import av
import pytest

from mediaserver.recording import recorder, webm
from mediaserver.recording.folder import RESERVE
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import pictures, tones
from tests.support.desk import Room, Sender

DRIFT = 1e-4


def packets_of(sender: Sender, since: float, until: float) -> list[tuple[float, bytes]]:
    """Sound, or pictures with a key frame each second, and a report a second."""
    out: list[tuple[float, bytes]] = []
    if sender.kind == "audio":
        out += [
            (k / 50, p)
            for k in range(round(since * 50), round(until * 50))
            for p in sender.packets(tones(1.0)[k % 50], k / 50)
        ]
    else:
        for i in range(round(since * 30), round(until * 30)):
            data, key = pictures(sender.codec, 30)[i % 30]
            out += [(i / 30 + 0.04, p) for p in sender.packets(data, i / 30, key=key)]
    out += [(n + 0.005, sender.report(n)) for n in range(round(since), round(until))]
    return sorted(out, key=lambda each: each[0])


def send(room: Room, start: float, packets: list[tuple[float, bytes]]) -> None:
    for at, packet in packets:
        room.now = max(room.now, start + at)
        room.send(packet)


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [
            float(p.pts * p.time_base) for p in container.demux(container.streams[0]) if p.size and p.pts is not None
        ]


def test_after_an_hour_with_drift_lips_are_with_the_voice_and_with_the_clock(tmp_path: Path) -> None:
    """Ten seconds of every three minutes are sent; in between the person is muted, and only reports go on."""
    room = Room()
    sound = Sender("ada-camera", CodecId.OPUS, 10, offset=77.0, drift=DRIFT)
    picture = Sender("ada-camera", CodecId.VP8, 20, offset=77.0, drift=DRIFT)
    for sender in (sound, picture):
        room.feed(sender, "record")
    room.record("r", tmp_path / "r", "individual")
    start, hour = room.now, 3600
    for minute in range(0, 60, 3):
        since = minute * 60
        together = packets_of(sound, since, since + 4) + packets_of(picture, since, since + 4)
        for at, packet in sorted(together, key=lambda each: each[0]):
            room.now = max(room.now, start + at)
            room.send(packet)
            room.desk.tick(room.now)
        for second in range(since + 4, since + 180):
            room.now = start + second + 0.005
            room.send(sound.report(second), picture.report(second))
            room.desk.tick(room.now)
    index = room.stop("r")["index"]
    tracks = {track["kind"]: track for track in index["tracks"]}
    for kind in ("audio", "video"):
        track, step = tracks[kind], 0.02 if kind == "audio" else 1 / 30
        begins = [t + track["offset"] for t in times(tmp_path / "r" / track["file"])]
        firsts = [b for a, b in zip([-100.0, *begins], begins, strict=False) if b - a > 10 * step]
        assert firsts == [pytest.approx(minute * 60, abs=0.04) for minute in range(0, 60, 3)]
    assert index["duration"] == pytest.approx(hour, abs=200)


def test_a_full_disk_ends_the_recording_in_files_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room()
    sound = Sender("ada-camera", CodecId.OPUS, 10)
    room.feed(sound, "record")
    room.record("r", tmp_path / "r", "individual")
    written = 0

    def pwrite(fd: int, data: bytes, at: int) -> int:
        nonlocal written
        written += len(data)
        if written > 30_000 and (tmp_path / "r" / RESERVE).exists():
            raise OSError(errno.ENOSPC, "no space left")
        return os.pwrite(fd, data, at)

    create = webm.WebmFile.create.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        recorder.WebmFile, "create", classmethod(lambda cls, path, tracks: create(cls, path, tracks, pwrite))
    )
    start = room.now
    for at, packet in packets_of(sound, 0, 10):
        room.now = max(room.now, start + at)
        room.send(packet)
        room.desk.tick(room.now)
    closed = room.told[-1]
    assert (closed["did"], closed["why"]) == ("closed", recorder.DISK_FULL)
    (track,) = closed["index"]["tracks"]
    assert 1.0 < track["duration"] < 9.0
    assert len(times(tmp_path / "r" / track["file"])) == pytest.approx(track["duration"] * 50, abs=2)
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [track["file"], "index.json"]


def test_a_track_that_changes_its_codec_goes_on_in_another_file(tmp_path: Path) -> None:
    room = Room()
    vp8, h264 = Sender("ada-camera", CodecId.VP8, 10), Sender("ada-camera", CodecId.H264_BASELINE, 10)
    room.feed(vp8, "record")
    room.record("r", tmp_path / "r", "individual")
    start = room.now
    send(room, start, packets_of(vp8, 0, 2))
    h264.sequence = vp8.sequence
    send(room, start, packets_of(h264, 2, 4))
    index = room.stop("r")["index"]
    assert [(track["codec"], track["file"][-4:]) for track in index["tracks"]] == [("VP8", "webm"), ("H264", ".mkv")]
    assert index["tracks"][1]["offset"] == pytest.approx(2.0, abs=0.05)


def test_mutes_speakers_names_and_notes_are_in_the_index(tmp_path: Path) -> None:
    room = Room()
    sound = Sender("ada-camera", CodecId.OPUS, 10)
    room.feed(sound, "record")
    room.record("r", tmp_path / "r", "individual")
    start = room.now
    send(room, start, packets_of(sound, 0, 1))
    room.desk.muted({"stream_id": "ada-camera", "kind": "audio", "muted": True}, start + 1.0)
    room.desk.muted({"stream_id": "ada-camera", "kind": "audio", "muted": False}, start + 2.0)
    room.desk.spoke(["ada"], start + 2.5)
    room.desk.named("ada", "Ada")
    room.desk.noted({"type": "chat", "text": "hello"}, start + 3.0)
    room.now = start + 4.0
    room.stop("r")
    index = json.loads((tmp_path / "r" / "index.json").read_text())
    assert (index["tracks"][0]["mutes"], index["tracks"][0]["name"]) == ([[1.0, 2.0]], "Ada")
    assert index["speakers"] == [{"at": 2.5, "participant_ids": ["ada"]}]
    assert index["events"] == [{"at": 3.0, "type": "chat", "text": "hello"}]


def test_two_recordings_of_the_same_tracks_do_not_disturb_each_other(tmp_path: Path) -> None:
    room = Room()
    sound = Sender("ada-camera", CodecId.OPUS, 10)
    room.feed(sound, "record")
    room.record("a", tmp_path / "a", "individual")
    start = room.now
    send(room, start, packets_of(sound, 0, 2))
    room.record("b", tmp_path / "b", "individual")
    send(room, start, packets_of(sound, 2, 4))
    first = room.stop("a")["index"]
    send(room, start, packets_of(sound, 4, 6))
    second = room.stop("b")["index"]
    assert first["tracks"][0]["duration"] == pytest.approx(4.0, abs=0.05)
    assert second["tracks"][0]["duration"] == pytest.approx(4.0, abs=0.05)
