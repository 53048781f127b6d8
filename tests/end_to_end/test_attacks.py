"""What strangers and ill-behaved participants send to the media port of a running server: nobody else notices.

Each bad datagram is counted and nothing else happens. The floods come from a process of their own.
"""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from mediaserver.rtp.packet import write_packet
from tests.support.flood import Flood
from tests.support.measuring import least, percentile
from tests.support.raw_client import Datagrams, Line, RawClient
from tests.support.server import RunningServer, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

MIB = 1 << 20
SIZES = (1, 2, 13, 20, 100, 1200, 65507)  # bytes; the last is what fits into an IPv4 datagram
JOINS = 200
HELLOS_PER_SECOND = 1000
UNKNOWN_USERS = 100_000
BAD_PACKETS = 1_000_000


@asynccontextmanager
async def conversation(server: RunningServer) -> AsyncIterator[tuple[RawClient, Line, Line]]:
    """Somebody who speaks, with the line they speak on, and somebody else's line on which it arrives."""
    room = await server.create()
    async with RawClient(server, room) as speaker, RawClient(server, room) as listener:
        speaking = await speaker.publish()
        hearing = await listener.subscribe()
        await says(speaker, speaking, hearing)
        yield speaker, speaking, hearing


async def says(speaker: RawClient, speaking: Line, hearing: Line) -> None:
    """A packet goes through, so this session lives. What is lost on the way is said again."""
    payloads = set()
    for _ in range(5):
        payload = random.randbytes(40)
        payloads.add(payload)
        speaking.send(speaking.protected(speaker.sound(payload)))
        try:
            async with asyncio.timeout(1.0):
                await hearing.until(lambda: not payloads.isdisjoint(hearing.heard))
            return
        except TimeoutError:
            continue
    raise AssertionError("nothing is forwarded any more")


def strays() -> Iterator[bytes]:
    """Nothing, and for every first byte something of every size."""
    chance = random.Random(3)
    yield b""
    for first in range(256):
        for size in SIZES[:-1]:
            yield bytes([first]) + chance.randbytes(size - 1)
    for first in range(0, 256, 16):
        yield bytes([first]) + chance.randbytes(SIZES[-1] - 1)


async def strange(server: RunningServer) -> float:
    """How many datagrams were counted as useless, whatever the reason, or looked like a handshake."""
    reasons = ("folkmoot_media_dropped_total", "folkmoot_media_dtls_received_total")
    return sum(value for name, value in (await server.metrics()).items() if name.startswith(reasons))


@pytest.mark.parametrize("state", ["described", "checked", "securing", "open"])
async def test_stray_datagrams_in_every_state_lose_no_session(attacked: RunningServer, state: str) -> None:
    room = await attacked.create()
    async with (
        RawClient(attacked, room) as speaker,
        RawClient(attacked, room) as listener,
        Datagrams.opened(attacked.udp_port) as stranger,
    ):
        line = await speaker.describe()
        if state in ("checked", "securing", "open"):
            await line.checked()
        if state == "securing":
            line.begin()
        if state == "open":
            await line.secured()
        before = await strange(attacked)
        for datagram in strays():
            line.send(datagram)
            stranger.transport.sendto(datagram)
        count = 2 * sum(1 for _ in strays())
        if state == "described":
            await line.checked()
        if state != "open":
            await line.secured()
        await says(speaker, line, await listener.subscribe())
        await at_least(strange, attacked, before + 0.99 * count)
        assert stranger.arrived == []


async def at_least(count: Any, server: RunningServer, wanted: float) -> None:
    async def there() -> bool:
        return bool(await count(server) >= wanted)

    await until(there, 10.0, f"{wanted} from {count.__name__}, not {await count(server)}")


async def test_forged_handshakes_from_elsewhere_do_not_delay_those_who_join(attacked: RunningServer) -> None:
    room = await attacked.create()
    bar = await _join_p95(attacked, room) + 0.05
    with stranger_to(attacked) as stranger:
        async with Flood("hellos", stranger, 10**9, HELLOS_PER_SECOND):
            before, begin = await unknown_addresses(attacked), time.monotonic()
            assert await least(lambda: _join_p95(attacked, room), bar) < bar
            forged = await unknown_addresses(attacked) - before
            assert forged > 0.8 * HELLOS_PER_SECOND * (time.monotonic() - begin)


async def unknown_addresses(server: RunningServer) -> float:
    return (await server.metrics())['folkmoot_media_dropped_total{reason="unknown_address"}']


async def unauthentic(server: RunningServer) -> float:
    return (await server.metrics())['folkmoot_media_dropped_total{reason="unauthentic"}']


