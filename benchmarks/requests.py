"""How many requests of the rooms API does one server answer, how fast does a message reach a thousand, what do idle
sockets cost?

A real `folkmoot serve` with its SQLite store on one core, the clients on the other; HTTP/1.1 over loopback, connections
kept. Requests: so many clients at once, each asking again as soon as it is answered; rates and times are the clients'.
Rooms are created with a user of their own, joined by somebody new each time; messages go to a meeting with nobody
online. Fan-out: a message by POST to a meeting with observers; the time is from its sending until each of them has
it whole, one message after the other. Idle sockets are observers of many meetings, each pinged every 15 s; memory is
the growth of the server's resident set.
"""

import asyncio
import itertools
import json
import os
import resource
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from benchmarks.join import percentile
from benchmarks.server import Server
from benchmarks.sockets import Reader, close_all, open_many

SECONDS, QUICK_SECONDS = 10.0, 3.0
AT_ONCE = (1, 16)
OBSERVERS = 1000
MESSAGES, QUICK_MESSAGES = 50, 15
MESSAGE_EVERY = 0.3  # seconds
IDLE, QUICK_IDLE = 5000, 5000
IDLE_ROOMS = 50
SETTLE = 5.0  # seconds
DELIVER_WITHIN = 10.0  # seconds
BAR_FAN_OUT_P99 = 0.25  # seconds
BAR_IDLE_BYTES = 400 << 20
FILES = 16_384  # open at once, by the server and by us

Row = dict[str, object]
Ask = Callable[[], Awaitable[None]]


