"""Queries about what is made of the composite of conferences and kept: recordings and pictures, of every family.

Whether something may be seen or deleted is decided by the caller. Every function takes the connection of the
transaction it is to be part of.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from signaling.store.tables import recordings


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """`kind` and `state` are words of `services/recording`, `about` is the family's JSON. Times in unix milliseconds,
    `duration` in seconds."""

    id: str
    kind: str
    family: str
    owner: str
    """Whose it is: a team, a tenant, a space."""
    container: str
    """The room or session it is listed with."""
    conference_id: str
    about: str
    created_ms: int
    state: str
    duration: int | None = None
    size_bytes: int | None = None
    finished_ms: int | None = None
    """When it could be had."""
    reason: str | None = None
    """Why it failed."""
    target_id: int | None = None
    """Where its file goes (`store/storage_targets.py`); None: it stays on this server."""
    tries: int = 0
    """How often that has failed."""
    next_try_ms: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones; what is None does not matter. Times in unix milliseconds, inclusive."""

    kind: str
    family: str
    owner: str | None = None
    container: str | None = None
    states: Collection[str] | None = None
    conferences: Collection[str] | None = None
    since_ms: int | None = None
    until_ms: int | None = None


_COLUMNS = [recordings.c[name] for name in RecordingRow.__dataclass_fields__]
_CHANGING = ("state", "duration", "size_bytes", "finished_ms", "reason", "target_id", "tries", "next_try_ms")


def insert(connection: sa.Connection, row: RecordingRow) -> None:
    connection.execute(sa.insert(recordings).values(**asdict(row)))


def save(connection: sa.Connection, row: RecordingRow) -> bool:
    """What can change of it is like this now. Whether there is one still."""
    statement = sa.update(recordings).where(recordings.c.id == row.id)
    return connection.execute(statement.values({name: getattr(row, name) for name in _CHANGING})).rowcount == 1


def delete(connection: sa.Connection, recording_id: str) -> bool:
    return connection.execute(sa.delete(recordings).where(recordings.c.id == recording_id)).rowcount == 1


def by_id(connection: sa.Connection, recording_id: str, wanted: Wanted) -> RecordingRow | None:
    query = sa.select(*_COLUMNS).where(recordings.c.id == recording_id, *_matching(wanted))
    row = connection.execute(query).first()
    return None if row is None else RecordingRow(*row)


def of_id(connection: sa.Connection, recording_id: str) -> RecordingRow | None:
    """Whosever it is."""
    row = connection.execute(sa.select(*_COLUMNS).where(recordings.c.id == recording_id)).first()
    return None if row is None else RecordingRow(*row)


def page(connection: sa.Connection, wanted: Wanted, *, limit: int, offset: int) -> Sequence[RecordingRow]:
    """A part of them, newest first."""
    query = sa.select(*_COLUMNS).where(*_matching(wanted)).order_by(recordings.c.created_ms.desc(), recordings.c.id)
    return [RecordingRow(*row) for row in connection.execute(query.limit(limit).offset(offset))]


def count(connection: sa.Connection, wanted: Wanted) -> int:
    query = sa.select(sa.func.count()).select_from(recordings).where(*_matching(wanted))
    return connection.execute(query).scalar_one()


def made_before(connection: sa.Connection, wanted: Wanted, before_ms: int, *, limit: int) -> Sequence[RecordingRow]:
    """The oldest, up to `limit`."""
    query = sa.select(*_COLUMNS).where(recordings.c.created_ms < before_ms, *_matching(wanted))
    return [RecordingRow(*row) for row in connection.execute(query.order_by(recordings.c.created_ms).limit(limit))]


def unfinished(connection: sa.Connection, kind: str, states: Collection[str]) -> Sequence[RecordingRow]:
    """Of any family, oldest first."""
    query = sa.select(*_COLUMNS).where(recordings.c.kind == kind, recordings.c.state.in_(states))
    return [RecordingRow(*row) for row in connection.execute(query.order_by(recordings.c.created_ms))]


def _matching(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    table = recordings
    found = [table.c.kind == wanted.kind, table.c.family == wanted.family]
    if wanted.owner is not None:
        found.append(table.c.owner == wanted.owner)
    if wanted.container is not None:
        found.append(table.c.container == wanted.container)
    if wanted.states is not None:
        found.append(table.c.state.in_(wanted.states))
    if wanted.conferences is not None:
        found.append(table.c.conference_id.in_(wanted.conferences))
    if wanted.since_ms is not None:
        found.append(table.c.created_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        found.append(table.c.created_ms <= wanted.until_ms)
    return found
