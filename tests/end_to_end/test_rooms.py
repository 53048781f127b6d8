"""A team's meeting as people come to it: users by their own links, guests by the meeting's, hosts by permalinks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from signaling.client import NewUser, Rooms
from tests.end_to_end.meeting import Person, everybody_meets
from tests.support.browsers import PATIENCE, Chromium, ChromiumPage
from tests.support.live import Talker
from tests.support.server import RunningServer, running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEY = "the api key of a team"
QUERY = "&autojoin=1&audio=0&video=0"


@pytest_asyncio.fixture(loop_scope="session")
async def team(tmp_path: Path) -> AsyncIterator[RunningServer]:
    keys = [{"key": KEY, "team": "My Company"}]
    async with running(tmp_path, api_keys=keys, departure_timeout_seconds=60) as server:
        yield server


async def come(chromium: Chromium, link: str, number: int) -> Person:
    page = await chromium.page()
    await page.open(f"{link}{QUERY}&name=P{number}")
    return Person(page, await page.call("joined", PATIENCE), number)


async def gone(page: ChromiumPage) -> str:
    """What the page shows at the end: its state, and the error if it is one."""
    await page.page.wait_for_selector("body[data-state=left], body[data-state=error]", timeout=PATIENCE * 1000)
    return str(await page.page.evaluate("document.body.dataset.error ?? document.body.dataset.state"))


async def test_a_user_and_a_guest_see_and_hear_each_other(team: RunningServer, chromium: Chromium):
    async with Rooms(team.url, KEY) as rooms, ClientSession(team.url) as session:
        ada = await rooms.enter(NewUser(name="Ada", id="ada@company.example"), "standup")
        socket = await session.ws_connect(f"/rt?room_id=standup&api_key={KEY}".replace(" ", "%20"))
        observer = Talker(socket)
        assert (await observer.receive())["type"] == "room_update"
        people = await asyncio.gather(come(chromium, ada.links.gui, 1), come(chromium, ada.links.guest_join or "", 2))
        assert people[0].id == "ada@company.example"
        await asyncio.gather(*(person.publish() for person in people))
        await everybody_meets(*people)
        users = {each.id: each for each in await rooms.users("standup", online=True)}
        assert users[people[1].id].guest is True
        assert (users[people[1].id].name, users[people[0].id].name) == ("P2", "Ada")

        await people[1].page.reload()
        again = await people[1].call("joined", PATIENCE)
        assert again == people[1].id, "a reload comes back as the same guest"

        await rooms.user(ada).kick(people[1].id)
        assert await gone(people[1].page) == "left"
        await rooms.end("standup")
        assert await gone(people[0].page) == "left"
        said, code = await observer.closed()
        assert code == 1000
        assert said[-1]["type"] == "room_update"
        assert said[-1]["content"]["shutdown"] is True
    late = await chromium.page()
    await late.open(f"{ada.links.guest_join}{QUERY}")
    assert await gone(late) == "ended"


async def test_a_host_begins_the_meeting_of_a_permalink(team: RunningServer, chromium: Chromium):
    async with Rooms(team.url, KEY) as rooms:
        link = await rooms.permalinks.create(NewUser(name="Ada"), name="Clinic")
    early = await chromium.page()
    await early.open(f"{link.links['guest_join']}{QUERY}")
    assert await gone(early) == "ended"
    host = await come(chromium, link.links["gui"], 1)
    guest = await come(chromium, link.links["guest_join"], 2)
    await asyncio.gather(host.publish(), guest.publish())
    await everybody_meets(host, guest)
