"""Calls of a space and who was there, as its owner and moderators learn of them. Spaces contract, section 10."""

import io
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from aiohttp import WSMsgType

from mediaserver import VoiceChanged
from signaling.appkeys import MEDIA
from tests.support.api_server import Api, api_server, settings_for
from tests.support.clock import MovableClock
from tests.support.spaces import CLIENT, Person, Visit, ask, client_token, person, slug
from tests.support.team import Media

START = 1_772_440_500.123  # 2026-03-02T08:35:00.123Z
DAY = 86400
SETTINGS: dict[str, Any] = {"spaces": {"clients": [CLIENT], "token_secret": "of all servers on these data"}}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=START)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with api_server(settings_for(tmp_path, **SETTINGS), clock, media=Media) as api:
        yield api


class Call:
    """Somebody's room, in which there is a call as long as somebody is in it."""

    def __init__(self, api: Api, owner: Person, space: str, room: dict[str, Any]) -> None:
        self.api = api
        self.owner = owner
        self.space = space
        self.room = room
        self.path = f"/spaces/{space}/rooms/{room['id']}"

    def visit(self, token: str = "") -> Visit:
        return Visit(self.api, self.room["alias"], token)

    async def link(self, **body: Any) -> str:
        made = await self.owner.made(f"{self.path}/generate-access", **{"username": "Eve", **body})
        return parse_qs(urlsplit(made["url"]).query)["accessToken"][0]

    async def end(self) -> None:
        assert (await self.owner.ask("POST", f"{self.path}/end"))[0] == 204

    def speaks(self, user_id: str, on: bool) -> None:
        conference = self.api.client.server.app[MEDIA].conference(self.room["channelId"])
        conference.tell(VoiceChanged(conference.id, user_id, on))

    async def calls(self, query: str = "", who: Person | None = None) -> list[dict[str, Any]]:
        status, answer = await (who or self.owner).ask("GET", f"/spaces/{self.space}/analytics/calls{query}")
        assert (status, list(answer)) == (200, ["items"]), answer
        return answer["items"]

    async def report(self, query: str = "") -> list[dict[str, Any]]:
        status, answer = await self.owner.ask("GET", f"/spaces/{self.space}/analytics/report{query}")
        assert (status, list(answer)) == (200, ["items"]), answer
        return answer["items"]


async def school(api: Api, **room: Any) -> Call:
    ada = await person(api, "ada")
    space = await ada.space()
    return Call(api, ada, space, await ada.room(space, **room))


async def leave(visit: Visit) -> None:
    await visit.socket.send_json({"type": "leave"})
    await visit.until("terminated")


async def test_a_finished_call_is_listed_with_who_met(api: Api, clock: MovableClock):
    call = await school(api, type="webinar")
    async with call.visit(call.owner.token) as ada:
        await ada.join()
        call_id = (await call.owner.ask("GET", call.path))[1]["activeCallId"]
        for _ in range(2):  # the same one-time guest would be one person, two anonymous ones are two
            async with call.visit() as guest:
                await guest.join()
                await leave(guest)
        async with call.visit(call.owner.token) as again:
            await again.join()
        assert await call.calls() == []
        clock.now += 90
        await call.end()
    assert await call.calls() == [
        {
            "id": call_id,
            "active": False,
            "roomId": call.room["id"],
            "roomType": "webinar",
            "participantsCount": 2,
            "totalParticipantsCount": 3,
            "uniqueParticipantsCount": 3,
            "isBreakoutRoom": False,
            "startedAt": "2026-03-02T08:35:00.123Z",
            "finishedAt": "2026-03-02T08:36:30.123Z",
        }
    ]


async def test_who_comes_twice_is_one_person(api: Api):
    call = await school(api)
    bob = await person(api, "bob")
    link = await call.link(isPermanent=True, externalUserId="crm-7")
    async with call.visit(call.owner.token) as ada:
        await ada.join()
        for token in (bob.token, bob.token, link, link):
            async with call.visit(token) as visit:
                await visit.join()
                await leave(visit)
        await call.end()
    [found] = await call.calls()
    counts = [found[f"{name}articipantsCount"] for name in ("p", "totalP", "uniqueP")]
    assert counts == [2, 5, 3]


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ("", True),
        ("?date=2026-03-02", True),
        ("?date=2026-03-01", False),
        ("?date=2026-03-03", False),
        ("?minParticipants=1", True),
        ("?minParticipants=2", False),
        ("?roomId={room}", True),
        ("?roomId=0123456789abcdef01234567", False),
        ("?roomId={room}&date=2026-03-02&minParticipants=0", True),
    ],
)
async def test_the_list_is_of_a_day_a_room_and_a_size(api: Api, query: str, listed: bool):
    call = await school(api)
    async with call.visit(call.owner.token) as ada:
        await ada.join()
        await call.end()
    assert len(await call.calls(query.format(room=call.room["id"]))) == listed


