"""Roles in a space or one of its rooms: given, listed, taken; running calls follow. Spaces contract, section 5."""

from collections.abc import Sequence

from signaling.services.errors import NotFound
from signaling.services.spaces.accounts import Caller
from signaling.services.spaces.rules import SpaceRole, higher, live_role
from signaling.services.spaces.spaces import (
    WHOLE_SPACE,
    Room,
    SpacesService,
    enters,
    find_room,
    find_space,
    require,
    standing_in,
)
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.store.spaces import RoleRecord, RoomRecord, SpaceRecord, UserRecord

Role = RoleRecord


class Roles:
    """In one room, or with `room_id` None in the whole space."""

    def __init__(self, database: Database, spaces: SpacesService) -> None:
        self._database = database
        self._calls = spaces.calls

    async def list(self, caller: Caller, space_id: str, room_id: str | None) -> Sequence[Role]:
        def work(connection: Connection) -> Sequence[Role]:
            require(_may_give(connection, caller, space_id, room_id))
            return store.find_all(connection, RoleRecord, space_id=space_id, room_id=room_id or WHOLE_SPACE)

        return await self._database.reading(work)

    async def give(self, caller: Caller, space_id: str, room_id: str | None, user_id: str, role: SpaceRole) -> None:
        def work(connection: Connection) -> None:
            require(_may_give(connection, caller, space_id, room_id))
            if store.find(connection, UserRecord, id=user_id, client_id=caller.client_id) is None:
                raise NotFound("user", user_id)
            set_role(connection, space_id, room_id, user_id, role)

        await self._database.writing(work)
        await self.follow(space_id, user_id)

    async def take(self, caller: Caller, space_id: str, room_id: str | None, user_id: str) -> None:
        """Who may not be in a room without it is cut off from its call."""

        def work(connection: Connection) -> None:
            require(_may_give(connection, caller, space_id, room_id))
            place = {"space_id": space_id, "room_id": room_id or WHOLE_SPACE}
            if not store.remove(connection, RoleRecord, user_id=user_id, **place):
                raise NotFound("role of user", user_id)

        await self._database.writing(work)
        await self.follow(space_id, user_id)

    async def follow(self, space_id: str, user_id: str) -> None:
        """What the user may do in the running calls of the space is what their roles say now."""

        def work(connection: Connection) -> Sequence[tuple[Room, bool, bool]]:
            space = store.find(connection, SpaceRecord, id=space_id)
            if space is None:
                return ()
            user = Caller(space.client_id, user_id)
            return [
                (room, enters(connection, user, space, room), standing_in(connection, user_id, space, room).moderates)
                for room in store.find_all(connection, RoomRecord, space_id=space_id)
            ]

        for room, inside, moderator in await self._database.reading(work):
            if inside:
                self._calls.assign(room.channel_id, user_id, live_role(room.kind, moderator=moderator))
            else:
                self._calls.send_away(room.channel_id, user_id)


def set_role(connection: Connection, space_id: str, room_id: str | None, user_id: str, role: SpaceRole) -> None:
    """A higher role that is held already stays."""
    place = {"space_id": space_id, "room_id": room_id or WHOLE_SPACE, "user_id": user_id}
    held = store.find(connection, RoleRecord, lock=True, **place)
    if held is None:
        store.insert(connection, RoleRecord(space_id, room_id or WHOLE_SPACE, user_id, role.value))
    else:
        store.change(connection, RoleRecord, {"role": higher(SpaceRole(held.role), role).value}, **place)


def _may_give(connection: Connection, caller: Caller, space_id: str, room_id: str | None) -> bool:
    if room_id is None:
        return find_space(connection, caller, space_id).standing.manages_space
    return find_room(connection, caller, space_id, room_id).standing.moderates_room
