"""The receivers of webhooks, all in one: each request waits for the test to answer it."""

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from signaling.services.errors import FetchRefused
from tests.support.simulated import SimulatedTime

PATIENCE = 10.0  # seconds after which a test has failed


@dataclass
class Post:
    """One request on its way."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    outcome: "asyncio.Future[int]"

    @property
    def id(self) -> str:
        return self.headers["X-Webhook-Id"]

    def json(self) -> Any:
        return json.loads(self.body)

    def answer(self, code: int) -> None:
        self.outcome.set_result(code)

    def fail(self, why: str = "nothing answers there") -> None:
        self.outcome.set_exception(FetchRefused(why))

    def break_down(self) -> None:
        self.outcome.set_exception(RuntimeError("a mistake of ours"))

    def signed_with(self, key: str) -> bool:
        expected = hmac.new(key.encode(), self.body, "sha256").hexdigest()
        return all(self.headers[name] == expected for name in ("X-Webhook-Signature", "X-Eyeson-Signature"))


@dataclass
class Receivers:
    """Follows `webhooks.delivery.Sender`."""

    posts: "asyncio.Queue[Post]" = field(default_factory=asyncio.Queue)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], within: float) -> int:
        post = Post(url, body, headers, asyncio.get_running_loop().create_future())
        self.posts.put_nowait(post)
        return await post.outcome

    async def next(self) -> Post:
        async with asyncio.timeout(PATIENCE):
            return await self.posts.get()


@dataclass
class AwaitableTime(SimulatedTime):
    """Simulated time in which a test can wait for the next timer to be set."""

    armed: "asyncio.Queue[float]" = field(default_factory=asyncio.Queue)

    def call_later(self, delay: float, callback: Callable[[], object]) -> Any:
        timer = super().call_later(delay, callback)
        self.armed.put_nowait(round(delay, 3))
        return timer

    async def until_armed(self) -> float:
        """Seconds to the timer that was set."""
        async with asyncio.timeout(PATIENCE):
            return await self.armed.get()
