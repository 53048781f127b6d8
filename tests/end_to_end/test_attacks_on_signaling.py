"""What sockets of /rt are made to bear on a running server: huge descriptions, floods, slow readers, idle crowds."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from tests.support.measuring import least, percentile
from tests.support.raw_client import RawClient
from tests.support.server import RunningServer, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

MIB = 1 << 20
PINGERS, PING_EVERY = 6, 0.11  # seconds: nearly as often as they may
ENOUGH = 120  # answers that a p99 is told from
FLOOD_PER_SECOND, FLOOD_FOR = 1000, 3.0  # messages, seconds
UNMOVED = 0.03  # seconds by which others' p99 may grow while two cores run attacker, others and server
IDLE = 5000  # sockets
IDLE_COST = 64 * 1024  # bytes each
OFFERS = 40
LARGE = "x" * 30_000


@asynccontextmanager
async def pings(server: RunningServer) -> AsyncIterator[list[float]]:
    """Some people who measure how long the server takes to answer them, as long as this lasts."""
    times: list[float] = []
    room = await server.create()

    async def ping() -> None:
        async with RawClient(server, room) as client:
            while True:
                begin = time.monotonic()
                await client.ask("ping")
                times.append(time.monotonic() - begin)
                await asyncio.sleep(PING_EVERY)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ping()) for _ in range(PINGERS)]
        await until(lambda: len(times) >= PINGERS, 10.0, "pings")
        times.clear()
        yield times
        for task in tasks:
            task.cancel()


async def calm(server: RunningServer) -> float:
    """p99 of the answers while nothing happens."""
    async with pings(server) as times:
        await until(lambda: len(times) >= ENOUGH, 10.0, "enough answers")
    return p99(times)


def p99(times: list[float]) -> float:
    return percentile(times, 99)


def huge_descriptions() -> dict[str, str]:
    """At the limits of what is read: 64 KiB, 4,096 lines, 256 sections."""
    head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{0}\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux\r\na=sendonly\r\n"
    section += "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n"
    full = head + "a=fingerprint:sha-256 " + ":".join(["AA"] * 32) + "\r\n"
    mids = range(256)
    sections = full + "a=group:BUNDLE " + " ".join(map(str, mids)) + "\r\n" + "".join(map(section.format, mids))
    first = full + "a=group:BUNDLE 0\r\n" + section.format(0)
    return {
        "sections": sections[:65_536],
        "lines": first + "a=x\r\n" * (4095 - first.count("\r\n")),
        "one line": first + "a=fmtp:96 " + "x" * (65_520 - len(first)),
        "payloads": first.replace("SAVPF 96", "SAVPF " + " ".join(["96"] * 20_000))[:65_536],
        "candidates": first + "a=candidate:1 1 udp 1 127.0.0.1 1 typ host\r\n" * 1300,
        "simulcast": first + "a=simulcast:send " + ";".join(["~a,b"] * 12_000) + "\r\n",
        "groups": first + "a=ssrc-group:FID 1 2\r\n" * 2800,
    }


@pytest.mark.parametrize("what", huge_descriptions())
async def test_a_description_at_the_limit_is_answered_at_once(attacked: RunningServer, what: str) -> None:
    description = huge_descriptions()[what]
    assert 10_000 < len(description) <= 65_536
    async with RawClient(attacked, await attacked.create()) as client:
        before = attacked.process().cpu_times()
        for seq in range(1, OFFERS + 1):
            await client.ask("offer", pc="publish", seq=seq, sdp=description, streams=[])
        now = attacked.process().cpu_times()
        assert (now.user + now.system - before.user - before.system) / OFFERS < 0.02
        assert (await client.ask("ping"))["type"] == "pong"


async def test_who_sends_a_thousand_messages_a_second_is_thrown_out_and_moves_nobody(attacked: RunningServer) -> None:
    bar = await calm(attacked) + UNMOVED
    room = await attacked.create()
    codes = []

    async def flooded() -> float:
        async with pings(attacked) as times:
            end = time.monotonic() + FLOOD_FOR
            while time.monotonic() < end or len(times) < ENOUGH:
                codes.append(await _flood(attacked, room))
            return p99(times)

    assert await least(flooded, bar) < bar
    assert set(codes) == {4429}


async def _flood(server: RunningServer, room: dict[str, Any]) -> int | None:
    """Sends until it is closed; returns the code."""
    async with ClientSession(server.url) as session:
        socket = await session.ws_connect("/rt", params={"token": room["token"]})
        message = json.dumps({"type": "chat", "content": "x" * 100})
        await socket.send_str('{"type": "join"}')
        reader = asyncio.create_task(_read_all(socket))
        while not reader.done():
            for _ in range(FLOOD_PER_SECOND // 100):
                if not socket.closed:
                    await socket.send_str(message)
            await asyncio.sleep(0.01)
        return socket.close_code


async def _read_all(socket: Any) -> None:
    async for _ in socket:
        pass


async def test_who_does_not_read_is_dropped_before_it_costs_much(attacked: RunningServer) -> None:
    room = await attacked.create()
    async with (
        RawClient(attacked, room) as first,
        RawClient(attacked, room) as second,
        RawClient(attacked, room) as third,
    ):
        talkers = (first, second, third)
        with deaf(attacked, room) as slow:
            await first.until_heard("participant_update")
            before = attacked.process().memory_info().rss
            for _ in range(95):
                for talker in talkers:
                    await talker.ask("chat", content=LARGE)
            await until(lambda: "slow reader dropped" in attacked.said(), 10.0, "the slow reader to be dropped")
            assert attacked.process().memory_info().rss - before < 24 * MIB
            assert drained(slow)
        heard = sum(message["type"] == "chat" for message in second.heard)
        assert heard >= 95 * 3 - 1


@contextmanager
def deaf(server: RunningServer, room: dict[str, Any]) -> Iterator[socket.socket]:
    """Somebody who joins and never reads, with a small buffer."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(
            f"GET /rt?token={room['token']} HTTP/1.1\r\nHost: localhost:{server.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "\r\n".encode()
        )
        join = b'{"type": "join"}'
        connection.sendall(bytes([0x81, 0x80 | len(join)]) + bytes(4) + join)  # masked by zeros
        yield connection


def drained(connection: socket.socket) -> bool:
    """Reads to the end: the other side has cut it."""
    connection.settimeout(5.0)
    try:
        while connection.recv(MIB):
            pass
    except ConnectionResetError:
        pass
    return True


async def test_five_thousand_idle_sockets_cost_little_and_keep_nobody_out(attacked: RunningServer) -> None:
    room = await attacked.create()
    before, bar = attacked.process().memory_info().rss, await calm(attacked) + UNMOVED
    async with Idlers(attacked, room) as idle:
        assert len(idle.sockets) == IDLE
        assert attacked.process().memory_info().rss - before < IDLE * IDLE_COST
        assert await least(lambda: calm(attacked), bar) < bar
        async with RawClient(attacked, room) as late:
            assert (await late.ask("ping"))["type"] == "pong"
        assert not any(each.closed for each in idle.sockets)


class Idlers:
    """Sockets of people who knock and say nothing."""

    def __init__(self, server: RunningServer, room: dict[str, Any]) -> None:
        self.sockets: list[Any] = []
        self._server = server
        self._room = room

    async def __aenter__(self) -> "Idlers":
        self._session = ClientSession(self._server.url, connector=TCPConnector(limit=0))
        for _ in range(IDLE // 50):
            self.sockets += await asyncio.gather(*(self._knock() for _ in range(50)))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def _knock(self) -> Any:
        return await self._session.ws_connect("/rt", params={"token": self._room["token"]})
