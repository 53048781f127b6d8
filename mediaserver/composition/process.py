"""The process of a conference's media worker: started when there is work, ended when there is none, and started again
when it dies or hangs. Nothing that happens to it reaches the meeting.

What it has to do is its owner's affair (`studio.py`), who tells every new worker all of it. All calls are synchronous;
the process lives in a task of its own.
"""

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from mediaserver.composition.control import Channel, Message
from mediaserver.conference.router import Router, Tap
from mediaserver.config import MediaConfig

WORKER = "mediaserver.composition.worker"
WATCH_EVERY = 0.5
SILENCE = 15.0  # seconds without a sign of life: it hangs
MAX_FAILURES = 5  # within FAILURES_WITHIN; then its work is given up
FAILURES_WITHIN = 60.0
STOPPED = "stopped"
SURROUNDINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

log = structlog.get_logger(__name__)


class Owner(Protocol):
    """Whose work it is."""

    def busy(self) -> bool:
        """Whether there is any."""

    def brief(self) -> None:
        """A new worker can be reached, and knows nothing."""

    def heard(self, message: Message) -> None: ...

    def failed(self, why: str, *, again: bool) -> None:
        """The worker has died or hung. `again`: another one is about to be briefed."""

    async def give_up(self) -> None:
        """There will be no other one."""


@dataclass(slots=True)
class Link:
    """Both sockets of a worker, and the process at their other ends once it runs."""

    channel: Channel
    tap: Tap
    theirs: tuple[socket.socket, socket.socket]
    heard_at: float
    process: asyncio.subprocess.Process | None = None
    feeds: dict[tuple[int, str], tuple[int, Any]] = field(default_factory=dict)
    """The tracks that it gets, and with which SSRC; kept by `feeds.py`."""


class WorkerProcess:
    def __init__(
        self,
        conference_id: str,
        owner: Owner,
        router: Router,
        config: MediaConfig,
        *,
        on_task: Callable[["asyncio.Task[None]"], None],
    ) -> None:
        """`on_task` keeps the task in which the process lives, until it has ended."""
        self._id = conference_id
        self._owner = owner
        self._router = router
        self._config = config
        self._on_task = on_task
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._idle_since: float | None = None
        self._failures: deque[float] = deque(maxlen=MAX_FAILURES)
        self.link: Link | None = None

    def need(self) -> bool:
        """There is a worker from here on; returns whether it is a new one, which has been briefed."""
        self._idle_since = None
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._live())
            self._on_task(self._task)
        if self.link is not None:
            return False
        self.connect()
        return True

    def send(self, **message: Any) -> None:
        """Nothing happens without a worker."""
        if self.link:
            self.link.channel.send(**message)

    def connect(self) -> None:
        """Makes both sockets; what is sent before the process runs waits in them."""
        control, control_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        media, media_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        media.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._config.worker_socket_bytes)
        media.setblocking(False)
        tap = self._router.tap(media.detach())
        channel = Channel(control, self._heard, self._lost)
        self.link = Link(channel, tap, (control_theirs, media_theirs), self._loop.time())
        self._owner.brief()

    async def _live(self) -> None:
        """Until nothing is left to be done: a process, and another one where it has failed."""
        while self.link is not None:
            link = self.link
            why = await self._run(link)
            link.channel.close()
            link.tap.close()
            self.link = None
            if why is None and not self._owner.busy():
                return
            again = self._may_try_again()
            log.warning("media worker failed", conference=self._id, why=why, again=again)
            self._owner.failed(why or "it ended", again=again)
            if not again:
                await self._owner.give_up()
                return
            self.connect()

    async def _run(self, link: Link) -> str | None:
        """Lives as long as the process; why it ended, None if that was in order."""
        descriptors = [each.fileno() for each in link.theirs]
        try:
            link.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", WORKER, *map(str, descriptors), str(self._config.worker_memory_bytes),
                pass_fds=descriptors, stdin=asyncio.subprocess.DEVNULL, env={**os.environ, **SURROUNDINGS},
            )  # fmt: skip
        except OSError as error:
            return str(error)
        finally:
            for each in link.theirs:
                each.close()
        link.heard_at = self._loop.time()
        exited = asyncio.ensure_future(link.process.wait())
        try:
            while not (await asyncio.wait([exited], timeout=WATCH_EVERY))[0]:
                self._watch(link)
        except asyncio.CancelledError:
            link.process.kill()
            raise
        code = exited.result()
        return None if code == 0 else f"it ended with {code}"

    def _watch(self, link: Link) -> None:
        assert link.process is not None
        now = self._loop.time()
        if now - link.heard_at > SILENCE:
            link.heard_at = now
            link.process.kill()
        if self._owner.busy():
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= self._config.worker_idle:
            link.channel.send(do="end", why=STOPPED)

    def _may_try_again(self) -> bool:
        now = self._loop.time()
        recent = [at for at in self._failures if now - at < FAILURES_WITHIN]
        self._failures.append(now)
        return len(recent) < MAX_FAILURES - 1 and self._owner.busy()

    def _heard(self, message: Message) -> None:
        if self.link:
            self.link.heard_at = self._loop.time()
        self._owner.heard(message)

    def _lost(self, why: str) -> None:
        """The channel has broken: the process ends by itself, or is found to hang."""
        log.info("media worker cannot be reached", conference=self._id, why=why)
