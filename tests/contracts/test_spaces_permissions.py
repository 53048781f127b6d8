"""Each endpoint of the spaces family for everybody that somebody can be in a space, as one table.

Columns: the space's owner · the room's creator, who is a moderator of the space · another moderator of the space · a
user of the space · a moderator of the room · a user of the room · any other user · a client. What has no token is 401
everywhere. A hidden object is 404, one that can be seen but not changed 403. Where somebody may, but there is nothing
to do it to, it is the 404 or 409 that says so.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from mediaserver import SystemClock
from signaling.api.spaces import spaces_family
from tests.support.api_server import Api, api_server, settings_for
from tests.support.spaces import CLIENT, Person, ask, client_token, person
from tests.support.team import Media

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ("owner", "creator", "space moderator", "space user", "room moderator", "room user", "user")
WHO = (*NAMES, "client")
URL = "https://example.org/hook"

PUBLIC = """
POST   /users                                    201 201 201 201 201 201 201 201
GET    /users/me                                 200 200 200 200 200 200 200 403
POST   /users/me/tokens                          201 201 201 201 201 201 201 403
GET    /users/me/tokens                          200 200 200 200 200 200 200 403
DELETE /users/me/tokens/nothing                  404 404 404 404 404 404 404 403
POST   /spaces                                   201 201 201 201 201 201 201 403
GET    /spaces                                   200 200 200 200 200 200 200 200
GET    /spaces/{space}                           200 200 200 200 200 200 200 200
PUT    /spaces/{space}                           200 200 200 403 403 403 403 403
DELETE /spaces/{space}                           204 403 403 403 403 403 403 403
POST   /spaces/{space}/rooms                     201 201 201 403 403 403 403 403
GET    /spaces/{space}/rooms                     200 200 200 200 200 200 200 200
GET    /spaces/{space}/rooms/{room}              200 200 200 200 200 200 200 200
PUT    /spaces/{space}/rooms/{room}              403 200 403 403 200 403 403 403
DELETE /spaces/{space}/rooms/{room}              204 204 403 403 403 403 403 403
POST   /spaces/{space}/rooms/{room}/end          403 409 403 403 409 403 403 403
POST   /spaces/{space}/roles                     200 200 200 403 403 403 403 403
GET    /spaces/{space}/roles                     200 200 200 403 403 403 403 403
DELETE /spaces/{space}/roles/{guest}             204 204 204 403 403 403 403 403
POST   /spaces/{space}/rooms/{room}/roles        403 200 403 403 200 403 403 403
GET    /spaces/{space}/rooms/{room}/roles        403 200 403 403 200 403 403 403
DELETE /spaces/{space}/rooms/{room}/roles/{pupil} 403 204 403 403 204 403 403 403
POST   /spaces/{space}/invites                   201 201 201 403 403 403 403 403
POST   /spaces/{space}/invites?room              201 201 201 403 201 403 403 403
GET    /spaces/{space}/invites                   200 200 200 403 403 403 403 403
DELETE /spaces/{space}/invites/{invite}          204 204 204 403 403 403 403 403
POST   /spaces/{space}/invites/{invite}/activate 200 200 200 200 200 200 200 403
POST   /invites/{token}/activate                 200 200 200 200 200 200 200 403
POST   /spaces/{space}/rooms/{room}/generate-access 403 200 403 403 200 403 403 403
GET    /spaces/{space}/rooms/{room}/embed        200 200 200 200 200 200 200 200
POST   /spaces/{space}/webhook                   201 403 403 403 403 403 403 403
GET    /spaces/{space}/webhook                   404 403 403 403 403 403 403 403
PUT    /spaces/{space}/webhook                   404 403 403 403 403 403 403 403
PUT    /spaces/{space}/webhook/refresh-secret    404 403 403 403 403 403 403 403
DELETE /spaces/{space}/webhook                   404 403 403 403 403 403 403 403
POST   /spaces/{space}/rooms/{room}/records/start 403 409 403 403 409 403 403 403
POST   /spaces/{space}/rooms/{room}/records/stop 403 409 403 403 409 403 403 403
GET    /spaces/{space}/rooms/{room}/records      200 200 403 403 200 403 403 403
GET    /spaces/{space}/rooms/{room}/records/download/nothing 404 404 403 403 404 403 403 403
DELETE /spaces/{space}/rooms/{room}/records/nothing 404 403 403 403 403 403 403 403
GET    /spaces/{space}/analytics/calls           200 200 200 403 403 403 403 403
GET    /spaces/{space}/analytics/report          200 200 200 403 403 403 403 403
GET    /spaces/{space}/analytics/report?roomId={room} 200 200 200 403 200 403 403 403
"""
"""A public room of a public space."""
PRIVATE = """
GET    /spaces/{space}                           200 200 200 200 200 200 404 404
PUT    /spaces/{space}                           200 200 200 403 403 403 404 403
DELETE /spaces/{space}                           204 403 403 403 403 403 404 403
POST   /spaces/{space}/rooms                     201 201 201 403 403 403 404 403
GET    /spaces/{space}/rooms                     200 200 200 200 200 200 404 404
GET    /spaces/{space}/rooms/{room}              404 200 404 404 200 200 404 404
PUT    /spaces/{space}/rooms/{room}              404 200 404 404 200 403 404 403
DELETE /spaces/{space}/rooms/{room}              204 204 404 404 403 403 404 403
POST   /spaces/{space}/rooms/{room}/end          404 409 404 404 409 403 404 403
POST   /spaces/{space}/roles                     200 200 200 403 403 403 404 403
GET    /spaces/{space}/roles                     200 200 200 403 403 403 404 403
DELETE /spaces/{space}/roles/{guest}             204 204 204 403 403 403 404 403
POST   /spaces/{space}/rooms/{room}/roles        404 200 404 404 200 403 404 403
GET    /spaces/{space}/rooms/{room}/roles        404 200 404 404 200 403 404 403
DELETE /spaces/{space}/rooms/{room}/roles/{pupil} 404 204 404 404 204 403 404 403
POST   /spaces/{space}/invites                   201 201 201 403 403 403 404 403
POST   /spaces/{space}/invites?room              201 201 201 404 201 403 404 403
GET    /spaces/{space}/invites                   200 200 200 403 403 403 404 403
DELETE /spaces/{space}/invites/{invite}          204 204 204 403 403 403 404 403
POST   /spaces/{space}/invites/{invite}/activate 200 200 200 200 200 200 200 403
POST   /invites/{token}/activate                 200 200 200 200 200 200 200 403
POST   /spaces/{space}/rooms/{room}/generate-access 404 200 404 404 200 403 404 403
GET    /spaces/{space}/rooms/{room}/embed        404 200 404 404 200 200 404 404
POST   /spaces/{space}/webhook                   201 403 403 403 403 403 404 403
GET    /spaces/{space}/webhook                   404 403 403 403 403 403 404 403
PUT    /spaces/{space}/webhook                   404 403 403 403 403 403 404 403
PUT    /spaces/{space}/webhook/refresh-secret    404 403 403 403 403 403 404 403
DELETE /spaces/{space}/webhook                   404 403 403 403 403 403 404 403
POST   /spaces/{space}/rooms/{room}/records/start 404 409 404 404 409 403 404 403
POST   /spaces/{space}/rooms/{room}/records/stop 404 409 404 404 409 403 404 403
GET    /spaces/{space}/rooms/{room}/records      200 200 404 404 200 403 404 403
GET    /spaces/{space}/rooms/{room}/records/download/nothing 404 404 404 404 404 403 404 403
DELETE /spaces/{space}/rooms/{room}/records/nothing 404 403 404 404 403 403 404 403
GET    /spaces/{space}/analytics/calls           200 200 200 403 403 403 404 403
GET    /spaces/{space}/analytics/report          200 200 200 403 403 403 404 403
GET    /spaces/{space}/analytics/report?roomId={room} 200 200 200 404 200 403 404 403
"""
"""A private room of a private space: not even the space's owner comes in."""
BODIES: dict[str, dict[str, Any]] = {
    "POST /users": {"username": "New", "password": "secret"},
    "POST /users/me/tokens": {"name": "script"},
    "POST /spaces": {"name": "Another"},
    "PUT /spaces/{space}": {"name": "Renamed", "isPublic": True},
    "POST /spaces/{space}/rooms": {"name": "Another"},
    "PUT /spaces/{space}/rooms/{room}": {"name": "Renamed"},
    "POST /spaces/{space}/roles": {"role": "role_space_user"},
    "POST /spaces/{space}/rooms/{room}/roles": {"role": "role_room_user"},
    "POST /spaces/{space}/invites": {"role": "role_space_user"},
    "POST /spaces/{space}/invites?room": {"role": "role_room_user"},
    "POST /spaces/{space}/rooms/{room}/generate-access": {"username": "Eve"},
    "POST /spaces/{space}/webhook": {"url": URL},
    "PUT /spaces/{space}/webhook": {"url": URL, "isActive": True},
}
OPEN = {"/auth/token", "/entrances/{}", "/invites/{}", "/invites/{}/register", "/invites/{}/sign-in"}
"""Without a token: they have tests of their own."""


