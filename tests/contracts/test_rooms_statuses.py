"""Each endpoint of the rooms family in each state that a credential or a room can be in, as one table.

Columns: what runs · what was never issued or made · what has ended · what is another team's · locked · full.
`-` is for what cannot be: an access key is no team's, a team's endpoint is never locked.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from signaling.api.rooms import rooms_family
from tests.support.team import KEY, OTHER_KEY, Team, team_server

NEVER_ISSUED = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"
STATES = ("valid", "never", "ended", "other", "locked", "full")
USER: Mapping[str, Any] = {"user": {"name": "Somebody new"}}
GUEST: Mapping[str, Any] = {"name": "Somebody new"}
PLAYER: Mapping[str, Any] = {"player_url": "https://video.example/standup"}
FORWARD: Mapping[str, Any] = {"forward_id": "tv", "type": "audio,video", "url": "http://127.0.0.1:9/whip"}
MESSAGE: Mapping[str, Any] = {"type": "chat", "content": "x"}

TABLE = """
POST   /rooms                                        team  201  201  201  201  423  409
GET    /rooms                                        team  200  -    200  200  200  200
GET    /rooms/{access_key}                           user  200  404  410  -    200  200
GET    /rooms/{room_id}                              team  200  404  404  404  200  200
DELETE /rooms/{access_key}                           user  204  404  410  -    204  204
DELETE /rooms/{room_id}                              team  204  404  404  404  204  204
POST   /rooms/{access_key}/lock                      user  201  404  410  -    201  201
POST   /rooms/{access_key}/messages                  user  201  404  410  -    201  201
GET    /rooms/{access_key}/users/{user_id}           user  200  404  410  -    200  200
GET    /rooms/{access_key}/users/nobody              user  404  404  410  -    404  404
DELETE /rooms/{access_key}/users/{user_id}           user  200  404  410  -    200  200
GET    /rooms/{room_id}/users                        team  200  404  200  404  200  200
POST   /guests/{guest_token}                         user  201  401  410  -    423  409
POST   /rooms/{access_key}/recording                 user  201  404  410  -    201  201
DELETE /rooms/{access_key}/recording                 user  404  404  410  -    404  404
GET    /rooms/{room_id}/recordings                   team  200  404  200  404  200  200
GET    /recordings/nothing                           team  404  404  404  404  404  404
DELETE /recordings/nothing                           team  404  404  404  404  404  404
POST   /rooms/{access_key}/snapshot                  user  201  404  410  -    201  201
GET    /rooms/{access_key}/snapshots/nothing         user  404  404  410  -    404  404
GET    /rooms/{room_id}/snapshots                    team  200  404  200  404  200  200
GET    /snapshots/nothing                            team  404  404  404  404  404  404
DELETE /snapshots/nothing                            team  404  404  404  404  404  404
POST   /rooms/{access_key}/broadcasts                user  201  404  410  -    201  201
PUT    /rooms/{access_key}/broadcasts                user  404  404  410  -    404  404
PUT    /rooms/{access_key}/broadcasts/nothing        user  404  404  410  -    404  404
DELETE /rooms/{access_key}/broadcasts                user  404  404  410  -    404  404
DELETE /rooms/{access_key}/broadcasts/nothing        user  404  404  410  -    404  404
POST   /rooms/{access_key}/hls                       user  201  404  410  -    201  201
GET    /rooms/{access_key}/hls                       user  404  404  410  -    404  404
DELETE /rooms/{access_key}/hls                       user  404  404  410  -    404  404
POST   /rooms/{access_key}/layout                    user  200  404  410  -    200  200
POST   /rooms/{access_key}/layers                    user  201  404  410  -    201  201
DELETE /rooms/{access_key}/layers/1                  user  404  404  410  -    404  404
GET    /rooms/{access_key}/files                     user  200  404  410  -    200  200
GET    /rooms/{access_key}/files/nothing             user  404  404  410  -    404  404
DELETE /rooms/{access_key}/files/nothing             user  404  404  410  -    404  404
POST   /rooms/{access_key}/presentation              user  201  404  410  -    201  201
PUT    /rooms/{access_key}/presentation              user  404  404  410  -    404  404
DELETE /rooms/{access_key}/presentation              user  200  404  410  -    200  200
POST   /rooms/{access_key}/playbacks                 user  400  404  410  -    400  400
DELETE /rooms/{access_key}/playbacks/nothing         user  404  404  410  -    404  404
POST   /rooms/{room_id}/forward/source               team  404  404  404  404  404  404
POST   /rooms/{room_id}/forward/mcu                  team  201  404  404  404  201  201
POST   /rooms/{room_id}/forward/playback             team  404  404  404  404  404  404
DELETE /rooms/{room_id}/forward/nothing              team  404  404  404  404  404  404
GET    /permalink/{user_token}                       user  200  404  200  -    200  200
POST   /permalink/{user_token}                       user  201  404  201  -    201  409
GET    /permalink/{permalink_id}                     team  200  404  200  404  200  200
PUT    /permalink/{permalink_id}                     team  200  404  200  404  200  200
DELETE /permalink/{permalink_id}                     team  200  404  200  404  200  200
POST   /permalink/{permalink_id}/users               team  201  404  201  404  201  201
DELETE /permalink/{permalink_id}/users/{user_token}  team  200  404  200  404  200  200
"""
BODIES = {
    ("POST", "/rooms"): USER,
    ("POST", "/rooms/{access_key}/messages"): MESSAGE,
    ("POST", "/guests/{guest_token}"): GUEST,
    ("POST", "/rooms/{access_key}/broadcasts"): {"stream_url": "rtmp://127.0.0.1/live/key"},
    ("PUT", "/rooms/{access_key}/broadcasts"): PLAYER,
    ("PUT", "/rooms/{access_key}/broadcasts/nothing"): PLAYER,
    ("POST", "/rooms/{access_key}/layers"): {"insert": {"title": "Hello"}},
    ("POST", "/permalink/{permalink_id}/users"): USER,
    ("POST", "/rooms/{room_id}/forward/source"): {**FORWARD, "user_id": "nobody"},
    ("POST", "/rooms/{room_id}/forward/mcu"): FORWARD,
    ("POST", "/rooms/{room_id}/forward/playback"): {**FORWARD, "play_id": "nothing"},
}


def _cases() -> list[Any]:
    cases = []
    for line in TABLE.strip().splitlines():
        method, path, who, *statuses = line.split()
        for state, status in zip(STATES, statuses, strict=True):
            if status != "-":
                cases.append(pytest.param(method, path, who, state, int(status), id=f"{method} {path} {state}"))
    return cases


@asynccontextmanager
async def meeting_in(team: Team, state: str) -> AsyncIterator[dict[str, str]]:
    """The path parameters of a permalink's meeting in that state."""
    options = {"lock_available": True, **({"max_participants": 1} if state == "full" else {})}
    link = (await team.ask("POST", "/permalink", key=KEY, json={"user": {"name": "Ada"}, "options": options}))[1]
    token = link["permalink"]["user_token"]
    ada = (await team.ask("POST", f"/permalink/{token}"))[1]
    if state == "full":
        bob = {"id": ada["room"]["id"], "user": {"name": "Bob"}}
        await team.join((await team.ask("POST", "/rooms", key=KEY, json=bob))[1])
    elif state == "locked":
        assert await team.status("POST", f"/rooms/{ada['access_key']}/lock") == 201
    elif state == "ended":
        await team.end(ada["room"]["id"])
    never = {"access_key": NEVER_ISSUED, "room_id": "nothing", "guest_token": NEVER_ISSUED}
    gone = {"permalink_id": "0123456789abcdef01234567", "user_token": NEVER_ISSUED}
    yield {
        "access_key": ada["access_key"],
        "room_id": ada["room"]["id"],
        "user_id": ada["user"]["id"],
        "guest_token": ada["room"]["guest_token"],
        "permalink_id": link["permalink"]["id"],
        "user_token": token,
        **(never | gone if state == "never" else {}),
    }


