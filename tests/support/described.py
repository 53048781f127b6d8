"""A server in a thread of its own, and what each of its answers is held to: for requests that schemathesis makes up."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mediaserver import SystemClock
from signaling.api import Family
from signaling.app import create_app
from signaling.appkeys import FAMILIES
from signaling.settings import Settings
from tests.support.api_server import IdleMedia

EXAMPLES = 25  # for each operation, valid and invalid
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LIMITS = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def families(settings: Settings) -> Sequence[Family]:
    """All that a server with these settings serves."""
    return create_app(settings, SystemClock(), media=IdleMedia)[FAMILIES]  # type: ignore[arg-type]


@contextmanager
def serving(settings: Settings, media: Any) -> Iterator[str]:
    """The address of the server: schemathesis asks synchronously."""
    runner = web.AppRunner(create_app(settings, SystemClock(), media=media), access_log=None)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result()
    yield "http://{}:{}".format(*runner.addresses[0])
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
