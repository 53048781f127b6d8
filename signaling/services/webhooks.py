"""Webhooks for all API families: who gets told of what, what was told, and telling it once more.

An event becomes part of the change that it tells of: `announce` is called inside the change's transaction and writes
to the outbox, whatever follows. Sending is `webhooks/delivery.py`'s, which is woken once the change is made.

Rooms family: one webhook per API key; it tells of everything that happens in the rooms of the key's team. Spaces: one
per space. Registering replaces the one before; what that one had still to tell is told to the new URL, in order.
Deleting one drops what it had still to tell.
"""

import asyncio
import re
import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mediaserver import Clock
from signaling import tokens
from signaling.addresses import read_target
from signaling.fetch import Fetcher, HostUnknown
from signaling.services.errors import BadValue, Conflict, Missing, NotFound
from signaling.store import outbox
from signaling.store.database import Connection, Database, after_commit
from signaling.store.outbox import DeliveryRecord, WebhookRecord
from signaling.webhooks.payloads import FORMATS, ROOMS, room_event
from signaling.webhooks.schedule import State

PAGE_SIZE = 25
MAX_PAGE = 10_000
LOOKUP_TIME = 3.0  # seconds for finding out where a new webhook leads
REPLAYED_AT_ONCE = 100  # in one transaction, so that others get their turn
ID_BYTES = 12
_DELIVERY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """`sent_at` and `code` are of the last request; the code is None if nobody answered. Times are unix seconds."""

    id: str
    url: str
    kinds: tuple[str, ...]
    secret: str | None
    active: bool
    sent_at: float | None
    code: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook. `next_at` is when it is tried, as long as it is pending."""

    id: str
    kind: str
    state: State
    created_at: float
    attempts: int
    next_at: float | None
    sent_at: float | None
    code: int | None
    error: str | None


class Webhooks:
    """`keys` are API keys: a webhook without a secret of its own belongs to the digest of one, and signs with that."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        clock: Clock,
        keys: Iterable[str],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._clock = clock
        self._keys = {tokens.digest(key): key.encode() for key in keys}
        self._random = random
        self.wake: Callable[[int], None] = lambda webhook_key: None
        """Told the store's key of each webhook that has something new to tell."""

    # whose webhook it is

    async def register(
        self, family: str, owner: str, key_id: str, *, url: str, kinds: Collection[str], secret: str | None = None
    ) -> Webhook:
        """The webhook that tells of `owner`'s events from now on, in place of the one of that key before."""
        self._check_kinds(family, kinds)
        await self._check_url(url)
        record = await self._database.writing(
            outbox.put,
            id=self._random(ID_BYTES).hex(),
            family=family,
            owner=owner,
            key_id=key_id,
            url=url,
            kinds=",".join(dict.fromkeys(kinds)),
            secret=secret,
            now_ms=self._now_ms(),
        )
        self.wake(record.key)
        return _webhook(record)

    async def get(self, family: str, key_id: str) -> Webhook | None:
        record = await self._database.reading(outbox.by_key, family, key_id)
        return None if record is None else _webhook(record)

    async def change(
        self, family: str, key_id: str, *, url: str | None = None, active: bool | None = None, secret: str | None = None
    ) -> Webhook:
        """The webhook with what is given. While it is not active nothing new is kept for it, and what waits, waits."""
        if url is not None:
            await self._check_url(url)
        record = await self._database.writing(_change, family, key_id, url=url, active=active, secret=secret)
        self.wake(record.key)
        return _webhook(record)

    async def delete(self, family: str, key_id: str, webhook_id: str) -> None:
        webhook = await self._owned(family, key_id, webhook_id)
        if not await self._database.writing(outbox.remove, family, key_id, webhook.id):
            raise NotFound("webhook", webhook_id)

    # what was told

    async def deliveries(
        self, family: str, key_id: str, webhook_id: str, *, state: State | None = None, page: int = 1
    ) -> Sequence[Delivery]:
        """A page of its log, the newest first."""
        webhook = await self._owned(family, key_id, webhook_id)
        offset = (page - 1) * PAGE_SIZE
        found = await self._database.reading(outbox.log, webhook.key, state=state, offset=offset, limit=PAGE_SIZE)
        return [_delivery(record) for record in found]

    async def replay(self, family: str, key_id: str, webhook_id: str, delivery_id: str) -> Delivery:
        """Puts a delivery that was given up at the end of the queue; Conflict for any other."""
        webhook = await self._owned(family, key_id, webhook_id)
        if not _DELIVERY_ID.fullmatch(delivery_id):  # a database may choke on what a stranger sends
            raise NotFound("delivery", delivery_id)
        record = await self._database.writing(_replay, webhook.key, delivery_id, self._now_ms())
        self.wake(webhook.key)
        return _delivery(record)

    async def replay_all(self, family: str, key_id: str, webhook_id: str) -> int:
        """Does so with everything that was given up until now, the oldest first; returns how many there were."""
        webhook = await self._owned(family, key_id, webhook_id)
        newest = await self._database.reading(outbox.log, webhook.key, state=State.FAILED, offset=0, limit=1)
        count, moved = 0, len(newest)
        while moved and count < outbox.KEPT_FAILED:
            moved = await self._database.writing(_replay_some, webhook.key, newest[0].number, self._now_ms())
            count += moved
            self.wake(webhook.key)
        return count

    # telling, inside the transaction of a change

    def announce(self, connection: Connection, team: str, kind: str, subject: Any, now_ms: int) -> None:
        """To a team: an event of the rooms family; `subject` is what JSON makes of what it is about."""
        body = partial(room_event, kind, subject, now_ms / 1000)
        self.emit(connection, family=ROOMS, owner=team, kind=kind, body=body, now_ms=now_ms)

    def emit(
        self, connection: Connection, *, family: str, owner: str, kind: str, body: Callable[[], bytes], now_ms: int
    ) -> None:
        """To every webhook that wants to hear it; `body` is called if there is one. Call it last in a transaction."""
        listeners = outbox.listening(connection, family, owner)
        wanting = [webhook for webhook in listeners if webhook.wants(kind)]
        if not wanting:
            return
        content = body()
        for webhook in wanting:
            outbox.enqueue(
                connection,
                webhook_key=webhook.key,
                delivery_id=str(uuid.UUID(bytes=self._random(16), version=4)),
                kind=kind,
                body=content,
                now_ms=now_ms,
            )
            after_commit(connection, partial(self._woken, webhook.key))

    def secret_of(self, webhook: WebhookRecord) -> bytes | None:
        """What it signs with; None if its API key is not configured any more."""
        return self._keys.get(webhook.key_id) if webhook.secret is None else webhook.secret.encode()

    def _woken(self, webhook_key: int) -> None:
        self.wake(webhook_key)

    async def _owned(self, family: str, key_id: str, webhook_id: str) -> WebhookRecord:
        record = await self._database.reading(outbox.by_key, family, key_id)
        if record is None or record.id != webhook_id:
            raise NotFound("webhook", webhook_id)
        return record

    async def _check_url(self, url: str) -> None:
        """FetchRefused if it leads where no webhook may. A name may become known later: every delivery looks again."""
        target = read_target(url)
        try:
            async with asyncio.timeout(LOOKUP_TIME):
                await self._fetcher.addresses(target)
        except (HostUnknown, TimeoutError):
            pass

    def _check_kinds(self, family: str, kinds: Collection[str]) -> None:
        if not kinds:
            raise Missing("types")
        if any(kind not in FORMATS[family].kinds for kind in kinds):
            raise BadValue("types")

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def _change(
    connection: Connection, family: str, key_id: str, *, url: str | None, active: bool | None, secret: str | None
) -> WebhookRecord:
    known = outbox.by_key(connection, family, key_id)
    if known is None:
        raise NotFound("webhook", key_id)
    return outbox.change(
        connection,
        known,
        url=known.url if url is None else url,
        active=known.active if active is None else active,
        secret=known.secret if secret is None else secret,
    )


