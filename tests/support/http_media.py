"""A whole server with real media on ports of its own, as encoders and players find it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, TCPConnector

from mediaserver import Clock, MediaServer
from mediaserver.transport.sdp import SessionDescription, parse
from tests.support.api_server import Api, api_server, settings_for
from tests.support.client_sdp import Identity, Section, publish_offer
from tests.support.live import Talker

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
SENT = (Section("0", "opus"), Section("1", "vp8"))
WANTED = (Section("0", "opus", "recvonly"), Section("1", "vp8", "recvonly"))
CREDENTIALS = "a=ice-ufrag:{}\r\na=ice-pwd:a-password-of-22-characters\r\n"
CANDIDATE = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"


def offer(*sections: Section, identity: Identity | None = None) -> str:
    return publish_offer(*(sections or SENT), identity=identity, data=False)


@dataclass(slots=True)
class Ended:
    """An answer, read to its end."""

    status: int
    headers: Any
    text: str

    @property
    def sdp(self) -> SessionDescription:
        return parse(self.text)

    @property
    def tag(self) -> str:
        return str(self.headers["ETag"])

    @property
    def location(self) -> str:
        return str(self.headers["Location"])


@dataclass(slots=True)
class HttpMedia:
    """Requests of encoders and players; `token` None sends no credential."""

    api: Api
    room: dict[str, Any]
    talkers: list[Talker]
    session: ClientSession

    async def ask(self, method: str, path: str, token: str | None = "", **rest: Any) -> Ended:
        headers = dict(rest.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.room['token']}"
        response: ClientResponse = await self.api.client.request(method, path, headers=headers, **rest)
        return Ended(response.status, response.headers, await response.text())

    async def post(
        self, path: str, body: str | bytes, token: str | None = "", media_type: str = SDP, **rest: Any
    ) -> Ended:
        return await self.ask("POST", path, token, data=body, headers={"Content-Type": media_type}, **rest)

    async def publish(self, body: str = "", query: str = "", token: str | None = "") -> Ended:
        return await self.post(f"/whip/{self.room['id']}{query}", body or offer(), token)

    async def play(self, query: str, body: str = "", token: str | None = "") -> Ended:
        return await self.post(f"/whep/{self.room['id']}{query}", body or offer(*WANTED), token)

    async def patch(self, path: str, tag: str | None, body: str, media_type: str = FRAGMENT) -> Ended:
        headers = {"Content-Type": media_type} | ({} if tag is None else {"If-Match": tag})
        return await self.ask("PATCH", path, data=body, headers=headers)

    async def enter(self, token: str = "", **query: str) -> tuple[Talker, dict[str, Any]]:
        """Somebody in a browser who has joined, and their `joined`."""
        url = self.api.client.make_url("/rt").with_query({"token": token or self.room["token"], **query})
        talker = Talker(await self.session.ws_connect(url, max_msg_size=0))
        self.talkers.append(talker)
        await talker.until("room_setup")
        return talker, await talker.join()

    async def metric(self, name: str) -> float:
        lines = (await self.ask("GET", "/metrics", None)).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


@asynccontextmanager
async def http_media(directory: Path, clock: Clock, **settings: Any) -> AsyncIterator[HttpMedia]:
    """With one SFU room."""
    media = {"udp_port": 0, "tcp_port": 0, "threads": 1, "listen_ips": ["127.0.0.1"]}
    configured = settings_for(directory, media=media, **settings)
    async with (
        api_server(configured, clock, media=MediaServer) as api,
        ClientSession(connector=TCPConnector(limit=0)) as session,
    ):
        yield HttpMedia(api, await api.create(conferenceType="SFU"), [], session)
