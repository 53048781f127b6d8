"""The realtime API as application servers rely on it: each line of its contract once, bodies as written there."""

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from signaling.services.realtime_rooms import RealtimeRooms
from tests.support.api_server import KEY, OTHER_KEY, ROOMS, Api, api_server, settings_for
from tests.support.clock import MovableClock

DAY = 86400
NOBODYS = "RO-1c0d5e7a-93b4-4f0e-8a61-5be2f7d3c902"
LONG = "x" * 300


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_500.123)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with api_server(settings_for(tmp_path), clock) as api:
        yield api


def error(status: int, code: str, name: str | None, text: str) -> str:
    return json.dumps({"httpCode": status, "code": code, "id": name, "description": [text]})


def unknown_room(room_id: str) -> str:
    text = f"A conference room with id ::= [{room_id}] does not exist."
    return error(400, "REALTIME-00004", "CONFERENCE_ROOM_DOES_NOT_EXIST", text)


def invalid_token(value: str) -> str:
    return error(400, "REALTIME-00009", "INVALID_TOKEN", f"The token ::= [{value}] is invalid.")


NOT_JSON = error(400, "BASE-00014", None, "The passed JSON body is invalid.")
WRONG_TYPE = error(415, "BASE-00017", None, "Passed media type is not supported.")
UNAUTHORIZED = error(401, "BASE-00001", None, "Authorization missing.")
PAGE_SIZE = error(
    400,
    "BASE-00015",
    "NUMBER_SIZE",
    "The parameter with name ::= [numberOfRecords] is is not within the range from ::= [1] to [100]",
)


INTERNAL = error(500, "BASE-00500", None, "Internal server error.")


def too_long(name: str, limit: int) -> str:
    text = f"The parameter with name ::= [{name}] is larger than ::= [{limit}] characters"
    return error(400, "BASE-00013", "STRING_SIZE", text)


UPGRADE_COUNT = error(
    400,
    "BASE-00015",
    "NUMBER_SIZE",
    "The parameter with name ::= [autoUpgradeParticipantCount] is is not within the range from ::= [2] to [1000]",
)


def wrong(name: str) -> str:
    return error(400, "BASE-00016", "INVALID_VALUE", f"The parameter with name ::= [{name}] has an invalid value.")


async def answered(api: Api, expected: str, method: str, path: str, **rest: Any) -> None:
    """Asserts that the answer is exactly `expected`, its status included."""
    response = await api.send(method, path, **rest)
    assert await response.text() == expected
    assert response.status == json.loads(expected)["httpCode"]
    assert response.content_type == "application/json"


# the key

