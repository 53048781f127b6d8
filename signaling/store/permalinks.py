"""Queries about permalinks and their hosts. Every function takes the connection of the transaction it is part of.

One that is deleted keeps its row, so that its guest token is told from one never issued.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from signaling.store.tables import permalink_hosts, permalinks, team_rooms


@dataclass(frozen=True, slots=True)
class PermalinkRow:
    """A permalink, and what its room is called. Times in unix milliseconds; `options` is JSON."""

    id: str
    team: str
    room_key: str
    options: str
    guest_token: str
    created_ms: int
    expires_ms: int | None
    deleted_ms: int | None
    room_id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class HostRow:
    token: str
    permalink_id: str
    id: str
    name: str
    avatar: str | None
    joined_ms: int
    number: int


_OWN = [name for name in PermalinkRow.__dataclass_fields__ if name not in ("room_id", "name")]
_PERMALINK = [*(permalinks.c[name] for name in _OWN), team_rooms.c.room_id, team_rooms.c.name]
_PERMALINKS = sa.select(*_PERMALINK).join_from(permalinks, team_rooms)
_HOST = [permalink_hosts.c[name] for name in HostRow.__dataclass_fields__]
_LIVING = permalinks.c.deleted_ms.is_(None)


def add(connection: sa.Connection, permalink: PermalinkRow, guest_digest: str) -> None:
    values = {name: getattr(permalink, name) for name in _OWN}
    connection.execute(sa.insert(permalinks).values(**values, guest_digest=guest_digest))


def by_id(connection: sa.Connection, permalink_id: str) -> PermalinkRow | None:
    """Unless it is deleted."""
    return _permalink(connection.execute(_PERMALINKS.where(permalinks.c.id == permalink_id, _LIVING)).first())


def by_guest_token(connection: sa.Connection, guest_digest: str) -> PermalinkRow | None:
    """Deleted ones too."""
    return _permalink(connection.execute(_PERMALINKS.where(permalinks.c.guest_digest == guest_digest)).first())


def page(
    connection: sa.Connection, team: str, now_ms: int, expired: bool | None, *, limit: int, offset: int
) -> tuple[int, Sequence[PermalinkRow]]:
    """How many the team has, expired or not as asked for, and a part of them, newest first."""
    wanted = [permalinks.c.team == team, _LIVING]
    over = sa.and_(permalinks.c.expires_ms.is_not(None), permalinks.c.expires_ms <= now_ms)
    if expired is not None:
        wanted.append(over if expired else sa.not_(over))
    total = connection.execute(sa.select(sa.func.count()).select_from(permalinks).where(*wanted)).scalar_one()
    query = _PERMALINKS.where(*wanted).order_by(permalinks.c.created_ms.desc(), permalinks.c.id.desc())
    rows = connection.execute(query.limit(limit).offset(offset))
    return int(total), [PermalinkRow(*row) for row in rows]


def change(connection: sa.Connection, permalink_id: str, options: str, expires_ms: int | None) -> None:
    values = {"options": options, "expires_ms": expires_ms}
    connection.execute(sa.update(permalinks).where(permalinks.c.id == permalink_id).values(values))


def delete(connection: sa.Connection, permalink_id: str, now_ms: int) -> None:
    connection.execute(sa.update(permalinks).where(permalinks.c.id == permalink_id).values(deleted_ms=now_ms))


def add_host(connection: sa.Connection, host: HostRow, token_digest: str) -> None:
    values = {name: getattr(host, name) for name in HostRow.__dataclass_fields__}
    connection.execute(sa.insert(permalink_hosts).values(**values, token_digest=token_digest))


def host(connection: sa.Connection, token_digest: str) -> HostRow | None:
    query = sa.select(*_HOST).where(permalink_hosts.c.token_digest == token_digest)
    row = connection.execute(query).first()
    return None if row is None else HostRow(*row)


def hosts(connection: sa.Connection, permalink_ids: Sequence[str]) -> Sequence[HostRow]:
    """In the order in which they were added."""
    query = sa.select(*_HOST).where(permalink_hosts.c.permalink_id.in_(permalink_ids))
    return [HostRow(*row) for row in connection.execute(query.order_by(permalink_hosts.c.number))]


def remove_host(connection: sa.Connection, permalink_id: str, token_digest: str) -> bool:
    table = permalink_hosts
    mine = sa.and_(table.c.permalink_id == permalink_id, table.c.token_digest == token_digest)
    return connection.execute(sa.delete(table).where(mine)).rowcount == 1


def _permalink(row: Sequence[Any] | None) -> PermalinkRow | None:
    return None if row is None else PermalinkRow(*row)
