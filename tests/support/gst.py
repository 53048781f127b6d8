"""Runs `gst_peer.py`, GStreamer's encoder and player, and reads what it tells."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("gst_peer.py")
PATIENCE = 20.0  # seconds: after that, what is waited for will not come
COLOUR, TONE_HZ = (210, 40, 40), 330.0  # what the encoder shows


class GStreamer:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._told: list[dict[str, Any]] = []

    async def tells(self, right: Callable[[dict[str, Any]], Any], what: str) -> None:
        """Reads on until something is `right`."""
        try:
            async with asyncio.timeout(PATIENCE):
                while line := await self._out.readline():
                    self._told.append(json.loads(line))
                    if right(self._told[-1]):
                        return
        except TimeoutError:
            pass
        raise AssertionError(f"never: {what}; {self._told[-8:]}")

    async def end(self) -> None:
        """Lets it end its session as it should."""
        assert self._process.stdin
        self._process.stdin.close()
        await self.tells(lambda told: told.get("ended") == 200, "the end")
        assert await self._process.wait() == 0

    @property
    def _out(self) -> asyncio.StreamReader:
        assert self._process.stdout
        return self._process.stdout


@asynccontextmanager
async def gstreamer(act: str, url: str, token: str) -> AsyncIterator[GStreamer]:
    """`act` is publish or play."""
    process = await asyncio.create_subprocess_exec(
        "/usr/bin/python3", str(PROGRAM), act, url, token, stdin=PIPE, stdout=PIPE
    )
    try:
        yield GStreamer(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
