"""Spaces and their rooms. Spaces contract, sections 3 and 4. Roles in them are `roles.py`'s.

A space that the caller may not see, and one of another client, are as unknown as none; what can be seen but not
changed is forbidden. Rights are answered by `rules.py`.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mediaserver import Clock
from signaling.services.doors import Role as LiveRole
from signaling.services.errors import Conflict, Forbidden, NotFound
from signaling.services.spaces.accounts import ID_BYTES, Caller
from signaling.services.spaces.rules import STRANGER, SpaceRole, Standing
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.store.spaces import RoleRecord, RoomRecord, SpaceRecord

ALIAS_BYTES = 7  # 10 URL-safe characters
ALIAS_LENGTH = 10
WHOLE_SPACE = ""

Space = SpaceRecord
Room = RoomRecord


class Calls(Protocol):
    """What changes in rooms do to running calls."""

    async def end(self, channel_id: str) -> bool:
        """Whether one ran."""

    def restrict(self, room: Room) -> None:
        """What the room does not allow is cut off; who may send is as its kind says."""

    def assign(self, channel_id: str, user_id: str, role: LiveRole) -> None:
        """From now on this is what they may do there."""

    def send_away(self, channel_id: str, user_id: str) -> None:
        """Their right to be there is gone."""

    def active(self, channel_id: str) -> str | None:
        """The id of the running call."""


@dataclass(frozen=True, slots=True)
class Found:
    """A space, perhaps one of its rooms, and what the caller is to them."""

    space: Space
    standing: Standing
    room: Room | None = None

    @property
    def the_room(self) -> Room:
        assert self.room is not None, "asked for with a room"
        return self.room


class SpacesService:
    """`calls` are the running ones."""

    def __init__(self, database: Database, clock: Clock, calls: Calls) -> None:
        self._database = database
        self._clock = clock
        self.calls = calls

    # spaces

    async def create(
        self, caller: Caller, *, name: str, description: str | None, logo: str | None, public: bool
    ) -> Space:
        owner = user_of(caller)
        space = SpaceRecord(_id(), caller.client_id, owner, name, description, logo, public, self.now_ms())
        await self._database.writing(store.insert, space)
        return space

    async def list(self, caller: Caller, *, public_too: bool) -> Sequence[Space]:
        """A user's own and granted ones, on demand the public ones too; a client's are the public ones."""
        found = await self._database.reading(store.spaces_of_client, caller.client_id, caller.user_id)
        if not caller.is_user or public_too:
            return found
        return [space for space in found if await self._is_granted(caller, space)]

    async def fetch(self, caller: Caller, space_id: str) -> Found:
        return await self._database.reading(find_space, caller, space_id)

    async def change(self, caller: Caller, space_id: str, values: Mapping[str, Any]) -> Space:
        def work(connection: Connection) -> Space:
            require(find_space(connection, caller, space_id).standing.manages_space)
            store.change(connection, SpaceRecord, values, id=space_id)
            return find_space(connection, caller, space_id).space

        return await self._database.writing(work)

    async def delete(self, caller: Caller, space_id: str) -> None:
        """Its calls end, its rooms and everything that leads to them are gone."""

        def work(connection: Connection) -> Sequence[Room]:
            require(find_space(connection, caller, space_id).standing.owner)
            rooms = store.find_all(connection, RoomRecord, space_id=space_id)
            store.remove(connection, SpaceRecord, id=space_id)
            return rooms

        for room in await self._database.writing(work):
            await self.calls.end(room.channel_id)

    # rooms

    async def create_room(self, caller: Caller, space_id: str, values: Mapping[str, Any]) -> Room:
        """`values`: name, is_public, kind, screen_allowed, chat_allowed."""

        def work(connection: Connection) -> Room:
            require(find_space(connection, caller, space_id).standing.manages_space)
            room = RoomRecord(
                id=_id(),
                space_id=space_id,
                alias=secrets.token_urlsafe(ALIAS_BYTES)[:ALIAS_LENGTH],
                channel_id=str(uuid.uuid4()),
                creator_id=user_of(caller),
                created_ms=self.now_ms(),
                **values,
            )
            store.insert(connection, room)
            return room

        return await self._database.writing(work)

    async def rooms(self, caller: Caller, space_id: str) -> Sequence[Room]:
        """Those that the caller may enter."""

        def work(connection: Connection) -> Sequence[Room]:
            space = find_space(connection, caller, space_id).space
            rooms = store.find_all(connection, RoomRecord, space_id=space_id)
            return [room for room in rooms if enters(connection, caller, space, room)]

        return await self._database.reading(work)

    async def room(self, caller: Caller, space_id: str, room_id: str) -> Found:
        return await self._database.reading(find_room, caller, space_id, room_id)

    async def change_room(self, caller: Caller, space_id: str, room_id: str, values: Mapping[str, Any]) -> Room:
        """What is not allowed any more is cut off from a running call at once."""

        def work(connection: Connection) -> Room:
            require(find_room(connection, caller, space_id, room_id).standing.moderates_room)
            store.change(connection, RoomRecord, values, id=room_id)
            return find_room(connection, caller, space_id, room_id).the_room

        room = await self._database.writing(work)
        self.calls.restrict(room)
        return room

    async def delete_room(self, caller: Caller, space_id: str, room_id: str) -> None:
        def work(connection: Connection) -> Room:
            found = find_owned_room(connection, caller, space_id, room_id)
            require(found.standing.owner or found.standing.creator)
            store.remove(connection, RoomRecord, id=room_id)
            store.remove(connection, RoleRecord, space_id=space_id, room_id=room_id)
            return found.the_room

        await self.calls.end((await self._database.writing(work)).channel_id)

    async def end_call(self, caller: Caller, space_id: str, room_id: str) -> None:
        found = await self.room(caller, space_id, room_id)
        require(found.standing.moderates_room)
        if not await self.calls.end(found.the_room.channel_id):
            raise Conflict("There is no call in this room.")

    def now_ms(self) -> int:
        return int(self._clock.wall() * 1000)

    async def _is_granted(self, caller: Caller, space: Space) -> bool:
        standing = await self._database.reading(_standing, caller, space, None)
        return standing.sees_space(public=False)


def user_of(caller: Caller) -> str:
    if caller.user_id is None:
        raise Forbidden("This needs a user's token.")
    return caller.user_id


def require(allowed: bool) -> None:
    if not allowed:
        raise Forbidden("The role of the caller does not allow this.")


def find_space(connection: Connection, caller: Caller, space_id: str) -> Found:
    """Raises NotFound for a space that the caller does not see."""
    space = store.find(connection, SpaceRecord, id=_storable(space_id), client_id=caller.client_id)
    if space is None:
        raise NotFound("space", space_id)
    standing = _standing(connection, caller, space, None)
    if not standing.sees_space(public=space.is_public):
        raise NotFound("space", space_id)
    return Found(space, standing)


def find_room(connection: Connection, caller: Caller, space_id: str, room_id: str) -> Found:
    """Raises NotFound for a room that the caller may not enter."""
    found = find_owned_room(connection, caller, space_id, room_id)
    if not enters(connection, caller, found.space, found.the_room):
        raise NotFound("room", room_id)
    return found


def find_owned_room(connection: Connection, caller: Caller, space_id: str, room_id: str) -> Found:
    """As `find_room`, but of their own space its owner finds every room, the private ones, too."""
    space = find_space(connection, caller, space_id).space
    room = _room_of(connection, space_id, room_id)
    standing = _standing(connection, caller, space, room)
    if not (standing.owner or standing.enters(space_public=space.is_public, room_public=room.is_public)):
        raise NotFound("room", room_id)
    return Found(space, standing, room)


def standing_in(connection: Connection, user_id: str | None, space: Space, room: Room) -> Standing:
    return _standing(connection, Caller(space.client_id, user_id), space, room)


def enters(connection: Connection, caller: Caller, space: Space, room: Room) -> bool:
    standing = _standing(connection, caller, space, room)
    return standing.enters(space_public=space.is_public, room_public=room.is_public)


def _standing(connection: Connection, caller: Caller, space: Space, room: Room | None) -> Standing:
    user_id = caller.user_id
    if user_id is None:
        return STRANGER
    roles = {
        role.room_id: SpaceRole(role.role)
        for role in store.find_all(connection, RoleRecord, space_id=space.id, user_id=user_id)
    }
    made = store.find(connection, RoomRecord, space_id=space.id, creator_id=user_id) is not None
    return Standing(
        owner=space.owner_id == user_id,
        space_role=roles.get(WHOLE_SPACE),
        in_rooms=made or any(roles),
        creator=room is not None and room.creator_id == user_id,
        room_role=roles.get(room.id) if room else None,
    )


def _room_of(connection: Connection, space_id: str, room_id: str) -> Room:
    room = store.find(connection, RoomRecord, id=_storable(room_id), space_id=space_id)
    if room is None:
        raise NotFound("room", room_id)
    return room


def _storable(id: str) -> str:
    """A database may choke on what a stranger sends: such an id is nobody's."""
    return id if id.isascii() and id.isprintable() else WHOLE_SPACE


def _id() -> str:
    return secrets.token_hex(ID_BYTES)
