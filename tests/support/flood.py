"""Many bad datagrams a second, from a process of its own so that nobody who is measured pays for it.

Run as `python -m tests.support.flood KIND FD COUNT RATE`: sends `COUNT` datagrams of a kind on the connected UDP
socket `FD`, `RATE` a second (0: as fast as it goes). `Flood` starts that for a socket of the test's.
"""

import asyncio
import itertools
import os
import random
import select
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Iterator
from pathlib import Path

from aiortc import RTCCertificate

from mediaserver.transport import stun
from tests.support.dtls_peer import DtlsPeer

ROOT = Path(__file__).parents[2]
BURST = 0.005  # seconds between two bursts
CLIENT_RANDOM = slice(27, 59)  # of a datagram with a ClientHello


def hellos(chance: random.Random) -> Iterator[bytes]:
    """ClientHellos, each with its own random."""
    certificate = RTCCertificate.generateCertificate()
    hello = bytearray(DtlsPeer(certificate._cert, certificate._key).step()[0])
    while True:
        hello[CLIENT_RANDOM] = chance.randbytes(32)
        yield bytes(hello)


def checks(chance: random.Random) -> Iterator[bytes]:
    """Checks for users that nobody knows."""
    while True:
        username = f"{chance.randbytes(4).hex()}:{chance.randbytes(4).hex()}"
        key = chance.randbytes(16)
        yield stun.request(chance.randbytes(12), username, key, priority=1, controlling=7, use_candidate=True)


def sounds(chance: random.Random) -> Iterator[bytes]:
    """RTP packets of many streams, encrypted by nobody."""
    some = [b"\x80\x6f" + sequence.to_bytes(2, "big") + chance.randbytes(116) for sequence in range(5000)]
    return itertools.cycle(some)


KINDS: dict[str, Callable[[random.Random], Iterator[bytes]]] = {"hellos": hellos, "checks": checks, "sounds": sounds}


class Flood:
    """`async with Flood(...)` begins it; `finished` waits until all is sent, leaving ends it."""

    def __init__(self, kind: str, to: socket.socket, count: int, rate: float = 0) -> None:
        self._command = [sys.executable, "-m", "tests.support.flood", kind, str(to.fileno()), str(count), str(rate)]
        self._socket = to
        self._process: Process

    async def __aenter__(self) -> "Flood":
        self._process = await asyncio.create_subprocess_exec(
            *self._command, pass_fds=[self._socket.fileno()], cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout
        await self._process.stdout.readline()  # it is ready and begins
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def finished(self) -> None:
        assert await self._process.wait() == 0


def main(kind: str, fd: str, count: str, rate: str) -> None:
    sender = socket.socket(fileno=os.dup(int(fd)))  # non-blocking or not is the owner's: it holds for both
    datagrams = itertools.islice(KINDS[kind](random.Random(7)), int(count))
    first = next(datagrams)
    print("ready", flush=True)
    _send(sender, first)
    begin, sent, per_second = time.monotonic(), 1, float(rate)
    for datagram in datagrams:
        _send(sender, datagram)
        sent += 1
        while per_second and sent > (time.monotonic() - begin + BURST) * per_second:
            time.sleep(BURST)


def _send(sender: socket.socket, datagram: bytes) -> None:
    while True:
        try:
            sender.send(datagram)
            return
        except BlockingIOError:
            select.select([], [sender], [])


if __name__ == "__main__":
    main(*sys.argv[1:])