ENDPOINTS = [
    ("POST", ROOMS),
    ("GET", ROOMS),
    ("DELETE", f"{ROOMS}?id={NOBODYS}"),
    ("GET", f"{ROOMS}/{NOBODYS}"),
    ("POST", f"{ROOMS}/{NOBODYS}/upgrade"),
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("key", [pytest.param(None, id="missing"), pytest.param("", id="empty")])
async def test_without_a_key_nothing_is_answered(api: Api, method: str, path: str, key: str | None):
    await answered(api, UNAUTHORIZED, method, path, key=key)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_an_unknown_key_is_named(api: Api, method: str, path: str):
    await answered(api, invalid_token("nobody's"), method, path, key="nobody's")


async def test_an_unknown_key_is_echoed_up_to_256_characters(api: Api):
    await answered(api, invalid_token("x" * 256), "GET", ROOMS, key=LONG)


@pytest.mark.parametrize(
    ("method", "path", "rest"),
    [
        pytest.param("POST", ROOMS, {"data": b"no json", "headers": {"Content-Type": "text/plain"}}, id="body"),
        pytest.param("GET", f"{ROOMS}?numberOfRecords=0", {}, id="parameter"),
        pytest.param("GET", "/api/realtime/nothing", {}, id="path"),
        pytest.param("PUT", ROOMS, {}, id="method"),
    ],
)
async def test_the_key_is_checked_before_anything_else(api: Api, method: str, path: str, rest: dict[str, Any]):
    await answered(api, UNAUTHORIZED, method, path, key=None, **rest)
    await answered(api, invalid_token("nobody's"), method, path, key="nobody's", **rest)


# creating


async def test_a_room_without_parameters_is_a_mesh_room(api: Api):
    response = await api.send("POST", ROOMS)
    assert response.status == 200
    body = await response.json()
    assert set(body) == {"room"}
    room = body["room"]
    assert re.fullmatch(r"RO-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", room.pop("id"))
    assert re.fullmatch(r"[0-9a-f]{64}", room.pop("token"))
    assert room == {
        "creationTime": 1772440500123,
        "conferenceType": "MESH",
        "modificationTime": 1772440500123,
        "maxParticipants": 4,
        "roomTokenTTLSeconds": DAY,
        "roomTTLSeconds": DAY,
        "endpointTTLSeconds": DAY,
    }


async def test_a_room_keeps_what_it_was_given(api: Api):
    room = await api.create(
        name="Ward 3", description="Morning round", conferenceType="MESH", autoUpgradeParticipantCount=4
    )
    assert list(room)[:7] == [
        "id",
        "name",
        "description",
        "creationTime",
        "conferenceType",
        "autoUpgradeParticipantCount",
        "modificationTime",
    ]
    assert (room["name"], room["description"]) == ("Ward 3", "Morning round")
    assert room["autoUpgradeParticipantCount"] == 4


async def test_an_sfu_room_has_the_sfu_limit(api: Api):
    room = await api.create(conferenceType="SFU", autoUpgradeParticipantCount=4)
    assert room["conferenceType"] == "SFU"
    assert room["maxParticipants"] == 100
    assert room["autoUpgradeParticipantCount"] == 4


async def test_limits_and_lives_come_from_the_configuration(tmp_path: Path, clock: MovableClock):
    realtime = {
        "max_participants": {"MESH": 3},
        "room_token_ttl_seconds": 10,
        "room_ttl_seconds": 20,
        "endpoint_ttl_seconds": 30,
    }
    async with api_server(settings_for(tmp_path, realtime=realtime), clock) as api:
        room = await api.create(maxParticipants=50, roomTTLSeconds=1, roomTokenTTLSeconds=1, endpointTTLSeconds=1)
    assert room["maxParticipants"] == 3
    assert (room["roomTokenTTLSeconds"], room["roomTTLSeconds"], room["endpointTTLSeconds"]) == (10, 20, 30)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        pytest.param("autoUpgradeParticipantCount", "4", 4, id="digits are a number"),
        pytest.param("autoUpgradeParticipantCount", 2, 2, id="lowest count"),
        pytest.param("autoUpgradeParticipantCount", 1000, 1000, id="highest count"),
        pytest.param("name", "x" * 512, "x" * 512, id="longest name"),
        pytest.param("name", "\U0001f600" * 512, "\U0001f600" * 512, id="characters, not code units"),
        pytest.param("name", "", "", id="empty name"),
        pytest.param("e2ee", True, True, id="encrypted end to end"),
        pytest.param("description", "x" * 4096, "x" * 4096, id="longest description"),
    ],
)
async def test_a_parameter_at_its_bounds_is_kept(api: Api, name: str, given: Any, kept: Any):
    assert (await api.create(**{name: given}))[name] == kept


@pytest.mark.parametrize("name", ["name", "description", "autoUpgradeParticipantCount", "conferenceType", "e2ee"])
async def test_null_is_not_given(api: Api, name: str):
    room = await api.create(**{name: None})
    assert room["conferenceType"] == "MESH"
    assert name == "conferenceType" or name not in room


async def test_unknown_parameters_are_ignored(api: Api):
    assert "colour" not in await api.create(colour="red")


