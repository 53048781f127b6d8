"""Records of calls in rooms of spaces. Spaces contract, section 9."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from signaling.appkeys import MEDIA
from tests.support.api_server import Api, api_server, settings_for
from tests.support.clock import MovableClock
from tests.support.hooks import Hook, hook
from tests.support.server import until
from tests.support.spaces import CLIENT, Person, Visit, ask, client_token, person, slug
from tests.support.team import Media

START = 1_772_440_500.123  # 2026-03-02T08:35:00.123Z
DAY = 86400
PATIENCE = 20.0


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=START)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    settings = settings_for(
        tmp_path,
        spaces={"clients": [CLIENT]},
        fetch={"allow_private_addresses": True},
        webhooks={"backoff_seconds": [0]},
    )
    async with api_server(settings, clock, media=Media) as api:
        yield api


class Lesson:
    """A room of Ada's, and what is recorded in it."""

    def __init__(self, api: Api, ada: Person, space: str, room: dict[str, Any]) -> None:
        self.api = api
        self.ada = ada
        self.space = space
        self.room = room
        self.path = f"/spaces/{space}/rooms/{room['id']}/records"

    def visit(self, token: str | None = None) -> Visit:
        return Visit(self.api, self.room["alias"], self.ada.token if token is None else token)

    async def start(self) -> dict[str, Any]:
        status, record = await self.ada.ask("POST", f"{self.path}/start")
        assert status == 201, record
        return record

    async def stop(self) -> dict[str, Any]:
        status, record = await self.ada.ask("POST", f"{self.path}/stop")
        assert status == 200, record
        return record

    async def list(self, query: str = "") -> list[dict[str, Any]]:
        status, answer = await self.ada.ask("GET", f"{self.path}{query}")
        assert (status, list(answer)) == (200, ["items", "total"]), answer
        return answer["items"]

    def close(self, n: int = -1, **what: Any) -> None:
        """The media plane has closed the file."""
        media = self.api.client.server.app[MEDIA]
        media.conference(self.room["channelId"]).recordings[n].close(**what)

    async def made(self, content: bytes = b"webm") -> dict[str, Any]:
        """A record that is ready; somebody has to be inside."""
        record = await self.start()
        await self.stop()
        self.close(content=content)
        await self.until(record["id"], "ready")
        return record

    async def until(self, record_id: str, state: str) -> None:
        async def so() -> bool:
            return any((each["id"], each["state"]) == (record_id, state) for each in await self.list())

        await until(so, PATIENCE, f"a record that is {state}")


async def lesson(api: Api, **room: Any) -> Lesson:
    ada = await person(api, "ada")
    space = await ada.space()
    return Lesson(api, ada, space, await ada.room(space, **room))


async def test_a_record_from_its_start_to_its_file(api: Api, clock: MovableClock):
    at = await lesson(api)
    async with at.visit() as visit:
        await visit.join()
        record = await at.start()
        call = (await at.ada.ask("GET", f"/spaces/{at.space}/rooms/{at.room['id']}"))[1]["activeCallId"]
        assert record == {
            "id": record["id"],
            "name": "Class 3b",
            "fileSize": None,
            "roomId": at.room["id"],
            "spaceId": at.space,
            "callId": call,
            "state": "recording",
            "createdAt": "2026-03-02T08:35:00.123Z",
            "startedAt": "2026-03-02T08:35:00.123Z",
            "finishedAt": None,
        }
        assert await at.list() == [record]
        clock.now += 60
        assert await at.stop() == record | {"state": "processing"}
        at.close(content=b"a film")
        await at.until(record["id"], "ready")
    finished = {"state": "ready", "fileSize": 6, "finishedAt": "2026-03-02T08:36:00.123Z"}
    assert await at.list() == [record | finished]


async def test_the_file_is_behind_a_link_that_anybody_may_open_for_a_day(api: Api, clock: MovableClock):
    at = await lesson(api)
    async with at.visit() as visit:
        await visit.join()
        record = await at.made(b"a film")
    headers = {"Authorization": f"Bearer {at.ada.token}"}
    response = await api.send("GET", f"/v1{at.path}/download/{record['id']}", key=None, headers=headers)
    assert (response.status, response.content_type) == (200, "text/plain")
    link = urlsplit(await response.text())
    for later, status in ((DAY - 1, 200), (2, 403)):
        clock.now += later
        file = await api.client.get(f"{link.path}?{link.query}")
        assert file.status == status
        assert status != 200 or (file.content_type, await file.read()) == ("video/webm", b"a film")


