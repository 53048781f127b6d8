"""Queries about webhooks and the outbox: what is to be told to whom, in order, and what became of it.

An event is put here in the transaction of the change that it tells of: `listening`, then `enqueue`. What is tried
when is `webhooks/schedule.py`'s. Every function takes the connection of the transaction it is to be part of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from signaling.store.tables import webhook_deliveries, webhooks
from signaling.webhooks.schedule import State

MAX_WAITING = 10_000  # deliveries of one webhook; for one more the oldest is given up
KEPT_FAILED = 10_000  # of one webhook, to be tried again by hand
KEPT_DONE = 1000  # of one webhook, to be looked at
CROWDED_OUT = "too many were waiting"


@dataclass(frozen=True, slots=True)
class WebhookRecord:
    """`sent_ms` and `code` are of the last request; the code is None if nobody answered."""

    key: int
    id: str
    family: str
    owner: str
    key_id: str
    url: str
    kinds: str
    secret: str | None
    active: bool
    created_ms: int
    sent_ms: int | None
    code: int | None

    def wants(self, kind: str) -> bool:
        return kind in self.kinds.split(",")


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    number: int
    webhook_key: int
    id: str
    kind: str
    body: bytes
    state: str
    created_ms: int
    since_ms: int
    next_ms: int
    attempts: int
    sent_ms: int | None
    code: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try came to."""

    sent_ms: int
    code: int | None
    error: str | None
    state: State
    next_ms: int


_W, _D = webhooks.c, webhook_deliveries.c
_WEBHOOK = [_W[field.name] for field in fields(WebhookRecord)]
_DELIVERY = [_D[field.name] for field in fields(DeliveryRecord)]
_WEBHOOKS = sa.select(*_WEBHOOK)
_LISTENING = (
    _WEBHOOKS.where(_W.family == sa.bindparam("family"), _W.owner == sa.bindparam("owner"), _W.active)
    .order_by(_W.key)
    .with_for_update(key_share=True)
)
_CROWDED = (
    sa.select(_D.number)
    .where(_D.webhook_key == sa.bindparam("webhook"), _D.state == State.PENDING)
    .order_by(_D.number.desc())
    .limit(1)
    .offset(sa.bindparam("most", type_=sa.Integer))
)
_HEAD = (
    sa.select(*_DELIVERY, *_WEBHOOK)
    .join_from(webhook_deliveries, webhooks)
    .where(_D.webhook_key == sa.bindparam("webhook"), _D.state == State.PENDING, _W.active)
    .order_by(_D.number)
    .limit(1)
)


# webhooks


def put(
    connection: sa.Connection,
    *,
    id: str,
    family: str,
    owner: str,
    key_id: str,
    url: str,
    kinds: str,
    secret: str | None,
    now_ms: int,
) -> WebhookRecord:
    """The webhook of that key in that family, new or in place of the one before.

    What the one before has still to tell is told to the new URL; its log stays, too.
    """
    new: dict[str, Any] = {"id": id, "owner": owner, "url": url, "kinds": kinds, "secret": secret, "active": True}
    new |= {"created_ms": now_ms, "sent_ms": None, "code": None}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(webhooks).values(family=family, key_id=key_id, **new)
    statement = insert.on_conflict_do_update(index_elements=[_W.family, _W.key_id], set_=new).returning(*_WEBHOOK)
    return WebhookRecord(*connection.execute(statement).one())


def by_key(connection: sa.Connection, family: str, key_id: str) -> WebhookRecord | None:
    row = connection.execute(_WEBHOOKS.where(_W.family == family, _W.key_id == key_id)).first()
    return None if row is None else WebhookRecord(*row)


def change(
    connection: sa.Connection, webhook: WebhookRecord, *, url: str, active: bool, secret: str | None
) -> WebhookRecord:
    """The webhook with these values; what waits, waits until it is active."""
    values = {"url": url, "active": active, "secret": secret}
    statement = sa.update(webhooks).where(_W.key == webhook.key).values(values).returning(*_WEBHOOK)
    return WebhookRecord(*connection.execute(statement).one())


def remove(connection: sa.Connection, family: str, key_id: str, webhook_id: str) -> bool:
    """Forgets the webhook, what waits and the log; False if there is none."""
    mine = sa.and_(_W.family == family, _W.key_id == key_id, _W.id == webhook_id)
    return connection.execute(sa.delete(webhooks).where(mine)).rowcount == 1


def listening(connection: sa.Connection, family: str, owner: str) -> Sequence[WebhookRecord]:
    """The active webhooks that tell of that owner. Until the transaction ends nobody else adds to them."""
    rows = connection.execute(_LISTENING, {"family": family, "owner": owner})
    return [WebhookRecord(*row) for row in rows]


# deliveries


