"""Links for people without an account, as far as time and parameters go. Spaces contract, section 6."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.api_server import Api, api_server, settings_for
from tests.support.clock import MovableClock
from tests.support.spaces import CLIENT, Person, Visit, ask, person, slug
from tests.support.team import Media

DAY = 86400


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_500.123)


@pytest.fixture
def grace() -> float:
    """Seconds for which a seat is kept."""
    return 60.0


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock, grace: float) -> AsyncIterator[Api]:
    settings = settings_for(tmp_path, spaces={"clients": [CLIENT]}, reconnect_grace_seconds=grace)
    async with api_server(settings, clock, media=Media) as api:
        yield api


class Room:
    def __init__(self, ada: Person, space: str, room: dict[str, Any]) -> None:
        self.ada = ada
        self.path = f"/spaces/{space}/rooms/{room['id']}/generate-access"
        self.alias = room["alias"]

    async def link(self, **body: Any) -> str:
        made = await self.ada.made(self.path, **{"username": "Eve", **body})
        return parse_qs(urlsplit(made["url"]).query)["accessToken"][0]

    def visit(self, token: str) -> Visit:
        return Visit(self.ada.api, self.alias, token)


@pytest.fixture
async def room(api: Api) -> Room:
    ada = await person(api, "ada")
    space = await ada.space()
    return Room(ada, space, await ada.room(space, isPublic=False))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"username": None}, "username"),
        ({"username": ""}, "username"),
        ({"username": "x" * 256}, "username"),
        ({"role": "king"}, "role"),
        ({"role": "role_room_user"}, "role"),
        ({"ttl": 0}, "ttl"),
        ({"ttl": 31_536_001}, "ttl"),
        ({"ttl": "a day"}, "ttl"),
        ({"isPermanent": "yes"}, "isPermanent"),
        ({"externalUserId": 7}, "externalUserId"),
        ({"email": []}, "email"),
        ({"phone": "1" * 65}, "phone"),
    ],
)
async def test_a_link_that_cannot_be_is_refused(api: Api, room: Room, wrong: dict[str, Any], field: str):
    answer = await ask(api, "POST", f"/v1{room.path}", room.ada.token, json={"username": "Eve", **wrong})
    assert slug(answer) == (400, "invalid_request")
    assert answer[1]["error_description"].startswith(f"{field} ")


@pytest.mark.parametrize(("given", "seconds"), [({}, DAY), ({"ttl": 1}, 1), ({"ttl": 31_536_000}, 31_536_000)])
async def test_a_link_is_good_for_its_time(room: Room, clock: MovableClock, given: dict[str, Any], seconds: int):
    token = await room.link(isPermanent=True, **given)
    clock.now += seconds - 0.5
    async with room.visit(token) as visit:
        assert (await visit.join())["type"] == "joined"
    clock.now += 1
    async with room.visit(token) as late:
        assert (await late.join())["code"] == 4410


async def test_somebody_who_is_inside_when_the_time_is_over_stays(room: Room, clock: MovableClock):
    token = await room.link(ttl=60)
    async with room.visit(token) as visit:
        await visit.join()
        clock.now += 61
        assert (await visit.ask(type="chat", content="still here"))["type"] == "ok"


@pytest.mark.parametrize("grace", [2.0])
async def test_who_loses_the_line_comes_back_with_a_used_link_for_a_while_and_not_later(api: Api, room: Room):
    token = await room.link()
    async with room.visit(token) as visit:
        first = await visit.join()
        visit.socket._response.connection.transport.abort()
    async with room.visit(token) as again:
        assert (await again.join())["participant"]["id"] == first["participant"]["id"]
        async with Visit(api, room.alias, room.ada.token) as witness:
            await witness.join()
            again.socket._response.connection.transport.abort()
            gone = await witness.until("participant_update")
            assert (gone["participant"]["id"], gone["participant"]["online"]) == (first["participant"]["id"], False)
    async with room.visit(token) as late:
        assert (await late.join())["code"] == 4410


async def test_one_link_is_one_seat_and_a_lasting_one_many(room: Room):
    once, lasting = await room.link(), await room.link(isPermanent=True)
    async with room.visit(once) as first:
        seat = (await first.join())["participant"]["id"]
        async with room.visit(once) as second:
            assert (await second.join())["participant"]["id"] == seat
            assert (await first.until("terminated"))["reason"] == "replaced"
    async with room.visit(lasting) as first, room.visit(lasting) as second:
        assert (await first.join())["participant"]["id"] != (await second.join())["participant"]["id"]
