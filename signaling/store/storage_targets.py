"""Queries about where finished recordings go: stores of their owners.

A target is never changed: a new one takes its place, for what is finished from then on. Every function takes the
connection of the transaction it is to be part of.
"""

from dataclasses import asdict, dataclass

import sqlalchemy as sa

from signaling.store.tables import recordings, storage_targets


@dataclass(frozen=True, slots=True)
class NewTarget:
    """`owner` "": of everybody in the family who has none of their own. `options` is JSON, `sealed` what is secret."""

    family: str
    owner: str
    kind: str
    url: str
    options: str
    sealed: str
    fallback: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class TargetRow(NewTarget):
    id: int


_COLUMNS = [storage_targets.c[name] for name in (*NewTarget.__dataclass_fields__, "id")]


def insert(connection: sa.Connection, target: NewTarget) -> None:
    """From now on the owner's, instead of the one before, which is forgotten once nothing is on its way there."""
    connection.execute(sa.insert(storage_targets).values(**asdict(target)))
    _forget_replaced(connection, target.family, target.owner)


def current(connection: sa.Connection, family: str, owner: str) -> int | None:
    """The id of the owner's, or of everybody's; None if there is none."""
    table = storage_targets
    query = sa.select(table.c.id).where(table.c.family == family, table.c.owner.in_((owner, "")))
    own_first = sa.case((table.c.owner == owner, 0), else_=1)
    return connection.execute(query.order_by(own_first, table.c.id.desc()).limit(1)).scalar()


def by_id(connection: sa.Connection, target_id: int) -> TargetRow | None:
    row = connection.execute(sa.select(*_COLUMNS).where(storage_targets.c.id == target_id)).first()
    return None if row is None else TargetRow(*row)


def _forget_replaced(connection: sa.Connection, family: str, owner: str) -> None:
    table = storage_targets
    mine = sa.and_(table.c.family == family, table.c.owner == owner)
    latest = sa.select(sa.func.max(table.c.id)).where(mine).scalar_subquery()
    on_its_way = sa.and_(
        recordings.c.target_id.is_not(None), recordings.c.finished_ms.is_(None), recordings.c.reason.is_(None)
    )
    needed = sa.select(recordings.c.target_id).where(on_its_way)
    connection.execute(sa.delete(table).where(mine, table.c.id != latest, table.c.id.not_in(needed)))
