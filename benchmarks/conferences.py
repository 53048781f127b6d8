"""What do meetings cost a running server? CPU per forwarded packet, loss, latency, memory, and a long coming and going.

Real WebRTC clients (ICE, DTLS, AES-128-GCM SRTP, reports) made by the native load generator against `python -m
signaling serve` with one packet thread. Publishers send VP8, 25 pictures a second of 8 packets of 1100 bytes in one
go, and Opus, 50 packets a second. The server has core 0, the generator the last core, and all goes over loopback: the
kernel charges what it takes to deliver a packet to its sender. Subscribers take runs of packets whole (UDP_GRO), as a
network card with that offload does. Latency is from a publisher's sending to the subscriber's kernel's receiving, so
that it is the server's, including its being woken up.

At half load the pictures come faster, until the packet thread is half busy; that is where latency has its bars.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from benchmarks.load import Figures, Load
from benchmarks.meeting import Member
from benchmarks.server import Cpu, Server

FPS, PACKETS = 25.0, 8  # pictures a second, packets a picture
AUDIO_PACKETS = 50  # a second
WINDOW = 3.0  # seconds of one measurement
REPEATS = 5
HALF_LOAD = 0.5  # of the packet thread's time
MAX_FPS = 3000.0
LOSS_LIMIT = 0.005  # past this, a rate is too high for this machine
CHURN, QUICK_CHURN = 2000, 300  # joins and leaves
CHURN_AT_ONCE = 8
WARM_UP = 200  # joins and leaves at least, or half as many as are measured: until caches (SQLite's, malloc's) are full
MEMORY_STEPS = (20, 60, 100, 140, 180)  # subscribers
DECRYPTED = 50  # subscribers at most that decrypt and measure latency; the others check their sequence numbers
BAR_LATENCY = (0.5e-3, 5e-3)  # p50, p99, seconds
BAR_MEMORY = 200  # KiB a subscriber
BAR_GROWTH = 64  # bytes a join and leave: less than the smallest thing that could be left behind, averaged

Row = dict[str, object]
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """Rooms in which `publishers` send and receive each other, and `listeners` only receive."""

    name: str
    publishers: int
    listeners: int
    rooms: int = 1
    half_load: bool = False

    @property
    def streams(self) -> int:
        """Tracks that arrive somewhere."""
        return self.rooms * 2 * self.publishers * (self.publishers - 1 + self.listeners)


CASES = (
    Case("1 to 10", 1, 10),
    Case("1 to 50", 1, 50, half_load=True),
    Case("1 to 200", 1, 200),
    Case("10 x 10", 10, 0, half_load=True),
)


class Venue:
    """A server and a load generator, each on its core, and everybody who has joined."""

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.server = Server(core=cores[0])
        self._core = cores[-1]
        self.members: list[Member] = []
        self.load: Load

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self.load = Load(core=self._core)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(member.leave() for member in self.members), return_exceptions=True)
        self.load.close()
        await self.server.__aexit__(kind, error, trace)

    async def fill(self, case: Case) -> None:
        """Everybody joins; returns when all receive all."""
        for _ in range(case.rooms):
            token = await self.server.room()
            await self.add(token, case.publishers, publish=True)
            await self.add(token, case.listeners)
        self.load.measure()
        deadline = time.monotonic() + 20
        while (streams := self.load.figures().streams) < case.streams:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {streams} of {case.streams} streams arrive")
            await asyncio.sleep(0.1)

    async def add(self, token: str, count: int, *, publish: bool = False) -> None:
        every = max(1, count // DECRYPTED)
        added = [Member(self.load, sampled=publish or i % every == 0) for i in range(count)]
        self.members += added
        await at_most(CHURN_AT_ONCE, [member.join(self.server, token, publish=publish) for member in added])
        if not publish:
            await asyncio.gather(*(member.fed() for member in added))


@dataclass(frozen=True)
class Window:
    """One measurement."""

    seconds: float
    cpu: Cpu
    generator: float
    figures: Figures

    @property
    def us(self) -> float:
        """Of the whole server process per forwarded packet."""
        return self.cpu.process * 1e6 / max(1, self.figures.received)

    @property
    def packets_us(self) -> float:
        return self.cpu.packets * 1e6 / max(1, self.figures.received)

    @property
    def busy(self) -> float:
        return self.cpu.packets / self.seconds


async def watch(venue: Venue, seconds: float) -> Window:
    venue.load.measure()
    begin, cpu, generator = time.monotonic(), venue.server.cpu(), venue.load.cpu
    await asyncio.sleep(seconds)
    figures = venue.load.figures()
    return Window(time.monotonic() - begin, venue.server.cpu() - cpu, venue.load.cpu - generator, figures)


async def at_most(limit: int, work: Sequence[Awaitable[T]]) -> list[T]:
    """The results of all, `limit` of them under way at a time."""
    gate = asyncio.Semaphore(limit)

    async def one(item: Awaitable[T]) -> T:
        async with gate:
            return await item

    return list(await asyncio.gather(*(one(item) for item in work)))


async def forwarding(case: Case, seconds: float, repeats: int) -> list[Row]:
    async with Venue() as venue:
        await venue.fill(case)
        venue.load.pace(FPS, PACKETS)
        await asyncio.sleep(1)
        windows = [await watch(venue, seconds) for _ in range(repeats)]
        rows = [told(case, FPS, windows)]
        if case.half_load:
            fps = await half_load(venue)
            rows.append(told(case, fps, [await watch(venue, seconds) for _ in range(repeats)], half=True))
        return rows


async def half_load(venue: Venue) -> float:
    """The pictures a second at which the packet thread is half busy; fewer where packets are lost before that, which
    means that something else than the packet thread (this machine's other work, the generator) is the limit."""
    fps, most = FPS, MAX_FPS
    for _ in range(12):
        seen = await watch(venue, 1.0)
        if seen.figures.loss > LOSS_LIMIT:
            most = fps = fps * 0.7
        elif abs(seen.busy - HALF_LOAD) < 0.03 or fps > 0.95 * most:
            break
        else:
            fps = min(most, fps * min(4.0, HALF_LOAD / seen.busy))
        venue.load.pace(fps, PACKETS)
        await asyncio.sleep(0.5)
    return fps


def told(case: Case, fps: float, windows: Sequence[Window], *, half: bool = False) -> Row:
    """Prints the figures of one case and returns them."""
    us, p50, p99 = ([f(w) for w in windows] for f in (_us, _p50, _p99))
    rate = statistics.median(w.figures.received / w.seconds for w in windows)
    busy, generator = (
        statistics.median(x) for x in ([w.busy for w in windows], [w.generator / w.seconds for w in windows])
    )
    lost = sum(max(w.figures.lost_by_sequence, w.figures.lost_by_counter) for w in windows)
    came = sum(w.figures.received for w in windows)
    row: Row = {
        "case": case.name,
        "half_load": half,
        "fps": round(fps, 1),
        "packets_per_second": round(rate),
        "us_per_packet": round(statistics.median(us), 3),
        "packet_thread_us": round(statistics.median(w.packets_us for w in windows), 3),
        "packet_thread_busy": round(busy, 3),
        "generator_busy": round(generator, 3),
        "loss": lost / max(1, came + lost),
        "generator_drops": windows[-1].figures.own_drops,
        "latency_p50": statistics.median(p50),
        "latency_p99": statistics.median(p99),
    }
    print(
        f"  {case.name}{' at half load' if half else ''}: {row['us_per_packet']:.2f} us CPU per forwarded packet "
        f"({min(us):.2f}-{max(us):.2f}; packet thread {row['packet_thread_us']:.2f}), "
        f"loss {row['loss']:.4%}, latency p50 "
        f"{statistics.median(p50) * 1e3:.3f} ms ({min(p50) * 1e3:.3f}-{max(p50) * 1e3:.3f}), p99 "
        f"{statistics.median(p99) * 1e3:.2f} ms ({min(p99) * 1e3:.2f}-{max(p99) * 1e3:.2f}) "
        f"[{fps:.0f} pictures/s, {rate:,.0f} packets/s out, packet thread {busy:.0%} busy, generator {generator:.0%}]"
        + (
            f" {_judged(statistics.median(p50), BAR_LATENCY[0])} {_judged(statistics.median(p99), BAR_LATENCY[1])}"
            if half
            else ""
        ),
        flush=True,
    )
    return row


def _us(window: Window) -> float:
    return window.us


def _p50(window: Window) -> float:
    return window.figures.latency(0.5)


def _p99(window: Window) -> float:
    return window.figures.latency(0.99)


def _judged(value: float, bar: float) -> str:
    return "ok" if value <= bar else f"MISSED (bar {bar:g})"


async def memory(steps: Sequence[int]) -> Row:
    """How the server grows with the subscribers of one publisher."""
    async with Venue() as venue:
        token = await venue.server.room()
        await venue.add(token, 1, publish=True)
        sizes = []
        for step in steps:
            await venue.add(token, step - (len(venue.members) - 1))
            await asyncio.sleep(1)
            sizes.append(venue.server.rss() / 1024)
    slope, _ = statistics.linear_regression(steps, sizes)
    between = [(b - a) / (m - n) for a, b, n, m in zip(sizes, sizes[1:], steps, steps[1:], strict=False)]
    print(
        f"  memory per subscriber of one publisher: {slope:.0f} KiB ({min(between):.0f}-{max(between):.0f}; RSS with "
        f"{steps[0]} to {steps[-1]} subscribers, their WebSockets included) {_judged(slope, BAR_MEMORY)}",
        flush=True,
    )
    return {"case": "memory", "kib_per_subscriber": round(slope, 1), "rss_kib": [round(size) for size in sizes]}


async def churn(cycles: int) -> Row:
    """Subscribers that join a room with one publisher, get media and leave: what stays behind?"""
    async with Venue() as venue:
        token = await venue.server.room()
        await venue.add(token, 1, publish=True)

        async def visit() -> None:
            member = Member(venue.load)
            try:
                await member.join(venue.server, token)
                await member.fed()
            finally:
                await member.leave()

        await at_most(CHURN_AT_ONCE, [visit() for _ in range(max(WARM_UP, cycles // 2))])
        sizes, counts, cpu = [venue.server.rss()], [0], venue.server.cpu()
        for part in range(10):
            await at_most(CHURN_AT_ONCE, [visit() for _ in range(cycles // 10)])
            sizes.append(venue.server.rss())
            counts.append((part + 1) * (cycles // 10))
        used = venue.server.cpu() - cpu
        metrics = await venue.server.metrics()
    slope, _ = statistics.linear_regression(counts, sizes)
    per_join = (used.process - used.packets) / counts[-1]
    print(
        f"  {counts[-1]} joins and leaves, {CHURN_AT_ONCE} at a time: RSS {sizes[0] / 2**20:.1f} to "
        f"{sizes[-1] / 2**20:.1f} MiB, {slope:.0f} bytes per cycle {_judged(slope, BAR_GROWTH)}; "
        f"{per_join * 1e3:.2f} ms server CPU per join and leave (without its packet threads)",
        flush=True,
    )
    left = {name: value for name, value in metrics.items() if "participants" in name or "connections" in name}
    return {
        "case": "churn",
        "cycles": counts[-1],
        "rss_bytes": sizes,
        "bytes_per_cycle": round(slope, 1),
        "ms_per_cycle": round(per_join * 1e3, 3),
        "left": left,
    }


async def measured(quick: bool, cycles: int) -> list[Row]:
    rows: list[Row] = []
    for case in CASES[1::2] if quick else CASES:
        rows += await forwarding(case, 1.0 if quick else WINDOW, 3 if quick else REPEATS)
    rows.append(await memory(MEMORY_STEPS[:3] if quick else MEMORY_STEPS))
    rows.append(await churn(cycles))
    return rows


def run(quick: bool = False, churn: int = 0) -> list[Row]:
    print(
        f"conferences: VP8 of {FPS:.0f} pictures/s in {PACKETS} packets of 1100 bytes, Opus of {AUDIO_PACKETS}/s, "
        "AES-128-GCM, loopback, server on one core with one packet thread, generator on another"
    )
    return asyncio.run(measured(quick, churn or (QUICK_CHURN if quick else CHURN)))
