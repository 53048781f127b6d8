"""Queries about the rooms of teams, their meetings and who is registered in them.

Whether a change is allowed is decided by the caller. Every function takes the connection of the transaction it is to
be part of. A meeting that is over keeps its row, so that its credentials are told from those never issued.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from signaling.store.tables import room_meetings, room_users, team_rooms


@dataclass(frozen=True, slots=True)
class RoomRow:
    key: str
    team: str
    room_id: str
    name: str | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """A meeting, and whose room it is in. Times in unix milliseconds; `options` is JSON."""

    id: str
    room_key: str
    name: str | None
    options: str
    guest_token: str
    permalink_id: str | None
    started_ms: int
    locked_ms: int | None
    ended_ms: int | None
    team: str
    room_id: str


@dataclass(frozen=True, slots=True)
class UserRow:
    meeting_id: str
    id: str
    name: str
    avatar: str | None
    guest: bool
    locale: str | None
    joined_ms: int
    access_key: str


_ROOM = [team_rooms.c[name] for name in RoomRow.__dataclass_fields__]
_OWN = [name for name in MeetingRow.__dataclass_fields__ if name not in ("team", "room_id")]
_MEETING = [*(room_meetings.c[name] for name in _OWN), team_rooms.c.team, team_rooms.c.room_id]
_USER = [room_users.c[name] for name in UserRow.__dataclass_fields__]
_MEETINGS = sa.select(*_MEETING).join_from(room_meetings, team_rooms)
_RUNNING = room_meetings.c.ended_ms.is_(None)
_BY_ACCESS_KEY = (
    sa.select(*_USER, *_MEETING)
    .select_from(room_users.join(room_meetings).join(team_rooms))
    .where(room_users.c.access_digest == sa.bindparam("digest"))
)


def add_room(connection: sa.Connection, room: RoomRow) -> RoomRow:
    """The team's room of that id: the one there is, or this one. Nobody else changes it before the transaction ends."""
    values = {name: getattr(room, name) for name in RoomRow.__dataclass_fields__}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(team_rooms).values(values).on_conflict_do_nothing())
    query = sa.select(*_ROOM).where(team_rooms.c.team == room.team, team_rooms.c.room_id == room.room_id)
    return RoomRow(*connection.execute(query.with_for_update()).one())


def room_by_id(connection: sa.Connection, team: str, room_id: str) -> RoomRow | None:
    query = sa.select(*_ROOM).where(team_rooms.c.team == team, team_rooms.c.room_id == room_id)
    row = connection.execute(query).first()
    return None if row is None else RoomRow(*row)


def room_by_key(connection: sa.Connection, key: str, *, lock: bool = False) -> RoomRow:
    query = sa.select(*_ROOM).where(team_rooms.c.key == key)
    return RoomRow(*connection.execute(query.with_for_update() if lock else query).one())


def rename_room(connection: sa.Connection, key: str, name: str | None) -> None:
    connection.execute(sa.update(team_rooms).where(team_rooms.c.key == key).values(name=name))


def rename_meeting(connection: sa.Connection, meeting_id: str, name: str | None) -> None:
    connection.execute(sa.update(room_meetings).where(room_meetings.c.id == meeting_id).values(name=name))


def add_meeting(connection: sa.Connection, meeting: MeetingRow, guest_digest: str | None) -> None:
    values = {name: getattr(meeting, name) for name in _OWN}
    connection.execute(sa.insert(room_meetings).values(**values, guest_digest=guest_digest))


def meeting_by_id(connection: sa.Connection, meeting_id: str) -> MeetingRow | None:
    return _meeting(connection.execute(_MEETINGS.where(room_meetings.c.id == meeting_id)).first())


def running_in(connection: sa.Connection, room_key: str) -> MeetingRow | None:
    """The room's running meeting."""
    return _meeting(connection.execute(_MEETINGS.where(room_meetings.c.room_key == room_key, _RUNNING)).first())


def latest_in(connection: sa.Connection, room_key: str) -> MeetingRow | None:
    """The running meeting, or else the one that started last."""
    query = _MEETINGS.where(room_meetings.c.room_key == room_key)
    return _meeting(connection.execute(query.order_by(_RUNNING.desc(), room_meetings.c.started_ms.desc())).first())


