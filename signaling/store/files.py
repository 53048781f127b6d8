"""Queries about the files of meetings. What they are good for is decided by the caller.

A row is written before anything is put into the object store, and deleted after everything has been taken out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from signaling.store.tables import meeting_files, room_meetings


@dataclass(frozen=True, slots=True)
class FileRow:
    """`state` is a word of `services/files.py`. Time in unix milliseconds."""

    id: str
    meeting_id: str
    name: str
    media_type: str
    size_bytes: int
    state: str
    pages: int
    slide_type: str
    created_ms: int


_COLUMNS = [meeting_files.c[name] for name in FileRow.__dataclass_fields__]


def insert(connection: sa.Connection, row: FileRow) -> None:
    connection.execute(sa.insert(meeting_files).values(**asdict(row)))


def count(connection: sa.Connection, meeting_id: str, states: Sequence[str]) -> int:
    table = meeting_files
    query = sa.select(sa.func.count()).where(table.c.meeting_id == meeting_id, table.c.state.in_(states))
    return connection.execute(query).scalar_one()


def of_meeting(connection: sa.Connection, meeting_id: str, states: Sequence[str] | None = None) -> Sequence[FileRow]:
    """In the order in which they came."""
    table = meeting_files
    query = sa.select(*_COLUMNS).where(table.c.meeting_id == meeting_id)
    if states is not None:
        query = query.where(table.c.state.in_(states))
    return [FileRow(*row) for row in connection.execute(query.order_by(table.c.created_ms, table.c.id))]


def by_id(connection: sa.Connection, meeting_id: str, file_id: str) -> FileRow | None:
    table = meeting_files
    row = connection.execute(
        sa.select(*_COLUMNS).where(table.c.id == file_id, table.c.meeting_id == meeting_id)
    ).first()
    return None if row is None else FileRow(*row)


def change(connection: sa.Connection, file_id: str, was: Sequence[str], values: Mapping[str, Any]) -> bool:
    """Sets these columns if the state is one of `was`; whether it has been."""
    table = meeting_files
    statement = sa.update(table).where(table.c.id == file_id, table.c.state.in_(was)).values(dict(values))
    return connection.execute(statement).rowcount == 1


def delete(connection: sa.Connection, file_id: str) -> None:
    connection.execute(sa.delete(meeting_files).where(meeting_files.c.id == file_id))


def left_over(connection: sa.Connection, removed: str, limit: int) -> Sequence[FileRow]:
    """Files in the state `removed`, and those of meetings that are over."""
    table = meeting_files
    running = sa.select(room_meetings.c.id).where(room_meetings.c.ended_ms.is_(None))
    over = sa.or_(table.c.state == removed, table.c.meeting_id.not_in(running))
    return [FileRow(*row) for row in connection.execute(sa.select(*_COLUMNS).where(over).limit(limit))]
