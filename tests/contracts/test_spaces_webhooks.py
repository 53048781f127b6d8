"""The webhook of a space, from the endpoints of its owner to what a real receiver gets. Spaces contract, section 8."""

import hmac
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mediaserver import SystemClock
from tests.support.api_server import Api, api_server, settings_for
from tests.support.hooks import Got, Hook, hook
from tests.support.spaces import CLIENT, Person, Visit, ask, client_token, person, slug
from tests.support.team import Media

URL = "https://example.org/hook"
ENDPOINTS = [
    ("POST", "/webhook", {"url": URL}),
    ("GET", "/webhook", {}),
    ("PUT", "/webhook", {"url": URL, "isActive": True}),
    ("PUT", "/webhook/refresh-secret", {}),
    ("DELETE", "/webhook", {}),
]


@pytest.fixture
def fetch() -> dict[str, Any]:
    return {"allow_private_addresses": True}


@pytest.fixture
async def api(tmp_path: Path, fetch: dict[str, Any]) -> AsyncIterator[Api]:
    settings = settings_for(
        tmp_path,
        spaces={"clients": [CLIENT]},
        fetch=fetch,
        webhooks={"backoff_seconds": [0, 0, 1000]},
        departure_timeout_seconds=0.05,
    )
    async with api_server(settings, SystemClock(), media=Media) as api:
        yield api


@pytest.fixture
async def receiver() -> AsyncIterator[Hook]:
    async with hook() as receiver:
        yield receiver


def opened(got: Got, secret: str) -> dict[str, Any]:
    """The event, whose signature is that of its compact text, as a receiver checks it."""
    said = got.json()
    assert list(said) == ["signature", "body"]
    text = json.dumps(said["body"], separators=(",", ":"), ensure_ascii=False).encode()
    assert got.body == b'{"signature":"%s","body":%s}' % (said["signature"].encode(), text)
    assert said["signature"] == hmac.new(secret.encode(), text, "sha256").hexdigest()
    return said["body"]


async def test_it_is_made_read_changed_and_deleted(api: Api):
    ada = await person(api, "ada")
    path = f"/spaces/{await ada.space()}/webhook"
    assert slug(await ada.ask("GET", path)) == (404, "not_found")
    status, made = await ada.ask("POST", path, url=URL)
    assert (status, made | {"secret": ""}) == (201, {"url": URL, "secret": "", "isActive": True})
    assert re.fullmatch("[0-9a-f]{32}", made["secret"])
    assert await ada.ask("GET", path) == (200, {"url": URL, "isActive": True})
    off = {"url": f"{URL}/2", "isActive": False}
    assert await ada.ask("PUT", path, **off) == (200, off)
    assert await ada.ask("GET", path) == (200, off)
    status, fresh = await ada.ask("PUT", f"{path}/refresh-secret")
    assert (status, fresh | {"secret": ""}) == (200, {**off, "secret": ""})
    assert (len(fresh["secret"]), fresh["secret"] == made["secret"]) == (32, False)
    assert await ada.ask("DELETE", path) == (204, None)
    for method, rest, body in ENDPOINTS[1:]:
        assert slug(await ada.ask(method, path.removesuffix("/webhook") + rest, **body)) == (404, "not_found")


async def test_another_replaces_it(api: Api):
    ada = await person(api, "ada")
    path = f"/spaces/{await ada.space()}/webhook"
    first = await ada.made(path, url=URL)
    second = await ada.made(path, url=f"{URL}/2")
    assert second["secret"] != first["secret"]
    assert await ada.ask("GET", path) == (200, {"url": f"{URL}/2", "isActive": True})


@pytest.mark.parametrize(("method", "path", "body"), ENDPOINTS)
@pytest.mark.parametrize("public", [True, False])
async def test_it_is_the_owners_alone(api: Api, method: str, path: str, body: dict[str, Any], public: bool):
    ada, mod, bob = [await person(api, name) for name in ("ada", "mod", "bob")]
    space = await ada.space(isPublic=public)
    await ada.made(f"/spaces/{space}/webhook", url=URL)
    await ada.made(f"/spaces/{space}/roles", targetUserId=mod.id, role="role_space_moderator")
    assert slug(await mod.ask(method, f"/spaces/{space}{path}", **body)) == (403, "forbidden")
    stranger = (403, "forbidden") if public else (404, "not_found")
    assert slug(await bob.ask(method, f"/spaces/{space}{path}", **body)) == stranger
    token = await client_token(api)
    of_client = await ask(api, method, f"/v1/spaces/{space}{path}", token, json=body)
    assert slug(of_client) == (403, "forbidden")
    assert slug(await ask(api, method, f"/v1/spaces/{space}{path}", json=body)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": None}, "url"),
        ({"url": 7}, "url"),
        ({"url": "ftp://example.org/"}, "url"),
        ({"url": "example.org"}, "url"),
        ({"url": "https://example.org/" + "x" * 2048}, "url"),
    ],
)
async def test_a_url_that_cannot_be_is_refused(api: Api, body: dict[str, Any], field: str):
    ada = await person(api, "ada")
    path = f"/spaces/{await ada.space()}/webhook"
    answer = await ask(api, "POST", f"/v1{path}", ada.token, json=body)
    assert slug(answer) == (400, "invalid_request")
    assert answer[1]["error_description"].startswith(f"{field} ")
    await ada.made(path, url=URL)
    assert slug(await ask(api, "PUT", f"/v1{path}", ada.token, json=body)) == (400, "invalid_request")


