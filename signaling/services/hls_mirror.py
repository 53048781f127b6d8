"""A copy of one HLS stream in the object store: whole segments and a plain playlist, for players that come to a CDN.

Segments are stored one after the other, each before the playlist that names it. A store that is slow or away is waited
for by nobody: what it does not take in time is left out, and a discontinuity tells players so.
"""

import asyncio
from collections import deque

import structlog

from mediaserver import Playlist, beginning_name, segment_name
from signaling.objects import Objects, StoreFailed
from signaling.services.hls_window import PART, SEGMENT, Segment

PLAYLIST = "index.m3u8"
MAX_WAITING = 5  # segments that may wait for the store
MEDIA_TYPE, PLAYLIST_TYPE = "video/mp4", "application/vnd.apple.mpegurl"

log = structlog.get_logger(__name__)


class Mirror:
    """Below `prefix`. Segments are given to `take` as they are complete; nothing here waits but `aclose`."""

    def __init__(self, objects: Objects, prefix: str) -> None:
        self._objects = objects
        self._prefix = prefix
        self._playlist = Playlist(SEGMENT, PART)
        self._waiting: deque[Segment] = deque()
        self._oldest = 0
        """The segment before which none is in the store any more."""
        self._task: asyncio.Task[None] | None = None
        self._beginning: int | None = None
        """Of the segment that was stored last, unless one is missing behind it."""
        self._ended = False
        self.left_out = 0

    def take(self, segment: Segment) -> None:
        self._waiting.append(segment)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self._leave_out()
        self._work()

    def end(self) -> None:
        """Nothing comes any more."""
        self._ended = True
        self._work()

    async def aclose(self) -> None:
        while self._task:
            await asyncio.shield(self._task)

    async def remove(self) -> None:
        """The copy goes."""
        await self.aclose()
        for number in range(self._oldest, self._playlist.next[0]):
            await self._delete(segment_name(number))
        for number in range(self._playlist.beginning):
            await self._delete(beginning_name(number + 1))
        await self._delete(PLAYLIST)

    def _work(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._try(self._waiting.popleft())
            if self._ended and not self._playlist.ended:
                self._playlist.end()
                await self._put(PLAYLIST, self._playlist.text(parts=False).encode(), PLAYLIST_TYPE)
        except StoreFailed as error:
            log.warning("playlist not stored", why=str(error))
        finally:
            self._task = None

    async def _try(self, segment: Segment) -> None:
        try:
            await self._store(segment)
        except StoreFailed as error:
            log.warning("segment not stored", why=str(error))
            self._leave_out()

    async def _store(self, segment: Segment) -> None:
        if self._beginning != segment.beginning:
            await self._put(beginning_name(self._playlist.beginning + 1), segment.head, MEDIA_TYPE)
            self._playlist.begin()
            self._beginning = segment.beginning
        await self._put(segment_name(self._playlist.next[0]), segment.data, MEDIA_TYPE)
        self._playlist.add(segment.duration, segment.at, independent=True, first=True, last=True)
        await self._put(PLAYLIST, self._playlist.text(parts=False).encode(), PLAYLIST_TYPE)
        while self._oldest < self._playlist.oldest:
            await self._delete(segment_name(self._oldest))
            self._oldest += 1

    def _leave_out(self) -> None:
        """What comes after it begins anew."""
        self.left_out += 1
        self._beginning = None

    async def _put(self, name: str, data: bytes, media_type: str) -> None:
        await self._objects.put(data, f"{self._prefix}/{name}", media_type)

    async def _delete(self, name: str) -> None:
        try:
            await self._objects.delete(f"{self._prefix}/{name}")
        except StoreFailed as error:
            log.warning("segment not removed", why=str(error))
