"""Permalinks as teams and the people behind their links rely on them. Rooms contract, section 16."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import MovableClock
from tests.support.team import KEY, OTHER_KEY, Team, team_server

BASE = "https://meet.example"
DEAD = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_200.0)


@pytest.fixture
async def team(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Team]:
    async with team_server(tmp_path, clock) as team:
        yield team


async def created(team: Team, **parameters: Any) -> dict[str, Any]:
    body = {"name": "Office hours", "user": {"id": "ada", "name": "Ada"}, **parameters}
    status, told = await team.ask("POST", "/permalink", key=KEY, json=body)
    assert status == 201, told
    return told


def tokens(permalink: dict[str, Any]) -> tuple[str, str]:
    return permalink["permalink"]["user_token"], permalink["permalink"]["guest_token"]


async def test_a_permalink_is_told_whole_to_its_team(team: Team):
    told = await created(team, expires_at="2026-03-03T08:30:00Z", options={"widescreen": True}, id="ignored")
    user_token, guest_token = tokens(told)
    permalink_id, room_id = told["permalink"]["id"], told["room"]["id"]
    assert room_id != "ignored"
    assert told.pop("options")["widescreen"] is True
    assert told == {
        "permalink": {
            "id": permalink_id,
            "created_at": "2026-03-02T08:30:00.000Z",
            "user_token": user_token,
            "guest_token": guest_token,
            "expires_at": "2026-03-03T08:30:00.000Z",
        },
        "room": {"id": room_id, "name": "Office hours", "started_at": None},
        "team": {"name": "My Company"},
        "user": {
            "id": "ada",
            "name": "Ada",
            "avatar": None,
            "guest": False,
            "joined_at": "2026-03-02T08:30:00.000Z",
        },
        "links": {
            "self": f"{BASE}/permalink/{permalink_id}",
            "gui": f"{BASE}/app?permalink={user_token}",
            "guest_join": f"{BASE}/app?guest={guest_token}",
        },
    }
    status, fetched = await team.ask("GET", f"/permalink/{permalink_id}", key=KEY)
    assert (status, fetched["permalink"]) == (200, told["permalink"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/permalink"),
        ("GET", "/permalink"),
        ("PUT", "/permalink/0123456789abcdef01234567"),
        ("DELETE", "/permalink/0123456789abcdef01234567"),
        ("POST", "/permalink/0123456789abcdef01234567/users"),
        ("DELETE", f"/permalink/0123456789abcdef01234567/users/{DEAD}"),
    ],
)
async def test_managing_needs_a_key(team: Team, method: str, path: str):
    assert await team.ask(method, path) == (401, {"error": "Unauthorized"})
    assert await team.status(method, path, key="nobody's") == 401
    if "0123" in path:
        assert await team.status(method, path, key=KEY, json={"user": {"name": "A"}}) == 404


async def test_a_permalink_is_its_teams_alone(team: Team):
    told = await created(team)
    path = f"/permalink/{told['permalink']['id']}"
    for method in ("GET", "PUT", "DELETE"):
        assert await team.status(method, path, key=OTHER_KEY) == 404
    assert (await team.ask("GET", "/permalink", key=OTHER_KEY))[1]["total"] == 0
    assert await team.status("GET", path, key="nobody's") == 401


async def test_a_token_tells_no_more_than_what_it_is_for(team: Team):
    told = await created(team)
    user_token, guest_token = tokens(told)
    status, host = await team.ask("GET", f"/permalink/{user_token}")
    assert status == 200
    assert host["permalink"]["user_token"] == user_token
    assert host["links"]["gui"] == told["links"]["gui"]
    guest = (await team.ask("GET", f"/permalink/{guest_token}"))[1]
    assert guest["permalink"]["guest_token"] == guest_token
    for part, other in ((host, guest_token), (guest, user_token)):
        assert "user" not in part
        assert other not in str(part)
    assert await team.status("GET", f"/permalink/{DEAD}") == 404
    assert await team.status("POST", f"/permalink/{DEAD}") == 404
    assert await team.status("POST", f"/permalink/{guest_token}") == 404


async def test_hosts_begin_the_meeting_and_guests_come_while_it_runs(team: Team, clock: MovableClock):
    user_token, guest_token = tokens(await created(team))
    assert await team.status("POST", f"/guests/{guest_token}", json={"name": "Gus"}) == 410
    status, ada = await team.ask("POST", f"/permalink/{user_token}")
    assert status == 201
    assert (ada["user"]["id"], ada["user"]["guest"], ada["room"]["name"]) == ("ada", False, "Office hours")
    assert ada["room"]["guest_token"] == guest_token
    assert (await team.ask("POST", f"/permalink/{user_token}"))[1]["access_key"] == ada["access_key"]
    assert (await team.guest(ada))["user"]["guest"] is True
    running = (await team.ask("GET", f"/permalink/{user_token}"))[1]["room"]["started_at"]
    assert running == "2026-03-02T08:30:00.000Z"
    await team.end(ada["room"]["id"])
    assert await team.status("POST", f"/guests/{guest_token}", json={"name": "Gus"}) == 410
    clock.advance(60.0)
    again = (await team.ask("POST", f"/permalink/{user_token}"))[1]
    assert again["room"]["guest_token"] == guest_token
    assert again["access_key"] != ada["access_key"]
    assert await team.status("GET", f"/rooms/{ada['access_key']}") == 410


async def test_another_host_has_another_token(team: Team):
    told = await created(team)
    path = f"/permalink/{told['permalink']['id']}/users"
    status, bob = await team.ask("POST", path, key=KEY, data={"user[name]": "Bob", "user[id]": "bob"})
    token = bob["permalink"]["user_token"]
    assert (status, bob["user"]["name"], bob["permalink"]["id"]) == (201, "Bob", told["permalink"]["id"])
    assert token != tokens(told)[0]
    ada = (await team.ask("POST", f"/permalink/{tokens(told)[0]}"))[1]
    joined = (await team.ask("POST", f"/permalink/{token}"))[1]
    assert (joined["user"]["id"], joined["room"]["started_at"]) == ("bob", ada["room"]["started_at"])
    assert (await team.ask("GET", f"/permalink/{told['permalink']['id']}", key=KEY))[1]["user"]["id"] == "ada"
    assert await team.ask("DELETE", f"{path}/{token}", key=KEY) == (200, None)
    assert await team.status("DELETE", f"{path}/{token}", key=KEY) == 404
    assert await team.status("POST", f"/permalink/{token}") == 404


async def test_changes_count_from_the_next_meeting_on(team: Team):
    told = await created(team, options={"widescreen": True, "show_label": False})
    user_token, _ = tokens(told)
    before = (await team.ask("POST", f"/permalink/{user_token}"))[1]
    path = f"/permalink/{told['permalink']['id']}"
    body = {"name": "Clinic", "options": {"widescreen": False}, "expires_at": "2026-03-05T00:00:00+01:00"}
    status, changed = await team.ask("PUT", path, key=KEY, json=body)
    assert (status, changed["room"]["name"]) == (200, "Clinic")
    assert changed["permalink"]["expires_at"] == "2026-03-04T23:00:00.000Z"
    now = (await team.ask("GET", f"/rooms/{before['access_key']}"))[1]
    assert (now["room"]["name"], now["options"]["widescreen"]) == ("Office hours", True)
    await team.end(before["room"]["id"])
    after = (await team.ask("POST", f"/permalink/{user_token}"))[1]
    assert after["room"]["name"] == "Clinic"
    assert (after["options"]["widescreen"], after["options"]["show_label"]) == (False, False)


async def test_a_deleted_permalink_opens_nothing_but_its_meeting_goes_on(team: Team):
    told = await created(team)
    user_token, guest_token = tokens(told)
    ada = (await team.ask("POST", f"/permalink/{user_token}"))[1]
    assert await team.ask("DELETE", f"/permalink/{told['permalink']['id']}", key=KEY) == (200, None)
    assert await team.status("GET", f"/permalink/{told['permalink']['id']}", key=KEY) == 404
    for token in (user_token, guest_token):
        assert await team.status("GET", f"/permalink/{token}") == 404
    assert await team.status("POST", f"/permalink/{user_token}") == 404
    assert await team.status("POST", f"/guests/{guest_token}", json={"name": "Gus"}) == 410
    assert await team.status("GET", f"/rooms/{ada['access_key']}") == 200


async def test_an_expired_link_begins_nothing(team: Team, clock: MovableClock):
    user_token, _ = tokens(await created(team, expires_at="2026-03-02T09:30:00Z"))
    clock.advance(3600.0)
    assert await team.status("POST", f"/permalink/{user_token}") == 410


@pytest.mark.parametrize("expires_at", ["2026-03-02T08:30:00Z", "yesterday", 7, "9" * 100])
async def test_an_expiry_lies_in_the_future(team: Team, expires_at: Any):
    body = {"user": {"name": "Ada"}, "expires_at": expires_at}
    assert await team.status("POST", "/permalink", key=KEY, json=body) == 400


async def test_a_locked_meeting_is_locked_for_hosts_too(team: Team):
    told = await created(team, options={"lock_available": True})
    path = f"/permalink/{told['permalink']['id']}/users"
    bob = (await team.ask("POST", path, key=KEY, json={"user": {"name": "Bob"}}))[1]
    ada = (await team.ask("POST", f"/permalink/{tokens(told)[0]}"))[1]
    assert await team.status("POST", f"/rooms/{ada['access_key']}/lock") == 201
    assert await team.status("POST", f"/permalink/{bob['permalink']['user_token']}") == 423


async def test_permalinks_are_listed_newest_first_and_by_pages(team: Team, clock: MovableClock):
    for number in range(3):
        await created(team, name=f"Room {number}", **({"expires_at": "2026-03-02T08:30:30Z"} if number == 0 else {}))
        clock.advance(1.0)
    clock.advance(60.0)

    async def names(query: str) -> tuple[int, list[str]]:
        status, told = await team.ask("GET", f"/permalink{query}", key=KEY)
        assert status == 200, told
        return told["total"], [item["room"]["name"] for item in told["items"]]

    assert await names("") == (3, ["Room 2", "Room 1", "Room 0"])
    assert await names("?limit=2") == (3, ["Room 2", "Room 1"])
    assert await names("?limit=2&page=2") == (3, ["Room 0"])
    assert await names("?expired=true") == (1, ["Room 0"])
    assert await names("?expired=false") == (2, ["Room 2", "Room 1"])
    for query in ("?limit=0", "?limit=101", "?page=0", "?page=x", "?expired=x"):
        assert await team.status("GET", f"/permalink{query}", key=KEY) == 400
