"""The whole server on a free port, with its real store and a media plane that has nothing to do."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from mediaserver import Clock, MediaConfig, MediaEvent, ServerStats
from signaling import jwts
from signaling.app import create_app
from signaling.services.session_callers import PERMISSIONS
from signaling.settings import Settings

KEY = "a key of the first team"
OTHER_KEY = "a key of the second team"
ROOMS = "/api/realtime/room"


class IdleMedia:
    """Follows `mediaserver.MediaServer` as far as a server without meetings uses it."""

    def __init__(self, config: MediaConfig, clock: Clock, on_event: Callable[[MediaEvent], None]) -> None:
        self.config = config
        self.running = False

    async def start(self) -> None:
        self.running = True

    async def aclose(self) -> None:
        self.running = False

    async def repair_recordings(self, root: Path) -> list[Any]:
        return []

    def stats(self) -> ServerStats:
        engine = {"bytes_received": 1200, "bytes_sent": 3600, "dropped_empty": 2, "dropped_replayed": 1}
        return ServerStats(engine, {"connections": 2})


@dataclass(slots=True)
class Api:
    """Requests as the first team sends them; `headers` and the like as aiohttp takes them."""

    client: TestClient

    async def send(self, method: str, path: str, *, key: str | None = KEY, **rest: Any) -> ClientResponse:
        headers = dict(rest.pop("headers", {}))
        if key is not None:
            headers["x-vcs-token"] = key
        return await self.client.request(method, path, headers=headers, **rest)

    async def ask(self, method: str, path: str, **rest: Any) -> tuple[int, Any]:
        """Status and decoded body of an answer in JSON."""
        response = await self.send(method, path, **rest)
        assert response.content_type == "application/json", await response.text()
        return response.status, await response.json()

    async def create(self, **parameters: Any) -> dict[str, Any]:
        status, body = await self.ask("POST", ROOMS, json=parameters)
        assert status == 200, body
        return body["room"]


JWT = {"secret": "a secret of whoever signs web tokens, long enough", "issuer": "https://issuer.example"}


SPACES_CLIENT = {"client_id": "acme", "client_secret": "the secret of acme"}
SPACES = {"clients": [SPACES_CLIENT], "token_secret": "a secret that tokens of spaces are signed with"}


def settings_for(data_dir: Path, **changes: Any) -> Settings:
    keys = {"realtime_keys": [KEY, OTHER_KEY], "jwt": JWT, "spaces": SPACES}
    configured = {"data_dir": data_dir, **keys, **changes}
    return Settings.model_validate(configured)


def web_token(*permissions: str, secret: str = JWT["secret"], **claims: Any) -> str:
    """A token of the sessions family's callers; without permissions named it has all of them."""
    said = {"iss": JWT["issuer"], "permissions": list(permissions or PERMISSIONS), "id": "u-1", **claims}
    return jwts.write(secret.encode(), {name: value for name, value in said.items() if value is not None})


@asynccontextmanager
async def api_server(
    settings: Settings, clock: Clock, *, dev_keys: Mapping[str, str] | None = None, media: Any = IdleMedia
) -> AsyncIterator[Api]:
    app = create_app(settings, clock, media=media, dev_keys=dev_keys)
    async with TestClient(TestServer(app)) as client:
        yield Api(client)


def spaces_token(user_id: str) -> str:
    """A token of a user of the spaces family, whether there is one or not."""
    claims = {"sub": user_id, "aud": "user", "type": "accessToken", "cId": SPACES_CLIENT["client_id"], "jti": "1"}
    return jwts.write(SPACES["token_secret"].encode(), claims)
