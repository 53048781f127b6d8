"""A Folkmoot server of its own for a benchmark: started on free ports, pinned to a core, watched from outside."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import psutil

from benchmarks.process import threads_cpu

START_WITHIN = 20.0  # seconds
PACKET_THREAD = "packets"  # how the names of its packet threads begin


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass(frozen=True)
class Cpu:
    """Seconds used so far."""

    process: float
    packets: float
    """By the packet threads, as far as they still run."""

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.process - other.process, self.packets - other.packets)


class Server:
    """`python -m signaling serve` with one key; `core` None is not pinned. `settings`: more of them, by name."""

    def __init__(
        self,
        *,
        core: int | None = None,
        threads: int = 1,
        address: str = "127.0.0.1",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = dict(settings or {})
        self.key = secrets.token_hex(16)
        self.port = free_port(socket.SOCK_STREAM)
        self.url = f"http://{address}:{self.port}"
        self._address = address
        self._core = core
        self._threads = threads
        self._data = tempfile.TemporaryDirectory()
        self.log = Path(self._data.name) / "log"
        self.http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._process = self._start()
        self._watched = psutil.Process(self._process.pid)
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            await self._ready()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self._process.wait, 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._data.cleanup()

    async def room(self) -> str:
        """The token of a new SFU room."""
        return (await self.made_room())[1]

    async def made_room(self) -> tuple[str, str]:
        """Id and token of a new SFU room."""
        body = {"conferenceType": "SFU"}
        headers = {"x-vcs-token": self.key}
        async with self.http.post(f"{self.url}/api/realtime/room", json=body, headers=headers) as answer:
            answer.raise_for_status()
            room = (await answer.json())["room"]
            return str(room["id"]), str(room["token"])

    async def metrics(self) -> dict[str, float]:
        """`/metrics`: the value of each line."""
        async with self.http.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def cpu(self) -> Cpu:
        """As the scheduler counts it, to the nanosecond: for differences that are small."""
        used = threads_cpu(self.pid)
        return Cpu(sum(used.values()), sum(cpu for name, cpu in used.items() if name[0].startswith(PACKET_THREAD)))

    def rss(self) -> int:
        """Bytes."""
        return int(self._watched.memory_info().rss)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "signaling", "serve"]
        if self._core is not None:
            command = ["taskset", "-c", str(self._core), *command]
        with self.log.open("w") as log:
            return subprocess.Popen(
                command, env=self._environment(), stdout=log, stderr=log, cwd=Path(__file__).parent.parent
            )

    def _environment(self) -> dict[str, str]:
        settings = {
            "LISTEN_HOST": self._address,
            "LISTEN_PORT": str(self.port),
            "DATA_DIR": self._data.name,
            "REALTIME_KEYS": json.dumps([self.key]),
            "REALTIME__MAX_PARTICIPANTS__SFU": "5000",
            "MEDIA__UDP_PORT": str(free_port(socket.SOCK_DGRAM)),
            "MEDIA__TCP_PORT": "0",
            "MEDIA__LISTEN_IPS": json.dumps([self._address]),
            "MEDIA__THREADS": str(self._threads),
            "LOG__LEVEL": "warning",
            **self._settings,
        }
        return os.environ | {f"FOLKMOOT_{name}": value for name, value in settings.items()}

    async def _ready(self) -> None:
        async with asyncio.timeout(START_WITHIN):
            while self._process.poll() is None:
                try:
                    async with self.http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")
