"""How long does joining take, and what does it cost the server?

A Chromium with an empty profile navigates to the conference page (`/app?token=...&autojoin=1`), with its (fake) camera
and microphone; the time ends with the first decoded picture of somebody else (requestVideoFrameCallback). The others
are load clients that send real VP8. Everything runs on one machine, over loopback: browser, server, generator.

CPU per join is the server process's without its packet threads (which forward media meanwhile), less what it uses
when nobody joins: of load clients, one after the other, that only receive or that publish as well (a second connection,
and an offer and an answer more for each of the others); and of the browsers that were timed, whose page is some forty
requests more.

Where the CPU of a join that only receives goes (cpu-clock samples of the event loop's thread): Python itself 71 %, the
kernel 14 % (a send over loopback is charged what delivering costs), DTLS 5 %, the C library 4 %, the rest 6 %. By what
is done, of one that publishes as well: messages of the conversation 40 % (two fifths of it answers to offers), checks
and two handshakes 29 %, new offers to everybody 13 %, sending frames 4 %, the loop itself 10 %; two trips to the
database's thread are in it with 4 %.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import clip
from benchmarks.load import Load
from benchmarks.meeting import Member
from benchmarks.server import Server

JOINS, QUICK_JOINS = 20, 5  # of browsers, each case
LOAD_JOINS, QUICK_LOAD_JOINS = 50, 20
BATCH = 10  # joins measured together
OTHERS = {"cold, one other": 1, "into a room of 3": 3}
PATIENCE = 20.0  # seconds
SETTLE = 0.4  # seconds for what follows a join
BAR_P50 = 0.4  # seconds, into a room of 3
BAR_CPU = 4e-3  # seconds of the server's CPU a join
HOOKS = (Path(__file__).parent / "join_page.js").read_text()
STEPS = ("socket asked for", "socket open", "joined", "offered", "ICE connected", "DTLS connected")
FLAGS = (
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

Row = dict[str, object]
T = TypeVar("T")


class Idle:
    """What the server's Python uses when nobody joins: seconds of CPU a second."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.rate = 0.0

    async def learn(self, seconds: float = 2.0) -> None:
        begin, used = time.monotonic(), self._used()
        await asyncio.sleep(seconds)
        self.rate = (self._used() - used) / (time.monotonic() - begin)

    def begin(self) -> tuple[float, float]:
        return time.monotonic(), self._used()

    def above(self, begun: tuple[float, float]) -> float:
        """Seconds of CPU since `begin`, less the idle ones."""
        return self._used() - begun[1] - self.rate * (time.monotonic() - begun[0])

    def _used(self) -> float:
        cpu = self._server.cpu()
        return cpu.process - cpu.packets


@asynccontextmanager
async def room_with(server: Server, load: Load, others: int) -> AsyncIterator[str]:
    """The token of a room in which so many publish already and see each other."""
    token = await server.room()
    members = [Member(load) for _ in range(others)]
    for member in members:
        await member.join(server, token, publish=True)
    if others > 1:
        await asyncio.gather(*(member.fed() for member in members))
    await asyncio.sleep(SETTLE)
    try:
        yield token
    finally:
        await asyncio.gather(*(member.leave() for member in members))


async def browser_join(browser: Any, server: Server, token: str, others: int) -> dict[str, Any]:
    """The page's notes, once it shows everybody."""
    context = await browser.new_context(viewport={"width": 960, "height": 600})
    try:
        await context.add_init_script(HOOKS)
        page = await context.new_page()
        await page.goto(f"{server.url}/app?token={token}&autojoin=1&name=Ada", wait_until="commit")
        async with asyncio.timeout(PATIENCE):
            notes: dict[str, Any] = await page.evaluate(f"joiningShows({others})")
        await asyncio.sleep(SETTLE)
        await page.evaluate("conference.leave()")
        return notes
    finally:
        await context.close()


async def browsers_join(browser: Any, server: Server, load: Load, name: str, count: int) -> list[Row]:
    others = OTHERS[name]
    notes, cpu = [], []
    idle = Idle(server)
    for index in range(count + 1):
        async with room_with(server, load, others) as token:
            if index == 0:
                await idle.learn()
            begun = idle.begin()
            noted = await browser_join(browser, server, token, others)
            if index:  # the first is a warm-up
                notes.append(noted)
                cpu.append(idle.above(begun))
    return [told_times(name, notes), told_cpu(f"browsers {name}: page, join and leave", cpu, count)]


