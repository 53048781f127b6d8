"""What happened during a recording, line by line, and the index that is made of it.

Pure. The worker appends a line (JSON) for everything that the media files do not tell: a kill loses none that was
written. Once the recording is over, `index` is what editors and transcription read: which file holds whom, from when
to when, when they were muted, who spoke, what was written in the chat. Times are seconds from the recording's start.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

VERSION = 1
MAX_LINE_BYTES = 64 * 1024
Line = Mapping[str, Any]


def write_line(line: Line) -> bytes:
    """Raises ValueError for a line that is too long."""
    data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    if len(data) > MAX_LINE_BYTES:
        raise ValueError("a line of a journal is too long")
    return data


def read_lines(data: bytes) -> list[Line]:
    """All whole lines; one that was cut off is left out."""
    lines: list[Line] = []
    for text in data.split(b"\n")[:-1]:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "event" in line:
            lines.append(line)
    return lines


def open_files(lines: Iterable[Line]) -> dict[str, Line]:
    """The files that were begun and not closed, by name."""
    found: dict[str, Line] = {}
    for line in lines:
        if line["event"] == "file":
            found[str(line["file"])] = line
        elif line["event"] == "closed":
            found.pop(str(line["file"]), None)
    return found


def index(lines: Iterable[Line]) -> dict[str, Any]:
    """The recording as one JSON document."""
    out: dict[str, Any] = {
        "version": VERSION,
        "kind": "individual",
        "started_at": None,
        "duration": 0.0,
        "tracks": [],
        "speakers": [],
        "events": [],
        "interruptions": [],
    }
    names: dict[str, str] = {}
    mutes: dict[tuple[str, str], list[list[float | None]]] = {}
    for line in lines:
        _add(out, names, mutes, line)
    for track in out["tracks"]:
        track["name"] = names.get(track["participant_id"])
        track["mutes"] = mutes.get((track["stream_id"], track["kind"]), [])
    ends = [track["offset"] + track["duration"] for track in out["tracks"]]
    if out["kind"] == "individual" or not ends:
        ends.append(out["duration"])
    out["duration"] = round(max(ends), 3)
    return out


def _add(
    out: dict[str, Any], names: dict[str, str], mutes: dict[tuple[str, str], list[list[float | None]]], line: Line
) -> None:
    at = line.get("at", 0.0)
    match line["event"]:
        case "begin":
            out["kind"], out["started_at"] = line["kind"], line["wall"]
        case "person":
            names[line["participant_id"]] = line["name"]
        case "file":
            fields = ("file", "participant_id", "stream_id", "label", "kind", "codec")
            out["tracks"].append({**{name: line.get(name) for name in fields}, "offset": at, "duration": 0.0})
        case "closed":
            _close(out["tracks"], line)
        case "mute":
            _mute(mutes.setdefault((line["stream_id"], line["kind"]), []), at, bool(line["muted"]))
        case "speakers":
            out["speakers"].append({"at": at, "participant_ids": line["participant_ids"]})
        case "note":
            out["events"].append({"at": at, **line["note"]})
        case "resumed":
            out["interruptions"].append({"at": at})
        case "end":
            out["duration"], out["why"] = at, line["why"]


def _close(tracks: list[dict[str, Any]], line: Line) -> None:
    """A file that nothing is in is none."""
    for track in [track for track in tracks if track["file"] == line["file"]]:
        track |= {"duration": line["duration"], "size_bytes": line["size_bytes"]}
        if not line["size_bytes"]:
            tracks.remove(track)


def _mute(spans: list[list[float | None]], at: float, muted: bool) -> None:
    """Spans of [from, until]; until is null where the recording ended first."""
    running = bool(spans) and spans[-1][1] is None
    if muted and not running:
        spans.append([at, None])
    elif not muted and running:
        spans[-1][1] = at