async def test_names_need_not_be_unique(api: Api):
    first, second = await api.create(name="Ward 3"), await api.create(name="Ward 3")
    assert first["id"] != second["id"]
    assert first["token"] != second["token"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json"])
async def test_json_may_have_parameters_in_its_type(api: Api, content_type: str):
    response = await api.send("POST", ROOMS, data=b'{"name": "a"}', headers={"Content-Type": content_type})
    assert (await response.json())["room"]["name"] == "a"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json"])
async def test_without_a_body_every_content_type_passes(api: Api, content_type: str):
    response = await api.send("POST", ROOMS, data=b"", headers={"Content-Type": content_type})
    assert response.status == 200


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param(b"{}", "text/plain", WRONG_TYPE, id="text"),
        pytest.param(b"{}", "application/x-www-form-urlencoded", WRONG_TYPE, id="form"),
        pytest.param(b"no json", "text/plain", WRONG_TYPE, id="type before JSON"),
        pytest.param(b"no json", "application/json", NOT_JSON, id="no JSON"),
        pytest.param(b" ", "application/json", NOT_JSON, id="blank"),
        pytest.param(b"[]", "application/json", NOT_JSON, id="a list"),
        pytest.param(b"null", "application/json", NOT_JSON, id="null"),
        pytest.param(b'"name"', "application/json", NOT_JSON, id="a string"),
        pytest.param(b'{"name": NaN}', "application/json", NOT_JSON, id="NaN is not JSON"),
        pytest.param(b'{"name": "\xff"}', "application/json", NOT_JSON, id="not UTF-8"),
        pytest.param(b"[" * 100_000, "application/json", NOT_JSON, id="too deep"),
        pytest.param(b'{"name": "a"', "application/json", NOT_JSON, id="cut off"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(api: Api, body: bytes, content_type: str, expected: str):
    await answered(api, expected, "POST", ROOMS, data=body, headers={"Content-Type": content_type})


async def test_a_body_of_no_type_is_refused(api: Api):
    await answered(api, WRONG_TYPE, "POST", ROOMS, data=b"{}", skip_auto_headers=["Content-Type"])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({"name": "x" * 513}, too_long("name", 512), id="long name"),
        pytest.param({"description": "x" * 4097}, too_long("description", 4096), id="long description"),
        pytest.param({"autoUpgradeParticipantCount": 1}, UPGRADE_COUNT, id="count too low"),
        pytest.param({"autoUpgradeParticipantCount": 1001}, UPGRADE_COUNT, id="count too high"),
        pytest.param({"autoUpgradeParticipantCount": "1001"}, UPGRADE_COUNT, id="digits too high"),
        pytest.param({"autoUpgradeParticipantCount": 2.5}, UPGRADE_COUNT, id="half a participant"),
        pytest.param({"autoUpgradeParticipantCount": "four"}, UPGRADE_COUNT, id="a word"),
        pytest.param({"autoUpgradeParticipantCount": "9" * 5000}, UPGRADE_COUNT, id="endless digits"),
        pytest.param({"autoUpgradeParticipantCount": True}, wrong("autoUpgradeParticipantCount"), id="true"),
        pytest.param({"autoUpgradeParticipantCount": [4]}, wrong("autoUpgradeParticipantCount"), id="list"),
        pytest.param({"e2ee": "true"}, wrong("e2ee"), id="encryption as a word"),
        pytest.param({"e2ee": 1}, wrong("e2ee"), id="encryption as a number"),
        pytest.param({"conferenceType": "P2P"}, wrong("conferenceType"), id="unknown type"),
        pytest.param({"conferenceType": "sfu"}, wrong("conferenceType"), id="lower case"),
        pytest.param({"conferenceType": 1}, wrong("conferenceType"), id="type as a number"),
        pytest.param({"name": 5}, wrong("name"), id="name as a number"),
        pytest.param({"name": "a\0b"}, wrong("name"), id="NUL"),
        pytest.param({"name": "\ud800"}, wrong("name"), id="half a character"),
        pytest.param({"description": {}}, wrong("description"), id="description as an object"),
        pytest.param(
            {"autoUpgradeParticipantCount": 1, "conferenceType": 1, "description": 1, "name": "x" * 513},
            too_long("name", 512),
            id="name first",
        ),
        pytest.param(
            {"autoUpgradeParticipantCount": 1, "conferenceType": 1, "description": 1},
            wrong("description"),
            id="then description",
        ),
        pytest.param(
            {"autoUpgradeParticipantCount": 1, "conferenceType": "P2P"}, wrong("conferenceType"), id="then type"
        ),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(api: Api, parameters: dict[str, Any], expected: str):
    await answered(api, expected, "POST", ROOMS, json=parameters)


# fetching


async def test_a_fetched_room_is_not_wrapped(api: Api):
    room = await api.create(name="Ward 3")
    assert await api.ask("GET", f"{ROOMS}/{room['id']}") == (200, room)


@pytest.mark.parametrize("room_id", [NOBODYS, "x", NOBODYS.lower(), "\N{SNOWMAN}", "%00", "%ff"])
@pytest.mark.parametrize(("method", "path"), [("GET", "{}"), ("POST", "{}/upgrade")])
async def test_an_unknown_room_is_named(api: Api, method: str, path: str, room_id: str):
    response = await api.send(method, f"{ROOMS}/{path.format(room_id)}")
    assert response.status == 400
    assert (await response.json())["code"] == "REALTIME-00004"


async def test_an_unknown_rooms_id_is_echoed_up_to_256_characters(api: Api):
    await answered(api, unknown_room(NOBODYS), "GET", f"{ROOMS}/{NOBODYS}")
    await answered(api, unknown_room(LONG[:256]), "GET", f"{ROOMS}/{LONG}")


async def test_an_expired_token_is_replaced_by_any_read(tmp_path: Path, clock: MovableClock):
    settings = settings_for(tmp_path, realtime={"room_token_ttl_seconds": 60})
    async with api_server(settings, clock) as api:
        room = await api.create()
        path = f"{ROOMS}/{room['id']}"
        clock.advance(59)
        assert (await api.ask("GET", path))[1]["token"] == room["token"]
        clock.advance(1)
        fetched = (await api.ask("GET", path))[1]
        assert fetched["token"] != room["token"]
        assert {**fetched, "token": ""} == {**room, "token": ""}
        clock.advance(60)
        listed = (await api.ask("GET", ROOMS))[1]["data"][0]
        assert listed["token"] not in (room["token"], fetched["token"])
        assert (await api.ask("GET", path))[1] == listed


async def test_a_room_whose_life_is_over_is_unknown(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path, realtime={"room_ttl_seconds": 60}), clock) as api:
        room = await api.create()
        clock.advance(60)
        await answered(api, unknown_room(room["id"]), "GET", f"{ROOMS}/{room['id']}")
        await answered(api, unknown_room(room["id"]), "DELETE", f"{ROOMS}?id={room['id']}")
        assert (await api.ask("GET", ROOMS)) == (200, {"data": [], "token": None})


# listing


async def make(api: Api, clock: MovableClock, count: int, **parameters: Any) -> list[dict[str, Any]]:
    """Rooms a millisecond apart, oldest first."""
    rooms = []
    for _ in range(count):
        rooms.append(await api.create(**parameters))
        clock.advance(0.002)
    return rooms


async def page(api: Api, **query: Any) -> tuple[list[dict[str, Any]], str | None]:
    status, body = await api.ask("GET", ROOMS, params=query)
    assert status == 200, body
    assert set(body) == {"data", "token"}
    return body["data"], body["token"]


async def test_without_rooms_the_list_is_empty(api: Api):
    assert await page(api) == ([], None)


async def test_25_rooms_are_a_page(api: Api, clock: MovableClock):
    rooms = await make(api, clock, 26)
    first, token = await page(api)
    assert first == rooms[:25]
    assert token is not None
    assert await page(api, token=token) == (rooms[25:], None)


async def test_a_full_last_page_is_the_last(api: Api, clock: MovableClock):
    rooms = await make(api, clock, 2)
    assert await page(api, numberOfRecords=2) == (rooms, None)


async def test_rooms_of_the_same_millisecond_are_ordered_by_id(api: Api):
    rooms = sorted([await api.create() for _ in range(5)], key=lambda room: room["id"])
    first, token = await page(api, numberOfRecords=3)
    assert first == rooms[:3]
    assert (await page(api, token=token))[0] == rooms[3:]


async def test_a_paging_token_is_short_url_safe_and_lasting(api: Api, clock: MovableClock):
    rooms = await make(api, clock, 4)
    _, token = await page(api, numberOfRecords=1)
    assert token is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", token)
    assert (await page(api, token=token, numberOfRecords=1))[0] == [rooms[1]]
    assert (await page(api, token=token, numberOfRecords=2))[0] == rooms[1:3]


async def test_changes_between_pages_neither_repeat_nor_hide_rooms(api: Api, clock: MovableClock):
    rooms = await make(api, clock, 4)
    _, token = await page(api, numberOfRecords=2)
    for gone in (rooms[0], rooms[1], rooms[2]):
        await api.send("DELETE", ROOMS, params={"id": gone["id"]})
    new = await make(api, clock, 1)
    assert await page(api, token=token) == ([rooms[3], *new], None)


async def test_an_empty_paging_token_is_the_first_page(api: Api, clock: MovableClock):
    rooms = await make(api, clock, 1)
    assert await page(api, token="") == (rooms, None)


@pytest.mark.parametrize(
    "value", ["0", "101", "-1", "ten", "2.5", "+5", " 5", "0x10", "9" * 400, "\N{ARABIC-INDIC DIGIT FIVE}"]
)
async def test_a_page_has_1_to_100_rooms(api: Api, value: str):
    await answered(api, PAGE_SIZE, "GET", ROOMS, params={"numberOfRecords": value})


@pytest.mark.parametrize("value", ["1", "100"])
async def test_the_page_sizes_at_the_bounds_are_fine(api: Api, value: str):
    assert (await api.ask("GET", ROOMS, params={"numberOfRecords": value}))[0] == 200


@pytest.mark.parametrize("value", ["x", "\N{SNOWMAN}", "A" * 54, "A" * 55, LONG])
async def test_a_paging_token_of_others_is_refused(api: Api, value: str):
    await answered(api, invalid_token(value[:256]), "GET", ROOMS, params={"token": value})


async def test_an_altered_paging_token_is_refused(api: Api, clock: MovableClock):
    await make(api, clock, 2)
    _, token = await page(api, numberOfRecords=1)
    assert token is not None
    for place in range(len(token)):
        altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        await answered(api, invalid_token(altered), "GET", ROOMS, params={"token": altered})


async def test_a_paging_token_serves_only_the_key_it_was_given_to(api: Api, clock: MovableClock):
    await make(api, clock, 2)
    _, token = await page(api, numberOfRecords=1)
    assert token is not None
    await answered(api, invalid_token(token), "GET", ROOMS, params={"token": token}, key=OTHER_KEY)


async def test_a_paging_token_survives_a_restart(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path), clock) as api:
        rooms = await make(api, clock, 2)
        _, token = await page(api, numberOfRecords=1)
    async with api_server(settings_for(tmp_path), clock) as api:
        assert await page(api, token=token) == (rooms[1:], None)


