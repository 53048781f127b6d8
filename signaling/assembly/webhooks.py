"""Webhooks of all families: sending what is in the outbox."""

from collections.abc import AsyncIterator

from aiohttp import web

from signaling.appkeys import DELIVERIES, WEBHOOKS
from signaling.assembly import Core, Parts
from signaling.webhooks.delivery import Deliveries

LAST_WORDS = 2.0  # seconds for webhooks to tell what is due when the server stops


def webhooks(core: Core) -> Parts:
    deliveries = Deliveries(
        core.database,
        core.fetcher,
        settings=core.settings.webhooks,
        clock=core.clock,
        scheduler=core.scheduler,
        secret_of=core.webhooks.secret_of,
    )
    core.webhooks.wake = deliveries.wake

    async def delivering(_: web.Application) -> AsyncIterator[None]:
        await deliveries.start()
        yield
        await deliveries.aclose(LAST_WORDS)
        await core.fetcher.aclose()

    return Parts(
        keys={WEBHOOKS: core.webhooks, DELIVERIES: deliveries},
        contexts=[delivering],
        sweeps=[deliveries.sweep],
    )
