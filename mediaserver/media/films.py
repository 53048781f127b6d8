"""Files with films and music as decoded pictures and sound, each with its time.

Files come from strangers, and are read in a process with limits: only WebM, MP4 and MP3 are opened, with a few codecs,
so that nothing in a file can name another one. Picture and sound are read by themselves, whatever their order is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np

from mediaserver.media.formats import LOOKED_AT, film_format
from mediaserver.media.mixing import RATE, Sound
from mediaserver.media.pictures import Picture

AT_ONCE = {"video": 3, "audio": 24}  # frames decoded before others get their turn
MAX_PIXELS = 2048 * 1152  # of a picture
MAX_GAP = 60.0  # seconds without anything new: what comes then is no part of the film
CODECS = {"video": {"vp8", "vp9", "av1", "h264", "hevc"}, "audio": {"opus", "vorbis", "aac", "mp3"}}
COVER = 0x400  # the disposition of a picture that only goes with the music

Kind = Literal["video", "audio"]


class Unplayable(Exception):
    """It is no film and no music, or in a format that is not read here."""


class FilmTrack:
    """The picture or the sound of a file. Times are seconds from its beginning."""

    def __init__(self, path: str, kind: Kind) -> None:
        self.kind = kind
        self.over = False
        self.end = 0.0
        """When what was decoded last ends."""
        self._position = 0.0
        self._container = _opened(path)
        self._begin = max(0.0, (self._container.start_time or 0) / av.time_base)
        self._stream = next((each for each in self._container.streams if _is_readable(each, kind)), None)
        self._frames = self._decoded()
        self._next: tuple[Any, float] | None = None

    @property
    def found(self) -> bool:
        """Whether the file has it."""
        return self._stream is not None

    def before(self, until: float) -> Iterator[tuple[Any, float]]:
        """Frames that begin before `until`, and when; not too many at once."""
        for _ in range(AT_ONCE[self.kind]):
            if self._next is None and not self.over:
                self._next = self._read()
            if self._next is None or self._next[1] > until:
                return
            frame, self._position = self._next
            self._next = None
            yield frame, self._position

    def lag(self, at: float) -> float:
        """How late it is at that time."""
        return 0.0 if self.over or self._next is not None else at - self._position

    def close(self) -> None:
        self._container.close()

    def _read(self) -> tuple[Any, float] | None:
        """The next frame; nothing more once something is wrong with the file."""
        try:
            found = next(self._frames, None)
        except (av.FFmpegError, ValueError, MemoryError):
            found = None
        if found is None or found[1] - self.end > MAX_GAP:
            self.over = True
            return None
        frame, at, length = found
        self.end = max(self.end, at + length)
        return frame, at

    def _decoded(self) -> Iterator[tuple[Any, float, float]]:
        """Frames, when they begin, and how long they last."""
        frames = self._container.decode(self._stream)
        yield from self._pictures(frames) if self.kind == "video" else self._sounds(frames)

    def _pictures(self, frames: Iterator[Any]) -> Iterator[tuple[Picture, float, float]]:
        rate = self._stream and self._stream.average_rate
        length = 1 / float(rate) if rate else 0.04
        for frame in frames:
            if frame.width * frame.height > MAX_PIXELS:
                raise ValueError("too large")
            if frame.time is not None:
                yield frame, frame.time - self._begin, length

    def _sounds(self, frames: Iterator[Any]) -> Iterator[tuple[Sound, float, float]]:
        resampler = av.AudioResampler("flt", "stereo", RATE)
        for frame in frames:
            for each in resampler.resample(frame):
                samples = np.ascontiguousarray(each.to_ndarray().reshape(-1, 2), np.float32)
                if each.time is not None and len(samples):
                    yield samples, each.time - self._begin, len(samples) / RATE


def _opened(path: str) -> Any:
    try:
        with Path(path).open("rb") as file:
            name = film_format(file.read(LOOKED_AT))
        if name is None:
            raise Unplayable("it is no WebM, MP4 or MP3")
        return av.open(path, format=name, options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (OSError, ValueError) as error:  # FFmpegError is one of these, or both
        raise Unplayable("it cannot be read") from error


def _is_readable(stream: Any, kind: Kind) -> bool:
    """Whether it is a codec that is decoded here; one that is, is limited."""
    context = stream.codec_context
    if stream.type != kind or context is None or context.codec.canonical_name not in CODECS[kind]:
        return False
    if kind == "video" and (context.width * context.height > MAX_PIXELS or int(stream.disposition) & COVER):
        return False
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_PIXELS)} if kind == "video" else {}
    return True