async def test_it_cannot_be_had_before_it_is_finished(api: Api):
    at = await lesson(api)
    async with at.visit() as visit:
        await visit.join()
        record = await at.start()
        assert slug(await at.ada.ask("GET", f"{at.path}/download/{record['id']}")) == (409, "conflict")
        await at.stop()
        assert slug(await at.ada.ask("GET", f"{at.path}/download/{record['id']}")) == (409, "conflict")
        at.close(content=None)
        await at.until(record["id"], "failed")
    assert slug(await at.ada.ask("GET", f"{at.path}/download/{record['id']}")) == (409, "conflict")
    assert slug(await at.ada.ask("GET", f"{at.path}/download/unknown")) == (404, "not_found")


async def test_there_is_one_record_of_a_call_at_a_time(api: Api):
    at = await lesson(api)
    assert slug(await at.ada.ask("POST", f"{at.path}/start")) == (409, "conflict")
    async with at.visit() as visit:
        await visit.join()
        assert slug(await at.ada.ask("POST", f"{at.path}/stop")) == (409, "conflict")
        await at.start()
        assert slug(await at.ada.ask("POST", f"{at.path}/start")) == (409, "conflict")
        await at.stop()
        assert slug(await at.ada.ask("POST", f"{at.path}/stop")) == (409, "conflict")
        await at.start()


async def test_the_end_of_the_call_is_the_end_of_its_record(api: Api):
    at = await lesson(api)
    async with at.visit() as visit:
        await visit.join()
        record = await at.start()
        running = api.client.server.app[MEDIA].conference(at.room["channelId"]).recordings[-1]
        await at.ada.ask("POST", at.path.replace("/records", "/end"))
    running.close("conference over")
    await at.until(record["id"], "ready")


async def test_those_inside_are_told(api: Api):
    at = await lesson(api)
    async with at.visit() as visit:
        await visit.join()
        record = await at.start()
        told = (await visit.until("recording_update"))["recording"]
        assert (told["id"], told["duration"], told["links"]["download"]) == (record["id"], None, None)
        await at.stop()
        assert (await visit.until("recording_update"))["recording"]["duration"] == 0


@pytest.mark.parametrize(("who", "name"), [("ada", None), ("", "forbidden")])
async def test_moderators_record_over_their_socket_too(api: Api, who: str, name: str | None):
    at = await lesson(api)
    async with at.visit() as first, at.visit(at.ada.token if who else "") as visit:
        if not who:
            await first.join()
        await visit.join()
        assert (await visit.ask(type="record_start")).get("name") == name
        assert len(await at.list()) == (0 if name else 1)
        assert (await visit.ask(type="record_stop")).get("name") == name


async def test_the_list_is_of_a_time_and_in_parts(api: Api, clock: MovableClock):
    at = await lesson(api)
    ids = []
    async with at.visit() as visit:
        await visit.join()
        for _ in range(3):
            ids.append((await at.start())["id"])
            await at.stop()
            clock.now += DAY
    assert [each["id"] for each in await at.list()] == ids[::-1]
    for query, listed in {
        "?dateFrom=2026-03-03": ids[:0:-1],
        "?dateTo=2026-03-03": ids[1::-1],
        "?dateFrom=2026-03-03&dateTo=2026-03-03": [ids[1]],
        "?dateFrom=2026-03-03T08:35:00Z&dateTo=2026-03-03T08:35:00.123Z": [ids[1]],
        "?dateFrom=2026-03-03T08:35:01Z&dateTo=2026-03-03T23:00:00Z": [],
        "?limit=1": [ids[2]],
        "?offset=1&limit=1": [ids[1]],
        "?offset=3": [],
    }.items():
        assert [each["id"] for each in await at.list(query)] == listed, query
    assert (await at.ada.ask("GET", f"{at.path}?limit=1"))[1]["total"] == 3


@pytest.mark.parametrize("query", ["dateFrom=yesterday", "dateTo=2026-02-30", "offset=-1", "limit=0", "limit=101"])
async def test_what_cannot_be_asked_is_400(api: Api, query: str):
    at = await lesson(api)
    answer = await at.ada.ask("GET", f"{at.path}?{query}")
    assert slug(answer) == (400, "invalid_request")
    assert answer[1]["error_description"].startswith(query.partition("=")[0])


async def test_a_deleted_one_is_gone_with_its_file(api: Api, tmp_path: Path):
    at = await lesson(api)
    async with at.visit() as visit:
        await visit.join()
        record = await at.made(b"to be forgotten")
        running = await at.start()
    for each in (record, running):
        assert await at.ada.ask("DELETE", f"{at.path}/{each['id']}") == (204, None)
        assert slug(await at.ada.ask("DELETE", f"{at.path}/{each['id']}")) == (404, "not_found")
    assert await at.list() == []
    assert files_with(tmp_path, b"to be forgotten") == []


def files_with(directory: Path, content: bytes) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and content in path.read_bytes()]


