"""The rooms API as teams' servers rely on it: each line of its contract, sections 1 to 5, once."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import MovableClock
from tests.support.team import KEY, OTHER_KEY, SECOND_KEY, Team, team_server, together

ACCESS_KEY = r"[A-Za-z0-9]{24}"
HEX_ID = r"[0-9a-f]{24}"
NEVER_ISSUED = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"
BASE = "https://meet.example"
AVATAR = "https://img.example/ada.png"
DAY = 86400

DEFAULTS = {
    "show_names": True,
    "show_label": True,
    "exit_url": None,
    "recording_available": True,
    "broadcast_available": True,
    "layout_available": True,
    "reaction_available": True,
    "guest_token_available": True,
    "suggest_guest_names": True,
    "lock_available": False,
    "kick_available": True,
    "sfu_mode": "ptp",
    "widescreen": False,
    "background_color": "#121212",
    "audio_insert": "audio_only",
    "audio_insert_position": None,
    "custom_fields": {},
    "max_participants": 100,
    "record_on_start": False,
    "layout": "auto",
    "layout_name": None,
    "layout_map": None,
    "layout_users": None,
    "voice_activation": False,
}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_200.0)


@pytest.fixture
async def team(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Team]:
    async with team_server(tmp_path, clock) as team:
        yield team


def error(text: str) -> dict[str, str]:
    return {"error": text}


# 1. authorization


@pytest.mark.parametrize("key", [pytest.param(None, id="missing"), pytest.param("nobody's", id="unknown")])
@pytest.mark.parametrize(("method", "path"), [("POST", "/rooms"), ("GET", "/rooms"), ("GET", "/rooms/standup/users")])
async def test_without_a_good_key_a_team_is_forbidden(team: Team, method: str, path: str, key: str | None):
    assert await team.ask(method, path, key=key) == (403, error("Forbidden"))


@pytest.mark.parametrize("sent", [KEY, f"Bearer {KEY}", f"bearer {KEY}", SECOND_KEY])
async def test_the_key_comes_raw_or_as_a_bearers(team: Team, sent: str):
    assert await team.status("GET", "/rooms", key=sent) == 200


async def test_a_team_sees_its_own_rooms_only(team: Team):
    await team.enter("standup")
    assert await team.ask("GET", "/rooms", key=OTHER_KEY) == (200, [])
    assert [room["id"] for room in (await team.ask("GET", "/rooms", key=SECOND_KEY))[1]] == ["standup"]
    for method, path in [("GET", "/rooms/standup/users"), ("GET", "/rooms/standup"), ("DELETE", "/rooms/standup")]:
        assert await team.status(method, path, key=OTHER_KEY) == 404
    body = {"id": "standup", "user": {"name": "Eve"}}
    assert (await team.ask("POST", "/rooms", key=OTHER_KEY, json=body))[1]["room"]["started_at"] is not None
    assert len((await team.ask("GET", "/rooms/standup/users", key=KEY))[1]) == 1


async def test_a_room_is_looked_at_by_access_key_or_by_id_with_an_api_key(team: Team):
    ada = await team.enter("standup")
    key = ada["access_key"]
    assert (await team.ask("GET", f"/rooms/{key}"))[1]["access_key"] == key
    status, room = await team.ask("GET", "/rooms/standup", key=KEY)
    assert (status, set(room)) == (200, {"id", "name", "ready", "started_at", "shutdown", "guest_token"})
    assert await team.status("GET", f"/rooms/{key}", key=KEY) == 404
    assert await team.status("GET", "/rooms/standup") == 403
    assert await team.status("GET", f"/rooms/{NEVER_ISSUED}") == 404
    assert await team.status("GET", f"/rooms/{NEVER_ISSUED}", key="nobody's") == 403


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("key", [pytest.param(None, id="missing"), pytest.param("nobody's", id="unknown")])
async def test_without_a_good_key_nobody_learns_which_rooms_exist(team: Team, method: str, key: str | None):
    there = [
        (await team.enter("standup"))["room"]["id"],
        (await team.enter(None))["room"]["id"],
        (await team.enter("Qm7tZ0bLw3XcR9kVdJ2sHfNb"))["room"]["id"],
    ]
    nowhere = ["nothing", "0123456789abcdef01234567", NEVER_ISSUED]
    for one, other in zip(there, nowhere, strict=True):
        assert await team.ask(method, f"/rooms/{one}", key=key) == _without_id(
            await team.ask(method, f"/rooms/{other}", key=key), other, one
        )


def _without_id(answer: tuple[int, Any], known: str, other: str) -> tuple[int, Any]:
    """The answer as it would be about another id."""
    return answer[0], {name: text.replace(known[:4], other[:4]) for name, text in answer[1].items()}


# 2. rooms


async def test_the_whole_answer(team: Team):
    status, told = await team.ask(
        "POST",
        "/rooms",
        key=KEY,
        data={
            "id": "weekly@company.example",
            "name": "Weekly",
            "user[id]": "ada@company.example",
            "user[name]": "Ada Muster",
            "user[avatar]": AVATAR,
        },
    )
    assert status == 201
    key, guest_token = told["access_key"], told["room"]["guest_token"]
    conference = told["signaling"]["options"]["conf_id"]
    assert re.fullmatch(ACCESS_KEY, key)
    assert re.fullmatch(ACCESS_KEY, guest_token)
    assert re.fullmatch(r"[0-9a-f]{32}", told["user"]["sip"].pop("password"))
    sip = {"uri": f"sip:{conference}@meet.example", "domain": "meet.example"}
    assert told == {
        "access_key": key,
        "ready": True,
        "locked": False,
        "room": {
            "id": "weekly@company.example",
            "name": "Weekly",
            "ready": True,
            "started_at": "2026-03-02T08:30:00.000Z",
            "shutdown": False,
            "sip": {**sip, "authorizationUser": conference},
            "guest_token": guest_token,
        },
        "team": {"name": "My Company"},
        "user": {
            "id": "ada@company.example",
            "room_id": "weekly@company.example",
            "name": "Ada Muster",
            "avatar": AVATAR,
            "guest": False,
            "blocked": False,
            "ready": True,
            "sip": {
                **sip,
                "wsServers": [],
                "instanceId": "ada@company.example",
                "userAgentString": "folkmoot",
                "authorizationUser": "ada@company.example",
                "displayName": "Ada Muster",
                "stunServers": [],
                "turnServers": [],
                "registerExpires": "600",
            },
        },
        "links": {
            "self": f"{BASE}/rooms/{key}",
            "gui": f"{BASE}/app?{key}",
            "guest_join": f"{BASE}/app?guest={guest_token}",
            "websocket": f"{BASE}/rt?access_key={key}",
        },
        "options": DEFAULTS,
        "presentation": None,
        "broadcasts": [],
        "recording": None,
        "snapshots": [],
        "playbacks": [],
        "signaling": {
            "type": "ws",
            "options": {
                "endpoint": f"{BASE}/rt",
                "auth_token": key,
                "client_id": "ada@company.example",
                "conf_id": conference,
                "stun_servers": [],
                "turn_servers": [],
            },
        },
    }


async def test_stun_and_turn_servers_are_told_apart(tmp_path: Path, clock: MovableClock):
    servers = [{"urls": ["stun:s.example"]}, {"urls": ["turn:t.example", "turns:t.example"]}]
    async with team_server(tmp_path, clock, ice_servers=servers, turn={"shared_secret": "secret"}) as team:
        told = (await team.enter(user={"id": "ada"}))["signaling"]["options"]
    assert told["stun_servers"] == ["stun:s.example"]
    (turn,) = told["turn_servers"]
    assert turn["urls"] == ["turn:t.example", "turns:t.example"]
    assert turn["username"] == f"{1_772_440_200 + DAY}:ada"
    assert turn["password"]


async def test_what_is_left_out_is_made_up(team: Team):
    one, other = await team.enter(None), await team.enter(None)
    assert re.fullmatch(HEX_ID, one["room"]["id"])
    assert re.fullmatch(HEX_ID, one["user"]["id"])
    assert one["room"]["id"] != other["room"]["id"]
    assert (one["room"]["name"], one["user"]["avatar"]) == ("My Company", None)


async def test_the_same_id_joins_the_same_meeting(team: Team):
    ada, bob = await team.enter("standup"), await team.enter("standup", "Bob")
    assert ada["access_key"] != bob["access_key"]
    assert ada["room"] == bob["room"]
    users = (await team.ask("GET", "/rooms/standup/users", key=KEY))[1]
    assert {user["name"] for user in users} == {"Ada", "Bob"}


async def test_the_same_user_has_the_same_access_key(team: Team):
    first = await team.enter(user={"id": "ada"})
    again = await team.enter(name="Ada M.", user={"id": "ada", "avatar": AVATAR})
    assert again["access_key"] == first["access_key"]
    assert (again["user"]["name"], again["user"]["avatar"]) == ("Ada M.", AVATAR)
    assert len((await team.ask("GET", "/rooms/standup/users", key=KEY))[1]) == 1


async def test_requests_at_once_come_to_one_meeting_and_one_user(team: Team):
    told = await together(*(team.enter(user={"id": "ada"}) for _ in range(10)))
    assert len({each["access_key"] for each in told}) == 1
    assert len({each["signaling"]["options"]["conf_id"] for each in told}) == 1


async def test_a_room_outlives_its_meetings(team: Team, clock: MovableClock):
    first = await team.enter("standup", name="Ada", user={"id": "ada"}, options={"widescreen": True})
    await team.ask("POST", "/rooms", key=KEY, json={"id": "standup", "name": "Stand-up", "user": {"name": "Bob"}})
    await team.end()
    clock.advance(60.0)
    second = await team.enter("standup", user={"id": "ada"})
    assert second["room"]["name"] == "Stand-up"
    assert second["room"]["started_at"] == "2026-03-02T08:31:00.000Z"
    assert second["options"]["widescreen"] is False
    assert second["room"]["guest_token"] != first["room"]["guest_token"]
    assert second["access_key"] != first["access_key"]


async def test_options_count_only_for_the_request_that_begins_a_meeting(team: Team):
    await team.enter(options={"widescreen": True})
    assert (await team.enter(name="Bob", options={"widescreen": False}))["options"]["widescreen"] is True


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"user": {}}, id="no name"),
        pytest.param({"user": {"name": " \t"}}, id="blank name"),
        pytest.param({"user": {"name": None}}, id="null is not given"),
        pytest.param({"user": "Ada"}, id="no user"),
        pytest.param({"user": {"name": "x" * 256}}, id="long name"),
        pytest.param({"user": {"name": 7}}, id="a number"),
        pytest.param({"user": {"name": "a\0"}}, id="what cannot be stored"),
        pytest.param({"user": {"name": "A", "id": "x" * 256}}, id="long user id"),
        pytest.param({"id": "x" * 256, "user": {"name": "A"}}, id="long id"),
        pytest.param({"name": "x" * 256, "user": {"name": "A"}}, id="long room name"),
        pytest.param({"user": {"name": "A", "avatar": "javascript:alert(1)"}}, id="avatar of another kind"),
        pytest.param({"user": {"name": "A", "avatar": "http://"}}, id="avatar without a host"),
    ],
)
async def test_what_cannot_be_used_is_refused(team: Team, body: dict[str, Any]):
    status, told = await team.ask("POST", "/rooms", key=KEY, json=body)
    assert (status, set(told)) == (400, {"error"})


async def test_a_full_room_is_refused_but_not_to_who_is_online(team: Team):
    options = {"max_participants": 1}
    ada = await team.enter(user={"id": "ada"}, options=options)
    await team.join(ada)
    body = {"id": "standup", "user": {"name": "Bob"}}
    assert await team.status("POST", "/rooms", key=KEY, json=body) == 409
    assert await team.status("POST", f"/guests/{ada['room']['guest_token']}", json={"name": "Gus"}) == 409
    assert (await team.enter(user={"id": "ada"}))["access_key"] == ada["access_key"]


async def test_bodies_are_forms_parts_or_json(team: Team):
    form = {"user[name]": "Ada", "options[custom_fields][locale]": "de", "options[widescreen]": "TRUE"}
    json = {"user[name]": "Ada", "options": {"custom_fields": {"locale": "de"}, "widescreen": True}}
    for body in ({"data": form}, {"json": json}, {"data": parts(form)}):
        status, told = await team.ask("POST", "/rooms", key=KEY, **body)
        assert status == 201, told
        assert (told["user"]["name"], told["options"]["widescreen"]) == ("Ada", True)
        assert told["options"]["custom_fields"] == {"locale": "de"}


def parts(form: dict[str, str]) -> Any:
    from aiohttp import FormData

    data = FormData(default_to_multipart=True)
    for name, value in form.items():
        data.add_field(name, value)
    return data


@pytest.mark.parametrize(
    ("content_type", "data", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/x-www-form-urlencoded", b"user[name]=%ff", 400),
        ("application/x-www-form-urlencoded", b"user=A&user[name]=A", 400),
        ("multipart/form-data", b"no parts", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nuser", 400),
        ("text/plain", b"user[name]=A", 415),
        ("application/json", b'{"user": {"name": "' + b"x" * (1 << 20) + b'"}}', 413),
        ("application/x-www-form-urlencoded", b"user[name]=" + b"x" * (1 << 20), 413),
    ],
)
async def test_bodies_that_cannot_be_read(team: Team, content_type: str, data: bytes, status: int):
    headers = {"Content-Type": content_type}
    assert await team.status("POST", "/rooms", key=KEY, data=data, headers=headers) == status


# 2.2 options


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"show_names": "0", "show_label": "false"}, {"show_names": False, "show_label": False}),
        ({"exit_url": "https://company.example/bye"}, {"exit_url": "https://company.example/bye"}),
        ({"sfu_mode": "screencast"}, {"sfu_mode": "screencast"}),
        ({"background_color": "#00fF00"}, {"background_color": "#00fF00"}),
        (
            {"audio_insert": "enabled", "audio_insert_position": {"x": "20", "y": 30}},
            {"audio_insert": "enabled", "audio_insert_position": {"x": 20, "y": 30}},
        ),
        (
            {"custom_fields": {"locale": "fr", "hide_chat": True, "own": "x"}},
            {"custom_fields": {"locale": "fr", "hide_chat": True, "own": "x"}},
        ),
        ({"max_participants": "7"}, {"max_participants": 7}),
        ({"record_on_start": True}, {"record_on_start": True}),
        ({"no_such_option": "x"}, {}),
        ({"exit_url": ""}, {}),
    ],
)
async def test_options_are_kept_and_told(team: Team, options: dict[str, Any], told: dict[str, Any]):
    meeting = await team.enter(options=options)
    assert meeting["options"] == DEFAULTS | told
    assert (await team.ask("GET", f"/rooms/{meeting['access_key']}"))[1]["options"] == DEFAULTS | told


@pytest.mark.parametrize(
    "options",
    [
        {"show_names": "yes"},
        {"widescreen": 2},
        {"sfu_mode": "other"},
        {"background_color": "red"},
        {"audio_insert": "x"},
        {"exit_url": "ftp://company.example"},
        {"max_participants": 0},
        {"max_participants": "many"},
        {"custom_fields": {"a": {"b": "c"}}},
        {"custom_fields": "x"},
        {"audio_insert_position": {"x": -1, "y": 0}},
    ],
)
async def test_options_with_other_values_are_refused(team: Team, options: dict[str, Any]):
    body = {"user": {"name": "Ada"}, "options": options}
    assert await team.status("POST", "/rooms", key=KEY, json=body) == 400


async def test_without_a_guest_token_there_is_none_anywhere(team: Team):
    ada = await team.enter(options={"guest_token_available": "false"})
    assert "guest_token" not in ada["room"]
    assert "guest_join" not in ada["links"]
    assert all("guest_token" not in room for room in (await team.ask("GET", "/rooms", key=KEY))[1])


# other room endpoints


async def test_running_rooms_are_listed_oldest_first(team: Team, clock: MovableClock):
    ada = await team.enter("standup")
    clock.advance(1.0)
    await team.enter("retro")
    status, rooms = await team.ask("GET", "/rooms", key=KEY)
    assert status == 200
    assert rooms[0] == {
        "id": "standup",
        "name": "My Company",
        "ready": True,
        "started_at": "2026-03-02T08:30:00.000Z",
        "shutdown": False,
        "guest_token": ada["room"]["guest_token"],
    }
    await team.end("standup")
    assert [room["id"] for room in (await team.ask("GET", "/rooms", key=KEY))[1]] == ["retro"]


@pytest.mark.parametrize("by", ["team", "user"])
async def test_a_meeting_is_ended_for_all(team: Team, by: str):
    ada = await team.enter("weekly@company.example")
    path = "/rooms/weekly%40company.example" if by == "team" else f"/rooms/{ada['access_key']}"
    assert await team.ask("DELETE", path, key=KEY if by == "team" else None) == (204, None)
    assert await team.status("GET", f"/rooms/{ada['access_key']}") == 410
    again = await team.status("DELETE", path, key=KEY if by == "team" else None)
    assert again == (404 if by == "team" else 410)


async def test_who_may_not_end_a_meeting(team: Team):
    ada = await team.enter()
    gus = await team.guest(ada)
    assert await team.status("DELETE", f"/rooms/{gus['access_key']}") == 403
    assert await team.status("DELETE", "/rooms/standup") == 403
    assert await team.status("DELETE", "/rooms/standup", key="nobody's") == 403
    assert await team.status("DELETE", f"/rooms/{NEVER_ISSUED}") == 404
    assert await team.status("DELETE", "/rooms/another", key=KEY) == 404
    assert await team.status("GET", f"/rooms/{ada['access_key']}") == 200


# 3. users and guests


async def test_a_user_is_looked_at_by_others(team: Team, clock: MovableClock):
    ada = await team.enter(user={"id": "ada@company.example", "avatar": AVATAR})
    clock.advance(60.5)
    bob = await team.enter(name="Bob")
    key = bob["access_key"]
    assert await team.ask("GET", f"/rooms/{key}/users/ada%40company.example") == (
        200,
        {
            "id": "ada@company.example",
            "name": "Ada",
            "avatar": AVATAR,
            "guest": False,
            "joined_at": "2026-03-02T08:30:00.000Z",
        },
    )
    assert (await team.ask("GET", f"/rooms/{key}/users/{bob['user']['id']}"))[1]["joined_at"] == (
        "2026-03-02T08:31:00.500Z"
    )
    for unknown in ("nobody", "%00", "x" * 300):
        assert await team.status("GET", f"/rooms/{ada['access_key']}/users/{unknown}") == 404


async def test_a_team_lists_the_users_of_a_room(team: Team):
    ada = await team.enter(user={"id": "ada"})
    await team.guest(ada, id="gus")
    await team.join(ada)
    status, users = await team.ask("GET", "/rooms/standup/users", key=KEY)
    assert status == 200
    assert users == [
        {"id": "ada", "room_id": "standup", "name": "Ada", "avatar": None, "guest": False, "online": True},
        {"id": "gus", "room_id": "standup", "name": "Gus", "avatar": None, "guest": True, "online": False},
    ]
    for online, who in (("true", ["ada"]), ("false", ["gus"]), ("0", ["gus"])):
        listed = (await team.ask("GET", f"/rooms/standup/users?online={online}", key=KEY))[1]
        assert [user["id"] for user in listed] == who
    assert await team.status("GET", "/rooms/standup/users?online=maybe", key=KEY) == 400
    assert await team.status("GET", "/rooms/another/users", key=KEY) == 404
    await team.end()
    after = (await team.ask("GET", "/rooms/standup/users", key=KEY))[1]
    assert [(user["id"], user["online"]) for user in after] == [("ada", False), ("gus", False)]


async def test_a_guest_comes_in_by_the_meetings_token(team: Team):
    ada = await team.enter()
    gus = await team.guest(ada, avatar=AVATAR, custom_fields={"locale": "fr"})
    assert set(gus) == set(ada)
    assert (gus["user"]["guest"], gus["user"]["name"], gus["user"]["avatar"]) == (True, "Gus", AVATAR)
    assert gus["room"] == ada["room"]
    assert gus["options"]["custom_fields"] == {"locale": "fr"}
    assert (await team.guest(ada))["user"]["id"] != gus["user"]["id"]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "G", "custom_fields": {"locale": "it"}}, {"name": "G", "id": "ada"}],
    ids=["no name", "blank name", "another language", "the id of somebody registered"],
)
async def test_guests_that_are_refused(team: Team, body: dict[str, Any]):
    ada = await team.enter(user={"id": "ada"})
    assert await team.status("POST", f"/guests/{ada['room']['guest_token']}", json=body) == 400


async def test_a_guest_token_belongs_to_one_meeting(team: Team):
    token = (await team.enter())["room"]["guest_token"]
    assert await team.status("POST", f"/guests/{NEVER_ISSUED}", json={"name": "Gus"}) == 401
    gus = await team.ask("POST", f"/guests/{token}", json={"name": "Gus"})
    await team.end()
    assert await team.status("POST", f"/guests/{token}", json={"name": "Gus"}) == 410
    await team.enter()
    assert await team.status("POST", f"/guests/{token}", json={"name": "Gus"}) == 410
    assert await team.status("GET", f"/rooms/{gus[1]['access_key']}") == 410


async def test_a_guests_id_is_not_taken_over_by_somebody_registered(team: Team):
    gus = await team.guest(await team.enter(), id="gus")
    body = {"id": "standup", "user": {"name": "Gustav", "id": "gus"}}
    assert await team.status("POST", "/rooms", key=KEY, json=body) == 400
    assert (await team.ask("GET", f"/rooms/{gus['access_key']}"))[1]["user"]["guest"] is True


async def test_a_guest_never_gets_the_key_of_another_by_naming_their_id(team: Team):
    ada = await team.enter()
    await team.guest(ada, id="gus")
    body = {"name": "Somebody else", "id": "gus"}
    assert await team.status("POST", f"/guests/{ada['room']['guest_token']}", json=body) == 400


# 4. lock


async def test_a_locked_meeting_lets_in_only_who_is_registered(team: Team):
    ada = await team.enter(user={"id": "ada"}, options={"lock_available": True})
    path = f"/rooms/{ada['access_key']}/lock"
    assert await team.ask("POST", path) == (201, None)
    assert await team.ask("POST", path) == (201, None)
    body = {"id": "standup", "user": {"name": "Bob"}}
    assert await team.status("POST", "/rooms", key=KEY, json=body) == 423
    assert await team.status("POST", f"/guests/{ada['room']['guest_token']}", json={"name": "Gus"}) == 423
    again = await team.enter(user={"id": "ada"})
    assert (again["access_key"], again["locked"]) == (ada["access_key"], True)


async def test_who_may_not_lock(team: Team):
    ada = await team.enter(options={"lock_available": True})
    gus = await team.guest(ada)
    assert await team.status("POST", f"/rooms/{gus['access_key']}/lock") == 403
    other = await team.enter("retro")
    assert await team.status("POST", f"/rooms/{other['access_key']}/lock") == 403
    assert await team.status("POST", f"/rooms/{NEVER_ISSUED}/lock") == 404


# 5. messages


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "chat", "content": "hello"}, 201),
        ({"type": "custom", "content": "{}"}, 201),
        ({"type": "my_own_type", "content": "x"}, 201),
        ({"type": "chat", "content": "x" * 32_768}, 201),
        ({"type": "chat", "content": "é" * 16_385}, 400),
        ({"type": "chat", "content": "x" * 32_769}, 400),
        ({"type": "chat", "content": " "}, 400),
        ({"type": "", "content": "x"}, 400),
        ({"content": "x"}, 400),
        ({"type": "chat"}, 400),
        ({"type": "chat", "content": {"a": "b"}}, 400),
        ({"type": "Chat", "content": "x"}, 400),
        ({"type": "x" * 65, "content": "x"}, 400),
        ({"type": "room_update", "content": "x"}, 400),
        ({"type": "terminated", "content": "x"}, 400),
        ({"type": "recording_update", "content": "x"}, 400),
    ],
)
async def test_messages_by_rest(team: Team, body: dict[str, Any], status: int):
    ada = await team.enter()
    told = await team.ask("POST", f"/rooms/{ada['access_key']}/messages", json=body)
    assert told[0] == status
    assert (told[1] is None) == (status == 201)


# what lasts, and for how long


async def test_no_meeting_survives_a_restart_but_its_room_does(tmp_path: Path, clock: MovableClock):
    async with team_server(tmp_path, clock) as team:
        ada = await team.enter("standup", user={"id": "ada"})
        await team.ask("POST", "/rooms", key=KEY, json={"id": "standup", "name": "Stand-up", "user": {"name": "Bob"}})
    async with team_server(tmp_path, clock) as team:
        assert await team.status("GET", f"/rooms/{ada['access_key']}") == 410
        assert await team.status("POST", f"/guests/{ada['room']['guest_token']}", json={"name": "G"}) == 410
        assert await team.ask("GET", "/rooms", key=KEY) == (200, [])
        assert len((await team.ask("GET", "/rooms/standup/users", key=KEY))[1]) == 2
        assert (await team.enter("standup"))["room"]["name"] == "Stand-up"


async def test_an_access_key_is_forgotten_after_the_retention(tmp_path: Path, clock: MovableClock):
    from signaling.appkeys import ROOMS

    async with team_server(tmp_path, clock, recordings={"retention_days": 2}) as team:
        ada = await team.enter()
        await team.end()
        rooms = team.client.app[ROOMS]
        for days, status in ((1.9, 410), (0.2, 404)):
            clock.advance(days * DAY)
            await rooms.sweep()
            assert await team.status("GET", f"/rooms/{ada['access_key']}") == status
        assert await team.status("POST", f"/guests/{ada['room']['guest_token']}", json={"name": "G"}) == 410