async def load_joins(server: Server, load: Load, count: int, *, publish: bool) -> Row:
    """Load clients, each into a room of three of its own, one after the other."""
    load.pace(2, 2)  # the packet thread is not what is measured
    idle, cpu = Idle(server), []
    async with AsyncExitStack() as rooms:
        tokens = [await rooms.enter_async_context(room_with(server, load, 3)) for _ in range(count)]
        members = [Member(load) for _ in tokens]
        for batch in batched(zip(members, tokens, strict=True), BATCH):
            await idle.learn()  # anew: who has joined before is there now, and costs
            begun = idle.begin()
            for member, token in batch:
                await member.join(server, token, publish=publish)
                await member.fed()
            await asyncio.sleep(SETTLE)  # for the others' new offers
            cpu.append(idle.above(begun) / len(batch))
        await asyncio.gather(*(member.leave() for member in members))
    load.pace(25, 8)
    name = "load clients that publish and receive" if publish else "load clients that receive"
    return told_cpu(f"{name}, into a room of 3", cpu, count, bar=BAR_CPU)


def told_times(name: str, notes: Sequence[dict[str, Any]]) -> Row:
    first = [min(note["frames"].values()) / 1000 for note in notes]
    everybody = [max(note["frames"].values()) / 1000 for note in notes]
    p50, p95 = statistics.median(first), percentile(first, 0.95)
    steps = {step: statistics.median(note.get(step, float("nan")) for note in notes) for step in STEPS}
    bar = ("" if p50 <= BAR_P50 else f" MISSED (bar {BAR_P50 * 1e3:.0f} ms)") if OTHERS[name] == 3 else ""
    print(
        f"  {name}: navigation to first picture p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms "
        f"({min(first) * 1e3:.0f}-{max(first) * 1e3:.0f}; everybody's p50 {statistics.median(everybody) * 1e3:.0f} ms) "
        f"[{len(notes)} joins; on the way: {', '.join(f'{step} {at:.0f}' for step, at in steps.items())}]{bar}",
        flush=True,
    )
    return {
        "case": name,
        "joins": len(notes),
        "p50": round(p50, 4),
        "p95": round(p95, 4),
        "everybody_p50": round(statistics.median(everybody), 4),
        "steps_ms": {step: round(at, 1) for step, at in steps.items()},
    }


def told_cpu(name: str, cpu: Sequence[float], joins: int, bar: float = float("inf")) -> Row:
    value = statistics.median(cpu)
    print(
        f"  {name}: {value * 1e3:.2f} ms server CPU per join ({min(cpu) * 1e3:.2f}-{max(cpu) * 1e3:.2f}; "
        f"{len(cpu)} joins)" + ("" if value <= bar else f" MISSED (bar {bar * 1e3:g} ms)"),
        flush=True,
    )
    return {"case": f"cpu: {name}", "joins": joins, "ms_per_join": round(value * 1e3, 3)}


def batched(items: Iterable[T], size: int) -> list[list[T]]:
    every = list(items)
    return [every[i : i + size] for i in range(0, len(every), size)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    ordered = sorted(values)
    return next(v for v, seen in zip(ordered, itertools.count(1)) if seen >= share * len(ordered))


async def measured(quick: bool) -> list[Row]:
    from playwright.async_api import async_playwright

    rows: list[Row] = []
    async with Server() as server:
        load = Load()
        try:
            for publish in (False, True):
                rows.append(await load_joins(server, load, QUICK_LOAD_JOINS if quick else LOAD_JOINS, publish=publish))
            load.clip(clip.frames())
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
                for name in OTHERS:
                    rows += await browsers_join(browser, server, load, name, QUICK_JOINS if quick else JOINS)
                await browser.close()
        finally:
            load.close()
    return rows


def run(quick: bool = False) -> list[Row]:
    print("join: Chromium, empty profile, loopback; server with one packet thread, all on the same cores")
    return asyncio.run(measured(quick))