async def test_rooms_survive_a_restart(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path), clock) as api:
        room = await api.create(name="Ward 3")
    async with api_server(settings_for(tmp_path), clock) as api:
        assert await api.ask("GET", f"{ROOMS}/{room['id']}") == (200, room)


# whose room it is


async def test_another_keys_room_is_unknown(api: Api):
    room = await api.create()
    path = f"{ROOMS}/{room['id']}"
    await answered(api, unknown_room(room["id"]), "GET", path, key=OTHER_KEY)
    await answered(api, unknown_room(room["id"]), "POST", f"{path}/upgrade", key=OTHER_KEY)
    await answered(api, unknown_room(room["id"]), "DELETE", f"{ROOMS}?id={room['id']}", key=OTHER_KEY)
    assert await api.ask("GET", ROOMS, key=OTHER_KEY) == (200, {"data": [], "token": None})
    assert await api.ask("GET", path) == (200, room)


# deleting


async def test_deleting_answers_with_the_room_as_it_was(api: Api):
    room = await api.create(name="Ward 3")
    assert await api.ask("DELETE", ROOMS, params={"id": room["id"]}) == (200, {"room": room})
    await answered(api, unknown_room(room["id"]), "GET", f"{ROOMS}/{room['id']}")
    await answered(api, unknown_room(room["id"]), "DELETE", f"{ROOMS}?id={room['id']}")
    assert await page(api) == ([], None)


