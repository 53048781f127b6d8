"""Queries about what is made of the composite of teams' meetings and kept: recordings and pictures.

Whether something may be seen or deleted is decided by the caller. Every function takes the connection of the
transaction it is to be part of.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from signaling.store.tables import room_recordings, team_rooms


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """`kind` and `state` are words of `services/recordings.py`, `user` and `room` JSON. Time in unix milliseconds."""

    id: str
    kind: str
    room_key: str
    meeting_id: str
    user: str
    room: str
    created_ms: int
    duration: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of a room's; `meetings` None: of all of them. Times in unix milliseconds, inclusive."""

    kind: str
    states: Collection[str]
    meetings: Collection[str] | None = None
    since_ms: int | None = None
    until_ms: int | None = None


_COLUMNS = [room_recordings.c[name] for name in RecordingRow.__dataclass_fields__]


def insert(connection: sa.Connection, row: RecordingRow) -> None:
    connection.execute(sa.insert(room_recordings).values(**asdict(row)))


def by_id(connection: sa.Connection, kind: str, recording_id: str, team: str | None = None) -> RecordingRow | None:
    """The team's, or anybody's."""
    query = sa.select(*_COLUMNS).where(room_recordings.c.id == recording_id, room_recordings.c.kind == kind)
    if team is not None:
        query = query.join_from(room_recordings, team_rooms).where(team_rooms.c.team == team)
    row = connection.execute(query).first()
    return None if row is None else RecordingRow(*row)


def page(
    connection: sa.Connection, room_key: str, wanted: Wanted, *, limit: int, offset: int
) -> Sequence[RecordingRow]:
    """A part of the room's, newest first."""
    table = room_recordings
    query = sa.select(*_COLUMNS).where(
        table.c.room_key == room_key, table.c.kind == wanted.kind, table.c.state.in_(wanted.states)
    )
    if wanted.meetings is not None:
        query = query.where(table.c.meeting_id.in_(wanted.meetings))
    if wanted.since_ms is not None:
        query = query.where(table.c.created_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        query = query.where(table.c.created_ms <= wanted.until_ms)
    rows = connection.execute(query.order_by(table.c.created_ms.desc(), table.c.id).limit(limit).offset(offset))
    return [RecordingRow(*row) for row in rows]


def change(connection: sa.Connection, recording_id: str, state: str, duration: int | None) -> bool:
    """Whether there is one still."""
    statement = sa.update(room_recordings).where(room_recordings.c.id == recording_id)
    return connection.execute(statement.values(state=state, duration=duration)).rowcount == 1


def delete(connection: sa.Connection, recording_id: str) -> bool:
    return connection.execute(sa.delete(room_recordings).where(room_recordings.c.id == recording_id)).rowcount == 1


def made_before(connection: sa.Connection, kind: str, before_ms: int, limit: int) -> Sequence[RecordingRow]:
    """The oldest, up to `limit`."""
    table = room_recordings
    query = sa.select(*_COLUMNS).where(table.c.kind == kind, table.c.created_ms < before_ms)
    return [RecordingRow(*row) for row in connection.execute(query.order_by(table.c.created_ms).limit(limit))]


def unfinished(connection: sa.Connection, kind: str, states: Collection[str]) -> Sequence[RecordingRow]:
    query = sa.select(*_COLUMNS).where(room_recordings.c.kind == kind, room_recordings.c.state.in_(states))
    return [RecordingRow(*row) for row in connection.execute(query)]
