"""Folkmoot as a target: `python -m signaling serve` with one packet thread; everybody joins over its WebSocket, or
publishes by WHIP and plays by WHEP, as encoders and players do."""

from collections.abc import Sequence

from benchmarks.load import Load
from benchmarks.meeting import Member
from benchmarks.server import Server
from benchmarks.versus.whip import Address, Whip, WhipSeat


class Folkmoot:
    name = "Folkmoot"
    threads = "one packet thread, one Python thread"
    meets = True

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


class FolkmootWhep:
    """A viewer by WHEP has one connection for each publisher."""

    name = "Folkmoot, WHIP/WHEP"
    threads = Folkmoot.threads
    meets = False

    def __init__(self) -> None:
        self._server: Server
        self._http: Whip

    @property
    def pid(self) -> int | None:
        return self._server.pid

    async def start(self, core: int) -> None:
        self._server = Server(core=core)
        await self._server.__aenter__()

    async def stop(self) -> None:
        await self._http.stop()
        await self._server.__aexit__(None, None, None)

    async def room(self, publishers: int) -> None:
        room, token = await self._server.made_room()
        whip, whep = (f"{self._server.url}/{path}/{room}" for path in ("whip", "whep"))
        self._http = Whip(Address(whip + "?id=p{n}", whep + "?user=p{n}", token))
        await self._http.start(0)
        await self._http.room(publishers)

    def seat(self, load: Load) -> WhipSeat:
        return self._http.seat(load)
