"""The spaces family's door: users with a role, guests of public rooms, and holders of access tokens.

Who may not come in learns no more than that. A one-time access token is used up by the join; whoever joined with it may
come back as long as their seat is kept. Spaces contract, sections 4 and 6.
"""

import re

from mediaserver import Clock
from signaling import jwts
from signaling.services.conferences import Conferences
from signaling.services.doors import Credential, Endpoint, Pass, Role, Venue
from signaling.services.entrance import AlreadyOnline
from signaling.services.errors import Conflict, NotFound, Refused
from signaling.services.spaces.access import Access, Accesses, AccessExpired, AccessUsed
from signaling.services.spaces.accounts import Accounts, Caller
from signaling.services.spaces.rules import SpaceRole, live_role
from signaling.services.spaces.spaces import Room, Space, standing_in
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.store.spaces import RoomRecord, SpaceRecord

FAMILY = "spaces"
_ALIAS = re.compile(r"[A-Za-z0-9_-]{10}")
_TOKEN = re.compile(r"[0-9a-f]{64}")
_OWN_ID = re.compile(r"[0-9a-f]{24}")  # of users, and of one-time access tokens


class SpacesDoor:
    family = FAMILY

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        accesses: Accesses,
        conferences: Conferences,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._accesses = accesses
        self._conferences = conferences
        self._clock = clock

    async def admit(self, credential: Credential) -> Pass | None:
        match credential.kind:
            case "alias":
                return await self._admit_to(credential)
            case "bearer" if credential.at:
                return await self._admit_bearer(credential.text, credential.at)
            case _:
                return None

    async def knows(self, alias: str) -> bool:
        """Whether it is a room's."""
        return await self._found(alias) is not None

    async def look(self, alias: str, token: str) -> tuple[Pass, bool]:
        """What the token, or none, opens now, and whether none would do; nothing is used up by that."""
        admitted = await self._admit_to(Credential("alias", token, alias=alias))
        found = await self._found(alias)
        return admitted, found is not None and all(each.is_public for each in found)

    async def exists(self, conference_id: str) -> bool:
        return await self._database.reading(_by_channel, conference_id) is not None

    async def seat(self, admitted: Pass, participant_id: str, kept: Endpoint | None) -> Endpoint | None:
        self._check_chosen(admitted, participant_id)
        once = admitted.data is not None and admitted.participant_id == admitted.data
        if not once or self._conferences.is_online(admitted.venue.id, participant_id):
            return None
        if not await self._accesses.use(participant_id):
            raise AccessUsed
        return None

    async def upgrade(self, conference_id: str) -> Venue:
        raise Conflict("Media of this conference goes through the server already.")

    async def renew(self, endpoint: Endpoint) -> Endpoint:
        raise Conflict("Nothing here has to be renewed.")

    async def _admit_to(self, credential: Credential) -> Pass:
        """By the room's alias, with whatever token stood beside it."""
        found = await self._found(credential.alias)
        if found is None:
            raise NotFound("room", credential.alias)
        space, room = found
        if not credential.text:
            return await self._admit_user(space, room, None)
        return await self._admit_token(space, room, credential.text)

    async def _found(self, alias: str) -> tuple[SpaceRecord, RoomRecord] | None:
        return await self._database.reading(_by_alias, alias) if _ALIAS.fullmatch(alias) else None

    async def _admit_bearer(self, token: str, channel_id: str) -> Pass | None:
        if not (jwts.looks_like_jwt(token) or _TOKEN.fullmatch(token)):
            return None
        found = await self._database.reading(_by_channel, channel_id)
        if found is None:
            return None
        return await self._admit_token(*found, token)

    async def _admit_token(self, space: Space, room: Room, token: str) -> Pass:
        opened = await self._accesses.opened_by(token) if _TOKEN.fullmatch(token) else None
        if opened is not None:
            access, its_room, _ = opened
            if its_room.id != room.id:
                raise Refused(token)
            return self._admit_access(room, access)
        caller = await self._accounts.caller(token) or await self._accounts.refreshed_caller(token)
        if caller is None or not caller.is_user:
            raise Refused(token)
        return await self._admit_user(space, room, caller)

    async def _admit_user(self, space: Space, room: Room, caller: Caller | None) -> Pass:
        """A user by what they are to the room; anybody, as a guest, where room and space are open to everybody."""
        if caller is None or caller.user_id is None:
            if not (space.is_public and room.is_public):
                raise Refused
            return Pass(self._venue(room), guest=True, role=live_role(room.kind, moderator=False))
        standing = await self._database.reading(standing_in, caller.user_id, space, room)
        ours = caller.client_id == space.client_id
        if not (ours and standing.enters(space_public=space.is_public, room_public=room.is_public)):
            raise Refused
        user = await self._accounts.user(caller.user_id)
        return Pass(
            self._venue(room),
            participant_id=user.id,
            name=user.username,
            role=live_role(room.kind, moderator=standing.moderates),
            own=f"{FAMILY} {room.id} {user.id}",
        )

    def _admit_access(self, room: Room, access: Access) -> Pass:
        inside = self._conferences.is_online(room.channel_id, access.id)
        if not inside and self._clock.wall() * 1000 >= access.expires_ms:
            raise AccessExpired
        if not inside and not access.permanent and access.used_ms is not None:
            raise AccessUsed
        return Pass(
            self._venue(room),
            participant_id=None if access.permanent else access.id,
            name=access.username,
            guest=True,
            role=live_role(room.kind, moderator=access.role == SpaceRole.MODERATOR.value),
            own=None if access.permanent else f"{FAMILY} {access.id}",
            data=access.id,
        )

    def _check_chosen(self, admitted: Pass, participant_id: str) -> None:
        """Who may choose an id takes none that is somebody's, nor the seat of who came by another credential."""
        if admitted.participant_id is not None:
            return
        meeting = self._conferences.meeting(admitted.venue.id)
        member = meeting.members.get(participant_id) if meeting else None
        if _OWN_ID.fullmatch(participant_id) or (member and (member.guest, member.data) != (True, admitted.data)):
            raise AlreadyOnline(participant_id)

    def _venue(self, room: Room) -> Venue:
        return Venue(
            id=room.channel_id,
            family=FAMILY,
            name=room.name,
            mode="SFU",
            max_participants=self._conferences.settings.max_participants,
            room_id=room.id,
            options=options(room),
            denied=denied(room),
        )


