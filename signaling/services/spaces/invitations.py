"""What somebody who holds the link of an invite may do before they have a token: see what it is for, register, sign in.

They do not know the client that the space belongs to; the invite does. Nothing here uses the invite up, and one that is
good for nothing opens no account. Spaces contract, section 5.
"""

from dataclasses import dataclass

from signaling.services.errors import NotFound
from signaling.services.spaces.accounts import Accounts, TokenPair
from signaling.services.spaces.invites import InviteExpired, check_open, find_invite, told
from signaling.services.spaces.spaces import Room, Space, SpacesService
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.store.spaces import RoomRecord, SpaceRecord


@dataclass(frozen=True, slots=True)
class Invited:
    """To a space, or to one of its rooms; `role` in the contract's words."""

    space: Space
    room: Room | None
    role: str


class Invitations:
    def __init__(self, database: Database, accounts: Accounts, spaces: SpacesService) -> None:
        self._database = database
        self._accounts = accounts
        self._spaces = spaces

    async def knows(self, token: str) -> bool:
        """Whether there has ever been such an invite."""

        def work(connection: Connection) -> bool:
            try:
                return find_invite(connection, None, token) is not None
            except NotFound:
                return False

        return await self._database.reading(work)

    async def look(self, token: str) -> Invited:
        """What the invite is for; raises NotFound, InviteUsed or InviteExpired."""

        def work(connection: Connection) -> Invited:
            invite = find_invite(connection, None, token)
            check_open(invite, self._spaces.now_ms())
            space = store.find(connection, SpaceRecord, id=invite.space_id)
            room = store.find(connection, RoomRecord, id=invite.room_id) if invite.room_id else None
            if space is None or (invite.room_id and room is None):
                raise InviteExpired
            return Invited(space, room, told(invite))

        return await self._database.reading(work)

    async def register(
        self, token: str, *, email: str, username: str, password: str, phone: str | None = None
    ) -> TokenPair:
        """A new user's tokens; Conflict if the address is somebody's."""
        client_id = (await self.look(token)).space.client_id
        user_id = await self._accounts.register(
            client_id, email=email, username=username, password=password, phone=phone
        )
        return await self._accounts.for_user(client_id, user_id)

    async def sign_in(self, token: str, *, email: str, password: str) -> TokenPair:
        """InvalidGrant if nobody has this address and password."""
        return await self._accounts.by_password((await self.look(token)).space.client_id, email, password)
