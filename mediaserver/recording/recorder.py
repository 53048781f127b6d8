"""What all recordings do: begin, flush each second, survive a full disk and a restart of the worker, end.

An individual recording writes each track as it comes (`individual.py`), a composite one the program that a composer
has encoded (`composite.py`); both put their files into one folder. Times are seconds of our monotonic clock.
"""

from pathlib import Path
from typing import Any

from mediaserver.recording.folder import Folder
from mediaserver.recording.webm import TrackHeader, WebmFile

DISK_FULL = "disk full"


class Files:
    """The files of one recording, by key, and its journal."""

    def __init__(self, path: Path, kind: str, now: float, wall: float, *, resume: bool = False) -> None:
        self.folder = Folder(path, resume=resume)
        self.began = now
        self._open: dict[str, tuple[WebmFile, float]] = {}
        if resume:
            self._resume(now)
        else:
            self.folder.note("begin", kind=kind, wall=wall, clock=now)

    def offset(self, at: float) -> float:
        """Seconds from the recording's beginning."""
        return round(max(0.0, at - self.began), 3)

    def begin(self, key: str, name: str, at: float, headers: list[TrackHeader], **about: Any) -> None:
        """A new file, whose zero is `at`; it is known by `key` until it is ended."""
        self.end(key)
        file = WebmFile.create(self.folder.path / name, headers)
        zero = max(at, self.began)
        self._open[key] = file, zero
        self.folder.note("file", file=name, key=key, at=self.offset(zero), zero=zero, **about)

    def has(self, key: str) -> bool:
        return key in self._open

    def write(self, key: str, track: int, at: float, data: bytes, *, key_frame: bool) -> None:
        file, zero = self._open[key]
        file.write(track, at - zero, data, key=key_frame)

    def end(self, key: str) -> None:
        if key in self._open:
            file, _ = self._open.pop(key)
            duration = file.close()
            self.folder.note(
                "closed", file=file.path.name, duration=round(duration, 3), size_bytes=file.path.stat().st_size
            )

    def muted(self, stream_id: str, kind: str, muted: bool, now: float) -> None:
        self.folder.note("mute", stream_id=stream_id, kind=kind, muted=muted, at=self.offset(now))

    def spoke(self, participant_ids: list[str], now: float) -> None:
        self.folder.note("speakers", participant_ids=participant_ids, at=self.offset(now))

    def named(self, participant_id: str, name: str) -> None:
        self.folder.note("person", participant_id=participant_id, name=name)

    def noted(self, note: dict[str, Any], now: float) -> None:
        """Something that others have to tell, such as a line of the chat."""
        self.folder.note("note", at=self.offset(now), note=note)

    def flush(self) -> None:
        """What has come is on the disk afterwards; once a second. OSError: the recording has to end."""
        for file, _ in self._open.values():
            file.flush()

    def close(self, now: float, why: str) -> dict[str, Any]:
        """Each file is finished on its own: what cannot be is left for a repair."""
        self.folder.release()
        failed = False
        for key in list(self._open):
            try:
                self.end(key)
            except OSError:
                failed = True
        if failed:
            self.folder.abandon()
            raise OSError("a file could not be finished")
        self.folder.note("end", at=self.offset(now), why=why)
        return self.folder.finish()

    def _resume(self, now: float) -> None:
        """Takes up the files of a worker that has died; the clock has gone on."""
        lines = self.folder.lines
        self.began = next((float(line["clock"]) for line in lines if line["event"] == "begin"), now)
        for line in [line for line in lines if line["event"] == "file"]:
            if not any(other["event"] == "closed" and other["file"] == line["file"] for other in lines):
                self._take_up(str(line["key"]), line)
        self.folder.note("resumed", at=self.offset(now))

    def _take_up(self, key: str, line: Any) -> None:
        path = self.folder.path / Path(str(line["file"])).name
        try:
            self._open[key] = WebmFile.resume(path), float(line["zero"])
        except Exception:
            self.folder.note("closed", file=line["file"], duration=0.0, size_bytes=0)
            path.unlink(missing_ok=True)
