"""Queries about calls in the rooms of spaces: who was there, from when to when, and what they did.

Every function takes the connection of the transaction it is to be part of. Times in unix milliseconds. `seen_ms` of a
presence is when it was last known to be true, so that what a server leaves behind can be ended then.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa

from signaling.store.spaces_tables import space_calls, space_presences


@dataclass(frozen=True, slots=True)
class CallRow:
    """`kind` is the room's; `most` is how many were there at the same time, at most."""

    id: str
    space_id: str
    room_id: str
    kind: str
    started_ms: int
    finished_ms: int | None
    most: int


@dataclass(frozen=True, slots=True)
class PresenceRow:
    """One stay of somebody in a call. `person` is the same in all their stays; `role` is user or moderator."""

    id: str
    call_id: str
    person: str
    name: str
    user_id: str | None
    external_user_id: str | None
    email: str | None
    phone: str | None
    role: str
    joined_ms: int
    seen_ms: int
    left_ms: int | None
    messages: int
    speaking_ms: int


@dataclass(frozen=True, slots=True)
class Did:
    """What somebody has done so far in a stay. `left`: it is over."""

    id: str
    seen_ms: int
    messages: int
    speaking_ms: int
    left: bool


@dataclass(frozen=True, slots=True)
class CountedCall:
    """`stays` of how many different `people`."""

    call: CallRow
    stays: int
    people: int


_C, _P = space_calls.c, space_presences.c
_CALL = [_C[field.name] for field in fields(CallRow)]
_PRESENCE = [_P[field.name] for field in fields(PresenceRow)]


def begin(connection: sa.Connection, call: CallRow) -> None:
    connection.execute(sa.insert(space_calls).values(**asdict(call)))


def came(connection: sa.Connection, presence: PresenceRow, there: int) -> bool:
    """`there` are in the call now; False if that is gone, with its space."""
    fits = sa.case((_C.most < there, there), else_=_C.most)
    if connection.execute(sa.update(space_calls).where(_C.id == presence.call_id).values(most=fits)).rowcount == 0:
        return False
    connection.execute(sa.insert(space_presences).values(**asdict(presence)))
    return True


def did(connection: sa.Connection, all: Sequence[Did]) -> None:
    for each in all:
        values = {"seen_ms": each.seen_ms, "messages": each.messages, "speaking_ms": each.speaking_ms}
        left = {"left_ms": each.seen_ms} if each.left else {}
        connection.execute(sa.update(space_presences).where(_P.id == each.id).values(**values, **left))


def finish(connection: sa.Connection, call_id: str, now_ms: int) -> bool:
    """Whether it was running."""
    running = sa.and_(_C.id == call_id, _C.finished_ms.is_(None))
    return connection.execute(sa.update(space_calls).where(running).values(finished_ms=now_ms)).rowcount == 1


def unfinished(connection: sa.Connection) -> Sequence[CallRow]:
    query = sa.select(*_CALL).where(_C.finished_ms.is_(None)).order_by(_C.started_ms, _C.id)
    return [CallRow(*row) for row in connection.execute(query)]


def abandon(connection: sa.Connection, call: CallRow) -> int:
    """Ends what nobody has ended, with everybody who was in it, when that was last known; returns when."""
    mine = _P.call_id == call.id
    connection.execute(
        sa.update(space_presences).where(mine, _P.left_ms.is_(None)).values(left_ms=space_presences.c.seen_ms)
    )
    last = connection.execute(sa.select(sa.func.max(_P.left_ms)).where(mine)).scalar()
    ended_ms = call.started_ms if last is None else int(last)
    finish(connection, call.id, ended_ms)
    return ended_ms


def by_id(connection: sa.Connection, space_id: str, call_id: str) -> CallRow | None:
    row = connection.execute(sa.select(*_CALL).where(_C.id == call_id, _C.space_id == space_id)).first()
    return None if row is None else CallRow(*row)


def finished_between(
    connection: sa.Connection, space_id: str, room_id: str | None, since_ms: int, until_ms: int, *, least: int
) -> Sequence[CountedCall]:
    """The space's calls that ended in that time (`until_ms` is past it), in which at least that many met; by start."""
    stays = sa.func.count(_P.id)
    people = sa.func.count(sa.distinct(_P.person))
    query = (
        sa.select(*_CALL, stays, people)
        .join_from(space_calls, space_presences, isouter=True)
        .where(_C.space_id == space_id, _C.finished_ms >= since_ms, _C.finished_ms < until_ms, _C.most >= least)
        .group_by(*_CALL)
        .order_by(_C.started_ms, _C.id)
    )
    if room_id is not None:
        query = query.where(_C.room_id == room_id)
    return [CountedCall(CallRow(*row[: len(_CALL)]), row[-2], row[-1]) for row in connection.execute(query)]


def presences(
    connection: sa.Connection, space_id: str, room_id: str | None, call_id: str | None, limit: int
) -> Sequence[PresenceRow]:
    """Of the space's calls, or of one room's, or of one; the latest up to `limit`, in the order in which they came."""
    query = sa.select(*_PRESENCE).join_from(space_presences, space_calls).where(_C.space_id == space_id)
    if room_id is not None:
        query = query.where(_C.room_id == room_id)
    if call_id is not None:
        query = query.where(_C.id == call_id)
    rows = connection.execute(query.order_by(_P.joined_ms.desc(), _P.id).limit(limit))
    return [PresenceRow(*row) for row in rows][::-1]