async def test_a_call_over_midnight_is_of_the_day_on_which_it_ended(api: Api, clock: MovableClock):
    call = await school(api)
    async with call.visit(call.owner.token) as ada:
        await ada.join()
        clock.now += 16 * 3600
        await call.end()
    assert len(await call.calls("?date=2026-03-03")) == 1
    assert await call.calls("?date=2026-03-02") == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("calls?date=yesterday", "date"),
        ("calls?date=2026-13-01", "date"),
        ("calls?minParticipants=many", "minParticipants"),
        ("calls?minParticipants=-1", "minParticipants"),
        ("report?format=pdf", "format"),
        ("report?format=JSON", "format"),
    ],
)
async def test_what_cannot_be_asked_is_400(api: Api, path: str, field: str):
    call = await school(api)
    answer = await call.owner.ask("GET", f"/spaces/{call.space}/analytics/{path}")
    assert slug(answer) == (400, "invalid_request")
    assert field in answer[1]["error_description"]


async def test_the_report_says_what_each_did(api: Api, clock: MovableClock):
    call = await school(api)
    link = await call.link(externalUserId="crm-7", email="eve@example.org", phone="+43 1", role="moderator")
    async with call.visit(call.owner.token) as ada, call.visit(link) as eve:
        await ada.join()
        clock.now += 1
        eve_id = (await eve.join())["participant"]["id"]
        clock.now += 10
        for content in ("a", "b"):
            await eve.ask(type="chat", content=content)
        await eve.ask(type="custom", content="no chat")
        call.speaks(eve_id, True)
        clock.now += 7
        call.speaks(eve_id, False)
        clock.now += 3
        call.speaks(eve_id, True)
        clock.now += 5
        await leave(eve)
        clock.now += 60
        [of_ada, of_eve] = await call.report()
        assert of_ada == {
            "name": "ada",
            "userId": call.owner.id,
            "externalUserId": None,
            "email": "ada@acme.example.org",
            "phone": None,
            "role": "moderator",
            "joins": [{"joinedAt": "2026-03-02T08:35:00.123Z", "leftAt": None}],
            "secondsPresent": 86,
            "chatMessages": 0,
            "secondsSpeaking": 0,
        }
        await call.end()
    assert of_eve == {
        "name": "Eve",
        "userId": None,
        "externalUserId": "crm-7",
        "email": "eve@example.org",
        "phone": "+43 1",
        "role": "moderator",
        "joins": [{"joinedAt": "2026-03-02T08:35:01.123Z", "leftAt": "2026-03-02T08:35:26.123Z"}],
        "secondsPresent": 25,
        "chatMessages": 2,
        "secondsSpeaking": 12,
    }
    assert (await call.report())[0]["joins"][0]["leftAt"] == "2026-03-02T08:36:26.123Z"


async def test_a_report_is_of_a_space_a_room_or_a_call(api: Api):
    call = await school(api)
    other = Call(api, call.owner, call.space, await call.owner.room(call.space))
    ids = []
    for each in (call, other):
        async with each.visit(each.owner.token) as visit:
            await visit.join()
            ids.append((await each.owner.ask("GET", each.path))[1]["activeCallId"])
            await each.end()
    joins = {query: sum(len(line["joins"]) for line in await call.report(query)) for query in ("", f"?callId={ids[0]}")}
    assert list(joins.values()) == [2, 1]
    assert len((await call.report(f"?roomId={other.room['id']}"))[0]["joins"]) == 1
    unknown = await call.owner.ask("GET", f"/spaces/{call.space}/analytics/report?callId=unknown")
    assert slug(unknown) == (404, "not_found")