def _replay(connection: Connection, webhook_key: int, delivery_id: str, now_ms: int) -> DeliveryRecord:
    known = outbox.delivery(connection, webhook_key, delivery_id)
    if known is None:
        raise NotFound("delivery", delivery_id)
    again = outbox.replay(connection, known, now_ms)
    if again is None:
        raise Conflict(f"The delivery has not failed: it is {known.state}.")
    return again


def _replay_some(connection: Connection, webhook_key: int, until: int, now_ms: int) -> int:
    failed = outbox.given_up(connection, webhook_key, until=until, limit=REPLAYED_AT_ONCE)
    return sum(outbox.replay(connection, each, now_ms) is not None for each in failed)


def _webhook(record: WebhookRecord) -> Webhook:
    kinds = tuple(record.kinds.split(","))
    return Webhook(record.id, record.url, kinds, record.secret, record.active, _seconds(record.sent_ms), record.code)


def _delivery(record: DeliveryRecord) -> Delivery:
    state = State(record.state)
    return Delivery(
        id=record.id,
        kind=record.kind,
        state=state,
        created_at=record.created_ms / 1000,
        attempts=record.attempts,
        next_at=record.next_ms / 1000 if state is State.PENDING else None,
        sent_at=_seconds(record.sent_ms),
        code=record.code,
        error=record.error,
    )


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
