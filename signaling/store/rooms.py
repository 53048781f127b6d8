"""Queries about realtime rooms and their endpoints. Whether a change is allowed is decided by the caller.

A removed room keeps its row for a while, so that who still holds its token learns that it is gone. Every function
takes the connection of the transaction it is to be part of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from signaling.store.tables import realtime_endpoints, realtime_rooms


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """Times in unix milliseconds, lives in seconds; the token's digest comes along when written."""

    id: str
    key_id: str
    name: str | None
    description: str | None
    conference_type: str
    auto_upgrade_count: int | None
    max_participants: int
    created_ms: int
    modified_ms: int
    room_token_ttl: int
    room_ttl: int
    endpoint_ttl: int
    token: str
    token_issued_ms: int
    removed_ms: int | None = None
    e2ee: bool = False


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    id: str
    room_id: str
    participant_id: str
    token_digest: str
    expires_ms: int


_ROOM = [realtime_rooms.c[name] for name in RoomRecord.__dataclass_fields__]
_ENDPOINT = [realtime_endpoints.c[name] for name in EndpointRecord.__dataclass_fields__]


_BY_ID = sa.select(*_ROOM).where(realtime_rooms.c.id == sa.bindparam("room"), realtime_rooms.c.removed_ms.is_(None))
_BY_TOKEN = sa.select(*_ROOM).where(realtime_rooms.c.token_digest == sa.bindparam("digest"))
_BY_ENDPOINT_TOKEN = (
    sa.select(*_ENDPOINT, *_ROOM)
    .join_from(realtime_endpoints, realtime_rooms)
    .where(realtime_endpoints.c.token_digest == sa.bindparam("digest"))
)
_INSERT_ENDPOINT = (
    sa.insert(realtime_endpoints)
    .from_select(
        list(EndpointRecord.__dataclass_fields__),
        sa.select(
            sa.bindparam("endpoint", type_=sa.String),
            realtime_rooms.c.id,
            sa.bindparam("participant", type_=sa.Text),
            sa.bindparam("digest", type_=sa.String),
            sa.bindparam("now", type_=sa.BigInteger) + realtime_rooms.c.endpoint_ttl * 1000,
        ).where(realtime_rooms.c.id == sa.bindparam("room"), realtime_rooms.c.removed_ms.is_(None)),
    )
    .returning(*_ENDPOINT)
)
"""What every join asks for is put together once."""


def insert(connection: sa.Connection, room: RoomRecord, token_digest: str) -> None:
    values: dict[str, Any] = {name: getattr(room, name) for name in RoomRecord.__dataclass_fields__}
    connection.execute(sa.insert(realtime_rooms).values(**values, token_digest=token_digest))


def by_id(connection: sa.Connection, room_id: str, *, lock: bool = False) -> RoomRecord | None:
    """The room, unless it is unknown or removed. `lock` keeps others from changing it until the transaction ends."""
    return _room(connection.execute(_BY_ID.with_for_update() if lock else _BY_ID, {"room": room_id}).first())


def by_token(connection: sa.Connection, token_digest: str) -> RoomRecord | None:
    """The room whose newest token this is; removed rooms too."""
    return _room(connection.execute(_BY_TOKEN, {"digest": token_digest}).first())


def opened_by(connection: sa.Connection, token_digest: str) -> RoomRecord | tuple[EndpointRecord, RoomRecord] | None:
    """The room whose newest token this is, or else the endpoint whose token it is and its room."""
    return by_token(connection, token_digest) or endpoint_by_token(connection, token_digest)


def page(connection: sa.Connection, key_id: str, after: tuple[int, str] | None, limit: int) -> Sequence[RoomRecord]:
    """Up to `limit` rooms of the key after (creation time, id), oldest first."""
    table = realtime_rooms
    query = sa.select(*_ROOM).where(table.c.key_id == key_id, table.c.removed_ms.is_(None))
    if after is not None:
        created_ms, room_id = after
        same_time = sa.and_(table.c.created_ms == created_ms, table.c.id > room_id)
        query = query.where(sa.or_(table.c.created_ms > created_ms, same_time))
    rows = connection.execute(query.order_by(table.c.created_ms, table.c.id).limit(limit))
    return [RoomRecord(*row) for row in rows]