@dataclass
class Stage:
    """People, and a space with a room in which each of them is something."""

    api: Api
    people: dict[str, Person]
    tokens: dict[str, str]
    made: int = 0
    ids: dict[str, str] = field(default_factory=dict)

    async def set(self, *, public: bool) -> None:
        owner, creator = self.people["owner"], self.people["creator"]
        space = await owner.space(isPublic=public)
        for who, role in (("creator", "moderator"), ("space moderator", "moderator"), ("space user", "user")):
            await owner.made(f"/spaces/{space}/roles", targetUserId=self.people[who].id, role=f"role_space_{role}")
        room = (await creator.room(space, isPublic=public))["id"]
        for who, role in (("room moderator", "moderator"), ("room user", "user")):
            path = f"/spaces/{space}/rooms/{room}/roles"
            await creator.made(path, targetUserId=self.people[who].id, role=f"role_room_{role}")
        invite = await owner.made(f"/spaces/{space}/invites", role="role_space_user")
        self.ids = {
            "space": space,
            "room": room,
            "invite": invite["id"],
            "token": invite["token"],
            "guest": self.people["space user"].id,
            "pupil": self.people["room user"].id,
        }

    async def status(self, method: str, path: str, who: str | None) -> int:
        self.made += 1
        body = dict(BODIES.get(f"{method} {path}", {}))
        if path == "/users":
            body["email"] = f"new-{self.made}@example.org"
        if path.endswith("/roles"):
            body["targetUserId"] = self.people["user"].id
        if path.endswith("?room"):
            body["roomId"] = self.ids["room"]
        token = None if who is None else self.tokens[who]
        rest = {"json": body} if body else {}
        return (await ask(self.api, method, f"/v1{path.format(**self.ids)}", token, **rest))[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    settings = settings_for(tmp_path_factory.mktemp("data"), spaces={"clients": [CLIENT]})
    async with api_server(settings, SystemClock(), media=Media) as api:
        people = {name: await person(api, name.replace(" ", "-")) for name in NAMES}
        tokens = {name: each.token for name, each in people.items()} | {"client": await client_token(api)}
        yield Stage(api, people, tokens)


def rows(table: str) -> list[Any]:
    lines = [line.split() for line in table.strip().splitlines()]
    return [pytest.param(method, path, statuses, id=f"{method} {path}") for method, path, *statuses in lines]


@pytest.mark.parametrize(("method", "path", "statuses"), rows(PUBLIC))
async def test_what_each_may_in_public(stage: Stage, method: str, path: str, statuses: list[str]):
    await check(stage, method, path, statuses, public=True)


@pytest.mark.parametrize(("method", "path", "statuses"), rows(PRIVATE))
async def test_what_each_may_in_private(stage: Stage, method: str, path: str, statuses: list[str]):
    await check(stage, method, path, statuses, public=False)


async def check(stage: Stage, method: str, path: str, statuses: list[str], *, public: bool) -> None:
    """Whatever somebody has changed is set up anew for the next."""
    await stage.set(public=public)
    assert await stage.status(method, path, None) == 401
    for who, status in zip(WHO, statuses, strict=True):
        assert await stage.status(method, path, who) == int(status), who
        if status.startswith("2") and method != "GET":
            await stage.set(public=public)


async def test_no_endpoint_is_missing_in_the_table():
    told = {(line.split()[0], _shape(line.split()[1])) for line in PUBLIC.strip().splitlines()}
    there = {(each.method, _shape(each.path.removeprefix("/v1"))) for each in spaces_family(configured=True).operations}
    assert {each for each in there if each[1] not in OPEN} == told


def _shape(path: str) -> str:
    """The path with its parameters unnamed."""
    parts = path.partition("?")[0].split("/")
    return "/".join("{}" if part.startswith("{") or part == "nothing" else part for part in parts)