class Requests:
    """What the clients ask for."""

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = key
        self._numbers = itertools.count()

    async def enter(self, room: str | None) -> dict[str, str]:
        """Access key and room of somebody new."""
        body: Row = {"user": {"name": f"Somebody {next(self._numbers)}"}, **({"id": room} if room else {})}
        told = json.loads(await self._ask("/rooms", body, {"Authorization": self._key}))
        return {"access_key": told["access_key"], "room": told["room"]["id"]}

    async def say(self, access_key: str, content: str) -> None:
        await self._ask(f"/rooms/{access_key}/messages", {"type": "chat", "content": content}, {})

    async def _ask(self, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> bytes:
        async with self._server.http.post(f"{self._server.url}{path}", json=body, headers=headers) as answer:
            told = await answer.read()
            if answer.status != 201:
                raise RuntimeError(f"{path}: {answer.status} {told[:200]!r}")
            return told


async def asked(name: str, ask: Ask, at_once: int, seconds: float) -> Row:
    """The rate and the times of requests of one kind."""
    times: list[float] = []
    for _ in range(at_once):
        await ask()  # connections are made, and what is made once
    begin = time.perf_counter()

    async def client() -> None:
        while (asked_at := time.perf_counter()) - begin < seconds:
            await ask()
            times.append(time.perf_counter() - asked_at)

    await asyncio.gather(*(client() for _ in range(at_once)))
    rate = len(times) / (time.perf_counter() - begin)
    p50, p99 = statistics.median(times), percentile(times, 0.99)
    print(
        f"  {name}, {at_once} at once: {rate:.0f} a second, p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms", flush=True
    )
    return {
        "case": name,
        "at_once": at_once,
        "per_second": round(rate, 1),
        "p50": round(p50, 5),
        "p99": round(p99, 5),
        "requests": len(times),
    }


async def requests(server: Server, key: str, seconds: float) -> list[Row]:
    client = Requests(server, key)
    meeting = await client.enter("the meeting")

    async def create() -> None:
        await client.enter(None)

    async def join() -> None:
        await client.enter("the meeting")

    async def message() -> None:
        await client.say(meeting["access_key"], "Hello, everybody!")

    cases = {"create a room": create, "join a room": join, "message": message}
    return [await asked(name, ask, at_once, seconds) for name, ask in cases.items() for at_once in AT_ONCE]


class Arrivals:
    """When each observer had the message that is sent now."""

    def __init__(self, expected: int) -> None:
        self.times: list[float] = []
        self._expected = expected
        self._wanted = b""
        self._all = asyncio.Event()

    def expect(self, content: str) -> None:
        self.times = []
        self._wanted = content.encode()
        self._all.clear()

    def heard(self, text: bytes) -> None:
        if self._wanted and self._wanted in text:
            self.times.append(time.perf_counter())
            if len(self.times) == self._expected:
                self._all.set()

    async def complete(self) -> None:
        async with asyncio.timeout(DELIVER_WITHIN):
            await self._all.wait()


async def fan_out(server: Server, key: str, messages: int) -> Row:
    client, arrivals = Requests(server, key), Arrivals(OBSERVERS)
    meeting = await client.enter("the audience")
    path = "/rt?room_id=the%20audience"
    observers = await open_many("127.0.0.1", server.port, [path] * OBSERVERS, key, arrivals.heard)
    await asyncio.sleep(SETTLE)
    times: list[float] = []
    used = server.cpu()
    for _ in range(messages):
        content = f"message {secrets.token_hex(8)}"
        arrivals.expect(content)
        sent = time.perf_counter()
        await client.say(meeting["access_key"], content)
        await arrivals.complete()
        times += [arrived - sent for arrived in arrivals.times]
        await asyncio.sleep(MESSAGE_EVERY)
    cpu = (server.cpu() - used).process / (messages * OBSERVERS)
    close_all(observers)
    p50, p99 = statistics.median(times), percentile(times, 0.99)
    print(
        f"  a message to {OBSERVERS} observers: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, "
        f"{cpu * 1e6:.1f} us of the server's CPU each" + missed(p99 > BAR_FAN_OUT_P99, "p99 250 ms"),
        flush=True,
    )
    return {
        "case": "fan-out",
        "observers": OBSERVERS,
        "messages": messages,
        "p50": round(p50, 5),
        "p99": round(p99, 5),
        "cpu_us_each": round(cpu * 1e6, 2),
    }


async def idle(server: Server, key: str, count: int) -> Row:
    client = Requests(server, key)
    rooms = [(await client.enter(None))["room"] for _ in range(IDLE_ROOMS)]
    await asyncio.sleep(SETTLE)
    before = server.rss()
    paths = [f"/rt?room_id={room}" for room, _ in zip(itertools.cycle(rooms), range(count), strict=False)]
    began = time.perf_counter()
    sockets = await open_many("127.0.0.1", server.port, paths, key, lambda _text: None)
    opened = count / (time.perf_counter() - began)
    await asyncio.sleep(SETTLE)
    used, since = server.cpu(), time.perf_counter()
    await asyncio.sleep(2 * SETTLE)
    cpu = (server.cpu() - used).process / (time.perf_counter() - since)
    grown, alive = server.rss() - before, still_open(sockets)
    close_all(sockets)
    if alive != count:
        raise RuntimeError(f"{count - alive} of {count} sockets were closed")
    print(
        f"  {count} idle sockets: {grown / (1 << 20):.0f} MiB, {grown / count / 1024:.1f} KiB each, opened at "
        f"{opened:.0f} a second, {cpu * 100:.1f} % of a core" + missed(grown > BAR_IDLE_BYTES, "400 MiB"),
        flush=True,
    )
    return {
        "case": "idle sockets",
        "sockets": count,
        "grown_bytes": grown,
        "opened_per_second": round(opened, 1),
        "cpu": round(cpu, 4),
    }


def still_open(sockets: Sequence[Reader]) -> int:
    return sum(not each.closed for each in sockets)


def missed(late: bool, bar: str) -> str:
    return f" MISSED (bar {bar})" if late else ""


def apart() -> int | None:
    """The core for the server, after we have left it for the others; None where there is but one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return None
    os.sched_setaffinity(0, cores[1:])
    return cores[0]


def allow_files() -> None:
    """Raises the limit of open files, as far as it may be, for us and for the server we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def measured(quick: bool) -> list[Row]:
    key = secrets.token_hex(16)
    team = {"API_KEYS": json.dumps([{"key": key, "team": "Benchmark"}]), "EMPTY_TIMEOUT_SECONDS": "3600"}
    core = apart()
    async with Server(core=core, settings=team) as server:
        rows = await requests(server, key, QUICK_SECONDS if quick else SECONDS)
    async with Server(core=core, settings=team) as server:
        rows.append(await fan_out(server, key, QUICK_MESSAGES if quick else MESSAGES))
    async with Server(core=core, settings=team) as server:
        rows.append(await idle(server, key, QUICK_IDLE if quick else IDLE))
    return rows


def run(quick: bool = False) -> list[Row]:
    allow_files()
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    print(f"requests: SQLite, loopback, the server on a core of its own, at most {open_files} open files a process")
    return asyncio.run(measured(quick))
