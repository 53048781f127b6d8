"""A whole server in a process of its own, as `folkmoot serve` runs it, on free ports with its own data directory.

It can be killed, stopped and started again with the same ports and data. What it says is kept in a file; what it
counts is read from `/metrics`.
"""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from aiohttp import ClientSession, ClientTimeout

KEY = "the key of the tests"
PATIENCE = 20.0  # seconds for the server to start or to stop
LOOK_EVERY = 0.05  # seconds between two looks at something that cannot tell when it changes
ROOMS = "/api/realtime/room"


class RunningServer:
    """One process; `options` are `FOLKMOOT_…` settings by name."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.directory = directory
        self.port, self.udp_port, self.tcp_port = free_ports(3)
        self.url = f"http://localhost:{self.port}"
        self.log = directory / "server.log"
        self._environment = _environment(
            listen_port=self.port,
            data_dir=str(directory / "data"),
            realtime_keys=[KEY],
            media__udp_port=self.udp_port,
            media__tcp_port=self.tcp_port,
            **options,
        )
        self._process: Process | None = None
        self._session: ClientSession | None = None

    async def start(self) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "signaling", "serve", env=self._environment, stdout=log, stderr=log
            )
        self._session = self._session or ClientSession(self.url, timeout=ClientTimeout(PATIENCE))
        await until(self._answers, PATIENCE, f"{self.url} to answer")

    async def kill(self) -> None:
        """Ends it without a word."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int | None:
        """Ends it as an operator does; returns its exit code."""
        return await self._end(signal.SIGTERM)

    async def aclose(self) -> None:
        if self._process and self._process.returncode is None:
            await self.stop()
        if self._session:
            await self._session.close()

    async def create(self, **parameters: Any) -> dict[str, Any]:
        """A room, as the API tells it."""
        body = await self._ask("POST", ROOMS, json={"conferenceType": "SFU", **parameters})
        room: dict[str, Any] = json.loads(body)["room"]
        return room

    async def upgrade(self, room: dict[str, Any]) -> dict[str, Any]:
        """The room as an SFU room."""
        upgraded: dict[str, Any] = json.loads(await self._ask("POST", f"{ROOMS}/{room['id']}/upgrade"))["room"]
        return upgraded

    async def room(self, room: dict[str, Any]) -> dict[str, Any]:
        """The room as it is now."""
        found: dict[str, Any] = json.loads(await self._ask("GET", f"{ROOMS}/{room['id']}"))
        return found

    async def delete(self, room: dict[str, Any]) -> None:
        await self._ask("DELETE", f"{ROOMS}?id={room['id']}")

    async def metrics(self) -> dict[str, float]:
        """Every value of `/metrics` by its name, labels included."""
        lines = (await self._ask("GET", "/metrics")).splitlines()
        values = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in values}

    async def counter(self, name: str) -> float:
        """One of the media core's counters."""
        return sum(value for key, value in (await self.metrics()).items() if re.search(rf"\b{name}\b|{name}", key))

    def process(self) -> psutil.Process:
        """To see its memory and CPU time."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def page(self, room: dict[str, Any], base: str = "", **options: Any) -> str:
        """The conference page's address, for somebody who joins at once and without devices."""
        query = {"token": room["token"], "autojoin": 1, "audio": 0, "video": 0, **options}
        return f"{base or self.url}/app?" + "&".join(f"{name}={value}" for name, value in query.items())

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._session is not None
        assert self._process.returncode is None, self.said()
        try:
            async with self._session.get("/readyz") as response:
                return response.status == 200
        except OSError:
            return False

    async def _ask(self, method: str, path: str, **rest: Any) -> str:
        assert self._session
        async with self._session.request(method, path, headers={"x-vcs-token": KEY}, **rest) as response:
            text = await response.text()
            assert response.status < 300, f"{method} {path}: {response.status} {text}"
            return text

    async def _end(self, number: signal.Signals) -> int | None:
        assert self._process
        self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), PATIENCE)


@asynccontextmanager
async def running(directory: Path, **options: Any) -> AsyncIterator[RunningServer]:
    server = RunningServer(directory, **options)
    try:
        await server.start()
        yield server
    finally:
        await server.aclose()


async def until(true: Callable[[], Any], patience: float, what: str) -> None:
    """Waits for something that has no event: looks until `true()` or its result is true."""
    async with asyncio.timeout(patience) as limit:
        try:
            while True:
                result = true()
                if await result if asyncio.iscoroutine(result) else result:
                    return
                await asyncio.sleep(LOOK_EVERY)
        except asyncio.CancelledError:
            if limit.expired():
                raise AssertionError(f"waited {patience} s for {what}") from None
            raise


def free_ports(count: int) -> list[int]:
    """Ports that are free for UDP and TCP."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket(type=socket.SOCK_STREAM) as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            stream.bind(("", 0))
            port = stream.getsockname()[1]
            try:
                datagrams.bind(("", port))
            except OSError:
                continue
            found.append(port)
    return found


def _environment(**options: Any) -> dict[str, str]:
    ours = {f"FOLKMOOT_{name.upper()}": _text(value) for name, value in options.items()}
    others = {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
    return others | ours


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, list | dict) else str(value)
