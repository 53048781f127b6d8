"""Pictures of a meeting's composite: taken when somebody asks, kept for a while. Rooms contract, section 7.

The media plane draws the picture into a file; it is there for everybody once the object store has it. One that could
not be drawn or kept has never been.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from mediaserver import MediaEvent, SnapshotTaken
from signaling import tokens
from signaling.objects import StoreFailed
from signaling.services import events
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.errors import NotFound, NotNow
from signaling.services.events import iso
from signaling.services.meeting import Meeting
from signaling.services.recording import Library, State
from signaling.services.recording.states import DAY_MS
from signaling.services.recordings import FAMILY, Filter, about, find, page_of
from signaling.services.room_records import Herald, Seat, Silent
from signaling.services.room_views import View
from signaling.services.rooms import Rooms
from signaling.store import recordings as store
from signaling.store.database import Connection
from signaling.store.recordings import RecordingRow

KIND = "snapshot"
MEDIA_TYPE = "image/jpeg"
MAX_TOLD = 100  # of the running meeting's pictures, in answers
SWEEP = 100  # at a time

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Taking:
    row: RecordingRow
    meeting: Meeting


@dataclass(slots=True)
class Snapshots:
    """`hear` has to be called with every event of the media plane."""

    library: Library
    conferences: Conferences
    rooms: Rooms
    composites: Composites
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
        self._taking[snapshot_id] = _Taking(self._row(seat, snapshot_id), meeting)
        self.composites.need(meeting, snapshot_id)
        meeting.media.snapshot(snapshot_id, self.folder / f"{snapshot_id}.jpg")

    async def fetch(self, team: str, snapshot_id: str) -> View:
        return self._view(await find(self.library, team, snapshot_id))

    async def fetch_inside(self, seat: Seat, snapshot_id: str) -> View:
        """One of the same meeting."""
        row = await find(self.library, seat.meeting.team, snapshot_id)
        if row.conference_id != seat.meeting.id:
            raise NotFound(KIND, snapshot_id)
        return self._view(row)

    async def list(self, team: str, room_id: str, wanted: Filter) -> Sequence[View]:
        key = await self.rooms.room_key(team, room_id)
        return [self._view(row) for row in await page_of(self.library, key, (State.FINISHED,), wanted)]

    async def delete(self, team: str, snapshot_id: str) -> None:
        row = await find(self.library, team, snapshot_id)
        await self.library.database.stating(store.delete, row.id)
        await self.library.remove(row.id)

    def hear(self, event: MediaEvent) -> None:
        if isinstance(event, SnapshotTaken) and (taking := self._taking.pop(event.snapshot_id, None)):
            self.composites.release(taking.meeting.id, event.snapshot_id)
            self._later(self._keep(taking, event))

    async def sweep(self) -> None:
        """Destroys what has been kept long enough."""
        before_ms = self._now_ms() - self.library.retention_days * DAY_MS
        database = self.library.database
        for row in await database.reading(store.made_before, self.library.wanted(), before_ms, limit=SWEEP):
            await self.library.remove(row.id)
            await database.stating(store.delete, row.id)

    async def _keep(self, taking: _Taking, event: SnapshotTaken) -> None:
        path = self.folder / f"{taking.row.id}.jpg"
        if event.failed is not None:
            log.warning("picture not taken", conference=taking.meeting.id, why=event.failed)
            return
        try:
            await self.library.objects.put(path, self.library.name(taking.row.id), MEDIA_TYPE)
            await self.library.database.writing(self._insert, taking.row)
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

    def _row(self, seat: Seat, snapshot_id: str) -> RecordingRow:
        return RecordingRow(
            id=snapshot_id,
            kind=KIND,
            family=FAMILY,
            owner=seat.meeting.team,
            container=seat.meeting.room_key,
            conference_id=seat.meeting.id,
            about=json.dumps(about(self.rooms, seat)),
            created_ms=self._now_ms(),
            state=State.FINISHED,
        )

    def _insert(self, connection: Connection, row: RecordingRow) -> None:
        store.insert(connection, row)
        self.herald.announce(connection, row.owner, "snapshot_update", self._view(row), self._now_ms())

    def _view(self, row: RecordingRow) -> View:
        known = json.loads(row.about)
        return {
            "id": row.id,
            "name": str(row.created_ms // 1000),
            "links": {"download": self.library.link(row)},
            "creator": known["user"],
            "created_at": iso(row.created_ms / 1000),
            "room": known["room"],
        }

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _now_ms(self) -> int:
        return int(self.library.clock.wall() * 1000)
