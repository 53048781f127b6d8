"""Records of calls in the rooms of spaces: begun and stopped by moderators, kept for a while.

How they are made is the same in all families: `services/recording`. The space's webhook is told in the transaction of
each change, those inside right after it. A record that fails is not begun again by itself. Spaces contract, section 9.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signaling.services.errors import Conflict, Gone, NotFound, NotNow
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.recording import Library, Order, Recorder, State
from signaling.services.spaces.accounts import Caller
from signaling.services.spaces.door import FAMILY
from signaling.services.spaces.hooks import SpaceWebhooks
from signaling.services.spaces.spaces import Found, Room, SpacesService, find_owned_room, require
from signaling.store import recordings as store
from signaling.store import spaces
from signaling.store.database import Connection
from signaling.store.recordings import RecordingRow
from signaling.store.spaces import RoomRecord

LINK_LIFE = 86_400.0  # seconds
_STATES = {
    State.RUNNING: "recording",
    State.STOPPED: "processing",
    State.FINISHED: "ready",
    State.UPLOADED: "ready",
    State.FAILED: "failed",
}
_EVENTS = {
    State.RUNNING: "record_started",
    State.FINISHED: "record_finished",
    State.UPLOADED: "record_finished",
    State.FAILED: "record_failed",
}


@dataclass(frozen=True, slots=True)
class Record:
    """`state` in the contract's words. Times in unix milliseconds."""

    id: str
    name: str
    size_bytes: int | None
    room_id: str
    space_id: str
    call_id: str
    state: str
    started_ms: int
    finished_ms: int | None


class Records:
    """The family's patron, and what its moderators record with over /rt."""

    family = FAMILY
    forgets = True

    def __init__(self, recorder: Recorder, library: Library, service: SpacesService, hooks: SpaceWebhooks) -> None:
        self._recorder = recorder
        self._library = library
        self._spaces = service
        self._hooks = hooks

    async def start(self, caller: Caller, space_id: str, room_id: str) -> Record:
        """Conflict without a call, or while one is recorded."""
        room = await self._moderated(caller, space_id, room_id)
        meeting = self._recorder.conferences.meeting(room.channel_id)
        if meeting is None or not meeting.members:
            raise Conflict("There is no call in this room.")
        return _record(await self._begin(meeting, room))

    async def stop(self, caller: Caller, space_id: str, room_id: str) -> Record:
        room = await self._moderated(caller, space_id, room_id)
        row = await self._recorder.stop(room.channel_id)
        if row is None:
            raise Conflict("No record is being made.")
        return _record(row)

    async def list(
        self,
        caller: Caller,
        space_id: str,
        room_id: str,
        *,
        since_ms: int | None,
        until_ms: int | None,
        offset: int,
        limit: int,
    ) -> tuple[int, Sequence[Record]]:
        """How many there are in that time, and a part of them, newest first."""
        await self._check_may_list(caller, space_id, room_id)
        oldest_ms = self._spaces.now_ms() - self._library.retention_days * 86_400_000 + 1
        since_ms = oldest_ms if since_ms is None else max(since_ms, oldest_ms)
        wanted = self._library.wanted(owner=space_id, container=room_id, since_ms=since_ms, until_ms=until_ms)

        def both(connection: Connection) -> tuple[int, Sequence[RecordingRow]]:
            return store.count(connection, wanted), store.page(connection, wanted, limit=limit, offset=offset)

        count, rows = await self._library.database.reading(both)
        return count, [_record(row) for row in rows]

    async def link(self, caller: Caller, space_id: str, room_id: str, record_id: str) -> str:
        """Opens the file for a day; Conflict if it cannot be had."""
        await self._check_may_list(caller, space_id, room_id)
        row = await self._find(space_id, room_id, record_id)
        url = self._library.link(row)
        if url is None:
            raise Conflict(f"The record is not ready: it is {_STATES[State(row.state)]}.")
        return url

    async def delete(self, caller: Caller, space_id: str, room_id: str, record_id: str) -> None:
        """One that is being made is stopped and discarded."""
        require((await self._found(caller, space_id, room_id)).standing.owner)
        await self._recorder.destroy(await self._find(space_id, room_id, record_id))

    # what moderators do over /rt

    async def begin(self, meeting: Meeting, member: Member) -> None:
        room = await self._library.database.reading(_by_channel, meeting.id)
        if room is None:
            raise Gone
        await self._begin(meeting, room)

    async def end(self, meeting: Meeting) -> None:
        if await self._recorder.stop(meeting.id) is None:
            raise NotFound("record", "that is being made")

    # what the recorder tells

    def changed(self, connection: Connection, row: RecordingRow) -> None:
        if kind := _EVENTS.get(State(row.state)):
            self._hooks.announce(
                connection,
                kind,
                space_id=row.owner,
                room_id=row.container,
                record_id=row.id,
                call_id=json.loads(row.about)["callId"],
            )

    def tell(self, row: RecordingRow, meeting: Meeting | None) -> None:
        if meeting is not None:
            meeting.tell_recording(_told_inside(row))

    # helpers

    async def _begin(self, meeting: Meeting, room: Room) -> RecordingRow:
        about: Mapping[str, Any] = {"name": room.name, "callId": meeting.call_id}
        try:
            return await self._recorder.start(meeting.id, Order(FAMILY, room.space_id, room.id, about))
        except (NotNow, Gone) as error:
            raise Conflict(str(error)) from None

    async def _moderated(self, caller: Caller, space_id: str, room_id: str) -> Room:
        found = await self._spaces.room(caller, space_id, room_id)
        require(found.standing.moderates_room)
        return found.the_room

    async def _check_may_list(self, caller: Caller, space_id: str, room_id: str) -> None:
        standing = (await self._found(caller, space_id, room_id)).standing
        require(standing.owner or standing.moderates_room)

    async def _found(self, caller: Caller, space_id: str, room_id: str) -> Found:
        return await self._library.database.reading(find_owned_room, caller, space_id, room_id)

    async def _find(self, space_id: str, room_id: str, record_id: str) -> RecordingRow:
        row = await self._library.find(record_id, space_id)
        if row.container != room_id or self._library.is_over(row):
            raise NotFound("record", record_id)
        return row


def _record(row: RecordingRow) -> Record:
    about = json.loads(row.about)
    return Record(
        id=row.id,
        name=about["name"],
        size_bytes=row.size_bytes,
        room_id=row.container,
        space_id=row.owner,
        call_id=about["callId"],
        state=_STATES[State(row.state)],
        started_ms=row.created_ms,
        finished_ms=row.finished_ms,
    )


def _told_inside(row: RecordingRow) -> dict[str, Any]:
    """That there is one, and how long it is: its file is for who may list it."""
    return {
        "id": row.id,
        "created_at": row.created_ms // 1000,
        "duration": row.duration,
        "links": {"self": None, "download": None},
        "user": None,
        "room": {"id": row.container},
    }


def _by_channel(connection: Connection, channel_id: str) -> RoomRecord | None:
    return spaces.find(connection, RoomRecord, channel_id=channel_id)