def options(room: Room) -> dict[str, object]:
    """What clients are told of the room."""
    return {
        "type": room.kind,
        "isScreensharingAllowed": room.screen_allowed,
        "isChatAllowed": room.chat_allowed,
    }


def denied(room: Room) -> frozenset[str]:
    """What nobody may do in a call there."""
    allowed = {"screen": room.screen_allowed, "chat": room.chat_allowed}
    return frozenset(what for what, may in allowed.items() if not may)


class RunningCalls:
    """What changes in rooms do to running calls (`spaces.Calls`)."""

    def __init__(self, conferences: Conferences) -> None:
        self._conferences = conferences

    async def end(self, channel_id: str) -> bool:
        running = self._conferences.meeting(channel_id) is not None
        await self._conferences.end(channel_id, "ended")
        return running

    def restrict(self, room: Room) -> None:
        if meeting := self._conferences.meeting(room.channel_id):
            meeting.deny(denied(room))
            meeting.set_options(options(room))
            for member in list(meeting.members.values()):
                meeting.give_role(member, live_role(room.kind, moderator=member.role is Role.MODERATOR))

    def assign(self, channel_id: str, user_id: str, role: Role) -> None:
        meeting = self._conferences.meeting(channel_id)
        if meeting and (member := meeting.members.get(user_id)):
            meeting.give_role(member, role)

    def send_away(self, channel_id: str, user_id: str) -> None:
        meeting = self._conferences.meeting(channel_id)
        if meeting and (member := meeting.members.get(user_id)):
            self._conferences.dismiss(meeting, member, "access_revoked")

    def active(self, channel_id: str) -> str | None:
        meeting = self._conferences.meeting(channel_id)
        return meeting.call_id if meeting and meeting.started_at is not None else None


def _by_alias(connection: Connection, alias: str) -> tuple[SpaceRecord, RoomRecord] | None:
    return _with_space(connection, store.find(connection, RoomRecord, alias=alias))


def _by_channel(connection: Connection, channel_id: str) -> tuple[SpaceRecord, RoomRecord] | None:
    return _with_space(connection, store.find(connection, RoomRecord, channel_id=channel_id))


def _with_space(connection: Connection, room: RoomRecord | None) -> tuple[SpaceRecord, RoomRecord] | None:
    space = None if room is None else store.find(connection, SpaceRecord, id=room.space_id)
    return None if room is None or space is None else (space, room)
