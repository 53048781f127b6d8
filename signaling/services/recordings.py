"""Recordings of teams' meetings: who may begin them, and what teams and those inside are told.

A recording has three states that everybody can see: it runs, it has been stopped, its file can be had. Each is told to
those inside and, in the transaction of the change, to the team's webhooks. How it is made is the same in all families:
`services/recording`. Rooms contract, section 6.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from mediaserver import MediaEvent
from signaling.services import room_views as views
from signaling.services.conferences import Conferences
from signaling.services.errors import Gone, NotFound, NotNow, SwitchedOff
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.recording import Library, Order, Recorder, State
from signaling.services.room_records import Herald, RoomUser, Seat, Silent
from signaling.services.room_views import View
from signaling.services.rooms import Rooms
from signaling.store import recordings as store
from signaling.store import team_rooms
from signaling.store.database import Connection
from signaling.store.recordings import RecordingRow

FAMILY = "rooms"
PAGE = 25

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Filter:
    """Of a list; times in unix seconds."""

    page: int = 1
    started_at: float | None = None
    since: float | None = None
    until: float | None = None


@dataclass(slots=True)
class Recordings:
    """A watch of conferences, and the family's patron."""

    recorder: Recorder
    library: Library
    conferences: Conferences
    rooms: Rooms
    herald: Herald = field(default_factory=Silent)
    family: str = FAMILY
    forgets: bool = True
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def aclose(self) -> None:
        """Returns when what has been heard of is finished, or waits for the object store."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.recorder.aclose()

    async def sweep(self) -> None:
        await self.recorder.sweep()

    # what users do

    async def start(self, seat: Seat) -> None:
        """Begins a recording. SwitchedOff, or NotNow while one runs or nothing can be recorded."""
        if not seat.meeting.options.recording_available:
            raise SwitchedOff("Recording")
        order = Order(FAMILY, seat.meeting.team, seat.meeting.room_key, about(self.rooms, seat))
        await self.recorder.start(seat.meeting.id, order)

    async def stop(self, seat: Seat) -> None:
        """NotFound if none runs."""
        await self._stop(seat.meeting.id)

    # what members do over /rt

    async def begin(self, meeting: Meeting, member: Member) -> None:
        """As `start`, for whoever is online."""
        await self.start(Seat(_user(member), await self.rooms.meeting(meeting.id)))

    async def end(self, meeting: Meeting) -> None:
        await self._stop(meeting.id)

    # what teams do

    async def fetch(self, team: str, recording_id: str) -> View:
        return self._view(await self._find(team, recording_id))

    async def list(self, team: str, room_id: str, wanted: Filter) -> Sequence[View]:
        """A page of the room's recordings, newest first."""
        key = await self.rooms.room_key(team, room_id)
        return [self._view(row) for row in await page_of(self.library, key, tuple(State), wanted)]

    async def delete(self, team: str, recording_id: str) -> None:
        """One that runs is stopped and discarded."""
        await self.recorder.destroy(await self._find(team, recording_id))

    # what the recorder tells

    def changed(self, connection: Connection, row: RecordingRow) -> None:
        if row.state != State.FAILED:
            now_ms = int(self.library.clock.wall() * 1000)
            self.herald.announce(connection, row.owner, "recording_update", self._view(row), now_ms)

    def tell(self, row: RecordingRow, meeting: Meeting | None) -> None:
        if meeting is None:
            return
        view = self._view(row)
        if self.conferences.meeting(meeting.id) is meeting:
            happening, running = self.rooms.happening(meeting.id), self.recorder.running(meeting.id)
            happening.recording = None if running is None else self._view(running)
        meeting.tell_recording(view)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        first = len(meeting.members) == 1 and self.recorder.running(meeting.id) is None
        if first and meeting.venue.options.get("record_on_start") and meeting.family == FAMILY:
            task = asyncio.get_running_loop().create_task(self._start_by_itself(meeting, member))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        pass

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    async def _stop(self, meeting_id: str) -> None:
        if await self.recorder.stop(meeting_id) is None:
            raise NotFound("recording", "that is running")

    async def _start_by_itself(self, meeting: Meeting, member: Member) -> None:
        try:
            await self.begin(meeting, member)
        except (SwitchedOff, NotNow, Gone) as error:
            log.info("recording not begun", conference=meeting.id, why=str(error))

    def _view(self, row: RecordingRow) -> View:
        here, known = self.rooms.place.base_url, json.loads(row.about)
        told = {
            "id": row.id,
            "created_at": row.created_ms // 1000,
            "duration": row.duration,
            "links": {"self": f"{here}/recordings/{row.id}", "download": self.library.link(row)},
            "user": known["user"],
            "room": known["room"],
        }
        return {**told, "failed": True} if row.state == State.FAILED else told

    async def _find(self, team: str, recording_id: str) -> RecordingRow:
        return await find(self.library, team, recording_id)


def _user(member: Member) -> RoomUser:
    return RoomUser(member.id, member.name, member.avatar, member.guest, None, member.joined_at, access_key="")


def about(rooms: Rooms, seat: Seat) -> Mapping[str, Any]:
    """Who wants something to be made of the composite, and the room as it is."""
    return {"user": views.person(seat.user), "room": views.room(rooms.place, seat.meeting, ready=True)}


async def find(library: Library, team: str, recording_id: str) -> RecordingRow:
    """The team's, as long as it is kept; NotFound."""
    row = await library.find(recording_id, team)
    if library.is_over(row):
        raise NotFound(library.kind, recording_id)
    return row


async def page_of(library: Library, room_key: str, states: Sequence[State], wanted: Filter) -> Sequence[RecordingRow]:
    """Those of the room that are kept, newest first."""

    def rows(connection: Connection) -> Sequence[RecordingRow]:
        meetings = None
        if wanted.started_at is not None:
            meetings = team_rooms.running_at(connection, room_key, int(wanted.started_at * 1000))
        asked = library.wanted(
            container=room_key,
            states=states,
            conferences=meetings,
            since_ms=None if wanted.since is None else int(wanted.since) * 1000,
            until_ms=None if wanted.until is None else int(wanted.until) * 1000 + 999,
        )
        return store.page(connection, asked, limit=PAGE, offset=(wanted.page - 1) * PAGE)

    return [row for row in await library.database.reading(rows) if not library.is_over(row)]
