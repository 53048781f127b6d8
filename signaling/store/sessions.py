"""Queries about sessions and their attendee lists. Whether a change is allowed is decided by the caller.

Every function takes the connection of the transaction it is to be part of. `tenant` None: whoever's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from signaling.store.tables import session_attendees, sessions


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Times in unix milliseconds; `ext_metadata` is JSON."""

    id: int
    session_id: str
    meeting_link: str
    tenant: str | None
    e2ee: bool
    is_scheduled: bool
    schedule_ms: int
    is_archived: bool
    archive_id: str | None
    upload_target: str | None
    start_ms: int | None
    end_ms: int | None
    ext_id: str | None
    ext_metadata: str | None
    created_ms: int
    modified_ms: int
    created_by: str | None
    modified_by: str | None
    archived_ms: int | None
    """When its archive began by itself."""


@dataclass(frozen=True, slots=True)
class AttendeeRecord:
    """Times in unix milliseconds; `ext_metadata` is JSON."""

    id: int
    session_id: str
    attendee: str
    created_ms: int
    modified_ms: int
    is_deleted: bool
    ext_id: str | None
    ext_metadata: str | None


_SESSION = [sessions.c[name] for name in SessionRecord.__dataclass_fields__]
_ATTENDEE = [session_attendees.c[name] for name in AttendeeRecord.__dataclass_fields__]


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> SessionRecord:
    return SessionRecord(*connection.execute(sa.insert(sessions).values(**values).returning(*_SESSION)).one())


def by_link(
    connection: sa.Connection, meeting_link: str, tenant: str | None, *, lock: bool = False
) -> SessionRecord | None:
    """The session with this link that the tenant may see. `lock` keeps others from changing it meanwhile."""
    if not (meeting_link.isascii() and meeting_link.isprintable()):  # a database may choke on what a stranger sends
        return None
    query = sa.select(*_SESSION).where(sessions.c.meeting_link == meeting_link)
    if tenant is not None:
        query = query.where(sessions.c.tenant == tenant)
    return _session(connection.execute(query.with_for_update() if lock else query).first())


def by_session_id(connection: sa.Connection, session_id: str) -> SessionRecord | None:
    return _session(connection.execute(sa.select(*_SESSION).where(sessions.c.session_id == session_id)).first())


def update(connection: sa.Connection, id: int, values: Mapping[str, Any]) -> None:
    connection.execute(sa.update(sessions).where(sessions.c.id == id).values(**values))


def set_archive(connection: sa.Connection, session_id: str, archive_id: str, begun_ms: int | None) -> None:
    """This is its archive now. `begun_ms`: it has begun by itself."""
    values: dict[str, Any] = {"archive_id": archive_id}
    if begun_ms is not None:
        values["archived_ms"] = begun_ms
    connection.execute(sa.update(sessions).where(sessions.c.session_id == session_id).values(**values))


def clear_archive(connection: sa.Connection, archive_id: str) -> None:
    """There is no such archive any more."""
    connection.execute(sa.update(sessions).where(sessions.c.archive_id == archive_id).values(archive_id=None))


def set_upload_target(connection: sa.Connection, session_id: str, kind: str) -> None:
    """Its archive is in a store of that kind."""
    connection.execute(sa.update(sessions).where(sessions.c.session_id == session_id).values(upload_target=kind))


def attendees(connection: sa.Connection, session_id: str, *, active: bool) -> Sequence[AttendeeRecord]:
    table = session_attendees
    query = sa.select(*_ATTENDEE).where(table.c.session_id == session_id)
    if active:
        query = query.where(table.c.is_deleted.is_(False))
    return [AttendeeRecord(*row) for row in connection.execute(query.order_by(table.c.id))]


def attendee(connection: sa.Connection, session_id: str, name: str) -> AttendeeRecord | None:
    table = session_attendees
    query = sa.select(*_ATTENDEE).where(table.c.session_id == session_id, table.c.attendee == name)
    row = connection.execute(query.with_for_update()).first()
    return None if row is None else AttendeeRecord(*row)


def attendee_count(connection: sa.Connection, session_id: str) -> int:
    table = session_attendees
    return connection.execute(sa.select(sa.func.count()).where(table.c.session_id == session_id)).scalar_one()


def stray_attendee_count(connection: sa.Connection) -> int:
    """Lines of sessions that nobody has made here."""
    known = sa.exists().where(sessions.c.session_id == session_attendees.c.session_id)
    return connection.execute(sa.select(sa.func.count()).select_from(session_attendees).where(~known)).scalar_one()


def insert_attendee(connection: sa.Connection, session_id: str, name: str, payload: Mapping[str, Any], ms: int) -> None:
    values = {"session_id": session_id, "attendee": name, "created_ms": ms, "modified_ms": ms, "is_deleted": False}
    connection.execute(sa.insert(session_attendees).values(**values, ext_metadata=_noted(payload)))


def update_attendee(
    connection: sa.Connection, id: int, payload: Mapping[str, Any], ms: int, *, is_deleted: bool | None
) -> None:
    """`is_deleted` None: as before."""
    values: dict[str, Any] = {"modified_ms": ms, "ext_metadata": _noted(payload)}
    if is_deleted is not None:
        values["is_deleted"] = is_deleted
    connection.execute(sa.update(session_attendees).where(session_attendees.c.id == id).values(**values))


def all_gone(connection: sa.Connection, session_id: str, ms: int) -> None:
    """Nobody is in the session any more."""
    table = session_attendees
    statement = sa.update(table).where(table.c.session_id == session_id, table.c.is_deleted.is_(False))
    connection.execute(statement.values(is_deleted=True, modified_ms=ms))


def _noted(payload: Mapping[str, Any]) -> str:
    return json.dumps({"webhookPayload": payload})


def _session(row: Sequence[Any] | None) -> SessionRecord | None:
    return None if row is None else SessionRecord(*row)
