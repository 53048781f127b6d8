"""What of one HLS stream can be had now: the playlist and the files of a rolling window, in memory; and who waits.

Players ask for the playlist (or a part) before it is there and are held until it is: `Waiting` bounds how many are, by
all streams together. Nothing here reads a disk or knows HTTP.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from mediaserver import Playlist
from signaling.services.errors import Invalid, NotFound, TooMany, Unavailable

SEGMENT = 2.0  # seconds: the program's key frames
PART = 1 / 3  # seconds
HOLD = 3  # target durations that somebody is held for
PARTS_KEPT = 5  # segments, from the newest, whose parts can be had
MAX_BEGINNINGS = 16  # more than begin within a window
_PART = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,3})\.m4s")
_SEGMENT = re.compile(r"(0|[1-9][0-9]{0,8})\.m4s")
_BEGINNING = re.compile(r"([1-9][0-9]{0,8})\.mp4")


class NotYet(Unavailable):
    """What was waited for has not come."""

    def __init__(self) -> None:
        super().__init__("The stream does not go on at the moment.")


@dataclass(slots=True)
class Waiting:
    """How many requests are held, of all streams."""

    limit: int
    count: int = 0

    def __enter__(self) -> None:
        if self.count >= self.limit:
            raise TooMany("Too many players wait at this moment.")
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count -= 1


@dataclass(frozen=True, slots=True)
class Segment:
    """One that is complete."""

    beginning: int
    head: bytes
    """What a player needs before it, the same for all of that beginning."""
    data: bytes
    at: float
    duration: float


@dataclass(slots=True)
class Window:
    """`on_segment` is called with each segment that is complete."""

    waiting: Waiting
    on_segment: Callable[[Segment], None] = lambda segment: None
    playlist: Playlist = field(default_factory=lambda: Playlist(SEGMENT, PART))
    version: int = 0
    """Another one with each change of the playlist."""
    _beginnings: dict[int, bytes] = field(default_factory=dict)
    _segments: dict[int, bytes] = field(default_factory=dict)
    _parts: dict[int, list[bytes]] = field(default_factory=dict)
    """By the segment's number."""
    _open: tuple[float, float] = (0.0, 0.0)
    """When the segment that is being filled began, and how long it is."""
    _text: bytes = b""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    # what comes

    def begin(self, data: bytes) -> None:
        """Another file begins."""
        self._close_segment()
        self._beginnings[self.playlist.begin()] = data
        self._changed()

    def add(self, data: bytes, *, at: float, duration: float, independent: bool, first: bool, last: bool) -> None:
        """Another part. Times in unix seconds."""
        if first:
            self._close_segment()
        number, place = self.playlist.add(duration, at, independent=independent, first=first, last=last)
        self._open = (at, duration) if place == 0 else (self._open[0], self._open[1] + duration)
        self._parts.setdefault(number, []).append(data)
        if last:
            self._complete(number)
        self._changed()

    def end(self) -> None:
        """Nothing comes any more."""
        self._close_segment()
        self.playlist.end()
        self._changed()

    # what is asked for

    async def text(self, number: int | None = None, part: int | None = None) -> bytes:
        """The playlist, once it holds that segment (or part of it), or any whole one.

        Invalid for what nobody could know of, NotYet if it does not come in time.
        """
        if number is None and part is not None:
            raise Invalid("A part is asked for without its segment.")
        if number is not None and self.playlist.is_far(number):
            raise Invalid("The segment is too far ahead.")
        await self._until(lambda: self._lists(number, part))
        return self._text

    async def file(self, name: str) -> bytes:
        """A file of the window; of the part that comes next, once it is there. NotFound for all others."""
        if match := _PART.fullmatch(name):
            position = int(match[1]), int(match[2])
            if position == self.playlist.next:
                await self._until(lambda: self.playlist.next != position or self.playlist.ended)
        data = self._find(name)
        if data is None:
            raise NotFound("file", name)
        return data

    @property
    def size_bytes(self) -> int:
        """Of all that is kept."""
        parts = sum(len(part) for parts in self._parts.values() for part in parts)
        return parts + sum(map(len, self._segments.values())) + sum(map(len, self._beginnings.values()))

    def _find(self, name: str) -> bytes | None:
        if match := _PART.fullmatch(name):
            parts, place = self._parts.get(int(match[1]), []), int(match[2])
            return parts[place] if place < len(parts) else None
        if match := _SEGMENT.fullmatch(name):
            return self._segments.get(int(match[1]))
        match = _BEGINNING.fullmatch(name)
        return self._beginnings.get(int(match[1])) if match else None

    def _lists(self, number: int | None, part: int | None) -> bool:
        if number is None:
            return self.playlist.started or self.playlist.ended
        return self.playlist.has(number, part)

    async def _until(self, there: Callable[[], bool]) -> None:
        if there():
            return
        with self.waiting:
            try:
                async with asyncio.timeout(HOLD * self.playlist.target):
                    while not there():
                        await self._news.wait()
            except TimeoutError:
                raise NotYet from None

    def _changed(self) -> None:
        self.version += 1
        self._text = self.playlist.text().encode()
        self._forget()
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _close_segment(self) -> None:
        """A segment that is being filled is complete with what it has."""
        if not self.playlist.ended and self.playlist.next[1]:
            self._complete(self.playlist.next[0])

    def _complete(self, number: int) -> None:
        data = self._segments[number] = b"".join(self._parts[number])
        beginning = self.playlist.beginning
        self.on_segment(Segment(beginning, self._beginnings[beginning], data, *self._open))

    def _forget(self) -> None:
        """What nobody can know of any more goes."""
        newest, oldest = self.playlist.next[0], self.playlist.oldest
        for kept, first in ((self._parts, newest - PARTS_KEPT), (self._segments, oldest)):
            for number in [number for number in kept if number < first]:
                del kept[number]
        for number in sorted(self._beginnings)[:-MAX_BEGINNINGS]:
            del self._beginnings[number]