def set_token(connection: sa.Connection, room: RoomRecord, token: str, token_digest: str, issued_ms: int) -> bool:
    """Gives the room a new token; False if somebody has been faster."""
    statement = (
        sa.update(realtime_rooms)
        .where(realtime_rooms.c.id == room.id, realtime_rooms.c.token == room.token)
        .values(token=token, token_digest=token_digest, token_issued_ms=issued_ms)
    )
    return connection.execute(statement).rowcount == 1


def set_type(
    connection: sa.Connection, room_id: str, conference_type: str, max_participants: int, modified_ms: int
) -> None:
    values = {"conference_type": conference_type, "max_participants": max_participants, "modified_ms": modified_ms}
    connection.execute(sa.update(realtime_rooms).where(realtime_rooms.c.id == room_id).values(values))


def remove(connection: sa.Connection, room_id: str, removed_ms: int) -> bool:
    """Marks the room as removed; False if it was already. Its endpoints die with it: see `endpoint_by_token`."""
    statement = (
        sa.update(realtime_rooms)
        .where(realtime_rooms.c.id == room_id, realtime_rooms.c.removed_ms.is_(None))
        .values(removed_ms=removed_ms)
    )
    return connection.execute(statement).rowcount == 1


def outlived(connection: sa.Connection, now_ms: int, limit: int) -> Sequence[str]:
    """Ids of rooms, not removed yet, whose life is over."""
    table = realtime_rooms
    query = sa.select(table.c.id).where(
        table.c.removed_ms.is_(None), table.c.created_ms + table.c.room_ttl * 1000 <= now_ms
    )
    return list(connection.execute(query.order_by(table.c.created_ms).limit(limit)).scalars())


def purge(connection: sa.Connection, removed_before_ms: int, expired_before_ms: int) -> None:
    """Forgets rooms removed, and endpoints expired, before those times."""
    rooms, endpoints = realtime_rooms, realtime_endpoints
    connection.execute(sa.delete(endpoints).where(endpoints.c.expires_ms < expired_before_ms))
    connection.execute(sa.delete(rooms).where(rooms.c.removed_ms < removed_before_ms))


def insert_endpoint(
    connection: sa.Connection, *, endpoint_id: str, room_id: str, participant_id: str, token_digest: str, now_ms: int
) -> EndpointRecord | None:
    """Adds an endpoint that lives as long as its room says; None if the room is unknown or removed. One statement."""
    given = {"endpoint": endpoint_id, "room": room_id, "participant": participant_id, "digest": token_digest}
    row = connection.execute(_INSERT_ENDPOINT, {**given, "now": now_ms}).first()
    return None if row is None else EndpointRecord(*row)


def endpoint_by_token(connection: sa.Connection, token_digest: str) -> tuple[EndpointRecord, RoomRecord] | None:
    """The endpoint and its room, which may have been removed."""
    row = connection.execute(_BY_ENDPOINT_TOKEN, {"digest": token_digest}).first()
    if row is None:
        return None
    values: Sequence[Any] = tuple(row)
    return EndpointRecord(*values[: len(_ENDPOINT)]), RoomRecord(*values[len(_ENDPOINT) :])


def set_endpoint_expiry(connection: sa.Connection, endpoint_id: str, was_ms: int, expires_ms: int) -> bool:
    """Moves the endpoint's end; False if it is not at `was_ms` any more or the endpoint is unknown."""
    table = realtime_endpoints
    statement = sa.update(table).where(table.c.id == endpoint_id, table.c.expires_ms == was_ms)
    return connection.execute(statement.values(expires_ms=expires_ms)).rowcount == 1


def _room(row: Sequence[Any] | None) -> RoomRecord | None:
    return None if row is None else RoomRecord(*row)