async def test_one_is_found_in_its_room_alone_and_as_long_as_it_is_kept(api: Api, clock: MovableClock):
    at = await lesson(api)
    other = Lesson(api, at.ada, at.space, await at.ada.room(at.space))
    async with at.visit() as visit:
        await visit.join()
        record = await at.made()
    assert await other.list() == []
    for method, path in (("GET", f"{other.path}/download/{record['id']}"), ("DELETE", f"{other.path}/{record['id']}")):
        assert slug(await at.ada.ask(method, path)) == (404, "not_found")
    clock.now += 6 * DAY
    assert len(await at.list()) == 1
    clock.now += 8 * DAY
    again = Person(api, at.ada.id, (await signed_in(api, "ada")))
    status, answer = await again.ask("GET", at.path)
    assert (status, answer) == (200, {"items": [], "total": 0})
    assert slug(await again.ask("GET", f"{at.path}/download/{record['id']}")) == (404, "not_found")


async def signed_in(api: Api, name: str) -> str:
    user = {"username": f"{name}@acme.example.org", "password": f"password of {name}"}
    _, pair = await ask(api, "POST", "/v1/auth/token", json={**CLIENT, "grant_type": "password", **user})
    return pair["access_token"]


@pytest.mark.parametrize(("content", "end"), [(b"webm", "record_finished"), (None, "record_failed")])
async def test_the_webhook_hears_how_it_begins_and_ends(api: Api, content: bytes | None, end: str):
    at = await lesson(api)
    async with hook() as receiver, at.visit() as visit:
        await at.ada.made(f"/spaces/{at.space}/webhook", url=receiver.url)
        await visit.join()
        record = await at.start()
        await at.stop()
        at.close(content=content)
        await heard(receiver, 3)
    bodies = [got.json()["body"] for got in receiver.accepted]
    assert [body["eventName"] for body in bodies] == ["call_started", "record_started", end]
    assert bodies[1:] == [
        {
            "eventName": event,
            "roomId": at.room["id"],
            "spaceId": at.space,
            "recordId": record["id"],
            "callId": record["callId"],
        }
        for event in ("record_started", end)
    ]
    assert list(bodies[1]) == ["eventName", "roomId", "spaceId", "recordId", "callId"]


async def heard(receiver: Hook, count: int) -> None:
    await receiver.until(lambda: len(receiver.accepted) == count)


MAY = [
    # who                 start  list  delete, in a public room; then in a private one
    ("owner", (403, 200, 204), (404, 200, 204)),
    ("creator", (201, 200, 403), (201, 200, 403)),
    ("space moderator", (403, 403, 403), (404, 404, 404)),
    ("space user", (403, 403, 403), (404, 404, 404)),
    ("room moderator", (201, 200, 403), (201, 200, 403)),
    ("room user", (403, 403, 403), (403, 403, 403)),
    ("user", (403, 403, 403), (404, 404, 404)),
    ("client", (403, 403, 403), (403, 403, 403)),
    ("nobody", (401, 401, 401), (401, 401, 401)),
]


@pytest.mark.parametrize("public", [True, False])
async def test_who_may_record_list_and_delete(api: Api, public: bool):
    names = ["owner", "creator", "space moderator", "space user", "room moderator", "room user", "user"]
    people = {name: await person(api, name.replace(" ", "-")) for name in names}
    owner, creator = people["owner"], people["creator"]
    space = await owner.space()
    for who, role in (("creator", "moderator"), ("space moderator", "moderator"), ("space user", "user")):
        await owner.made(f"/spaces/{space}/roles", targetUserId=people[who].id, role=f"role_space_{role}")
    room = await creator.room(space, isPublic=public)
    for who, role in (("room moderator", "moderator"), ("room user", "user")):
        path = f"/spaces/{space}/rooms/{room['id']}/roles"
        await creator.made(path, targetUserId=people[who].id, role=f"role_room_{role}")
    tokens: dict[str, str | None] = {name: each.token for name, each in people.items()}
    tokens |= {"client": await client_token(api), "nobody": None}
    at = Lesson(api, creator, space, room)
    async with at.visit() as visit:
        await visit.join()
        for who, in_public, in_private in MAY:
            start, listing, delete = in_public if public else in_private
            assert (await ask(api, "POST", f"/v1{at.path}/start", tokens[who]))[0] == start, who
            stop = {201: 200}.get(start, start)
            assert (await ask(api, "POST", f"/v1{at.path}/stop", tokens[who]))[0] == stop, who
            assert (await ask(api, "GET", f"/v1{at.path}", tokens[who]))[0] == listing, who
            record = await at.made()
            link = await api.send("GET", f"/v1{at.path}/download/{record['id']}", key=None, headers=bearer(tokens[who]))
            assert link.status == listing, who
            assert (await ask(api, "DELETE", f"/v1{at.path}/{record['id']}", tokens[who]))[0] == delete, who


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}
