"""People of organisations who use the spaces API, and their way into calls; over a server of `api_server.py`."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType

from tests.support.api_server import Api

CLIENT = {"client_id": "acme", "client_secret": "the secret of acme"}
OTHER_CLIENT = {"client_id": "other", "client_secret": "the secret of other"}
OFFER = {"type": "offer", "pc": "publish", "sdp": "v=0"}
CAMERA = {"stream_id": "7f1a5f0e-0000-4000-8000-000000000001", "label": "camera", "audio_mid": "0", "video_mid": "1"}


async def ask(api: Api, method: str, path: str, token: str | None = None, **rest: Any) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    response = await api.send(method, path, key=None, headers=headers, **rest)
    text = await response.text()
    return response.status, json.loads(text) if text else None


async def grant(api: Api, client: dict[str, str] = CLIENT, **body: str) -> tuple[int, Any]:
    return await ask(api, "POST", "/v1/auth/token", json={**client, **body})


async def client_token(api: Api, client: dict[str, str] = CLIENT) -> str:
    status, answer = await grant(api, client, grant_type="client_credentials")
    assert status == 200, answer
    return answer["access_token"]


@dataclass
class Person:
    api: Api
    id: str
    token: str

    async def ask(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        return await ask(self.api, method, f"/v1{path}", self.token, **({"json": body} if body else {}))

    async def made(self, path: str, **body: Any) -> dict[str, Any]:
        status, answer = await self.ask("POST", path, **body)
        assert status in (200, 201), answer
        return answer

    async def space(self, **body: Any) -> str:
        return (await self.made("/spaces", **{"name": "School", **body}))["id"]

    async def room(self, space: str, **body: Any) -> dict[str, Any]:
        return await self.made(f"/spaces/{space}/rooms", **{"name": "Class 3b", **body})


async def person(api: Api, name: str, client: dict[str, str] = CLIENT) -> Person:
    email, password = f"{name}@{client['client_id']}.example.org", f"password of {name}"
    body = {"email": email, "username": name, "password": password}
    status, made = await ask(api, "POST", "/v1/users", await client_token(api, client), json=body)
    assert status == 201, made
    _, pair = await grant(api, client, grant_type="password", username=email, password=password)
    return Person(api, made["id"], pair["access_token"])


def slug(answer: tuple[int, Any]) -> tuple[int, str]:
    status, body = answer
    assert set(body) == {"error", "error_description"}
    return status, body["error"]


class Visit:
    """A socket of somebody who knows a room's alias."""

    def __init__(self, api: Api, alias: str, token: str) -> None:
        query = {"room": alias, **({"token": token} if token else {})}
        self._connecting = api.client.ws_connect("/rt", params=query)

    async def __aenter__(self) -> "Visit":
        self.socket = await self._connecting
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def until(self, *types: str) -> dict[str, Any]:
        while (frame := await self.socket.receive(5)).type is WSMsgType.TEXT:
            if (message := json.loads(frame.data))["type"] in types:
                return message
        return {"type": "closed", "code": self.socket.close_code}

    async def join(self, **fields: Any) -> dict[str, Any]:
        if (await self.until("room_setup"))["type"] == "closed":
            return {"type": "closed", "code": self.socket.close_code}
        await self.socket.send_json({"type": "join", **fields})
        return await self.until("joined")

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.socket.send_json({**message, "request_id": 1})
        return await self.until("ok", "error", "answer")


async def enters(api: Api, alias: str, token: str) -> bool:
    async with Visit(api, alias, token) as visit:
        joined = await visit.join()
        assert joined["type"] == "joined" or joined["code"] == 4403
        return joined["type"] == "joined"
