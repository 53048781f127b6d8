"""A coturn of one test: on loopback, with a shared secret for time-limited credentials, as an installation runs it."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aioice import stun

from tests.support.server import free_ports, until

PATIENCE = 10.0  # seconds until it answers
PROGRAM = "turnserver"


@dataclass(frozen=True)
class TurnServer:
    port: int
    secret: str

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        return f"turn:127.0.0.1:{self.port}?transport=udp"


@asynccontextmanager
async def turn_server(directory: Path, secret: str) -> AsyncIterator[TurnServer]:
    assert shutil.which(PROGRAM), "the Debian package coturn is needed"
    server = TurnServer(free_ports(1)[0], secret)
    with (directory / "turn.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "-n", "--use-auth-secret", f"--static-auth-secret={secret}", "--realm=folkmoot"),
            *("--listening-ip=127.0.0.1", f"--listening-port={server.port}", "--relay-ip=127.0.0.1"),
            *("--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli", "--log-file=stdout"),
            *(f"--pidfile={directory / 'turn.pid'}", f"--userdb={directory / 'turn.db'}"),
            cwd=directory,
            stdout=log,
            stderr=log,
        )
    try:
        await until(lambda: asyncio.to_thread(_answers, server.address), PATIENCE, f"{PROGRAM} to answer")
        yield server
    finally:
        process.kill()
        await process.wait()


def _answers(address: tuple[str, int]) -> bool:
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.1)
        asking.connect(address)
        try:
            asking.send(bytes(request))
            return bool(asking.recv(1500))
        except (TimeoutError, ConnectionRefusedError):
            return False
