"""The sessions family as its back ends and those inside use it: requests, errors, sockets."""

import json
from typing import Any

from aiohttp import WSMsgType

from signaling.services.session_rules import write_date
from tests.support.api_server import Api, web_token
from tests.support.fake_media import FakeMediaServer

NOW = 1_772_440_500.123  # 2026-03-02T08:35:00.123Z
HOUR = 3600
DAY = 24 * HOUR
NAMES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "ConflictError",
    500: "InternalServerError",
}


class ListeningMedia(FakeMediaServer):
    """Conferences that only remember, as the whole server makes them."""

    def __init__(self, config: Any, clock: Any, on_event: Any) -> None:
        super().__init__()
        self.config = config
        self.on_event = on_event

    async def start(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


async def ask(api: Api, method: str, path: str, *, bearer: str | None = None, **rest: Any) -> tuple[int, Any]:
    """Status and body, decoded if it is JSON; None where there is none."""
    headers = {"Authorization": f"Bearer {web_token() if bearer is None else bearer}", **rest.pop("headers", {})}
    response = await api.send(method, path, key=None, headers=headers, **rest)
    text = await response.text()
    return response.status, json.loads(text) if response.content_type == "application/json" and text else text or None


def error(status: int, message: str) -> tuple[int, Any]:
    return status, {"error": {"statusCode": status, "name": NAMES[status], "message": message}}


async def new_session(api: Api, **body: Any) -> str:
    status, answer = await ask(api, "POST", "/session", json=body)
    assert status == 200, answer
    return answer["code"]


async def new_token(api: Api, link: str, **body: Any) -> dict[str, Any]:
    status, answer = await ask(api, "POST", f"/session/{link}/token", json=body)
    assert status == 200, answer
    return answer


def at(seconds: float) -> str:
    """So many seconds from now, as ISO 8601."""
    return write_date(int((NOW + seconds) * 1000)) or ""


class Visit:
    """A socket of somebody with a token."""

    def __init__(self, api: Api, token: str, **query: str) -> None:
        self._connecting = api.client.ws_connect("/rt", params={"token": token, **query})

    async def __aenter__(self) -> "Visit":
        self.socket = await self._connecting
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def until(self, type: str) -> dict[str, Any]:
        while True:
            frame = await self.socket.receive(5)
            assert frame.type is WSMsgType.TEXT, (frame, self.socket.close_code)
            if (message := json.loads(frame.data))["type"] == type:
                return message

    async def join(self) -> dict[str, Any]:
        await self.until("room_setup")
        await self.socket.send_json({"type": "join"})
        return await self.until("joined")

    async def refused(self) -> int | None:
        while (await self.socket.receive(5)).type is WSMsgType.TEXT:
            pass
        return self.socket.close_code
