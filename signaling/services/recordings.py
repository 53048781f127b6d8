"""Recordings of teams' meetings: begun, stopped, finished, kept for a while.

A recording has three states that everybody can see: it runs, it has been stopped, its file can be had. Each is told
to those inside and, in the transaction of the change, to the team's webhooks. The media plane writes the file into a
folder of its own; from there it goes into the object store. What a server that was killed has left behind is finished
at the next start. Rooms contract, section 6.
"""

import asyncio
import json
import secrets
import shutil
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from mediaserver import Clock, MediaEvent, MediaServer, Recording, RecordingClosed
from signaling import tokens
from signaling.objects import Objects, StoreFailed
from signaling.services import events
from signaling.services import room_views as views
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.errors import Gone, NotFound, NotNow, SwitchedOff
from signaling.services.links import Links
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.room_records import Herald, RoomUser, Seat, Silent, TeamMeeting
from signaling.services.room_views import View
from signaling.services.rooms import Rooms
from signaling.settings import Recordings as Limits
from signaling.store import recordings as store
from signaling.store import team_rooms
from signaling.store.database import Connection, Database
from signaling.store.recordings import RecordingRow, Wanted

KIND = "recording"
RUNNING, STOPPED, FINISHED, FAILED = "running", "stopped", "finished", "failed"
FILE = "recording.webm"
MEDIA_TYPE = "video/webm"
PAGE = 25
SWEEP = 100  # at a time
DAY = 86400  # seconds

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Running:
    """One that is being written or finished. `begun_at` is monotonic."""

    row: RecordingRow
    team: str
    begun_at: float
    meeting: Meeting | None = None
    """Whose members hear of it; None: nobody is left."""
    handle: Recording | None = None
    discarded: bool = False
    waiting: int | None = None
    """The duration of a file that the object store has not taken yet."""
    stopping: "asyncio.Task[None] | None" = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Of a list; times in unix seconds."""

    page: int = 1
    started_at: float | None = None
    since: float | None = None
    until: float | None = None


@dataclass(slots=True)
class Recordings:
    """A watch of conferences; `hear` has to be called with every event of the media plane."""

    database: Database
    media: MediaServer
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
    _running: dict[str, _Running] = field(default_factory=dict)
    """By meeting."""
    _unfinished: dict[str, _Running] = field(default_factory=dict)
    """By id; those that run, too."""
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def start_up(self) -> None:
        """Finishes what the server has left behind when it went down."""
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        for closed in await self.media.repair_recordings(self.folder):
            await self._finish_left(Path(closed.path), closed)
        for row in await self.database.reading(store.unfinished, KIND, (RUNNING, STOPPED)):
            if row.id in self._unfinished:
                continue  # the object store is away
            path = self.folder / row.id
            if await asyncio.to_thread((path / FILE).is_file):
                await self._keep(_Running(row, await self._team_of(row), 0.0), path, row.duration or 0)
            else:
                await self.database.writing(store.change, row.id, FAILED, row.duration or 0)

    async def aclose(self) -> None:
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # what users do

    async def start(self, seat: Seat) -> None:
        """Begins a recording. SwitchedOff, or NotNow while one runs or nothing can be recorded."""
        if not seat.meeting.options.recording_available:
            raise SwitchedOff("Recording")
        meeting = self.conferences.meeting(seat.meeting.id)
        if meeting is None or meeting.media is None:
            raise NotNow("The meeting is not ready.")
        if meeting.id in self._running:
            raise NotNow("A recording is running.")
        running = _Running(self._row(seat), seat.meeting.team, self.clock.monotonic(), meeting)
        self._running[meeting.id] = self._unfinished[running.row.id] = running
        try:
            await self.database.writing(self._begin, running)
        except BaseException:
            self._forget(running)
            raise
        if self.conferences.meeting(meeting.id) is not meeting:
            self._forget(running)
            await self.database.stating(store.delete, running.row.id)
            raise Gone
        self.composites.need(meeting, running.row.id)
        names = {member.id: member.name for member in meeting.members.values()}
        running.handle = meeting.media.record(running.row.id, self.folder / running.row.id, names=names)
        self._tell(running)

    async def stop(self, seat: Seat) -> None:
        """NotFound if none runs."""
        running = self._running.get(seat.meeting.id)
        if running is None or running.handle is None:
            raise NotFound("recording", "that is running")
        self._stop(running)
        if running.stopping:
            await running.stopping

    # what teams do

    async def fetch(self, team: str, recording_id: str) -> View:
        return self._view(await self._owned(team, recording_id))

    async def list(self, team: str, room_id: str, wanted: Filter) -> Sequence[View]:
        """A page of the room's recordings, newest first."""
        key = await self.rooms.room_key(team, room_id)
        rows = await self.database.reading(page_of, key, KIND, (RUNNING, STOPPED, FINISHED, FAILED), wanted)
        return [self._view(row) for row in rows if not self._is_expired(row)]

    async def delete(self, team: str, recording_id: str) -> None:
        """One that runs is stopped and discarded."""
        await self._destroy(await self._owned(team, recording_id))

    # what is heard

    def hear(self, event: MediaEvent) -> None:
        if isinstance(event, RecordingClosed) and (running := self._unfinished.get(event.recording_id)):
            self._stop(running)
            self._later(self._finish(running, event))

    def came(self, meeting: Meeting, member: Member) -> None:
        first = len(meeting.members) == 1 and meeting.id not in self._running
        if first and meeting.venue.options.get("record_on_start") and meeting.family == "rooms":
            self._later(self._start_by_itself(meeting, member))

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        if running := self._running.get(meeting.id):
            self._stop(running)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    async def sweep(self) -> None:
        """Destroys what has been kept long enough, and stores what the object store has not taken before."""
        before_ms = self._now_ms() - self.limits.retention_days * DAY * 1000
        for row in await self.database.reading(store.made_before, KIND, before_ms, SWEEP):
            await self._destroy(row)
        for running in list(self._unfinished.values()):
            if running.waiting is not None:
                await self._keep(running, self.folder / running.row.id, running.waiting)

    # helpers

    async def _start_by_itself(self, meeting: Meeting, member: Member) -> None:
        team_meeting = await self.rooms.meeting(meeting.id)
        joined_at = member.joined_at
        user = RoomUser(member.id, member.name, member.avatar, member.guest, None, joined_at, access_key="")
        try:
            await self.start(Seat(user, team_meeting))
        except (SwitchedOff, NotNow, Gone) as error:
            log.info("recording not begun", conference=meeting.id, why=str(error))

    def _row(self, seat: Seat) -> RecordingRow:
        return recording_row(self.rooms, seat, KIND, tokens.new_id(self.random), self._now_ms())

    def _begin(self, connection: Connection, running: _Running) -> None:
        store.insert(connection, running.row)
        self._announce(connection, running)

    def _stop(self, running: _Running) -> None:
        """It runs no more; what it has is finished from here on. Twice is fine."""
        if running.stopping is not None or running.handle is None:
            return
        self._running.pop(running.row.meeting_id, None)
        running.row = replace(
            running.row, state=STOPPED, duration=max(0, int(self.clock.monotonic() - running.begun_at))
        )
        running.handle.stop()
        self.composites.release(running.row.meeting_id, running.row.id)
        if not running.discarded:
            self._tell(running)
        running.stopping = self._later(self._write(running))

    async def _finish(self, running: _Running, closed: RecordingClosed) -> None:
        if running.stopping:
            await running.stopping
        path = self.folder / running.row.id
        if running.discarded:
            await self._drop(running, path)
            return
        duration = int(closed.duration) if closed.index is not None else running.row.duration or 0
        if closed.index is None or not await asyncio.to_thread((path / FILE).is_file):
            running.row = replace(running.row, state=FAILED)
            await self._write(running)
            self._forget(running)
            log.warning("recording failed", recording=running.row.id, why=closed.why)
            return
        await self._keep(running, path, duration)

    async def _keep(self, running: _Running, path: Path, duration: int) -> None:
        """The file goes into the object store; if that is away, it is tried again at the next sweep or start."""
        running.waiting = None
        try:
            if not running.discarded:
                await self.objects.put(path / FILE, f"{running.row.id}.webm", MEDIA_TYPE)
        except StoreFailed as error:
            log.warning("recording not stored", recording=running.row.id, why=str(error))
            running.waiting = duration
            self._unfinished[running.row.id] = running
            return
        if not running.discarded:
            running.row = replace(running.row, state=FINISHED, duration=duration)
            await self._write(running)
        await self._drop(running, path)
        if running.discarded:
            await self._remove(running.row.id)
        else:
            self._tell(running)

    async def _drop(self, running: _Running, path: Path) -> None:
        """Nothing more is to be done with what was written."""
        self._forget(running)
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    async def _destroy(self, row: RecordingRow) -> None:
        """One that is not in the object store yet is stopped and discarded."""
        running = self._unfinished.get(row.id)
        if running is None:
            await self._remove(row.id)
        else:
            running.discarded = True
        await self.database.stating(store.delete, row.id)
        if running is not None:
            self._stop(running)

    async def _finish_left(self, path: Path, closed: RecordingClosed) -> None:
        row = await self.database.reading(store.by_id, KIND, path.name)
        if row is None:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
            return
        running = _Running(row, await self._team_of(row), 0.0)
        await self._finish(running, replace(closed, recording_id=row.id))

    async def _write(self, running: _Running) -> None:
        await self.database.writing(self._change, running)

    def _change(self, connection: Connection, running: _Running) -> None:
        row = running.row
        if store.change(connection, row.id, row.state, row.duration):
            self._announce(connection, running)

    def _announce(self, connection: Connection, running: _Running) -> None:
        if running.row.state != FAILED:
            self.herald.announce(connection, running.team, "recording_update", self._view(running.row), self._now_ms())

    def _tell(self, running: _Running) -> None:
        """Those inside hear of the state it is in."""
        if running.meeting is None:
            return
        view = self._view(running.row)
        if self.conferences.meeting(running.meeting.id) is running.meeting:
            self.rooms.happening(running.meeting.id).recording = view if running.row.state == RUNNING else None
        running.meeting.tell(events.recording_update(view))

    def _view(self, row: RecordingRow) -> View:
        here = self.rooms.place.base_url
        told = {
            "id": row.id,
            "created_at": row.created_ms // 1000,
            "duration": row.duration,
            "links": {"self": f"{here}/recordings/{row.id}", "download": self._link(row)},
            "user": json.loads(row.user),
            "room": json.loads(row.room),
        }
        return {**told, "failed": True} if row.state == FAILED else told

    def _link(self, row: RecordingRow) -> str | None:
        if row.state != FINISHED:
            return None
        return self.links.url(f"{row.id}.webm", self.clock.wall() + self.limits.link_ttl_seconds)

    async def _owned(self, team: str, recording_id: str) -> RecordingRow:
        return await owned(self.database, KIND, team, recording_id, self._is_expired)

    def _is_expired(self, row: RecordingRow) -> bool:
        return self._now_ms() >= row.created_ms + self.limits.retention_days * DAY * 1000

    async def _team_of(self, row: RecordingRow) -> str:
        return (await self.rooms.meeting(row.meeting_id)).team

    async def _remove(self, recording_id: str) -> None:
        try:
            await self.objects.delete(f"{recording_id}.webm")
        except StoreFailed as error:
            log.warning("recording not removed", recording=recording_id, why=str(error))

    def _forget(self, running: _Running) -> None:
        self._unfinished.pop(running.row.id, None)
        if self._running.get(running.row.meeting_id) is running:
            del self._running[running.row.meeting_id]

    def _later(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _now_ms(self) -> int:
        return int(self.clock.wall() * 1000)


def recording_row(rooms: Rooms, seat: Seat, kind: str, recording_id: str, now_ms: int) -> RecordingRow:
    """Something that begins now; who wanted it, and the room as it is."""
    meeting: TeamMeeting = seat.meeting
    return RecordingRow(
        id=recording_id,
        kind=kind,
        room_key=meeting.room_key,
        meeting_id=meeting.id,
        user=json.dumps(views.person(seat.user)),
        room=json.dumps(views.room(rooms.place, meeting, ready=True)),
        created_ms=now_ms,
        duration=None,
        state=RUNNING,
    )


async def owned(
    database: Database, kind: str, team: str, recording_id: str, expired: Callable[[RecordingRow], bool]
) -> RecordingRow:
    """The team's, if it is there still."""
    found = partial(store.by_id, kind=kind, recording_id=recording_id, team=team)
    row = await database.reading(found) if recording_id.isascii() and recording_id.isalnum() else None
    if row is None or expired(row):
        raise NotFound(kind, recording_id)
    return row


def page_of(
    connection: Connection, room_key: str, kind: str, states: Sequence[str], wanted: Filter
) -> Sequence[RecordingRow]:
    meetings = None
    if wanted.started_at is not None:
        meetings = team_rooms.running_at(connection, room_key, int(wanted.started_at * 1000))
    since_ms = None if wanted.since is None else int(wanted.since) * 1000
    until_ms = None if wanted.until is None else int(wanted.until) * 1000 + 999
    asked = Wanted(kind, states, meetings, since_ms, until_ms)
    return store.page(connection, room_key, asked, limit=PAGE, offset=(wanted.page - 1) * PAGE)