def enqueue(
    connection: sa.Connection, *, webhook_key: int, delivery_id: str, kind: str, body: bytes, now_ms: int
) -> int:
    """Adds a delivery at the end of the webhook's queue; returns its number."""
    values: dict[str, Any] = {
        "webhook_key": webhook_key,
        "id": delivery_id,
        "kind": kind,
        "body": body,
        "state": State.PENDING,
    }
    values |= {"created_ms": now_ms, "since_ms": now_ms, "next_ms": now_ms, "attempts": 0}
    statement = sa.insert(webhook_deliveries).values(values).returning(_D.number)
    number: int = connection.execute(statement).scalar_one()
    last = connection.execute(_CROWDED, {"webhook": webhook_key, "most": MAX_WAITING}).scalar()
    if last is not None:
        crowd = sa.and_(_D.webhook_key == webhook_key, _D.state == State.PENDING, _D.number <= last)
        given_up = {"state": State.FAILED, "error": CROWDED_OUT}
        connection.execute(sa.update(webhook_deliveries).where(crowd).values(given_up))
    return number


def waiting(connection: sa.Connection) -> Sequence[int]:
    """Keys of the webhooks that have something to tell."""
    pending = sa.exists().where(_D.webhook_key == _W.key, _D.state == State.PENDING)
    return list(connection.execute(sa.select(_W.key).where(_W.active, pending).order_by(_W.key)).scalars())


def head(connection: sa.Connection, webhook_key: int) -> tuple[DeliveryRecord, WebhookRecord] | None:
    """What the webhook has to tell next, and the webhook; None if there is nothing or it is not active."""
    row = connection.execute(_HEAD, {"webhook": webhook_key}).first()
    if row is None:
        return None
    values = tuple(row)
    return DeliveryRecord(*values[: len(_DELIVERY)]), WebhookRecord(*values[len(_DELIVERY) :])


def settle(connection: sa.Connection, delivery: DeliveryRecord, attempt: Attempt) -> None:
    """Remembers a try, of the delivery and of its webhook."""
    sent = {"sent_ms": attempt.sent_ms, "code": attempt.code}
    outcome = {"state": attempt.state, "next_ms": attempt.next_ms, "error": attempt.error}
    tried = sa.update(webhook_deliveries).where(_D.number == delivery.number)
    connection.execute(tried.values(attempts=delivery.attempts + 1, **outcome, **sent))
    connection.execute(sa.update(webhooks).where(_W.key == delivery.webhook_key).values(sent))


def log(
    connection: sa.Connection, webhook_key: int, *, state: State | None, offset: int, limit: int
) -> Sequence[DeliveryRecord]:
    """A part of the webhook's deliveries, the newest first."""
    query = sa.select(*_DELIVERY).where(_D.webhook_key == webhook_key)
    if state is not None:
        query = query.where(_D.state == state)
    rows = connection.execute(query.order_by(_D.number.desc()).limit(limit).offset(offset))
    return [DeliveryRecord(*row) for row in rows]


def delivery(connection: sa.Connection, webhook_key: int, delivery_id: str) -> DeliveryRecord | None:
    query = sa.select(*_DELIVERY).where(_D.webhook_key == webhook_key, _D.id == delivery_id)
    row = connection.execute(query).first()
    return None if row is None else DeliveryRecord(*row)


def given_up(connection: sa.Connection, webhook_key: int, *, until: int, limit: int) -> Sequence[DeliveryRecord]:
    """Failed deliveries, the oldest first; `until` is the number of the last one wanted."""
    mine = sa.and_(_D.webhook_key == webhook_key, _D.state == State.FAILED, _D.number <= until)
    query = sa.select(*_DELIVERY).where(mine)
    return [DeliveryRecord(*row) for row in connection.execute(query.order_by(_D.number).limit(limit))]


def replay(connection: sa.Connection, failed: DeliveryRecord, now_ms: int) -> DeliveryRecord | None:
    """Puts a failed delivery at the end of the queue, under the same id; None if it is not failed any more."""
    table = webhook_deliveries
    gone = sa.delete(table).where(_D.number == failed.number, _D.state == State.FAILED)
    if connection.execute(gone).rowcount == 0:
        return None
    number = enqueue(
        connection,
        webhook_key=failed.webhook_key,
        delivery_id=failed.id,
        kind=failed.kind,
        body=failed.body,
        now_ms=now_ms,
    )
    made = sa.update(table).where(_D.number == number).values(created_ms=failed.created_ms)
    return DeliveryRecord(*connection.execute(made.returning(*_DELIVERY)).one())


def purge(connection: sa.Connection, before_ms: int, kept: tuple[int, int] = (KEPT_DONE, KEPT_FAILED)) -> None:
    """Forgets what is settled and older than that, or more than is kept of each webhook: done ones, failed ones."""
    settled = _D.state != State.PENDING
    connection.execute(sa.delete(webhook_deliveries).where(settled, _D.created_ms < before_ms))
    place = sa.func.row_number().over(partition_by=(_D.webhook_key, _D.state), order_by=_D.number.desc())
    ranked = sa.select(_D.number, _D.state, place.label("place")).where(settled).subquery()
    most = sa.case((ranked.c.state == State.DONE, kept[0]), else_=kept[1])
    surplus = sa.select(ranked.c.number).where(ranked.c.place > most)
    connection.execute(sa.delete(webhook_deliveries).where(_D.number.in_(surplus)))
