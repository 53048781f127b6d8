"""A whole server with two teams of the rooms family, real store and media that only remembers; and its meetings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from mediaserver import Clock, SystemClock
from signaling.app import create_app
from signaling.settings import Settings
from tests.support.fake_media import FakeMediaServer
from tests.support.live import Talker

KEY = "the api key of the first team"
SECOND_KEY = "another api key of the first team"
OTHER_KEY = "the api key of the other team"
TEAM, OTHER_TEAM = "My Company", "Another Company"


class Media(FakeMediaServer):
    """Made as the server makes its own."""

    def __init__(self, config: Any, clock: Any, on_event: Any) -> None:
        super().__init__()
        self.on_event = on_event

    async def start(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


@dataclass
class Team:
    """Requests as the first team and its users send them."""

    client: TestClient
    talkers: list[Talker] = field(default_factory=list)
    """Kept: a socket that nobody holds is closed."""

    async def send(self, method: str, path: str, *, key: str | None = None, **rest: Any) -> ClientResponse:
        headers = dict(rest.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = key
        return await self.client.request(method, path, headers=headers, **rest)

    async def ask(self, method: str, path: str, *, key: str | None = None, **rest: Any) -> tuple[int, Any]:
        """Status and decoded body; None where it is empty."""
        response = await self.send(method, path, key=key, **rest)
        text = await response.text()
        assert text == "" or response.content_type == "application/json", text
        return response.status, await response.json() if text else None

    async def status(self, method: str, path: str, **rest: Any) -> int:
        return (await self.send(method, path, **rest)).status

    async def enter(self, room: str | None = "standup", name: str = "Ada", **parameters: Any) -> dict[str, Any]:
        """Somebody registered in the room's meeting, as the API tells it."""
        body = {"user": {"name": name, **parameters.pop("user", {})}, **parameters}
        status, told = await self.ask("POST", "/rooms", key=KEY, json=body if room is None else {"id": room, **body})
        assert status == 201, told
        return told

    async def guest(self, meeting: dict[str, Any], name: str = "Gus", **parameters: Any) -> dict[str, Any]:
        path = f"/guests/{meeting['room']['guest_token']}"
        status, told = await self.ask("POST", path, json={"name": name, **parameters})
        assert status == 201, told
        return told

    async def end(self, room: str = "standup") -> None:
        assert await self.status("DELETE", f"/rooms/{quote(room, safe='')}", key=KEY) == 204

    async def knock(self, protocols: tuple[str, ...] = (), key: str | None = None, **query: str) -> Talker:
        url = self.client.make_url("/rt").with_query(query)
        headers = {} if key is None else {"Authorization": key}
        socket = await self.client.session.ws_connect(url, protocols=protocols, headers=headers, max_msg_size=0)
        self.talkers.append(Talker(socket))
        return self.talkers[-1]

    async def join(self, meeting: dict[str, Any]) -> Talker:
        """The user of that access key, online."""
        talker = await self.knock(access_key=meeting["access_key"])
        await talker.until("room_setup")
        await talker.join()
        return talker

    async def observe(self, room: str = "standup", key: str = KEY) -> Talker:
        return await self.knock(key=key, room_id=room)


def team_settings(directory: Path, **changes: Any) -> Settings:
    keys = [
        {"key": KEY, "team": TEAM},
        {"key": SECOND_KEY, "team": TEAM},
        {"key": OTHER_KEY, "team": OTHER_TEAM},
    ]
    return Settings.model_validate(
        {
            "data_dir": directory,
            "api_keys": keys,
            "public_base_url": "https://meet.example",
            "fetch": {"allow_private_addresses": True},
            **changes,
        }
    )


@asynccontextmanager
async def team_server(directory: Path, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Team]:
    """`settings` as of `Settings`. Timers are the loop's."""
    app = create_app(team_settings(directory, **settings), clock or SystemClock(), media=Media)  # type: ignore[arg-type]
    async with TestClient(TestServer(app)) as client:
        yield Team(client)


async def together(*work: Any) -> list[Any]:
    return list(await asyncio.gather(*work))
