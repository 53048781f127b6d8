"""What is written line by line becomes an index; what is cut off anywhere is still read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.recording.journal import MAX_LINE_BYTES, index, open_files, read_lines, write_line

BEGIN = {"event": "begin", "kind": "individual", "wall": 1_700_000_000.0, "clock": 50.0}


def file(name: str, kind: str = "audio", at: float = 0.0) -> dict[str, Any]:
    about = {"participant_id": "p1", "stream_id": "s1", "label": "camera", "kind": kind, "codec": "opus"}
    return {"event": "file", "file": name, "key": f"s1/{kind}", "at": at, **about}


def closed(name: str, duration: float, size_bytes: int = 9000) -> dict[str, Any]:
    return {"event": "closed", "file": name, "duration": duration, "size_bytes": size_bytes}


def mute(muted: bool, at: float) -> dict[str, Any]:
    return {"event": "mute", "stream_id": "s1", "kind": "audio", "muted": muted, "at": at}


def test_an_index_tells_files_names_mutes_speakers_and_notes() -> None:
    out = index(
        [
            BEGIN,
            {"event": "person", "participant_id": "p1", "name": "Ada"},
            file("1.webm", at=0.5),
            mute(True, 2.0),
            mute(True, 2.5),
            mute(False, 3.0),
            {"event": "speakers", "at": 1.0, "participant_ids": ["p1"]},
            {"event": "note", "at": 4.0, "note": {"type": "chat", "text": "hi"}},
            mute(True, 5.0),
            closed("1.webm", 7.5),
            {"event": "end", "at": 8.2, "why": "stopped"},
        ]
    )
    (track,) = out["tracks"]
    assert (track["name"], track["offset"], track["duration"], track["size_bytes"]) == ("Ada", 0.5, 7.5, 9000)
    assert track["mutes"] == [[2.0, 3.0], [5.0, None]]
    assert out["speakers"] == [{"at": 1.0, "participant_ids": ["p1"]}]
    assert out["events"] == [{"at": 4.0, "type": "chat", "text": "hi"}]
    assert (out["duration"], out["why"], out["started_at"]) == (8.2, "stopped", 1_700_000_000.0)


def test_a_recording_without_an_end_is_as_long_as_its_files() -> None:
    out = index([BEGIN, file("1.webm", at=1.0), closed("1.webm", 3.0), {"event": "end", "at": 0.0, "why": "x"}])
    assert out["duration"] == 4.0


def test_a_file_that_nothing_is_in_is_left_out() -> None:
    assert index([BEGIN, file("1.webm"), closed("1.webm", 0.0, 0)])["tracks"] == []


def test_files_that_were_not_closed_are_known() -> None:
    lines = [BEGIN, file("1.webm"), file("2.webm", "video"), closed("1.webm", 3.0)]
    assert list(open_files(lines)) == ["2.webm"]


@given(st.integers(0, 400), st.binary(max_size=30))
def test_a_journal_cut_anywhere_or_spoiled_at_its_end_is_read_up_to_there(cut: int, garbage: bytes) -> None:
    lines = [BEGIN, file("1.webm"), mute(True, 1.0), closed("1.webm", 2.0)]
    data = b"".join(write_line(line) for line in lines)
    read = read_lines(data[: min(cut, len(data))] + garbage)
    whole = data[: min(cut, len(data))].count(b"\n")
    assert read[:whole] == lines[:whole]
    assert len(read) <= whole + 1


def test_a_line_has_a_largest_size() -> None:
    with pytest.raises(ValueError, match="too long"):
        write_line({"event": "note", "note": {"text": "x" * MAX_LINE_BYTES}})