@pytest.mark.parametrize("query", ["", "?id=", "?room=RO-1"])
async def test_deleting_needs_an_id(api: Api, query: str):
    expected = error(400, "BASE-00012", "PARAMETER_MISSING", "The parameter with name ::= [id] is missing.")
    await answered(api, expected, "DELETE", ROOMS + query)


# upgrading


async def test_an_upgrade_makes_a_mesh_room_an_sfu_room(api: Api, clock: MovableClock):
    room = await api.create(autoUpgradeParticipantCount=4)
    clock.advance(5)
    upgraded = {**room, "conferenceType": "SFU", "maxParticipants": 100, "modificationTime": 1772440505123}
    assert await api.ask("POST", f"{ROOMS}/{room['id']}/upgrade") == (200, {"room": upgraded})
    assert await api.ask("GET", f"{ROOMS}/{room['id']}") == (200, upgraded)


async def test_upgrading_an_sfu_room_changes_nothing(api: Api, clock: MovableClock):
    room = await api.create(conferenceType="SFU")
    clock.advance(5)
    assert await api.ask("POST", f"{ROOMS}/{room['id']}/upgrade") == (200, {"room": room})


# everything else


async def test_an_unknown_path_is_not_found(api: Api):
    expected = error(404, "BASE-00404", None, "Resource not found.")
    await answered(api, expected, "GET", "/api/realtime/nothing")
    await answered(api, expected, "GET", "/api/realtime")
    await answered(api, expected, "GET", f"{ROOMS}/a/b/c")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [(ROOMS, "DELETE, GET, HEAD, POST"), (f"{ROOMS}/{NOBODYS}", "GET, HEAD"), (f"{ROOMS}/{NOBODYS}/upgrade", "POST")],
)
async def test_a_wrong_method_is_told_the_right_ones(api: Api, path: str, allowed: str):
    response = await api.send("PATCH", path)
    assert response.status == 405
    assert await response.text() == error(405, "BASE-00405", None, "Method not allowed.")
    assert response.headers["Allow"] == allowed


