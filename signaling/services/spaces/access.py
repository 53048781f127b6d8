"""Access tokens for people without an account: one link, one room. Spaces contract, section 6.

One that is not permanent dies with the first join, not with the first look at the page.
"""

import secrets

from signaling import tokens
from signaling.services.errors import Gone
from signaling.services.spaces.accounts import ID_BYTES, Caller
from signaling.services.spaces.rules import SpaceRole
from signaling.services.spaces.spaces import Room, Space, SpacesService, find_room, require
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.store.spaces import AccessRecord, RoomRecord, SpaceRecord

DEFAULT_TTL = 86400  # seconds
TTLS = (1, 31_536_000)

Access = AccessRecord


class AccessUsed(Gone):
    def __init__(self) -> None:
        super().__init__("The access token has been used.")


class AccessExpired(Gone):
    def __init__(self) -> None:
        super().__init__("The access token is not good any more.")


class Accesses:
    def __init__(self, database: Database, spaces: SpacesService) -> None:
        self._database = database
        self._spaces = spaces

    async def generate(
        self,
        caller: Caller,
        space_id: str,
        room_id: str,
        *,
        username: str,
        role: SpaceRole,
        ttl: int,
        permanent: bool,
        external_user_id: str | None = None,
        email: str | None = None,
        phone: str | None = None,
    ) -> tuple[Room, str]:
        """The room, and a token that lets somebody in."""
        token = tokens.new_token(secrets.token_bytes)
        access = AccessRecord(
            id=secrets.token_hex(ID_BYTES),
            room_id=room_id,
            username=username,
            role=role.value,
            external_user_id=external_user_id,
            email=email,
            phone=phone,
            permanent=permanent,
            expires_ms=self._spaces.now_ms() + ttl * 1000,
            used_ms=None,
        )

        def work(connection: Connection) -> Room:
            found = find_room(connection, caller, space_id, room_id)
            require(found.standing.moderates_room)
            store.insert(connection, access, token_digest=tokens.digest(token))
            return found.the_room

        return await self._database.writing(work), token

    async def opened_by(self, token: str) -> tuple[Access, Room, Space] | None:
        """What the token is for, whether it is good any more or not."""

        def work(connection: Connection) -> tuple[Access, Room, Space] | None:
            access = store.find(connection, AccessRecord, token_digest=tokens.digest(token))
            room = None if access is None else store.find(connection, RoomRecord, id=access.room_id)
            space = None if room is None else store.find(connection, SpaceRecord, id=room.space_id)
            return None if access is None or room is None or space is None else (access, room, space)

        return await self._database.reading(work)

    async def use(self, access_id: str) -> bool:
        """Whether nobody has come in with it before."""
        return await self._database.writing(store.use_access, access_id, self._spaces.now_ms())