async def _join_p95(server: RunningServer, room: dict[str, Any]) -> float:
    """Seconds from the offer to the end of the handshake; all of `JOINS` come to that."""

    async def join() -> float:
        async with RawClient(server, room) as client:
            begin = time.monotonic()
            await client.publish()
            return time.monotonic() - begin

    return percentile([await join() for _ in range(JOINS)], 95)


@contextmanager
def stranger_to(server: RunningServer) -> Iterator[socket.socket]:
    """A socket of somebody the server does not know."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", server.udp_port))
        stranger.setblocking(False)
        yield stranger


async def test_injected_replayed_and_flipped_packets_are_never_forwarded(attacked: RunningServer) -> None:
    async with conversation(attacked) as (speaker, speaking, hearing), Datagrams.opened(attacked.udp_port) as stranger:
        chance, before, replayed = random.Random(5), len(hearing.packets), b""
        for number in range(300):
            sound = speaker.sound(chance.randbytes(60))
            packet = speaking.protected(sound)
            flipped = int.from_bytes(packet, "big") ^ (1 << chance.randrange(8 * len(packet)))
            speaking.send(flipped.to_bytes(len(packet), "big"), write_packet(sound), replayed or packet)
            stranger.transport.sendto(packet)
            speaking.send(packet, packet)
            replayed = packet if number % 7 == 0 else replayed
            if number % 50 == 49:
                await says(speaker, speaking, hearing)
        payloads = [packet.payload for packet in hearing.packets[before:]]
        assert len(payloads) == len(set(payloads)) == 300 + 6
        assert hearing.srtp is not None
        assert (hearing.srtp.refused, hearing.srtp.replayed) == (0, 0)


async def test_what_is_sent_goes_to_nobody_whose_address_was_not_proved(attacked: RunningServer) -> None:
    async with conversation(attacked) as (speaker, speaking, hearing), Datagrams.opened(attacked.udp_port) as stranger:
        for datagram in (*hearing.raw, hearing.hello(), b"\x80\xc9" + bytes(60)):
            stranger.transport.sendto(datagram)
        for _ in range(20):
            await says(speaker, speaking, hearing)
        assert stranger.arrived == []


async def test_a_million_bad_packets_end_no_session_and_fill_no_log(attacked: RunningServer) -> None:
    async with (
        conversation(attacked) as (speaker, speaking, hearing),
        conversation(attacked) as (other, saying, listening),
    ):
        logged, cpu, begin = attacked.log.stat().st_size, attacked.process().cpu_times(), time.monotonic()
        over, refused = asyncio.Event(), await unauthentic(attacked)
        async with Flood("sounds", speaking.socket, BAD_PACKETS) as flood, asyncio.TaskGroup() as meanwhile:
            meanwhile.create_task(_go_on(over, other, saying, listening, speaking, hearing))
            await flood.finished()
            over.set()
        took, now = time.monotonic() - begin, attacked.process().cpu_times()
        await says(speaker, speaking, hearing)
        assert await unauthentic(attacked) - refused > BAD_PACKETS / 20, "the kernel drops what is too much"
        share = (now.user + now.system - cpu.user - cpu.system) / took
        assert share < 1.2, "one packet thread and a little for the rest"
        assert attacked.log.stat().st_size - logged < 4096


async def _go_on(over: asyncio.Event, speaker: RawClient, speaking: Line, hearing: Line, *others: Line) -> None:
    """Talks all the time, and consents to be sent to, on `others` too."""
    while not over.is_set():
        for line in (speaking, hearing, *others):
            line.check()
        for _ in range(100):
            await says(speaker, speaking, hearing)


async def test_checks_for_a_hundred_thousand_unknown_users_get_no_answer_and_no_memory(attacked: RunningServer) -> None:
    async with conversation(attacked) as (speaker, speaking, hearing):
        with stranger_to(attacked) as stranger:
            async with Flood("checks", stranger, UNKNOWN_USERS // 10) as flood:
                await flood.finished()
            before = attacked.process().memory_info().rss
            async with Flood("checks", stranger, UNKNOWN_USERS) as flood:
                await flood.finished()
            await says(speaker, speaking, hearing)
            assert attacked.process().memory_info().rss - before < 4 * MIB
            with pytest.raises(BlockingIOError):
                stranger.recv(2048)
        async with RawClient(attacked, await attacked.create()) as late:
            await asyncio.wait_for(late.publish(), 5.0)


async def test_a_check_with_a_known_user_and_a_wrong_password_gets_no_answer(attacked: RunningServer) -> None:
    async with conversation(attacked) as (speaker, speaking, hearing), Datagrams.opened(attacked.udp_port) as stranger:
        guess = Line(stranger, speaking.ufrag, "x" * len(speaking.pwd))
        for _ in range(50):
            guess.check()
        await says(speaker, speaking, hearing)
        assert not guess.answered