async def test_a_body_over_one_mebibyte_is_refused(api: Api):
    fits = b'{"other": "' + b"x" * ((1 << 20) - 13) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert (await api.send("POST", ROOMS, data=fits, headers=headers)).status == 200
    await answered(
        api,
        error(413, "BASE-00413", None, "Passed body is too large."),
        "POST",
        ROOMS,
        data=fits + b" ",
        headers=headers,
    )


async def test_without_a_configured_key_every_key_is_unknown(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path, realtime_keys=[]), clock) as api:
        await answered(api, invalid_token(KEY), "GET", ROOMS)
        await answered(api, UNAUTHORIZED, "GET", ROOMS, key=None)


def spoil(data_dir: Path) -> None:
    """Makes every use of the rooms fail, from outside: SQLite maps its files, they cannot be overwritten."""
    with closing(sqlite3.connect(data_dir / "folkmoot.db")) as database:
        database.execute("DROP TABLE realtime_rooms")


async def test_an_internal_failure_tells_nothing(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path), clock) as api:
        spoil(tmp_path)
        await answered(api, INTERNAL, "POST", ROOMS)


@pytest.mark.parametrize("failure", [ConnectionRefusedError, TimeoutError, KeyError, RuntimeError])
async def test_a_store_that_is_gone_is_an_internal_failure(
    api: Api, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
):
    async def fails(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(RealtimeRooms, "create", fails)
    await answered(api, INTERNAL, "POST", ROOMS)
    monkeypatch.undo()
    assert (await api.send("POST", ROOMS)).status == 200
