"""Stores of tenants', to which what is finished goes: set by callers, opened when there is something to put there.

A target is kept as it was set, its secrets encrypted; nobody is told them again. The address rule for callers' URLs
holds for its endpoint when it is set and once more before each use. `pin`: private addresses are refused, and a name
must not lead to one a moment later; over TLS, certificates see to that.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mediaserver import Clock
from signaling.addresses import pinned, read_target
from signaling.objects import BadStore, Objects, StoreFailed
from signaling.sealing import BrokenSeal, Seal
from signaling.services.errors import FetchRefused, Invalid
from signaling.services.storage_plans import Configured, Plan, Wanted, plan
from signaling.store import storage_targets as store
from signaling.store.database import Database
from signaling.store.storage_targets import NewTarget, TargetRow

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses that a URL leads to; FetchRefused unless the server may connect to all of them."""


@dataclass(frozen=True, slots=True)
class Target:
    kind: str
    objects: Objects


class StorageTargets:
    def __init__(
        self, database: Database, seal: Seal, resolve: Resolve, clock: Clock, *, configured: Configured, pin: bool
    ) -> None:
        self._database = database
        self._seal = seal
        self._resolve = resolve
        self._clock = clock
        self._configured = configured
        self._pin = pin

    async def set(self, family: str, owner: str, wanted: Wanted) -> None:
        """Where the owner's recordings go that are finished from now on. Whether it takes them is found out then."""
        planned = plan(wanted, self._configured)
        try:
            Objects(planned.url, {**planned.options, **planned.secrets})
        except BadStore as error:
            raise Invalid(str(error)) from None
        if planned.endpoint:
            await self._resolve(planned.endpoint)
        sealed = await asyncio.to_thread(self._seal.close, planned.secrets)
        await self._database.writing(store.insert, self._new(family, owner, planned, sealed))

    async def open(self, target_id: int) -> Target | None:
        """None if there is none any more; StoreFailed if it cannot be used now."""
        row = await self._database.reading(store.by_id, target_id)
        return None if row is None else Target(row.kind, await self._objects(row))

    async def fallback(self, target_id: int) -> str | None:
        """What becomes of a file that it does not take."""
        row = await self._database.reading(store.by_id, target_id)
        return None if row is None else row.fallback

    async def _objects(self, row: TargetRow) -> Objects:
        options = json.loads(row.options)
        try:
            if endpoint := options.get("endpoint"):
                options["endpoint"] = await self._pinned(endpoint)
            secrets = await asyncio.to_thread(self._seal.open, row.sealed)
            return Objects(row.url, {**options, **secrets})
        except (FetchRefused, BrokenSeal, BadStore) as error:
            raise StoreFailed(str(error)) from None

    async def _pinned(self, endpoint: str) -> str:
        """What is connected to. A name is not resolved once more where nothing but its address tells who answers."""
        addresses = await self._resolve(endpoint)
        if not self._pin or not endpoint.startswith("http://"):
            return endpoint
        return pinned(read_target(endpoint), addresses[0])

    def _new(self, family: str, owner: str, planned: Plan, sealed: str) -> NewTarget:
        return NewTarget(
            family=family,
            owner=owner,
            kind=planned.kind,
            url=planned.url,
            options=json.dumps(dict(planned.options)),
            sealed=sealed,
            fallback=planned.fallback,
            created_ms=int(self._clock.wall() * 1000),
        )
