"""Work that waits for its turn: what is heard of at once is remembered one after the other.

Events come from the media plane and the conferences without waiting; what they change in the store has to happen in
the same order. Work that fails is logged and does not hold up the rest.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

MAX_WAITING = 100_000  # more than any store is behind by unless it is gone

Work = Callable[[], Awaitable[object]]


class InOrder:
    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    def put(self, work: Work) -> None:
        """Does `work` after all that has been put before."""
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        self._waiting.append(work)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def done(self) -> None:
        """Waits until nothing is left to do."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def so_far(self) -> None:
        """Waits for what has been put until now, however much is put meanwhile."""
        if self._task is None:
            return
        reached = asyncio.Event()

        async def reach() -> None:
            reached.set()

        self._waiting.append(reach)
        await reached.wait()

    async def _run(self) -> None:
        try:
            while self._waiting:
                work = self._waiting.popleft()
                try:
                    await work()
                except Exception:
                    log.exception("something heard of could not be remembered")
        finally:
            self._task = None