@pytest.mark.parametrize("body", [{"url": URL}, {"isActive": True}, {"url": URL, "isActive": "yes"}])
async def test_a_change_says_where_and_whether(api: Api, body: dict[str, Any]):
    ada = await person(api, "ada")
    path = f"/spaces/{await ada.space()}/webhook"
    await ada.made(path, url=URL)
    assert slug(await ada.ask("PUT", path, **body)) == (400, "invalid_request")


@pytest.mark.parametrize("fetch", [{}])
async def test_a_private_address_is_refused(api: Api):
    ada = await person(api, "ada")
    answer = await ada.ask("POST", f"/spaces/{await ada.space()}/webhook", url="http://127.0.0.1:1/")
    assert slug(answer) == (400, "invalid_request")
    assert answer[1]["error_description"].startswith("url ")


async def call(api: Api, who: Person, alias: str) -> None:
    """Somebody comes and goes."""
    async with Visit(api, alias, who.token) as visit:
        await visit.join()
        await visit.socket.send_json({"type": "leave"})
        await visit.until("terminated")


async def test_a_receiver_hears_of_calls_in_order_and_can_check_who_says_so(api: Api, receiver: Hook):
    ada = await person(api, "ada")
    space = await ada.space()
    room, silent = await ada.room(space), await ada.room(await ada.space())
    secret = (await ada.made(f"/spaces/{space}/webhook", url=receiver.url))["secret"]
    receiver.answer = lambda got: 200 if len(receiver.got) > 2 else 500
    calls = []
    for _ in range(2):
        async with Visit(api, room["alias"], ada.token) as visit:
            await visit.join()
            calls.append((await ada.ask("GET", f"/spaces/{space}/rooms/{room['id']}"))[1]["activeCallId"])
            async with Visit(api, room["alias"], "") as guest:
                await guest.join()
            assert (await ada.ask("POST", f"/spaces/{space}/rooms/{room['id']}/end"))[0] == 204
    await call(api, ada, silent["alias"])
    await receiver.until(lambda: len(receiver.accepted) == 4)
    said = [opened(got, secret) for got in receiver.accepted]
    assert [list(body) for body in said] == [["eventName", "roomId", "spaceId", "callId"]] * 4
    assert said == [
        {"eventName": event, "roomId": room["id"], "spaceId": space, "callId": call_id}
        for call_id in calls
        for event in ("call_started", "call_finished")
    ]
    assert len({got.id for got in receiver.accepted}) == 4
    assert {got.id for got in receiver.got} == {got.id for got in receiver.accepted}


async def test_a_call_is_over_when_the_last_has_left(api: Api, receiver: Hook):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    secret = (await ada.made(f"/spaces/{space}/webhook", url=receiver.url))["secret"]
    await call(api, ada, room["alias"])
    await receiver.until(lambda: len(receiver.accepted) == 2)
    assert [opened(got, secret)["eventName"] for got in receiver.accepted] == ["call_started", "call_finished"]


async def test_a_fresh_secret_signs_from_then_on(api: Api, receiver: Hook):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    path = f"/spaces/{space}/webhook"
    await ada.made(path, url=receiver.url)
    fresh = (await ada.ask("PUT", f"{path}/refresh-secret"))[1]["secret"]
    await call(api, ada, room["alias"])
    await receiver.until(lambda: len(receiver.accepted) == 2)
    assert opened(receiver.accepted[0], fresh)["eventName"] == "call_started"


async def test_one_that_is_switched_off_hears_nothing_of_that_time(api: Api, receiver: Hook):
    ada = await person(api, "ada")
    space = await ada.space()
    first, second = await ada.room(space), await ada.room(space)
    path = f"/spaces/{space}/webhook"
    secret = (await ada.made(path, url=receiver.url))["secret"]
    await ada.ask("PUT", path, url=receiver.url, isActive=False)
    async with Visit(api, first["alias"], ada.token) as visit:
        await visit.join()
        await ada.ask("POST", f"/spaces/{space}/rooms/{first['id']}/end")
        await ada.ask("GET", f"/spaces/{space}/analytics/calls")  # answered once all of the call is remembered
    await ada.ask("PUT", path, url=receiver.url, isActive=True)
    await call(api, ada, second["alias"])
    await receiver.until(lambda: len(receiver.accepted) == 2)
    assert {opened(got, secret)["roomId"] for got in receiver.accepted} == {second["id"]}


async def test_a_space_that_is_deleted_still_tells_that_its_calls_are_over(api: Api, receiver: Hook):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    secret = (await ada.made(f"/spaces/{space}/webhook", url=receiver.url))["secret"]
    async with Visit(api, room["alias"], ada.token) as visit:
        await visit.join()
        assert (await ada.ask("DELETE", f"/spaces/{space}"))[0] == 204
        await receiver.until(lambda: len(receiver.accepted) == 2)
    assert opened(receiver.accepted[1], secret)["eventName"] == "call_finished"
