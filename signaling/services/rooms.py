"""The rooms of teams: meetings in them, access keys, guests, locks, and the end of it all.

The store says which meetings run, the conferences hold them. A meeting whose conference has ended is over at once,
and written down as over as soon as the store can be reached; after a restart none runs. What happens within a
transaction is `room_register.py`'s. Rooms contract, sections 2 to 5.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from mediaserver import Clock
from signaling import tokens
from signaling.services import events
from signaling.services import room_views as views
from signaling.services.errors import BadParameter, BadValue, Forbidden, Gone, NotFound, Unauthorized
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member
from signaling.services.room_records import Person, RoomUser, Seat, TeamMeeting, meeting_of, user_of
from signaling.services.room_register import Opening, Register
from signaling.services.room_views import Happening, Place, View
from signaling.settings import Settings
from signaling.store import team_rooms as store
from signaling.store.database import Connection, Database

DAY = 86400  # seconds
ENDS_REMEMBERED = 10_000  # meetings; more than end while somebody reads what the store said before
MAX_MESSAGE = 32_768  # bytes of content
_KEY = re.compile(rf"[A-Za-z0-9]{{{tokens.KEY_CHARACTERS}}}")

log = structlog.get_logger(__name__)


class Running(Protocol):
    """The conferences, as far as teams' meetings need them."""

    def begin(self, meeting: TeamMeeting) -> None:
        """Opens the meeting's conference, if it is not open."""

    def members(self, meeting_id: str) -> Mapping[str, Member]:
        """Who is online."""

    def is_full(self, meeting_id: str, user_id: str) -> bool:
        """Whether there is no seat for this user."""

    def lock(self, meeting_id: str) -> None:
        """Only who is online now may come back from now on; everybody is told."""

    def kick(self, meeting_id: str, user_id: str) -> None: ...

    def conference(self, meeting_id: str) -> Meeting | None:
        """The meeting's conference, if it runs."""

    def tell(self, meeting_id: str, event: Event) -> None:
        """Tells everybody inside, and observers."""

    async def end(self, meeting_id: str, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Listed:
    user: RoomUser
    online: bool


class Rooms:
    """`conferences` has to be set before anybody comes; `ended` has to be called for each conference that is over."""

    conferences: Running

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.place = Place(settings.base_url, settings.max_participants)
        self.register = Register(self.place, random, self)
        self.lasting: Callable[[Connection, str], TeamMeeting | None] = lambda _connection, _token: None
        """The meeting that a guest token opens which lasts longer than one meeting: a permalink's."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._running: dict[str, TeamMeeting] = {}
        """As told last, by conference."""
        self._happening: dict[str, Happening] = {}
        self._over: dict[str, int] = {}
        """The latest conferences that have ended, and when."""
        self._unwritten: dict[str, int] = {}
        """Those of them that the store does not know to be over."""
        self._writing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Meetings that were running when the server went down are over."""
        await self._database.writing(self.register.end_all, self._now_ms())

    async def aclose(self) -> None:
        """Returns when all that has ended is written down, or could not be."""
        while self._writing:
            await asyncio.gather(*self._writing, return_exceptions=True)

    # meetings

    async def enter(self, team: str, room_id: str | None, person: Person, opening: Opening) -> Seat:
        """Registers somebody in the room's running meeting, or begins one."""
        fresh = self.register.new_room(team, room_id, opening.name, self._now_ms())

        def work(connection: Connection) -> Seat:
            room = store.add_room(connection, fresh)
            return self.register.admit(connection, room, person, opening, self._now_ms())

        return await self.begin(work)

    async def begin(self, work: Callable[[Connection], Seat]) -> Seat:
        """Runs a transaction that finds or begins a meeting, and sees to it that its conference is open."""
        while True:
            seat = await self._database.writing(work)
            meeting = seat.meeting
            if not self.is_over(meeting.id):
                self.conferences.begin(meeting)
                self._changed(meeting)
                return seat

    async def running_rooms(self, team: str) -> Sequence[TeamMeeting]:
        found = map(meeting_of, await self._database.reading(store.running_of, team))
        return [meeting for meeting in found if not self.is_over(meeting.id)]

    async def running_room(self, team: str, room_id: str) -> TeamMeeting:
        """The running meeting of the team's room."""
        meeting = await self._latest(team, room_id)
        if meeting is None or meeting.over:
            raise NotFound("running room", room_id)
        return meeting

    async def running(self, team: str, meeting_id: str) -> TeamMeeting | None:
        """The team's meeting of that id, if it runs."""
        meeting = self._running.get(meeting_id)
        return meeting if meeting is not None and meeting.team == team else None

    async def meeting(self, meeting_id: str) -> TeamMeeting:
        """The meeting of that id, running or not."""
        row = await self._database.reading(store.meeting_by_id, meeting_id)
        if row is None:
            raise NotFound("meeting", meeting_id)
        return meeting_of(row)

    async def room_key(self, team: str, room_id: str) -> str:
        """What the team's room is called in the store."""
        room = await self._database.reading(store.room_by_id, team, room_id) if _storable(room_id) else None
        if room is None:
            raise NotFound("room", room_id)
        return room.key

    async def end(self, meeting: TeamMeeting) -> None:
        """Ends the meeting for all; its keys are gone when this returns."""
        await self.conferences.end(meeting.id, "ended")
        self.ended(meeting.id)
        await self.aclose()

    # seats

    async def seat(self, access_key: str) -> Seat:
        """What the access key stands for. NotFound if it was never issued, Gone if its meeting is over."""
        found = None
        if _KEY.fullmatch(access_key):
            found = await self._database.reading(store.by_access_key, tokens.digest(access_key))
        if found is None:
            raise NotFound("access key", tokens.shortened(access_key))
        user, meeting = found
        if meeting.ended_ms is not None or self.is_over(meeting.id):
            raise Gone
        seat = Seat(user_of(user), meeting_of(meeting))
        self._running.setdefault(meeting.id, seat.meeting)
        return seat

    def conference(self, seat: Seat) -> Meeting:
        """Where the seat is."""
        meeting = self.conferences.conference(seat.meeting.id)
        if meeting is None:
            raise Gone
        return meeting

    async def guest(self, guest_token: str, person: Person) -> Seat:
        """Registers a guest in the meeting whose guest token this is. Unauthorized if it was never issued."""

        def work(connection: Connection) -> Seat:
            meeting = self.by_guest_token(connection, guest_token)
            return self.register.admit_guest(connection, meeting, person, self._now_ms())

        return await self.begin(work)

    def by_guest_token(self, connection: Connection, guest_token: str) -> TeamMeeting:
        meeting = None
        if _KEY.fullmatch(guest_token):
            row = store.by_guest_token(connection, tokens.digest(guest_token))
            meeting = self.lasting(connection, guest_token) if row is None else meeting_of(row)
        if meeting is None:
            raise Unauthorized("This guest token was never issued.")
        return meeting

    async def user(self, seat: Seat, user_id: str) -> RoomUser:
        """Somebody registered in the same meeting."""
        row = await self._database.reading(store.user, seat.meeting.id, user_id) if _storable(user_id) else None
        if row is None:
            raise NotFound("user", user_id)
        return user_of(row)

    async def users(self, team: str, room_id: str) -> tuple[TeamMeeting, Sequence[Listed]]:
        """Who is registered in the running, or else the latest, meeting of the team's room."""
        meeting = await self._latest(team, room_id)
        if meeting is None:
            raise NotFound("room", room_id)
        online = {} if meeting.over else self.conferences.members(meeting.id)
        rows = await self._database.reading(store.users, meeting.id)
        return meeting, [Listed(user_of(row), row.id in online) for row in rows]

    # what users do

    async def kick(self, seat: Seat, user_id: str) -> None:
        """Sends somebody away; they may come back, if the meeting is not locked."""
        if not may_kick(seat):
            raise Forbidden("Sending others away is not available to this user.")
        await self.user(seat, user_id)
        self.conferences.kick(seat.meeting.id, user_id)

    async def lock(self, seat: Seat) -> None:
        """Lets nobody in any more. Twice is fine."""
        if seat.user.guest or not seat.meeting.options.lock_available:
            raise Forbidden("Locking is not available to this user.")
        if await self._database.writing(self.register.lock, seat.meeting, self._now_ms()):
            self.conferences.lock(seat.meeting.id)
            self._changed(replace(seat.meeting, locked=True))

    def say(self, seat: Seat, kind: str, content: str) -> None:
        """Tells everybody at once, whether the sender is online or not."""
        if kind in events.OURS:
            raise BadValue("type")
        if not content.strip():
            raise BadValue("content")
        if len(content.encode("utf-8", "surrogatepass")) > MAX_MESSAGE:
            raise BadParameter("content", f"is longer than {MAX_MESSAGE} bytes")
        self.conferences.tell(seat.meeting.id, events.said(kind, seat.user.id, content, self._clock.wall()))

    # what the conferences tell

    def ended(self, meeting_id: str) -> None:
        """The conference is over: so is the meeting, for good. Twice is fine."""
        if self.is_over(meeting_id):
            return
        self._over[meeting_id] = self._unwritten[meeting_id] = self._now_ms()
        if len(self._over) > ENDS_REMEMBERED:
            del self._over[next(iter(self._over))]
        self._running.pop(meeting_id, None)
        self._happening.pop(meeting_id, None)
        task = asyncio.get_running_loop().create_task(self._write_end(meeting_id))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def is_over(self, meeting_id: str) -> bool:
        return meeting_id in self._over or meeting_id in self._unwritten

    def is_full(self, meeting_id: str, user_id: str) -> bool:
        """Whether there is no seat for this user."""
        return self.conferences.is_full(meeting_id, user_id)

    async def sweep(self) -> None:
        """Writes down ends that could not be written, forgets who was in meetings long ago; call it now and then."""
        for meeting_id in list(self._unwritten):
            await self._write_end(meeting_id)
        keep_ms = self._settings.recordings.retention_days * DAY * 1000
        await self._database.stating(store.forget_users, self._now_ms() - keep_ms)

    # what is told

    def happening(self, meeting_id: str) -> Happening:
        """What goes on in the running meeting."""
        return self._happening.setdefault(meeting_id, Happening())

    def everything(self, seat: Seat, ice_servers: Sequence[Mapping[str, Any]]) -> View:
        """What the bearer of an access key gets."""
        return views.everything(self.place, seat, self.happening(seat.meeting.id), ice_servers, ready=True)

    def options(self, meeting: TeamMeeting) -> View:
        return views.options(self.place, meeting, self.happening(meeting.id))

    def shown_options(self, meeting: Meeting) -> View:
        """Those of a running conference, as they are now."""
        known = self._running.get(meeting.id)
        return dict(meeting.venue.options) if known is None else self.options(known)

    def change_options(self, meeting: Meeting, changes: Mapping[str, Any]) -> Event:
        """From now on these are others; what to tell everybody."""
        happening = self.happening(meeting.id)
        happening.changed_options.update(changes)
        return events.options_update(self.shown_options(meeting))

    def room_update(self, meeting: TeamMeeting) -> Event:
        online = views.participants(meeting, self.conferences.members(meeting.id).values())
        return views.room_update(self.place, meeting, self.happening(meeting.id), online, ready=True)

    def last_update(self, meeting_id: str) -> Event:
        """What is told when the conference is over."""
        meeting = replace(self._running[meeting_id], over=True)
        return views.room_update(self.place, meeting, self.happening(meeting_id), (), ready=False)

    # helpers

    def _changed(self, meeting: TeamMeeting) -> None:
        """Those inside are told of what is not as it was."""
        before = self._running.get(meeting.id)
        self._running[meeting.id] = meeting
        if before is not None and before != meeting:
            self.conferences.tell(meeting.id, self.room_update(meeting))

    async def _latest(self, team: str, room_id: str) -> TeamMeeting | None:
        room = await self._database.reading(store.room_by_id, team, room_id) if _storable(room_id) else None
        row = await self._database.reading(store.latest_in, room.key) if room else None
        if row is None:
            return None
        meeting = meeting_of(row)
        return replace(meeting, over=True) if self.is_over(meeting.id) else meeting

    async def _write_end(self, meeting_id: str) -> None:
        """Tries once; `sweep` tries again."""
        ended_ms = self._unwritten.get(meeting_id)
        if ended_ms is None:
            return
        try:
            await self._database.writing(self.register.end, meeting_id, ended_ms)
        except Exception:  # the database may be back later, and the meeting is over all the same
            log.exception("end of a meeting not written", meeting=meeting_id)
        else:
            self._unwritten.pop(meeting_id, None)

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def may_kick(seat: Seat) -> bool:
    return seat.meeting.options.kick_available and not seat.user.guest


def _storable(text: str) -> bool:
    """Whether a database can be asked for it."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
