"""A receiver of webhooks on a port of its own: it can fail, hang, be dead for a while, and remembers what it got."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PATIENCE = 20.0  # seconds after which a test has failed


@dataclass(frozen=True, slots=True)
class Got:
    body: bytes
    headers: dict[str, str]

    @property
    def id(self) -> str:
        return self.headers["X-Webhook-Id"]

    def json(self) -> Any:
        return json.loads(self.body)

    def signed_with(self, key: str) -> bool:
        expected = hmac.new(key.encode(), self.body, "sha256").hexdigest()
        return all(self.headers[name] == expected for name in ("X-Webhook-Signature", "X-Eyeson-Signature"))


@dataclass
class Hook:
    """`answer` says the status for each request; None never answers. `accepted` are those answered with 2xx."""

    answer: Callable[[Got], int | None] = lambda got: 200
    port: int = 0
    got: list[Got] = field(default_factory=list)
    accepted: list[Got] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def live(self) -> None:
        """Starts, on the port it had before."""
        app = web.Application()
        app.router.add_post("/hook", self._post)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def die(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def until(self, true: Callable[[], object]) -> None:
        """Returns once that is so; looks after each request."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def _post(self, request: web.Request) -> web.Response:
        got = Got(await request.read(), dict(request.headers))
        self.got.append(got)
        code = self.answer(got)
        if code is not None and 200 <= code < 300:
            self.accepted.append(got)
        self._news.set()
        if code is None:
            await asyncio.Event().wait()
        return web.Response(status=code or 500, headers={"Location": "/hook"})


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    made = Hook()
    await made.live()
    yield made
    await made.die()
