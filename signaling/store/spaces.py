"""Queries about spaces, their users, rooms, roles, invites and access tokens.

Whether a change is allowed is decided by the caller. Every function takes the connection of the transaction it is to
be part of. Times in unix milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import sqlalchemy as sa

from signaling.store.spaces_tables import (
    space_accesses,
    space_invites,
    space_roles,
    space_rooms,
    spaces,
    spaces_personal_tokens,
    spaces_used_tokens,
    spaces_users,
)
from signaling.store.tables import webhook_deliveries, webhooks
from signaling.webhooks.schedule import State


@dataclass(frozen=True, slots=True)
class UserRecord:
    id: str
    client_id: str
    email: str
    username: str
    password: str
    phone: str | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class PersonalTokenRecord:
    id: str
    user_id: str
    name: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class SpaceRecord:
    id: str
    client_id: str
    owner_id: str
    name: str
    description: str | None
    logo: str | None
    is_public: bool
    created_ms: int


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """`kind` is lesson or webinar; `channel_id` is the id of its conference."""

    id: str
    space_id: str
    alias: str
    channel_id: str
    creator_id: str
    name: str
    is_public: bool
    kind: str
    screen_allowed: bool
    chat_allowed: bool
    created_ms: int


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """`room_id` is empty for a role in the whole space."""

    space_id: str
    room_id: str
    user_id: str
    role: str


@dataclass(frozen=True, slots=True)
class InviteRecord:
    id: str
    space_id: str
    room_id: str | None
    role: str
    created_ms: int
    expires_ms: int | None
    activated_ms: int | None
    activated_by: str | None
    deleted_ms: int | None


@dataclass(frozen=True, slots=True)
class AccessRecord:
    id: str
    room_id: str
    username: str
    role: str
    external_user_id: str | None
    email: str | None
    phone: str | None
    permanent: bool
    expires_ms: int
    used_ms: int | None


Record = TypeVar("Record")
_TABLES: Mapping[type, sa.Table] = {
    UserRecord: spaces_users,
    PersonalTokenRecord: spaces_personal_tokens,
    SpaceRecord: spaces,
    RoomRecord: space_rooms,
    RoleRecord: space_roles,
    InviteRecord: space_invites,
    AccessRecord: space_accesses,
}


def insert(connection: sa.Connection, record: Any, /, **more: Any) -> None:
    """`more` are columns that are never read back."""
    values = {name: getattr(record, name) for name in type(record).__dataclass_fields__}
    connection.execute(sa.insert(_TABLES[type(record)]).values(**values, **more))


def find(connection: sa.Connection, kind: type[Record], /, *, lock: bool = False, **where: Any) -> Record | None:
    """The one record whose columns have these values. `lock` keeps others from changing it meanwhile."""
    query = _select(kind, where)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else kind(*row)


def find_all(connection: sa.Connection, kind: type[Record], /, **where: Any) -> Sequence[Record]:
    """In the order in which they were made."""
    table = _TABLES[kind]
    order = [table.c[name] for name in ("created_ms", "id", "user_id") if name in table.c]
    return [kind(*row) for row in connection.execute(_select(kind, where).order_by(*order))]


def change(connection: sa.Connection, kind: type, values: Mapping[str, Any], **where: Any) -> bool:
    """Whether there was one to change."""
    table = _TABLES[kind]
    statement = sa.update(table).where(*(_is(table.c[name], value) for name, value in where.items()))
    return connection.execute(statement.values(**values)).rowcount > 0


def remove(connection: sa.Connection, kind: type, **where: Any) -> bool:
    """Whether there was one to remove; what belongs to it goes along."""
    table = _TABLES[kind]
    statement = sa.delete(table).where(*(_is(table.c[name], value) for name, value in where.items()))
    return connection.execute(statement).rowcount > 0


def spaces_of_client(connection: sa.Connection, client_id: str, user_id: str | None) -> Sequence[SpaceRecord]:
    """The public ones; with a user also those they own, or hold a role or have made a room in."""
    mine: sa.ColumnElement[bool] = sa.false()
    if user_id is not None:
        held = sa.select(space_roles.c.space_id).where(space_roles.c.user_id == user_id)
        made = sa.select(space_rooms.c.space_id).where(space_rooms.c.creator_id == user_id)
        mine = sa.or_(spaces.c.owner_id == user_id, spaces.c.id.in_(held), spaces.c.id.in_(made))
    query = _select(SpaceRecord, {"client_id": client_id}).where(sa.or_(spaces.c.is_public, mine))
    return [SpaceRecord(*row) for row in connection.execute(query.order_by(spaces.c.created_ms, spaces.c.id))]


def add_user(connection: sa.Connection, user: UserRecord, email_folded: str) -> bool:
    """False if somebody has this address."""
    try:
        with connection.begin_nested():
            insert(connection, user, email_folded=email_folded)
    except sa.exc.IntegrityError:
        return False
    return True


def use_token_once(connection: sa.Connection, token_id: str, expires_ms: int) -> bool:
    """Whether the token has not been used before; from now on it has."""
    table = spaces_used_tokens
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(id=token_id, expires_ms=expires_ms))
    except sa.exc.IntegrityError:
        return False
    return True


def is_used_token(connection: sa.Connection, token_id: str) -> bool:
    table = spaces_used_tokens
    return connection.execute(sa.select(table.c.id).where(table.c.id == token_id)).first() is not None


def forget_used_tokens(connection: sa.Connection, now_ms: int) -> None:
    connection.execute(sa.delete(spaces_used_tokens).where(spaces_used_tokens.c.expires_ms < now_ms))


def forget_webhooks_without_space(connection: sa.Connection, family: str) -> None:
    """Those of spaces that are gone, once they have told what they had to."""
    mine = sa.and_(webhooks.c.family == family, webhooks.c.owner.not_in(sa.select(spaces.c.id)))
    waits = sa.exists().where(
        webhook_deliveries.c.webhook_key == webhooks.c.key, webhook_deliveries.c.state == State.PENDING
    )
    connection.execute(sa.delete(webhooks).where(mine, sa.or_(~webhooks.c.active, ~waits)))


def activate_invite(connection: sa.Connection, invite_id: str, user_id: str, now_ms: int) -> bool:
    """Whether this user was the first; nobody is after them."""
    table = space_invites
    statement = sa.update(table).where(table.c.id == invite_id, table.c.activated_ms.is_(None))
    return connection.execute(statement.values(activated_ms=now_ms, activated_by=user_id)).rowcount == 1


def use_access(connection: sa.Connection, access_id: str, now_ms: int) -> bool:
    """Whether nobody had come in with it before."""
    table = space_accesses
    statement = sa.update(table).where(table.c.id == access_id, table.c.used_ms.is_(None))
    return connection.execute(statement.values(used_ms=now_ms)).rowcount == 1


def _select(kind: type, where: Mapping[str, Any]) -> sa.Select[Any]:
    table = _TABLES[kind]
    columns = [table.c[field.name] for field in fields(kind)]
    return sa.select(*columns).where(*(_is(table.c[name], value) for name, value in where.items()))


def _is(column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    return column.is_(None) if value is None else column == value
