"""Folders of recordings: begun, taken up again, finished, and repaired when nobody has finished them."""

import json
import os
from pathlib import Path

import pytest

from mediaserver.media.headers import opus_head
from mediaserver.recording.folder import Busy, Folder, orphans, repair
from mediaserver.recording.recorder import Files
from mediaserver.recording.webm import TrackHeader
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import tones

SOUND = TrackHeader(CodecId.OPUS, opus_head())


def begin(path: Path, seconds: float = 2.0) -> Files:
    """A recording with one file of so many seconds, of which whole ones have been flushed."""
    files = Files(path, "individual", 100.0, 1_700_000_000.0)
    about = {"participant_id": "p", "stream_id": "s", "label": "camera", "kind": "audio", "codec": "opus"}
    files.begin("s/audio", "1.webm", 100.0, [SOUND], codec_id="OPUS", **about)
    write(files, 0.0, seconds)
    return files


def write(files: Files, since: float, until: float) -> None:
    for i in range(round(since * 50), round(until * 50)):
        files.write("s/audio", 0, 100.0 + i * 0.02, tones(1.0)[i % 50], key_frame=True)
        if i % 50 == 49:
            files.flush()


def test_a_finished_recording_has_an_index_and_no_journal(tmp_path: Path) -> None:
    index = begin(tmp_path / "r").close(102.5, "stopped")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["1.webm", "index.json"]
    assert json.loads((tmp_path / "r" / "index.json").read_text()) == index
    assert (index["duration"], index["why"]) == (2.5, "stopped")
    assert list(orphans(tmp_path)) == []


def test_what_nobody_finished_is_found_and_repaired_once(tmp_path: Path) -> None:
    files = begin(tmp_path / "a" / "r", 2.5)
    files.folder.abandon()
    assert list(orphans(tmp_path)) == [tmp_path / "a" / "r"]
    index = repair(tmp_path / "a" / "r")
    assert (index["why"], index["tracks"][0]["duration"]) == ("interrupted", pytest.approx(2.0, abs=0.02))
    assert list(orphans(tmp_path)) == []


def test_a_recording_that_is_being_written_is_not_repaired(tmp_path: Path) -> None:
    files = begin(tmp_path / "r")
    with pytest.raises(Busy):
        repair(tmp_path / "r")
    files.close(102.0, "stopped")


def test_a_recording_is_taken_up_where_it_was_cut_off(tmp_path: Path) -> None:
    begin(tmp_path / "r", 2.5).folder.abandon()
    files = Files(tmp_path / "r", "individual", 200.0, 0.0, resume=True)
    assert files.has("s/audio")
    write(files, 3.0, 5.0)
    index = files.close(105.0, "stopped")
    assert index["tracks"][0]["duration"] == pytest.approx(5.0, abs=0.02)
    assert len(index["interruptions"]) == 1


def test_a_cut_line_and_a_missing_file_do_not_stop_a_repair(tmp_path: Path) -> None:
    files = begin(tmp_path / "r")
    files.folder.note("file", file="2.webm", key="k", at=1.0, zero=101.0)
    files.folder.abandon()
    with (tmp_path / "r" / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"event":"not')
    index = repair(tmp_path / "r")
    assert [track["file"] for track in index["tracks"]] == ["1.webm"]


def test_a_journal_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    precious = tmp_path / "precious.webm"
    precious.write_bytes(b"not a file of ours")
    folder = Folder(tmp_path / "r")
    folder.note("begin", kind="individual", wall=0.0, clock=0.0)
    folder.note("file", file="../precious.webm", key="k", at=0.0, zero=0.0)
    folder.abandon()
    repair(tmp_path / "r")
    assert precious.read_bytes() == b"not a file of ours"


def test_a_folder_is_not_begun_twice(tmp_path: Path) -> None:
    files = begin(tmp_path / "r")
    with pytest.raises(FileExistsError):
        Folder(tmp_path / "r")
    files.close(101.0, "stopped")
    assert os.listdir(tmp_path) == ["r"]
