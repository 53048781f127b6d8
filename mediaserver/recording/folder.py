"""The folder of one recording: its journal, its lock, and what is in it when the recording is over.

While a recording runs its folder has a `journal.jsonl`, locked by the worker that writes it. One without a lock was
left behind by a kill: `repair` finishes its files and writes the index. Blocking, for the media worker only.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mediaserver.recording import journal
from mediaserver.recording.webm import Damaged, WebmFile

JOURNAL = "journal.jsonl"
INDEX = "index.json"
RESERVE = "reserve"  # room on the disk that is kept for the end: cues, the last lines, the index
RESERVE_BYTES = 256 * 1024
NOTHING = 0.0, 0  # of a file that was begun, and killed before anything was in it
INTERRUPTED = "interrupted"  # why a recording ended that nobody has stopped


class Busy(Exception):
    """Another worker is still writing this recording."""


class Folder:
    """Open for writing; `lines` is what the journal holds already."""

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        """Raises FileNotFoundError (`resume`) or FileExistsError, and Busy."""
        if not resume:
            path.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (0 if resume else os.O_CREAT | os.O_EXCL)
        self.path = path
        self._fd = os.open(path / JOURNAL, flags, 0o640)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise Busy(f"{path} is being written") from None
        if not resume:
            self._reserve()
        self.lines: list[journal.Line] = journal.read_lines((path / JOURNAL).read_bytes())
        if self.lines:
            self._end_cut_line()

    def note(self, event: str, **fields: Any) -> None:
        """Appends a line; OSError where the disk is full."""
        line = {"event": event, **fields}
        os.write(self._fd, journal.write_line(line))
        self.lines.append(line)

    def release(self) -> None:
        """Gives up the room that was kept for the end: this is it."""
        (self.path / RESERVE).unlink(missing_ok=True)

    def finish(self) -> dict[str, Any]:
        """Writes the index and takes the journal away; returns the index."""
        self.release()
        index = journal.index(self.lines)
        text = json.dumps(index, ensure_ascii=False, indent=1)
        temporary = self.path / f"{INDEX}.part"
        temporary.write_text(text)
        temporary.replace(self.path / INDEX)
        (self.path / JOURNAL).unlink()
        os.close(self._fd)
        return index

    def abandon(self) -> None:
        """Leaves everything as it is, for a later repair."""
        os.close(self._fd)

    def _reserve(self) -> None:
        fd = os.open(self.path / RESERVE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(fd, 0, RESERVE_BYTES)
        finally:
            os.close(fd)

    def _end_cut_line(self) -> None:
        size = os.fstat(self._fd).st_size
        if os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")


def orphans(root: Path) -> Iterator[Path]:
    """Folders under `root` of recordings that nobody has finished."""
    for found in sorted(root.rglob(JOURNAL)):
        yield found.parent


def repair(path: Path) -> dict[str, Any]:
    """Finishes the files of a recording that was cut off, and its index; raises Busy while somebody writes it.

    A file of which nothing is left is taken away.
    """
    folder = Folder(path, resume=True)
    folder.release()
    for name in journal.open_files(folder.lines):
        duration, size_bytes = _finish_file(path / Path(name).name)
        folder.note("closed", file=name, duration=duration, size_bytes=size_bytes)
    if not any(line["event"] == "end" for line in folder.lines):
        folder.note("end", at=0.0, why=INTERRUPTED)
    return folder.finish()


def _finish_file(path: Path) -> tuple[float, int]:
    try:
        file = WebmFile.resume(path)
    except (FileNotFoundError, Damaged):
        path.unlink(missing_ok=True)
        return NOTHING
    duration = file.close()
    if not duration:
        path.unlink()
        return NOTHING
    return round(duration, 3), path.stat().st_size