@pytest.mark.parametrize(("method", "path", "who", "state", "status"), _cases())
async def test_each_state_has_its_status(tmp_path: Path, method: str, path: str, who: str, state: str, status: int):
    async with team_server(tmp_path) as team, meeting_in(team, state) as there:
        key = None if who == "user" else OTHER_KEY if state == "other" else KEY
        body = dict(BODIES.get((method, path), {}))
        if path == "/rooms" and method == "POST":
            body["id"] = there["room_id"]
        rest = {"json": body} if body else {}
        assert await team.status(method, path.format(**there), key=key, **rest) == status


def test_no_endpoint_of_a_meeting_is_missing_in_the_table():
    told = {(line.split()[0], _shape(line.split()[1])) for line in TABLE.strip().splitlines()}
    there = {(each.method, _shape(each.path)) for each in rooms_family({}).operations}
    apart = {each for each in there if each[1].startswith("/webhooks") or each in BODILESS}
    assert there - told - apart == set()


BODILESS = {("POST", "/permalink"), ("GET", "/permalink"), ("POST", "/rooms/{}/files")}
"""Of no meeting, or about a body: they have tests of their own."""


def _shape(path: str) -> str:
    """The path with its parameters unnamed."""
    parts = path.split("/")
    return "/".join("{}" if part.startswith("{") or part in ("nobody", "nothing", "1") else part for part in parts)
