"""From the outbox to the receivers: in order per webhook, each event until it has arrived or is given up.

A thin shell around `schedule.py`, which decides, and `payloads.py`, which words. Each webhook with something to tell
has a queue: one request under way, or a timer, or nothing, so that a slow or dead receiver delays its own events
only. What is in memory may be lost at any time: all that counts is in the outbox, and a try whose outcome was not
written down is made again. If the database cannot be reached, a queue looks again a little later.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Protocol

import structlog

from mediaserver import Clock
from signaling.services.errors import FetchRefused
from signaling.services.scheduler import Alarm, Scheduler
from signaling.settings import Webhooks as WebhookSettings
from signaling.store import outbox
from signaling.store.database import Database
from signaling.store.outbox import Attempt, DeliveryRecord, WebhookRecord
from signaling.webhooks.payloads import Request, request
from signaling.webhooks.schedule import Patience, State, verdict

MAX_UNDER_WAY = 500  # requests of all webhooks together
STORE_PAUSE = 5.0  # seconds until a queue looks again after the database has failed
KEEP_SETTLED = 30 * 86400  # seconds for which the log is kept
UNSENT = "it could not be sent"
UNSIGNED = "its key is not configured any more"

log = structlog.get_logger(__name__)


class Sender(Protocol):
    """Posts to a caller's URL; returns the status or raises FetchRefused. `fetch.Fetcher` can."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], within: float) -> int: ...


class Deliveries:
    """`secret_of` finds what a webhook signs with; None if that is not known any more."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        settings: WebhookSettings,
        clock: Clock,
        scheduler: Scheduler,
        secret_of: Callable[[WebhookRecord], bytes | None],
    ) -> None:
        self._database = database
        self._sender = sender
        self._timeout = settings.timeout_seconds
        self._patience = Patience(settings.backoff_seconds, settings.retry_for_seconds)
        self._clock = clock
        self._scheduler = scheduler
        self._secret_of = secret_of
        self._queues: dict[int, _Queue] = {}
        self._under_way = asyncio.Semaphore(MAX_UNDER_WAY)
        self._counts = {"webhook_deliveries": 0, "webhook_failures": 0, "webhook_given_up": 0}
        self._open = False

    async def start(self) -> None:
        """Goes on with whatever was left in the outbox."""
        self._open = True
        await self._look_for_waiting()

    async def aclose(self, patience: float = 0.0) -> None:
        """Lets what is due go out for that many seconds, then stops in the middle: the rest follows the next start."""
        self._open = False
        queues = list(self._queues.values())
        await asyncio.gather(*(queue.aclose(patience) for queue in queues))
        self._queues.clear()

    def wake(self, webhook_key: int) -> None:
        """There may be something to tell; harmless if not."""
        if not self._open:
            return
        queue = self._queues.get(webhook_key)
        if queue is None:
            queue = _Queue(
                self._scheduler, partial(self._work, webhook_key), partial(self._queues.pop, webhook_key, None)
            )
            self._queues[webhook_key] = queue
        queue.look()

    async def sweep(self) -> None:
        """Forgets what is long settled and finds what nobody was woken for; call it now and then."""
        await self._database.writing(outbox.purge, self._now_ms() - KEEP_SETTLED * 1000)
        await self._look_for_waiting()

    def counts(self) -> Mapping[str, int]:
        """Deliveries, tries that failed, and deliveries given up, since the start."""
        return self._counts

    async def _look_for_waiting(self) -> None:
        """A transaction that nobody waited for any more may have added something, or another server."""
        for webhook_key in await self._database.reading(outbox.waiting):
            if webhook_key not in self._queues:
                self.wake(webhook_key)

    async def _work(self, webhook_key: int) -> float | None:
        """Tells what is due; returns how long until the next is, or None if nothing is left."""
        while True:
            found = await self._database.reading(outbox.head, webhook_key)
            if found is None:
                return None
            early = found[0].next_ms - self._now_ms()
            if early > 0:
                return early / 1000
            await self._tell(*found)

    async def _tell(self, delivery: DeliveryRecord, webhook: WebhookRecord) -> None:
        sent_ms = self._now_ms()
        code, error = await self._try(delivery, webhook)
        now, attempts = self._clock.wall(), delivery.attempts + 1
        since = delivery.since_ms / 1000
        result = verdict(self._patience, code=code, attempts=attempts, since=since, now=now)
        next_ms = math.ceil(result.next_at * 1000)
        await self._database.writing(outbox.settle, delivery, Attempt(sent_ms, code, error, result.state, next_ms))
        self._count(result.state)
        if result.state is State.FAILED:
            log.warning("webhook given up", webhook=webhook.id, delivery=delivery.id, code=code, why=error)

    async def _try(self, delivery: DeliveryRecord, webhook: WebhookRecord) -> tuple[int | None, str | None]:
        """The status, or None and why there is none."""
        secret = self._secret_of(webhook)
        if secret is None:
            return None, UNSIGNED
        try:
            async with self._under_way:
                made = self._request(delivery, webhook, secret)
                code = await self._sender.post(webhook.url, made.body, made.headers, self._timeout)
        except FetchRefused as refused:
            return None, refused.why
        except Exception:  # our own mistake must not hold up what comes after for good
            log.exception("webhook could not be sent", webhook=webhook.id, delivery=delivery.id)
            return None, UNSENT
        return code, None

    def _request(self, delivery: DeliveryRecord, webhook: WebhookRecord, secret: bytes) -> Request:
        return request(webhook.family, secret, delivery.body, delivery_id=delivery.id, at=self._clock.wall())

    def _count(self, state: State) -> None:
        self._counts["webhook_deliveries" if state is State.DONE else "webhook_failures"] += 1
        if state is State.FAILED:
            self._counts["webhook_given_up"] += 1

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


class _Queue:
    """Runs `work` when told to look, never twice at a time, and again after as long as it returns."""

    def __init__(
        self,
        scheduler: Scheduler,
        work: Callable[[], Coroutine[Any, Any, float | None]],
        on_empty: Callable[[], object],
    ) -> None:
        self._work = work
        self._on_empty = on_empty
        self._alarm = Alarm(scheduler)
        self._task: asyncio.Task[float | None] | None = None
        self._again = False
        self._open = True

    def look(self) -> None:
        self._alarm.clear()
        self._again = self._task is not None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())
            self._task.add_done_callback(self._worked)

    async def aclose(self, patience: float) -> None:
        self._open = False
        self._alarm.clear()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=patience)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _worked(self, task: asyncio.Task[float | None]) -> None:
        self._task = None
        if task.cancelled() or not self._open:
            return
        if _failed(task):
            self._alarm.set(STORE_PAUSE, self.look)
        elif self._again:
            self.look()
        elif (pause := task.result()) is None:
            self._on_empty()
        else:
            self._alarm.set(pause, self.look)


def _failed(task: asyncio.Task[Any]) -> bool:
    error = task.exception()
    if error is not None:
        log.error("outbox cannot be worked on", pause=STORE_PAUSE, exc_info=error)
    return error is not None
