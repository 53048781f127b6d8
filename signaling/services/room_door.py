"""The rooms family and the conferences: who of a team's room gets in, and what the one tells the other.

An access key is one user's own; a team's API key opens its running meetings to publishers without a socket, and to
observers. Events that only this family has are made here.
"""

import re
from collections.abc import Mapping
from typing import Any

from mediaserver import Clock, MediaEvent
from signaling import tokens
from signaling.services.conferences import Conferences
from signaling.services.doors import Credential, Endpoint, Pass, Venue
from signaling.services.errors import NotFound, Refused
from signaling.services.ice_servers import ice_servers
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member, Observer
from signaling.services.room_records import Seat, TeamMeeting
from signaling.services.rooms import Rooms, may_kick
from signaling.settings import Settings

FAMILY = "rooms"
_POWERS = frozenset({"record_start", "record_stop"})
"""Of everybody who has an access key, guests among them."""
_KEY = re.compile(rf"[A-Za-z0-9]{{{tokens.KEY_CHARACTERS}}}")


class RoomConferences:
    """Teams' meetings as conferences: what `Rooms` needs of them, and what they tell it."""

    def __init__(self, rooms: Rooms, conferences: Conferences) -> None:
        self._rooms = rooms
        self._conferences = conferences

    # what `Rooms` asks for

    def begin(self, meeting: TeamMeeting) -> None:
        self._conferences.open(venue(self._rooms, meeting))

    def conference(self, meeting_id: str) -> Meeting | None:
        return self._conferences.meeting(meeting_id)

    def members(self, meeting_id: str) -> Mapping[str, Member]:
        running = self._conferences.meeting(meeting_id)
        return running.members if running else {}

    def is_full(self, meeting_id: str, user_id: str) -> bool:
        running = self._conferences.meeting(meeting_id)
        return (
            running is not None and user_id not in running.members and len(running.members) >= running.max_participants
        )

    def lock(self, meeting_id: str) -> None:
        self._conferences.lock(meeting_id)

    def kick(self, meeting_id: str, user_id: str) -> None:
        running = self._conferences.meeting(meeting_id)
        if running and user_id in running.members:
            self._conferences.dismiss(running, running.members[user_id], "kicked")

    def tell(self, meeting_id: str, event: Event) -> None:
        if running := self._conferences.meeting(meeting_id):
            running.tell(event)

    async def end(self, meeting_id: str, reason: str) -> None:
        await self._conferences.end(meeting_id, reason)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        if meeting.family == FAMILY:
            meeting.tell(self._rooms.last_update(meeting.id))

    def ended(self, meeting: Meeting, reason: str) -> None:
        if meeting.family == FAMILY:
            self._rooms.ended(meeting.id)


class RoomsDoor:
    """`teams` are the names of teams by their API keys."""

    family = FAMILY

    def __init__(
        self, rooms: Rooms, conferences: Conferences, settings: Settings, clock: Clock, teams: Mapping[str, str]
    ) -> None:
        self._rooms = rooms
        self._conferences = conferences
        self._settings = settings
        self._clock = clock
        self._teams = teams

    async def admit(self, credential: Credential) -> Pass | None:
        if credential.kind == "bearer" and (key := tokens.find_key(tuple(self._teams), credential.text)):
            return await self._admit_team(self._teams[key], credential.at)
        if credential.kind not in ("access_key", "bearer") or not _KEY.fullmatch(credential.text):
            return None
        try:
            return self._pass(await self._rooms.seat(credential.text))
        except NotFound:
            if credential.kind == "bearer":
                return None
            raise Refused(credential.text) from None

    async def exists(self, conference_id: str) -> bool:
        running = self._conferences.meeting(conference_id)
        return running is not None and running.family == FAMILY

    async def seat(self, admitted: Pass, participant_id: str, kept: Endpoint | None) -> Endpoint | None:
        return None

    async def upgrade(self, conference_id: str) -> Venue:
        raise AssertionError("meetings of this family go through the server from their beginning")

    async def renew(self, endpoint: Endpoint) -> Endpoint:
        raise AssertionError("there are no endpoints in this family")

    async def observe(self, api_key: str, room_id: str, observer: Observer) -> Meeting:
        """From now on the observer hears what is told in the room's running meeting, first what it is like now."""
        key = tokens.find_key(tuple(self._teams), api_key)
        if key is None:
            raise Refused(api_key)
        meeting = await self._rooms.running_room(self._teams[key], room_id)
        running = self._conferences.meeting(meeting.id)
        if running is None:
            raise NotFound("running room", room_id)
        observer.tell(self._rooms.room_update(meeting))
        running.observers.add(observer)
        return running

    async def _admit_team(self, team: str, conference_id: str | None) -> Pass | None:
        meeting = await self._rooms.running(team, conference_id or "")
        return None if meeting is None else Pass(venue(self._rooms, meeting))

    def _pass(self, seat: Seat) -> Pass:
        user, meeting = seat.user, seat.meeting
        servers = ice_servers(self._settings, user.id, self._clock.wall())
        return Pass(
            venue(self._rooms, meeting),
            participant_id=user.id,
            name=user.name,
            avatar=user.avatar,
            guest=user.guest,
            powers=_POWERS | ({"kick"} if may_kick(seat) else frozenset()),
            own=f"{FAMILY} {meeting.id} {user.id}",
            setup=self._rooms.everything(seat, servers),
        )


def venue(rooms: Rooms, meeting: TeamMeeting) -> Venue:
    options: dict[str, Any] = rooms.options(meeting)
    return Venue(
        id=meeting.id,
        family=FAMILY,
        name=meeting.shown_name,
        mode="SFU",
        max_participants=options["max_participants"],
        room_id=meeting.room_id,
        options=options,
        locked=meeting.locked,
    )
