"""Invites: tokens that give somebody a role once. Spaces contract, section 5.

Only the confirming POST uses one up, and of two at the same moment exactly one. What fails uses nothing up.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from signaling import tokens
from signaling.services.errors import Gone, Invalid, NotFound
from signaling.services.spaces.accounts import ID_BYTES, Caller
from signaling.services.spaces.roles import Roles, set_role
from signaling.services.spaces.rules import ROLES, ROOM_ROLES, SPACE_ROLES
from signaling.services.spaces.spaces import SpacesService, find_room, find_space, require, user_of
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.store.spaces import InviteRecord

Invite = InviteRecord


class InviteUsed(Gone):
    def __init__(self) -> None:
        super().__init__("The invite has been used.")


class InviteExpired(Gone):
    def __init__(self) -> None:
        super().__init__("The invite is not good any more.")


@dataclass(frozen=True, slots=True)
class Granted:
    space_id: str
    room_id: str | None
    role: str


class Invites:
    def __init__(self, database: Database, spaces: SpacesService, roles: Roles) -> None:
        self._database = database
        self._spaces = spaces
        self._roles = roles

    async def create(
        self, caller: Caller, space_id: str, *, role: str, room_id: str | None, ttl: int | None
    ) -> tuple[Invite, str]:
        """The invite, and its token, which is told only now."""
        if role not in (ROLES if room_id else SPACE_ROLES):
            raise Invalid("role is none that can be given here.")
        now_ms, token = self._spaces.now_ms(), tokens.new_token(secrets.token_bytes)
        invite = InviteRecord(
            id=secrets.token_hex(ID_BYTES),
            space_id=space_id,
            room_id=room_id,
            role=_stored(role),
            created_ms=now_ms,
            expires_ms=None if ttl is None else now_ms + ttl * 1000,
            activated_ms=None,
            activated_by=None,
            deleted_ms=None,
        )

        def work(connection: Connection) -> None:
            _check_may(connection, caller, space_id, room_id)
            store.insert(connection, invite, token_digest=tokens.digest(token))

        await self._database.writing(work)
        return invite, token

    async def list(self, caller: Caller, space_id: str) -> Sequence[Invite]:
        """All that have not been deleted."""

        def work(connection: Connection) -> Sequence[Invite]:
            require(find_space(connection, caller, space_id).standing.manages_space)
            return store.find_all(connection, InviteRecord, space_id=space_id, deleted_ms=None)

        return await self._database.reading(work)

    async def delete(self, caller: Caller, space_id: str, invite_id: str) -> None:
        """It is worth nothing from now on, if it has not been used."""

        def work(connection: Connection) -> None:
            invite = store.find(connection, InviteRecord, id=_safe(invite_id), space_id=_safe(space_id), lock=True)
            if invite is None or invite.deleted_ms is not None:
                find_space(connection, caller, space_id)
                raise NotFound("invite", invite_id)
            _check_may(connection, caller, space_id, invite.room_id)
            store.change(connection, InviteRecord, {"deleted_ms": self._spaces.now_ms()}, id=invite.id)

        await self._database.writing(work)

    async def activate(self, caller: Caller, space_id: str | None, id_or_token: str) -> Granted:
        """Gives the role to the caller; `space_id` None: whichever the token is for."""
        user_id = user_of(caller)

        def work(connection: Connection) -> Granted:
            invite = find_invite(connection, space_id, id_or_token, lock=True)
            space = store.find(connection, store.SpaceRecord, id=invite.space_id)
            if space is None or space.client_id != caller.client_id:
                raise NotFound("invite", id_or_token)
            now_ms = self._spaces.now_ms()
            check_open(invite, now_ms)
            if not store.activate_invite(connection, invite.id, user_id, now_ms):
                raise InviteUsed
            role = ROLES[told(invite)]
            in_room = invite.room_id if told(invite) in ROOM_ROLES else None
            set_role(connection, invite.space_id, in_room, user_id, role)
            return Granted(invite.space_id, invite.room_id, told(invite))

        granted = await self._database.writing(work)
        await self._roles.follow(granted.space_id, user_id)
        return granted


def check_open(invite: Invite, now_ms: int) -> None:
    """Raises InviteUsed or InviteExpired if it gives nothing any more."""
    if invite.activated_ms is not None:
        raise InviteUsed
    if invite.deleted_ms is not None or (invite.expires_ms is not None and now_ms >= invite.expires_ms):
        raise InviteExpired


def told(invite: Invite) -> str:
    """The invite's role in the contract's words."""
    of, _, role = invite.role.partition(":")
    return f"role_{'room' if of == 'r' else 'space'}_{role}"


def _stored(role: str) -> str:
    """Short enough for its column: `r:moderator`, `s:user`."""
    return f"{'r' if role in ROOM_ROLES else 's'}:{ROLES[role].value}"


def _check_may(connection: Connection, caller: Caller, space_id: str, room_id: str | None) -> None:
    space = find_space(connection, caller, space_id)
    if room_id is None:
        require(space.standing.manages_space)
        return
    room = store.find(connection, store.RoomRecord, id=_safe(room_id), space_id=space_id)
    if space.standing.manages_space and room is not None:
        return
    require(find_room(connection, caller, space_id, room_id).standing.moderates_room)


def find_invite(connection: Connection, space_id: str | None, id_or_token: str, *, lock: bool = False) -> Invite:
    """`space_id` None: by its token alone."""
    found = store.find(connection, InviteRecord, token_digest=tokens.digest(id_or_token), lock=lock)
    if found is None and space_id is not None:
        found = store.find(connection, InviteRecord, id=_safe(id_or_token), lock=lock)
    if found is None or space_id not in (None, found.space_id):
        raise NotFound("invite", id_or_token)
    return found


def _safe(id: str) -> str:
    return id if id.isascii() and id.isprintable() else ""
