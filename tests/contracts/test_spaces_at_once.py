"""What is good once is good once however many come at the same moment, over every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mediaserver import SystemClock
from tests.support.api_server import Api, api_server, settings_for
from tests.support.postgresql import postgresql
from tests.support.spaces import CLIENT, Visit, grant, person
from tests.support.team import Media

MANY = 100


@pytest.fixture(params=["sqlite", "postgresql"])
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    with postgresql() if request.param == "postgresql" else nullcontext(None) as url:
        database = {"database_url": url} if url else {}
        settings = settings_for(tmp_path, spaces={"clients": [CLIENT]}, **database)
        async with api_server(settings, SystemClock(), media=Media) as api:
            yield api


async def statuses(asked: list[Any]) -> list[int]:
    return sorted(status for status, _ in await asyncio.gather(*asked))


async def test_of_a_hundred_activations_of_an_invite_one_succeeds(api: Api):
    ada, bob, eve = [await person(api, name) for name in ("ada", "bob", "eve")]
    space = await ada.space(isPublic=False)
    invite = await ada.made(f"/spaces/{space}/invites", role="role_space_user")
    paths = (f"/invites/{invite['token']}/activate", f"/spaces/{space}/invites/{invite['id']}/activate")
    asked = [who.ask("POST", path) for who in (bob, eve) for path in paths for _ in range(MANY // 4)]
    assert await statuses(asked) == [200] + [410] * (MANY - 1)
    inside = [(await who.ask("GET", f"/spaces/{space}"))[0] for who in (bob, eve)]
    assert sorted(inside) == [200, 404]


async def test_of_many_uses_of_a_refresh_token_one_succeeds(api: Api):
    _, pair = await grant(api, grant_type="client_credentials")
    used = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert await statuses([grant(api, **used) for _ in range(20)]) == [200] + [400] * 19


async def test_of_many_with_a_one_time_link_one_has_the_seat(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space, isPublic=False)
    made = await ada.made(f"/spaces/{space}/rooms/{room['id']}/generate-access", username="Eve")
    token = parse_qs(urlsplit(made["url"]).query)["accessToken"][0]

    async def come() -> Any:
        async with Visit(api, room["alias"], token) as visit:
            said = await visit.join()
            if said["type"] != "joined":
                return said.get("code")
            await visit.socket.send_json({"type": "leave"})
            await visit.until("terminated")
            return "came"

    outcomes = await asyncio.gather(*(come() for _ in range(10)))
    assert outcomes.count("came") >= 1
    _, report = await ada.ask("GET", f"/spaces/{space}/analytics/report")
    assert sum(len(line["joins"]) for line in report["items"]) == 1
    assert await come() == 4410