async def test_a_workbook_holds_no_formulas_of_strangers(api: Api, clock: MovableClock):
    call = await school(api)
    names = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "plain \x07 bell", "Zoë"]
    async with call.visit(call.owner.token) as ada:
        await ada.join()
        for name in names:
            clock.now += 1
            async with call.visit() as guest:
                await guest.join(name=name)
                await leave(guest)
        await call.end()
    path = f"/v1/spaces/{call.space}/analytics/report?format=xlsx"
    headers = {"Authorization": f"Bearer {call.owner.token}"}
    response = await api.send("GET", path, key=None, headers=headers)
    assert response.status == 200
    assert response.content_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert response.headers["Content-Disposition"] == 'attachment; filename="report.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(await response.read())).active
    headings, *rows = list(sheet.iter_rows())
    assert [cell.value for cell in headings][:2] == ["Name", "User id"]
    assert [row[0].value for row in rows] == ["ada", *(name.replace("\x07", "") for name in names)]
    assert "f" not in {cell.data_type for row in rows for cell in row}
    assert [bool(row[0].quotePrefix) for row in rows] == [False, True, True, True, True, False, False]
    assert [cell.data_type for cell in rows[0][7:]] == ["n"] * 3


async def test_who_may_look(api: Api):
    call = await school(api)
    mod, of_room, bob = [await person(api, name) for name in ("mod", "of_room", "bob")]
    await call.owner.made(f"/spaces/{call.space}/roles", targetUserId=mod.id, role="role_space_moderator")
    await call.owner.made(f"{call.path}/roles", targetUserId=of_room.id, role="role_room_moderator")
    for what in ("calls", "report"):
        path = f"/spaces/{call.space}/analytics/{what}"
        of_the_room = f"{path}?roomId={call.room['id']}"
        assert [(await who.ask("GET", path))[0] for who in (call.owner, mod, of_room, bob)] == [200, 200, 403, 403]
        assert [(await who.ask("GET", of_the_room))[0] for who in (of_room, bob)] == [200, 403]
        assert slug(await ask(api, "GET", f"/v1{path}", await client_token(api))) == (403, "forbidden")
        assert slug(await ask(api, "GET", f"/v1{path}")) == (401, "unauthorized")


async def test_a_call_that_a_killed_server_left_is_ended_when_it_was_last_known_to_run(
    api: Api, clock: MovableClock, tmp_path: Path
):
    call = await school(api)
    async with call.visit(call.owner.token) as ada:
        await ada.join()
        await call.calls()  # answered once all so far is remembered
        left = tmp_path / "left"
        left.mkdir()
        with (
            closing(sqlite3.connect(tmp_path / "folkmoot.db")) as before,
            closing(sqlite3.connect(left / "folkmoot.db")) as after,
        ):
            before.backup(after)
    clock.now += 3600
    async with api_server(settings_for(left, **SETTINGS), clock, media=Media) as later:
        owner = Person(later, call.owner.id, call.owner.token)
        again = Call(later, owner, call.space, call.room)
        [ended] = await again.calls()
        assert ended["finishedAt"] == "2026-03-02T08:35:00.123Z"
        assert (await again.report())[0]["joins"][0]["leftAt"] == "2026-03-02T08:35:00.123Z"
        assert (await owner.ask("GET", call.path))[1]["activeCallId"] is None


async def test_calls_of_a_deleted_room_stay_in_the_list(api: Api):
    call = await school(api)
    async with call.visit(call.owner.token) as ada:
        await ada.join()
        assert (await call.owner.ask("DELETE", call.path))[0] == 204
    assert [each["roomId"] for each in await call.calls()] == [call.room["id"]]


@pytest.mark.parametrize("chosen", ["the id of a user", "a seat of somebody with a link"])
async def test_a_guest_takes_nobodys_place(api: Api, chosen: str):
    call = await school(api)
    link = await call.link(isPermanent=True, role="moderator")
    async with call.visit(link) as mod:
        seat = (await mod.join())["participant"]["id"] if chosen != "the id of a user" else call.owner.id
    async with api.client.ws_connect("/rt", params={"room": call.room["alias"], "id": seat}) as socket:
        while (frame := await socket.receive(5)).type is WSMsgType.TEXT:
            if json.loads(frame.data)["type"] == "room_setup":
                await socket.send_json({"type": "join"})
        assert socket.close_code == 4409
