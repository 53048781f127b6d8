"""Any server that takes WHIP and gives WHEP, by both URLs: `{room}` and `{n}`, the publisher's number, are filled in.

    --whip 'http://host:8889/{room}-{n}/whip' --whep 'http://host:8889/{room}-{n}/whep'
    --whip 'http://host:8080/whip/RO-1?id=p{n}' --whep 'http://host:8080/whep/RO-1?user=p{n}' --token ...

Players connect once for each publisher, as WHEP wants it: people who all see each other have that many connections.
CPU and memory are known only with `--pid`, the server's on this machine, which should run pinned to core 0.
"""

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import aiohttp

from benchmarks.load import Load
from benchmarks.versus.peers import Receiver, Sender

SDP = "application/sdp"


@dataclass(frozen=True)
class Address:
    """Where the server is, and as whom to speak to it."""

    whip: str
    whep: str
    token: str = ""
    pid: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": SDP} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


class Whip:
    name = "WHIP/WHEP"
    threads = "unknown"
    meets = True

    def __init__(self, address: Address) -> None:
        self._address = address
        self._room = ""
        self._seats = 0
        self._http: aiohttp.ClientSession

    @property
    def pid(self) -> int | None:
        return self._address.pid

    async def start(self, core: int) -> None:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def stop(self) -> None:
        await self._http.close()

    async def room(self, publishers: int) -> None:
        self._room = secrets.token_hex(4)
        self._seats = 0

    def seat(self, load: Load) -> "WhipSeat":
        self._seats += 1
        return WhipSeat(load, self._http, self._address, self._room, self._seats)


class WhipSeat:
    def __init__(self, load: Load, http: aiohttp.ClientSession, address: Address, room: str, number: int) -> None:
        self._load = load
        self._http = http
        self._address = address
        self._names = {"room": room, "n": str(number)}
        self._peers: list[Sender | Receiver] = []
        self._sessions: list[str] = []

    async def publish(self) -> None:
        sender = Sender(self._load)
        self._peers.append(sender)
        await sender.accepted(await self._post(self._address.whip.format(**self._names), sender.offer))

    async def listen(self, to: "Sequence[WhipSeat]") -> None:
        for seat in to:
            receiver = Receiver(self._load)
            self._peers.append(receiver)
            await receiver.connect(await self._post(self._address.whep.format(**seat._names), receiver.offer))

    async def leave(self) -> None:
        for peer in self._peers:
            peer.close()
        headers = {name: value for name, value in self._address.headers.items() if name != "Content-Type"}
        for session in self._sessions:
            with contextlib.suppress(aiohttp.ClientError):
                async with self._http.delete(session, headers=headers):
                    pass

    async def _post(self, url: str, offer: str) -> str:
        """The answer; the session is remembered."""
        async with self._http.post(url, data=offer.encode(), headers=self._address.headers) as reply:
            body = await reply.text()
            if reply.status != 201:
                raise RuntimeError(f"{url} answered {reply.status}: {body[:500]}")
            self._sessions.append(urljoin(str(reply.url), reply.headers["Location"]))
            return body
