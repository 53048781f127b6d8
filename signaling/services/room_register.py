"""What happens to teams' meetings and their users within one transaction: found or begun, registered, locked, ended.

Every method takes the connection of the transaction it is part of, and tells the team's webhooks in the same one.
That a meeting has one conference, and what its conference knows, is `rooms.py`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from signaling import tokens
from signaling.services import room_views as views
from signaling.services.errors import BadValue, Full, Gone, Locked, NotFound, Unauthorized
from signaling.services.room_options import RoomOptions
from signaling.services.room_records import Herald, Person, RoomUser, Seat, Silent, TeamMeeting, meeting_of, user_of
from signaling.services.room_views import Place
from signaling.store import team_rooms as store
from signaling.store.database import Connection
from signaling.store.team_rooms import MeetingRow, RoomRow, UserRow


@dataclass(frozen=True, slots=True)
class Opening:
    """What a meeting is begun with. `guest_token` is a permalink's; others get their own."""

    options: RoomOptions
    name: str | None = None
    guest_token: str | None = None
    permalink_id: str | None = None


class Present(Protocol):
    """What the conferences know and the store does not."""

    def is_over(self, meeting_id: str) -> bool: ...

    def is_full(self, meeting_id: str, user_id: str) -> bool: ...


class Register:
    def __init__(self, place: Place, random: Callable[[int], bytes], present: Present) -> None:
        self.herald: Herald = Silent()
        self._place = place
        self._random = random
        self._is_over = present.is_over
        self._is_full = present.is_full

    def new_room(self, team: str, room_id: str | None, name: str | None, now_ms: int) -> RoomRow:
        """A room to be added if there is none of that id."""
        fresh = tokens.new_id(self._random)
        return RoomRow(fresh, team, room_id or tokens.new_id(self._random), name, now_ms)

    def admit(self, connection: Connection, room: RoomRow, person: Person, opening: Opening, now_ms: int) -> Seat:
        """The person registered in the room's running meeting, which is begun if there is none."""
        if opening.name is not None and opening.name != room.name:
            store.rename_room(connection, room.key, opening.name)
        meeting = self._running_in(connection, room.key, now_ms)
        if meeting is None:
            meeting = self._begin(connection, room, opening, now_ms)
        else:
            meeting = self._renamed(connection, meeting, opening.name, now_ms)
        return Seat(self._register(connection, meeting, person, now_ms, guest=False), meeting)

    def admit_guest(self, connection: Connection, meeting: TeamMeeting, person: Person, now_ms: int) -> Seat:
        if not meeting.options.guest_token_available:
            raise Unauthorized("This guest token was never issued.")
        if meeting.over or self._is_over(meeting.id):
            raise Gone
        return Seat(self._register(connection, meeting, person, now_ms, guest=True), meeting)

    def running_in(self, connection: Connection, room_key: str) -> TeamMeeting | None:
        row = store.running_in(connection, room_key)
        return None if row is None or self._is_over(row.id) else meeting_of(row)

    def lock(self, connection: Connection, meeting: TeamMeeting, now_ms: int) -> bool:
        """Whether it was open, and is locked now."""
        locked = store.lock(connection, meeting.id, now_ms)
        if locked:
            self._announce(connection, meeting, now_ms)
        return locked

    def end(self, connection: Connection, meeting_id: str, now_ms: int) -> None:
        """Twice is fine."""
        row = store.meeting_by_id(connection, meeting_id)
        if row is None:
            raise NotFound("meeting", meeting_id)
        self._end(connection, meeting_of(row), now_ms)

    def end_all(self, connection: Connection, now_ms: int) -> None:
        for row in store.running_of(connection, None):
            self._end(connection, meeting_of(row), now_ms)

    def _running_in(self, connection: Connection, room_key: str, now_ms: int) -> TeamMeeting | None:
        """What the conferences know to be over is written down on this occasion."""
        row = store.running_in(connection, room_key)
        if row is None:
            return None
        if self._is_over(row.id):
            self._end(connection, meeting_of(row), now_ms)
            return None
        return meeting_of(row)

    def _begin(self, connection: Connection, room: RoomRow, opening: Opening, now_ms: int) -> TeamMeeting:
        token = opening.guest_token or tokens.new_key(self._random)
        row = MeetingRow(
            id=str(tokens.new_uuid(self._random)),
            room_key=room.key,
            name=room.name if opening.name is None else opening.name,
            options=opening.options.model_dump_json(exclude_unset=True),
            guest_token=token,
            permalink_id=opening.permalink_id,
            started_ms=now_ms,
            locked_ms=None,
            ended_ms=None,
            team=room.team,
            room_id=room.room_id,
        )
        store.add_meeting(connection, row, None if opening.guest_token else tokens.digest(token))
        meeting = meeting_of(row)
        self._announce(connection, meeting, now_ms, ready=False)
        self._announce(connection, meeting, now_ms)
        return meeting

    def _renamed(self, connection: Connection, meeting: TeamMeeting, name: str | None, now_ms: int) -> TeamMeeting:
        if name is None or name == meeting.name:
            return meeting
        store.rename_meeting(connection, meeting.id, name)
        renamed = replace(meeting, name=name)
        self._announce(connection, renamed, now_ms)
        return renamed

    def _register(
        self, connection: Connection, meeting: TeamMeeting, person: Person, now_ms: int, *, guest: bool
    ) -> RoomUser:
        """The same id again is the same user, with the same access key, for the team alone.

        Ids are known to everybody inside: a guest who names one that is somebody's must not get their key.
        """
        known = store.user(connection, meeting.id, person.id) if person.id is not None else None
        if known is not None and (guest or known.guest):
            raise BadValue("id" if guest else "user[id]")
        if known is None and meeting.locked:
            raise Locked
        user_id = tokens.new_id(self._random) if person.id is None else person.id
        if self._is_full(meeting.id, user_id):
            raise Full(meeting.options.limit(self._place.max_participants))
        if known is not None:
            changed = replace(known, name=person.name, avatar=person.avatar)
            store.change_user(connection, changed)
            return user_of(changed)
        key = tokens.new_key(self._random)
        added = UserRow(meeting.id, user_id, person.name, person.avatar, guest, person.locale, now_ms, key)
        store.add_user(connection, added, tokens.digest(key))
        return user_of(added)

    def _end(self, connection: Connection, meeting: TeamMeeting, now_ms: int) -> None:
        if store.end(connection, meeting.id, now_ms):
            self._announce(connection, replace(meeting, over=True), now_ms)

    def _announce(self, connection: Connection, meeting: TeamMeeting, now_ms: int, *, ready: bool = True) -> None:
        subject = views.room(self._place, meeting, ready=ready)
        self.herald.announce(connection, meeting.team, "room_update", subject, now_ms)