def by_guest_token(connection: sa.Connection, guest_digest: str) -> MeetingRow | None:
    """The meeting whose own guest token this is."""
    return _meeting(connection.execute(_MEETINGS.where(room_meetings.c.guest_digest == guest_digest)).first())


def running_of(connection: sa.Connection, team: str | None) -> Sequence[MeetingRow]:
    """The team's running meetings, or everybody's, oldest first."""
    query = _MEETINGS.where(_RUNNING) if team is None else _MEETINGS.where(_RUNNING, team_rooms.c.team == team)
    rows = connection.execute(query.order_by(room_meetings.c.started_ms, room_meetings.c.id))
    return [MeetingRow(*row) for row in rows]


def running_at(connection: sa.Connection, room_key: str, at_ms: int) -> Sequence[str]:
    """Ids of the room's meetings that ran at that time; each began with the second it began in."""
    table = room_meetings
    query = sa.select(table.c.id).where(
        table.c.room_key == room_key,
        table.c.started_ms < (at_ms // 1000 + 1) * 1000,
        sa.or_(table.c.ended_ms.is_(None), table.c.ended_ms > at_ms),
    )
    return list(connection.execute(query).scalars())


def lock(connection: sa.Connection, meeting_id: str, now_ms: int) -> bool:
    """Whether it was open, and is locked now."""
    table = room_meetings
    statement = sa.update(table).where(
        table.c.id == meeting_id, table.c.locked_ms.is_(None), table.c.ended_ms.is_(None)
    )
    return connection.execute(statement.values(locked_ms=now_ms)).rowcount == 1


def end(connection: sa.Connection, meeting_id: str, now_ms: int) -> bool:
    """Whether it was running, and is over now."""
    table = room_meetings
    statement = sa.update(table).where(table.c.id == meeting_id, table.c.ended_ms.is_(None)).values(ended_ms=now_ms)
    return connection.execute(statement).rowcount == 1


def add_user(connection: sa.Connection, user: UserRow, access_digest: str) -> None:
    values = {name: getattr(user, name) for name in UserRow.__dataclass_fields__}
    connection.execute(sa.insert(room_users).values(**values, access_digest=access_digest))


def change_user(connection: sa.Connection, user: UserRow) -> None:
    """Their name and avatar are these."""
    mine = sa.and_(room_users.c.meeting_id == user.meeting_id, room_users.c.id == user.id)
    connection.execute(sa.update(room_users).where(mine).values(name=user.name, avatar=user.avatar))


def user(connection: sa.Connection, meeting_id: str, user_id: str) -> UserRow | None:
    query = sa.select(*_USER).where(room_users.c.meeting_id == meeting_id, room_users.c.id == user_id)
    row = connection.execute(query).first()
    return None if row is None else UserRow(*row)


def users(connection: sa.Connection, meeting_id: str) -> Sequence[UserRow]:
    """In the order in which they were registered."""
    query = sa.select(*_USER).where(room_users.c.meeting_id == meeting_id)
    return [UserRow(*row) for row in connection.execute(query.order_by(room_users.c.joined_ms, room_users.c.id))]


def by_access_key(connection: sa.Connection, access_digest: str) -> tuple[UserRow, MeetingRow] | None:
    row = connection.execute(_BY_ACCESS_KEY, {"digest": access_digest}).first()
    if row is None:
        return None
    values: Sequence[Any] = tuple(row)
    return UserRow(*values[: len(_USER)]), MeetingRow(*values[len(_USER) :])


def forget_users(connection: sa.Connection, ended_before_ms: int) -> None:
    """Those of meetings that were over before that time; their access keys are as if never issued."""
    old = sa.select(room_meetings.c.id).where(room_meetings.c.ended_ms < ended_before_ms)
    connection.execute(sa.delete(room_users).where(room_users.c.meeting_id.in_(old)))


def _meeting(row: Sequence[Any] | None) -> MeetingRow | None:
    return None if row is None else MeetingRow(*row)
