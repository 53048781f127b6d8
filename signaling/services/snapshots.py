"""Pictures of a meeting's composite: taken when somebody asks, kept for a while. Rooms contract, section 7.

The media plane draws the picture into a file; it is there for everybody once the object store has it. One that could
not be drawn or kept has never been.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from mediaserver import Clock, MediaEvent, SnapshotTaken
from signaling import tokens
from signaling.objects import Objects, StoreFailed
from signaling.services import events
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.errors import NotFound, NotNow
from signaling.services.events import iso
from signaling.services.links import Links
from signaling.services.meeting import Meeting
from signaling.services.recordings import DAY, FINISHED, SWEEP, Filter, owned, page_of, recording_row
from signaling.services.room_records import Herald, Seat, Silent
from signaling.services.room_views import View
from signaling.services.rooms import Rooms
from signaling.settings import Snapshots as Limits
from signaling.store import recordings as store
from signaling.store.database import Connection, Database
from signaling.store.recordings import RecordingRow

KIND = "snapshot"
MEDIA_TYPE = "image/jpeg"
LINK_LIFE = 3600.0  # seconds
MAX_TOLD = 100  # of the running meeting's pictures, in answers

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Taking:
    row: RecordingRow
    team: str
    meeting: Meeting


@dataclass(slots=True)
class Snapshots:
    """`hear` has to be called with every event of the media plane."""

    database: Database
    conferences: Conferences
    rooms: Rooms
    composites: Composites
    objects: Objects
    links: Links
    limits: Limits
    clock: Clock
    folder: Path
    herald: Herald = field(default_factory=Silent)
    random: Callable[[int], bytes] = secrets.token_bytes
    _taking: dict[str, _Taking] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def start_up(self) -> None:
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)

    async def aclose(self) -> None:
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, seat: Seat) -> None:
        """Asks for a picture. NotNow if nothing can be drawn."""
        meeting = self.conferences.meeting(seat.meeting.id)
        if meeting is None or meeting.media is None:
            raise NotNow("The meeting is not ready.")
        snapshot_id = tokens.new_id(self.random)
        row = recording_row(self.rooms, seat, KIND, snapshot_id, self._now_ms())
        self._taking[snapshot_id] = _Taking(replace(row, state=FINISHED), seat.meeting.team, meeting)
        self.composites.need(meeting, snapshot_id)
        meeting.media.snapshot(snapshot_id, self.folder / f"{snapshot_id}.jpg")

    async def fetch(self, team: str, snapshot_id: str) -> View:
        return self._view(await self._owned(team, snapshot_id))

    async def fetch_inside(self, seat: Seat, snapshot_id: str) -> View:
        """One of the same meeting."""
        row = await self._owned(seat.meeting.team, snapshot_id)
        if row.meeting_id != seat.meeting.id:
            raise NotFound(KIND, snapshot_id)
        return self._view(row)

    async def list(self, team: str, room_id: str, wanted: Filter) -> Sequence[View]:
        key = await self.rooms.room_key(team, room_id)
        rows = await self.database.reading(page_of, key, KIND, (FINISHED,), wanted)
        return [self._view(row) for row in rows if not self._is_expired(row)]

    async def delete(self, team: str, snapshot_id: str) -> None:
        row = await self._owned(team, snapshot_id)
        await self.database.stating(store.delete, row.id)
        await self._remove(row.id)

    def hear(self, event: MediaEvent) -> None:
        if isinstance(event, SnapshotTaken) and (taking := self._taking.pop(event.snapshot_id, None)):
            self.composites.release(taking.meeting.id, event.snapshot_id)
            self._later(self._keep(taking, event))

    async def sweep(self) -> None:
        """Destroys what has been kept long enough."""
        before_ms = self._now_ms() - self.limits.retention_days * DAY * 1000
        for row in await self.database.reading(store.made_before, KIND, before_ms, SWEEP):
            await self._remove(row.id)
            await self.database.stating(store.delete, row.id)

    async def _keep(self, taking: _Taking, event: SnapshotTaken) -> None:
        path = self.folder / f"{taking.row.id}.jpg"
        if event.failed is not None:
            log.warning("picture not taken", conference=taking.meeting.id, why=event.failed)
            return
        try:
            await self.objects.put(path, f"{taking.row.id}.jpg", MEDIA_TYPE)
            await self.database.writing(self._insert, taking)
        except StoreFailed as error:
            log.warning("picture not stored", conference=taking.meeting.id, why=str(error))
            return
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        view = self._view(taking.row)
        if self.conferences.meeting(taking.meeting.id) is taking.meeting:
            told = self.rooms.happening(taking.meeting.id).snapshots
            told.append(view)
            del told[:-MAX_TOLD]
        taking.meeting.tell(events.snapshot_update(view))

    def _insert(self, connection: Connection, taking: _Taking) -> None:
        store.insert(connection, taking.row)
        view, now_ms = self._view(taking.row), self._now_ms()
        self.herald.announce(connection, taking.team, "snapshot_update", view, now_ms)

    def _view(self, row: RecordingRow) -> View:
        link = self.links.url(f"{row.id}.jpg", self.clock.wall() + LINK_LIFE)
        return {
            "id": row.id,
            "name": str(row.created_ms // 1000),
            "links": {"download": link},
            "creator": json.loads(row.user),
            "created_at": iso(row.created_ms / 1000),
            "room": json.loads(row.room),
        }

    async def _owned(self, team: str, snapshot_id: str) -> RecordingRow:
        return await owned(self.database, KIND, team, snapshot_id, self._is_expired)

    def _is_expired(self, row: RecordingRow) -> bool:
        return self._now_ms() >= row.created_ms + self.limits.retention_days * DAY * 1000

    async def _remove(self, snapshot_id: str) -> None:
        try:
            await self.objects.delete(f"{snapshot_id}.jpg")
        except StoreFailed as error:
            log.warning("picture not removed", snapshot=snapshot_id, why=str(error))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _now_ms(self) -> int:
        return int(self.clock.wall() * 1000)
