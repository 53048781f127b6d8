"""Meetings that anybody can watch who has the address: the composite as low-latency HLS, begun and ended by users.

The media plane writes the parts into a folder and tells of each; from there they go into a window in memory, out of
which all players are served, and, where that is wished, into the object store. A stream's key is its id, its address
and the only credential for it. It can be watched for a while after its end; a server that was killed has none.
"""

import asyncio
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from mediaserver import Clock, HlsBegun, HlsEnded, HlsPart, MediaEvent
from signaling import tokens
from signaling.objects import Objects
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.errors import NotFound, NotNow, SwitchedOff, Unavailable
from signaling.services.events import iso
from signaling.services.hls_mirror import Mirror
from signaling.services.hls_window import Waiting, Window
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.room_records import Seat
from signaling.services.room_views import View
from signaling.settings import Hls as Limits

PATH = "/hls"
PLAYLIST = "index.m3u8"
PAGE = "/watch"
LAST_WORDS = 3.0  # seconds for the object store to take what is left when the server stops

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Stream:
    id: str
    meeting: Meeting
    started_at: float
    window: Window
    mirror: Mirror | None
    work: InOrder = field(default_factory=InOrder)
    """Reading what has been written."""
    ended_at: float | None = None
    """Monotonic."""


@dataclass(slots=True)
class HlsStreams:
    """A watch of conferences; `hear` has to be called with every event of the media plane."""

    conferences: Conferences
    composites: Composites
    objects: Objects
    limits: Limits
    clock: Clock
    base_url: str
    folder: Path
    random: Callable[[int], bytes] = secrets.token_bytes
    _running: dict[str, _Stream] = field(default_factory=dict)
    """By meeting."""
    _streams: dict[str, _Stream] = field(default_factory=dict)
    """By id; those that are over, too, for a while."""
    _waiting: Waiting = field(init=False)

    def __post_init__(self) -> None:
        self._waiting = Waiting(self.limits.max_waiting)

    async def start_up(self) -> None:
        """What a server has left behind that was killed is of no use."""
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def aclose(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                for stream in self._streams.values():
                    await stream.work.done()
                    if stream.mirror:
                        await stream.mirror.aclose()

    # what users do

    async def start(self, seat: Seat) -> View:
        """Begins a stream. SwitchedOff, or NotNow while there is one or nothing can be shown."""
        if not seat.meeting.options.broadcast_available:
            raise SwitchedOff("Broadcasting")
        meeting = self.conferences.meeting(seat.meeting.id)
        if meeting is None or meeting.media is None:
            raise NotNow("The meeting is not ready.")
        if meeting.id in self._running:
            raise NotNow("The meeting is streamed already.")
        stream = self._make(meeting)
        self._running[meeting.id] = self._streams[stream.id] = stream
        folder = self.folder / stream.id
        try:
            await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
        except OSError as error:
            self._over(stream)
            raise Unavailable(str(error)) from None
        if self._running.get(meeting.id) is not stream:
            await self._finish(stream)
            raise NotNow("The stream was ended while it began.")
        self.composites.need(meeting, stream.id)
        meeting.media.hls(stream.id, folder)
        return self._view(stream)

    def fetch(self, seat: Seat) -> View:
        """NotFound if none runs."""
        return self._view(self._of(seat))

    def stop(self, seat: Seat) -> None:
        """NotFound if none runs. What has come is still shown to its end."""
        self._stop(self._of(seat))

    # what players do

    def window(self, stream_id: str) -> Window:
        """NotFound if there is none, or none any more."""
        if stream_id not in self._streams:
            raise NotFound("stream", stream_id)
        return self._streams[stream_id].window

    def counts(self) -> Mapping[str, int]:
        """Streams that run, requests that wait for what comes next, and bytes in memory."""
        windows = [stream.window for stream in self._streams.values()]
        kept = sum(window.size_bytes for window in windows)
        return {"streams": len(self._running), "requests_waiting": self._waiting.count, "bytes": kept}

    # what is heard

    def hear(self, event: MediaEvent) -> None:
        if isinstance(event, HlsBegun | HlsPart | HlsEnded) and (stream := self._streams.get(event.hls_id)):
            match event:
                case HlsBegun():
                    stream.work.put(lambda: self._begin(stream, event))
                case HlsPart():
                    stream.work.put(lambda: self._add(stream, event))
                case HlsEnded():
                    log.info(
                        "stream ended",
                        conference=event.conference_id,
                        stream=tokens.shortened(stream.id),
                        why=event.why,
                    )
                    self._stop(stream)
                    stream.work.put(lambda: self._finish(stream))

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        if stream := self._running.get(meeting.id):
            self._stop(stream)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    async def sweep(self) -> None:
        """Forgets what ended long enough ago."""
        before = self.clock.monotonic() - self.limits.keep_ended_seconds
        for stream in list(self._streams.values()):
            if stream.ended_at is not None and stream.ended_at <= before:
                del self._streams[stream.id]
                if stream.mirror:
                    await stream.mirror.remove()

    # helpers

    def _make(self, meeting: Meeting) -> _Stream:
        stream_id = tokens.new_key(self.random)
        window = Window(self._waiting)
        mirror = Mirror(self.objects, f"hls/{stream_id}") if self.limits.store_url else None
        if mirror:
            window.on_segment = mirror.take
        return _Stream(stream_id, meeting, self.clock.wall(), window, mirror)

    def _of(self, seat: Seat) -> _Stream:
        stream = self._running.get(seat.meeting.id)
        if stream is None:
            raise NotFound("stream", "of this meeting")
        return stream

    def _stop(self, stream: _Stream) -> None:
        """It runs no more. Twice is fine."""
        if self._running.get(stream.meeting.id) is stream:
            del self._running[stream.meeting.id]
            self.composites.release(stream.meeting.id, stream.id)
            if stream.meeting.media:
                stream.meeting.media.stop_hls(stream.id)

    async def _begin(self, stream: _Stream, event: HlsBegun) -> None:
        stream.window.begin(await asyncio.to_thread(Path(event.path).read_bytes))

    async def _add(self, stream: _Stream, event: HlsPart) -> None:
        data = await asyncio.to_thread(_read, Path(event.path), event.offset, event.size)
        stream.window.add(
            data,
            at=event.at,
            duration=event.duration,
            independent=event.independent,
            first=event.first,
            last=event.last,
        )

    async def _finish(self, stream: _Stream) -> None:
        self._over(stream)
        await asyncio.to_thread(shutil.rmtree, self.folder / stream.id, ignore_errors=True)

    def _over(self, stream: _Stream) -> None:
        self._stop(stream)
        stream.ended_at = self.clock.monotonic()
        stream.window.end()
        if stream.mirror:
            stream.mirror.end()

    def _view(self, stream: _Stream) -> View:
        told = {
            "id": stream.id,
            "playlist": f"{self.base_url}{PATH}/{stream.id}/{PLAYLIST}",
            "page": f"{self.base_url}{PAGE}?stream={stream.id}",
            "started_at": iso(stream.started_at),
        }
        if stream.mirror:
            told["stored_playlist"] = f"{self.limits.store_url}/hls/{stream.id}/{PLAYLIST}"
        return told


def _read(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
