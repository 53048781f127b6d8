"""The program as files for HLS: an `Output` that writes each part as soon as it is complete, and tells of it.

A segment is one file, to which its parts are appended; what a part is, is told as a place in it, after it has been
written. Files that are old are removed. Who reads them knows the playlist (`playlist.py`); nothing here does.
"""

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mediaserver.egress.output import Coding, EncodedFrame
from mediaserver.egress.parts import Beginning, Cutter, Part, Piece
from mediaserver.media.headers import AAC_CONFIG

MAX_FILES = 8  # of segments: far more than whoever is told of them needs
DISK_FULL = "disk full"


class Hls:
    """`prefix` begins the names of files: those of another worker's are not touched. `tell` takes what has been written
    (`begun` or `part`), `on_failed` why nothing can be any more."""

    coding = Coding.BROADCAST

    def __init__(
        self,
        folder: Path,
        prefix: str,
        wall_offset: float,
        tell: Callable[..., None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._wall_offset = wall_offset
        self._tell = tell
        self._on_failed = on_failed
        self._cutter = Cutter(AAC_CONFIG)
        self._files: deque[str] = deque()
        self._count = 0
        self._size = 0
        """Of the newest file."""
        self._failed = False

    def video(self, frame: EncodedFrame) -> None:
        self._write(self._cutter.video(frame))

    def audio(self, frame: EncodedFrame) -> None:
        self._cutter.audio(frame)

    def close(self) -> None:
        self._write(self._cutter.flush())

    def _write(self, pieces: Iterable[Piece]) -> None:
        if self._failed:
            return
        try:
            for piece in pieces:
                if isinstance(piece, Beginning):
                    self._tell(event="begun", file=self._new_file("mp4", piece.data))
                else:
                    self._tell(event="part", **self._append(piece))
        except OSError:
            self._failed = True
            self._on_failed(DISK_FULL)

    def _append(self, part: Part) -> dict[str, Any]:
        if part.first:
            file = self._new_file("m4s", part.data)
        else:
            file = self._files[-1]
            with (self._folder / file).open("ab") as opened:
                opened.write(part.data)
        offset, self._size = 0 if part.first else self._size, self._size + len(part.data)
        return {
            "file": file,
            "offset": offset,
            "size": len(part.data),
            "at": part.at + self._wall_offset,
            "duration": part.duration,
            "independent": part.independent,
            "first": part.first,
            "last": part.last,
        }

    def _new_file(self, ending: str, data: bytes) -> str:
        self._count += 1
        self._size = 0
        name = f"{self._prefix}{self._count}.{ending}"
        self._files.append(name)
        while len(self._files) > MAX_FILES:
            (self._folder / self._files.popleft()).unlink(missing_ok=True)
        (self._folder / name).write_bytes(data)
        return name
