"""Folkmoot as a target: `python -m signaling serve` with one packet thread, everybody joined over its WebSocket."""

from collections.abc import Sequence

from benchmarks.load import Load
from benchmarks.meeting import Member
from benchmarks.server import Server


class Folkmoot:
    name = "Folkmoot"
    threads = "one packet thread, one Python thread"

    def __init__(self) -> None:
        self._server: Server
        self._token = ""

    @property
    def pid(self) -> int | None:
        return self._server.pid

    async def start(self, core: int) -> None:
        self._server = Server(core=core)
        await self._server.__aenter__()

    async def stop(self) -> None:
        await self._server.__aexit__(None, None, None)

    async def room(self, publishers: int) -> None:
        self._token = await self._server.room()

    def seat(self, load: Load) -> "FolkmootSeat":
        return FolkmootSeat(load, self._server, self._token)


class FolkmootSeat:
    """Who has joined is offered everybody's streams without asking."""

    def __init__(self, load: Load, server: Server, token: str) -> None:
        self._member = Member(load)
        self._server = server
        self._token = token
        self._joined = False

    async def publish(self) -> None:
        self._joined = True
        await self._member.join(self._server, self._token, publish=True)

    async def listen(self, to: "Sequence[FolkmootSeat]") -> None:
        if not self._joined:
            self._joined = True
            await self._member.join(self._server, self._token)
        await self._member.fed()

    async def leave(self) -> None:
        if self._joined:
            await self._member.leave()
