"""One case at one server: everybody takes a seat, then windows are measured, the server's and the bare loop's in turn.

The server is pinned to the first core, the load generator (and this process) to the last.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from benchmarks.load import Load
from benchmarks.process import cpu_between, pss, threads_cpu
from benchmarks.versus.bare import Bare, Floor
from benchmarks.versus.cases import BROWSER, JOINING, PACKET_BYTES, Case, Pace
from benchmarks.versus.target import Seat, Target
from benchmarks.versus.window import Window

PROFILES = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"  # the second for those who do not know the first
AT_ONCE = 8  # joins under way
FILLED_WITHIN = 60.0  # seconds
WARM_UP = 2.0  # seconds
DRAINED_WITHIN = 20.0  # seconds, for the queues of a server that got more than it could send
SETTLE = 0.3  # seconds after a change of pace


class Venue:
    """A server, a load generator, and the case's seats."""

    def __init__(self, target: Target, case: Case) -> None:
        self.target = target
        self.case = case
        cores = sorted(os.sched_getaffinity(0))
        self._cores, self._server_core, self._own_core = cores, cores[0], cores[-1]
        self._seats: list[Seat] = []
        self._pace = BROWSER
        self._empty = 0
        self._load: Load
        self._bare: Bare

    async def __aenter__(self) -> Self:
        os.sched_setaffinity(0, {self._own_core})
        await self.target.start(self._server_core)
        self._load = Load(core=self._own_core)
        self._load.first()
        self._load.profiles(PROFILES)
        self._load.mute(not self.case.sound)
        self._bare = Bare(self._load, self.case, self._server_core)
        try:
            await self._fill()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._load.pause(True)
        await at_most(AT_ONCE, [seat.leave() for seat in self._seats], ignoring=True)
        self._bare.close()
        self._load.close()
        await self.target.stop()
        os.sched_setaffinity(0, set(self._cores))

    async def pace(self, pace: Pace) -> None:
        """All publishers', from now on."""
        self._pace = pace
        self._load.pace(pace.fps, pace.packets, PACKET_BYTES)
        await asyncio.sleep(SETTLE)

    def sample(self, every: int) -> None:
        """One packet in so many is decrypted and timed."""
        self._load.sample(every)

    async def window(self, seconds: float) -> Window:
        pid, drops = self.target.pid, self._load.figures().own_drops
        before = threads_cpu(pid) if pid else {}
        self._load.measure()
        begin, generator = time.monotonic(), self._load.cpu
        await asyncio.sleep(seconds)
        figures = self._load.figures()
        lasted, used = time.monotonic() - begin, self._load.cpu - generator
        cpu = cpu_between(before, threads_cpu(pid)) if pid else None
        return Window(
            lasted,
            self.case.rate(self._pace),
            self.case.fan_out,
            self.case.fan_out * self._pace.packets,
            cpu,
            used,
            figures,
            figures.own_drops - drops,
        )

    async def floor(self, seconds: float) -> Floor:
        """The bare loop at the same pace, while the publishers pause."""
        async with self._silence():
            return await self._bare.measure(self._pace, seconds)

    async def rest(self) -> None:
        """Publishers pause until what the server has queued has come."""
        async with self._silence():
            pass

    @asynccontextmanager
    async def _silence(self) -> AsyncIterator[None]:
        self._load.pause(True)
        deadline, seen = time.monotonic() + DRAINED_WITHIN, -1
        while (received := self._load.figures().received) != seen and time.monotonic() < deadline:
            seen = received
            await asyncio.sleep(SETTLE)
        try:
            yield
        finally:
            self._load.pause(False)
            await asyncio.sleep(SETTLE)

    @property
    def cipher(self) -> str:
        """The SRTP profiles in use."""
        return ", ".join(sorted(self._load.agreed()))

    def memory(self) -> float:
        """Bytes of the server's that have come with each receiver; NaN: not known."""
        return (self._pss() - self._empty) / self.case.receivers if self.target.pid else float("nan")

    def _pss(self) -> int:
        return pss(self.target.pid) if self.target.pid else 0

    async def _fill(self) -> None:
        await self.pace(JOINING)
        await self.target.room(self.case.publishers)
        publishers = [self.target.seat(self._load) for _ in range(self.case.publishers)]
        self._seats += publishers
        self._empty = self._pss()
        for seat in publishers:
            await seat.publish()
        if self.case.listeners:
            await self._warm_up()
            self._empty = self._pss()
        listeners = [self.target.seat(self._load) for _ in range(self.case.listeners)]
        self._seats += listeners
        receivers = listeners + (publishers if self.case.publishers > 1 else [])
        await at_most(AT_ONCE, [s.listen([p for p in publishers if p is not s]) for s in receivers])
        await self._all_arrive()

    async def _warm_up(self) -> None:
        """What a server keeps of publishers anyway is not to be charged to those who listen."""
        await self.pace(BROWSER)
        await asyncio.sleep(WARM_UP)
        await self.pace(JOINING)

    async def _all_arrive(self) -> None:
        self._load.measure()
        deadline = time.monotonic() + FILLED_WITHIN
        while (arriving := self._load.figures().streams) < self.case.streams:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {arriving} of {self.case.streams} streams arrive")
            await asyncio.sleep(0.1)


async def at_most(limit: int, work: Sequence[Awaitable[None]], *, ignoring: bool = False) -> None:
    """Does all, `limit` at a time."""
    gate = asyncio.Semaphore(limit)

    async def one(item: Awaitable[None]) -> None:
        async with gate:
            await item

    results = await asyncio.gather(*(one(item) for item in work), return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures and not ignoring:
        raise failures[0]
