"""Webhooks as teams rely on them. Rooms contract, section 15; common rules, outgoing webhooks."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from mediaserver import Clock, MediaConfig, MediaEvent
from tests.support.api_server import Api, IdleMedia, api_server, settings_for
from tests.support.clock import MovableClock
from tests.support.fake_media import FakeMediaServer
from tests.support.hooks import Hook, hook

FIRST, SECOND, OTHER = "a key of team A", "another key of team A", "a key of team B"
TEAMS = [{"key": FIRST, "team": "A"}, {"key": SECOND, "team": "A"}, {"key": OTHER, "team": "B"}]
TYPES = "room_update,recording_update"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
NOBODYS = "0123456789abcdef01234567"
A_DELIVERY = "00000000-0000-4000-8000-000000000000"
ENDPOINTS = [
    ("POST", "/webhooks"),
    ("GET", "/webhooks"),
    ("DELETE", f"/webhooks/{NOBODYS}"),
    ("POST", f"/webhooks/{NOBODYS}/replay"),
    ("GET", f"/webhooks/{NOBODYS}/deliveries"),
    ("POST", f"/webhooks/{NOBODYS}/deliveries/{A_DELIVERY}/replay"),
]


class Media(IdleMedia):
    """Has conferences in which nobody is."""

    def __init__(self, config: MediaConfig, clock: Clock, on_event: Callable[[MediaEvent], None]) -> None:
        super().__init__(config, clock, on_event)
        self.open = FakeMediaServer(on_event).open


@pytest.fixture
def options() -> dict[str, Any]:
    return {}


@pytest.fixture
async def api(tmp_path: Path, options: dict[str, Any]) -> AsyncIterator[Api]:
    settings = {
        "api_keys": TEAMS,
        "fetch": {"allow_private_addresses": True},
        "webhooks": {"backoff_seconds": [0, 0, 1000]},
    }
    clock = MovableClock(now=0.0, wall_offset=1_772_440_500.123)
    async with api_server(settings_for(tmp_path, **{**settings, **options}), clock, media=Media) as api:
        yield api


@pytest.fixture
async def receiver() -> AsyncIterator[Hook]:
    async with hook() as receiver:
        yield receiver


async def ask(api: Api, method: str, path: str, key: str | None = FIRST, **rest: Any) -> tuple[int, Any]:
    headers = {} if key is None else {"Authorization": key}
    async with api.client.request(method, path, headers=headers, **rest) as response:
        return response.status, await response.json() if response.status != 204 else await response.read()


async def register(api: Api, key: str = FIRST, url: str = "https://example.org/hook", types: Any = TYPES) -> Any:
    status, made = await ask(api, "POST", "/webhooks", key, json={"url": url, "types": types})
    assert status == 201, made
    return made


async def start(api: Api, room: str, key: str = FIRST) -> dict[str, Any]:
    status, meeting = await ask(api, "POST", "/rooms", key, json={"id": room, "user": {"name": "Ada"}})
    assert status == 201, meeting
    return meeting


# registering


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("key", [None, "", "unknown", "Bearer unknown"])
async def test_without_a_teams_key_it_is_403(api: Api, method: str, path: str, key: str | None):
    assert await ask(api, method, path, key) == (403, {"error": "Forbidden"})


async def test_a_webhook_is_registered_and_read(api: Api):
    made = await register(api)
    assert re.fullmatch("[0-9a-f]{24}", made["id"])
    assert made == {
        "id": made["id"],
        "url": "https://example.org/hook",
        "types": ["room_update", "recording_update"],
        "last_request_sent_at": None,
        "last_response_code": None,
    }
    assert list(made) == ["id", "url", "types", "last_request_sent_at", "last_response_code"]
    assert await ask(api, "GET", "/webhooks") == (200, made)
    assert await ask(api, "GET", "/webhooks", f"Bearer {FIRST}") == (200, made)


def _parts() -> FormData:
    form = FormData({"url": "https://example.org/hook", "types": TYPES})
    form.add_field("ignored", "x", filename="a.txt")
    return form


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: {"data": {"url": "https://example.org/hook", "types": TYPES}}, id="form"),
        pytest.param(
            lambda: {
                "data": [("url", "https://example.org/hook"), *(("types[]", each) for each in TYPES.split(","))],
            },
            id="form with a list",
        ),
        pytest.param(lambda: {"data": _parts()}, id="parts"),
        pytest.param(lambda: {"json": {"url": "https://example.org/hook", "types": TYPES.split(",")}}, id="JSON list"),
        pytest.param(lambda: {"json": {"url": "https://example.org/hook", "types": " room_update, recording_update,"}}),
    ],
)
async def test_types_are_a_list_or_have_commas_between_them(api: Api, body: Callable[[], dict[str, Any]]):
    status, made = await ask(api, "POST", "/webhooks", **body())
    assert (status, made["types"]) == (201, ["room_update", "recording_update"])


async def test_every_type_of_the_contract_is_accepted(api: Api):
    things = ("room", "recording", "participant", "snapshot", "broadcast", "presentation", "document", "user", "team")
    types = [f"{thing}_update" for thing in things]
    assert (await register(api, types=types))["types"] == types


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "https://example.org/"},
        {"types": "room_update"},
        {"url": "https://example.org/", "types": ""},
        {"url": "https://example.org/", "types": ","},
        {"url": "https://example.org/", "types": []},
        {"url": "https://example.org/", "types": "room"},
        {"url": "https://example.org/", "types": "room_update,call_started"},
        {"url": "https://example.org/", "types": "room_update;recording_update"},
        {"url": "https://example.org/", "types": [1]},
        {"url": "https://example.org/", "types": {"a": "room_update"}},
        {"url": "ftp://example.org/", "types": "room_update"},
        {"url": "example.org", "types": "room_update"},
        {"url": "", "types": "room_update"},
        {"url": "https://user:word@example.org/", "types": "room_update"},
        {"url": "https://example.org/" + "x" * 2048, "types": "room_update"},
        {"url": ["https://example.org/"], "types": "room_update"},
    ],
)
async def test_what_cannot_be_used_is_400(api: Api, body: dict[str, Any]):
    status, problem = await ask(api, "POST", "/webhooks", json=body)
    assert (status, list(problem)) == (400, ["error"])
    assert await ask(api, "GET", "/webhooks") == (200, None)


@pytest.mark.parametrize("options", [{"fetch": {}}])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0x7f000001"])
async def test_a_private_address_is_400_unless_allowed(api: Api, host: str):
    status, _ = await ask(api, "POST", "/webhooks", json={"url": f"http://{host}/", "types": TYPES})
    assert status == 400


async def test_without_a_webhook_there_is_null(api: Api):
    assert await ask(api, "GET", "/webhooks") == (200, None)


async def test_registering_again_replaces_it(api: Api):
    old = await register(api)
    new = await register(api, url="https://example.org/other", types="team_update")
    assert await ask(api, "GET", "/webhooks") == (200, new)
    assert (await ask(api, "DELETE", f"/webhooks/{old['id']}"))[0] == 404


async def test_each_key_has_its_own(api: Api):
    first, second = await register(api), await register(api, SECOND)
    assert await ask(api, "GET", "/webhooks", FIRST) == (200, first)
    assert await ask(api, "GET", "/webhooks", SECOND) == (200, second)
    assert await ask(api, "GET", "/webhooks", OTHER) == (200, None)
    for key in (SECOND, OTHER):
        assert (await ask(api, "DELETE", f"/webhooks/{first['id']}", key))[0] == 404
        assert (await ask(api, "GET", f"/webhooks/{first['id']}/deliveries", key))[0] == 404


async def test_a_deleted_one_is_gone(api: Api):
    made = await register(api)
    assert await ask(api, "DELETE", f"/webhooks/{made['id']}") == (204, b"")
    assert await ask(api, "GET", "/webhooks") == (200, None)
    assert (await ask(api, "DELETE", f"/webhooks/{made['id']}"))[0] == 404


@pytest.mark.parametrize("path", ["%00", "a%2Fb", "%ED%A0%80", "x" * 300])
async def test_an_id_that_is_none_is_404(api: Api, path: str):
    await register(api)
    assert (await ask(api, "DELETE", f"/webhooks/{path}"))[0] == 404


# being told


async def test_a_team_is_told_with_a_valid_signature(api: Api, receiver: Hook):
    await register(api, url=receiver.url)
    await start(api, "ward-3")
    await receiver.until(lambda: receiver.accepted)
    got, told = receiver.accepted[0], receiver.accepted[0].json()
    assert list(told) == ["timestamp", "type", "room"]
    assert (told["timestamp"], told["type"], told["room"]["id"]) == (1_772_440_500, "room_update", "ward-3")
    assert got.signed_with(FIRST)
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["X-Webhook-Timestamp"] == "1772440500"
    assert re.fullmatch(r"[0-9a-f-]{36}", got.id)


async def test_all_keys_of_a_team_are_told_and_no_others(api: Api, receiver: Hook):
    async with hook() as second, hook() as other:
        for key, each in ((FIRST, receiver), (SECOND, second), (OTHER, other)):
            await register(api, key, each.url)
        await start(api, "ward-3")
        for key, each in ((FIRST, receiver), (SECOND, second)):
            await each.until(lambda each=each: each.accepted)
            assert each.accepted[0].signed_with(key)
        await start(api, "theirs", OTHER)
        await other.until(lambda: other.accepted)
        assert {got.json()["room"]["id"] for got in other.accepted} == {"theirs"}


async def test_the_object_tells_of_the_last_request(api: Api, receiver: Hook):
    receiver.answer = lambda got: 201
    await register(api, url=receiver.url)
    await start(api, "ward-3")
    _, log = await told_log(api, receiver, "done")
    _, read = await ask(api, "GET", "/webhooks")
    assert read["last_response_code"] == "201"
    assert re.fullmatch(ISO, read["last_request_sent_at"])
    assert log[0]["last_response_code"] == "201"


@pytest.mark.parametrize("code", [301, 302, 307, 308, 400, 404, 500, 503])
async def test_only_2xx_is_success_and_redirects_are_not_followed(api: Api, receiver: Hook, code: int):
    codes = iter([code])
    receiver.answer = lambda got: next(codes, 204)
    await register(api, url=receiver.url)
    await start(api, "ward-3")
    await receiver.until(lambda: receiver.accepted)
    first, again = receiver.got[:2]
    assert (again.id, again.body) == (first.id, first.body)


async def told_log(api: Api, receiver: Hook, state: str) -> tuple[Any, Any]:
    """The webhook and its log, once something in it is in that state."""
    await receiver.until(lambda: receiver.got)
    _, webhook = await ask(api, "GET", "/webhooks")
    for _ in range(1000):  # the receiver hears of it before the log does
        status, log = await ask(api, "GET", f"/webhooks/{webhook['id']}/deliveries?state={state}")
        assert status == 200
        if log:
            return webhook, log
    raise AssertionError(f"nothing is {state}")


# the log


@pytest.mark.parametrize("options", [{"webhooks": {"retry_for_seconds": 0}}])
async def test_what_was_given_up_is_in_the_log_and_can_be_told_again(api: Api, receiver: Hook):
    receiver.answer = lambda got: 500
    await register(api, url=receiver.url, types="room_update")
    await start(api, "ward-3")
    webhook, log = await told_log(api, receiver, "failed")
    failed = log[-1]
    assert failed == {
        "id": receiver.got[0].id,
        "type": "room_update",
        "state": "failed",
        "created_at": "2026-03-02T08:35:00.123Z",
        "attempts": 1,
        "next_attempt_at": None,
        "last_request_sent_at": "2026-03-02T08:35:00.123Z",
        "last_response_code": "500",
        "error": None,
    }
    receiver.answer = lambda got: 200
    path = f"/webhooks/{webhook['id']}/deliveries/{failed['id']}/replay"
    status, again = await ask(api, "POST", path)
    assert (status, again["id"], again["state"], again["attempts"]) == (200, failed["id"], "pending", 0)
    await receiver.until(lambda: any(got.id == failed["id"] for got in receiver.accepted))
    _, done = await told_log(api, receiver, "done")
    assert failed["id"] in [each["id"] for each in done]
    assert (await ask(api, "POST", path))[0] == 409


@pytest.mark.parametrize("options", [{"webhooks": {"retry_for_seconds": 0}}])
async def test_all_that_was_given_up_can_be_told_again(api: Api, receiver: Hook):
    receiver.answer = lambda got: 500
    await register(api, url=receiver.url, types="room_update")
    await start(api, "ward-3")
    webhook, _ = await told_log(api, receiver, "failed")
    receiver.answer = lambda got: 200
    status, told = await ask(api, "POST", f"/webhooks/{webhook['id']}/replay")
    assert (status, list(told)) == (200, ["replayed"])
    assert told["replayed"] >= 1
    await receiver.until(lambda: len(receiver.accepted) >= told["replayed"])
    assert await ask(api, "POST", f"/webhooks/{webhook['id']}/replay") == (200, {"replayed": 0})


@pytest.mark.parametrize("delivery", [A_DELIVERY, "unknown", "%00"])
async def test_what_is_not_in_the_log_cannot_be_told_again(api: Api, delivery: str):
    webhook = await register(api)
    assert (await ask(api, "POST", f"/webhooks/{webhook['id']}/deliveries/{delivery}/replay"))[0] == 404


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=-1", "page=100000000000000000000", "state=unknown"])
async def test_a_page_that_is_none_is_400(api: Api, query: str):
    webhook = await register(api)
    assert (await ask(api, "GET", f"/webhooks/{webhook['id']}/deliveries?{query}"))[0] == 400


async def test_an_empty_log_is_an_empty_list(api: Api):
    webhook = await register(api)
    assert await ask(api, "GET", f"/webhooks/{webhook['id']}/deliveries") == (200, [])
    assert await ask(api, "GET", f"/webhooks/{webhook['id']}/deliveries?page=2") == (200, [])


# operating


async def test_failures_are_counted(api: Api, receiver: Hook):
    codes = iter([500, 404])
    receiver.answer = lambda got: next(codes, 200)
    await register(api, url=receiver.url)
    await start(api, "ward-3")
    await told_log(api, receiver, "done")
    async with api.client.get("/metrics") as response:
        text = await response.text()
    values = {name: float(value) for name, value in re.findall(r"^folkmoot_webhook_(\w+)_total (\S+)$", text, re.M)}
    assert values["failures"] == 2
    assert values["given_up"] == 0
    assert values["deliveries"] >= 1
