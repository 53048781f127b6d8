"""A team's meeting and what came of it, as its pages show them: member, guest and observer; recordings and links."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mediaserver.composition.layouts import NAMES, canvas_of, named
from signaling.api.rooms.models import Meeting
from signaling.client import NewUser, Rooms
from signaling.services.room_options import RoomOptions
from tests.support import documents
from tests.support.browsers import PATIENCE, Chromium, ChromiumPage
from tests.support.server import RunningServer, running, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEY = "the api key of a team"
QUERY = "&autojoin=1&audio=0&video=0"
RECORDED = 5.0  # seconds of film, so that there is something to seek in
FILM_PATIENCE = 40.0  # seconds until a recording can be played


@dataclass
class Window:
    """Somebody's window of Chromium."""

    page: ChromiumPage

    async def sees(self, selector: str, text: str = "") -> Any:
        """Returns when it is to be seen, with these words."""
        found = self.page.page.locator(selector, has_text=text) if text else self.page.page.locator(selector)
        await found.first.wait_for(state="visible", timeout=PATIENCE * 1000)
        return found.first

    async def misses(self, selector: str) -> None:
        await self.page.page.locator(selector).first.wait_for(state="hidden", timeout=PATIENCE * 1000)

    async def press(self, selector: str, text: str = "") -> None:
        await (await self.sees(selector, text)).click()

    async def type(self, selector: str, text: str) -> None:
        await (await self.sees(selector)).fill(text)

    async def shows(self, selector: str, number: int) -> None:
        """The page of that number of `documents.pdf`."""
        await self.page.call("shows", selector, list(documents.COLOURS[number]), PATIENCE)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningServer]:
    keys = [{"key": KEY, "team": "My Company"}]
    directory = tmp_path_factory.mktemp("team")
    async with running(directory, api_keys=keys, departure_timeout_seconds=60) as server:
        yield server


@dataclass
class House:
    """A team's meetings, and the windows of those who look at them."""

    chromium: Chromium
    url: str
    team: Rooms
    windows: list[Window] = field(default_factory=list)

    async def open(self, address: str) -> Window:
        window = Window(await self.chromium.page())
        self.windows.append(window)
        await window.page.open(address)
        return window

    async def come(self, link: str | None, name: str) -> Window:
        window = await self.open(f"{link}{QUERY}&name={name}")
        await window.page.call("joined", PATIENCE)
        return window

    async def host_and_guest(self, room: str, **options: Any) -> tuple[Meeting, Window, Window]:
        """Ada, a member, and Gus, a guest, in the same meeting."""
        meeting = await self.team.enter(NewUser(name="Ada", id="ada"), room, options=RoomOptions(**options))
        links = meeting.links
        ada, gus = await asyncio.gather(self.come(links.gui, "Ada"), self.come(links.guest_join, "Gus"))
        await ada.sees("[data-control=tools]")
        return meeting, ada, gus

    async def sign_in(self, path: str) -> Window:
        """The team's page, its key typed in."""
        desk = await self.open(self.url + path)
        await desk.type("#key", KEY)
        await desk.press("button", "Continue")
        return desk


@pytest_asyncio.fixture(loop_scope="session")
async def house(server: RunningServer, chromium: Chromium) -> AsyncIterator[House]:
    async with Rooms(server.url, KEY) as team:
        house = House(chromium, server.url, team)
        yield house
        await asyncio.gather(*(window.page.close() for window in house.windows))


async def test_a_member_locks_the_meeting_and_removes_a_guest(house: House):
    meeting, ada, gus = await house.host_and_guest("locked", lock_available=True)
    await gus.press("[data-control=tools]")
    await gus.sees("[data-tool=snapshot]")
    await gus.misses("[data-tool=lock]")
    await ada.press("[data-control=tools]")
    await ada.press("[data-tool=lock]")
    await ada.press(".dialog-actions .button-danger")
    await asyncio.gather(*(window.sees("body[data-locked=true] #locked") for window in (ada, gus)))
    late = await house.open(f"{meeting.links.guest_join}{QUERY}&name=Eve")
    await late.sees("h1", "The meeting is locked")
    await gus.press("[data-control=people]")
    await gus.sees("[data-person=ada]")
    await gus.misses(".person-action")
    await ada.press("[data-control=people]")
    await ada.press("[aria-label='Remove Gus']")
    await gus.sees("h1", "You were removed from the meeting")


async def test_slides_are_brought_and_presented_and_turned_for_everybody(house: House, tmp_path: Path):
    _, ada, gus = await house.host_and_guest("slides")
    (tmp_path / "plan.pdf").write_bytes(documents.pdf(pages=3, size=(400, 300)))
    async with house.team.observe("slides") as events:
        await ada.press("[data-control=files]")
        await ada.page.page.set_input_files("#file", tmp_path / "plan.pdf")
        await ada.press(".file-open:enabled", "plan.pdf")
        await ada.shows(".viewer-slide", 0)
        await ada.press("[data-turn=next]")
        await ada.shows(".viewer-slide", 1)
        await ada.press("[data-tool=present]")
        await asyncio.gather(*(window.shows("img[data-slide]", 1) for window in (ada, gus)))
        await ada.press(".tile [data-turn=next]")
        await asyncio.gather(*(window.shows("img[data-slide]", 2) for window in (ada, gus)))
        await gus.misses(".tile [data-turn]")
        await ada.press("[data-tool=present]", "Stop presenting")
        await asyncio.gather(*(window.misses("img[data-slide]") for window in (ada, gus)))
        told = []
        async for event in events:
            told.append(event["type"])
            if event["type"] == "slide" and event["slide"] == "":
                break
    assert told.count("presentation_update") == told.count("slide") == 3
    assert told.index("files_update") < told.index("presentation_update")


async def test_everybody_is_seen_in_one_picture_and_apart_again(house: House):
    _, ada, gus = await house.host_and_guest("together")
    user = await gus.page.page.evaluate("conference.self.id")
    apart = f"[data-tile='person {user}']"
    await ada.sees(apart)
    await ada.press("[data-control=tools]")
    await ada.press("#one-view")
    await ada.sees("video[data-label=one_view]")
    await ada.misses(apart)
    await gus.sees("[data-tile='person ada']")
    await ada.press("#one-view")
    await ada.sees(apart)
    await ada.misses("video[data-label=one_view]")


async def test_who_comes_later_sees_what_is_going_on(house: House):
    meeting = await house.team.enter(NewUser(name="Ada", id="ada"), "running")
    user = house.team.user(meeting)
    await user.upload(documents.picture("PNG"), "one.png")
    await user.start_recording()
    gus = await house.come(meeting.links.guest_join, "Gus")
    await gus.sees("#recording")
    await gus.press("[data-control=files]")
    await gus.sees("[data-file]", "one.png")


async def test_a_recording_is_seen_to_run_and_played_and_sought(house: House):
    meeting, ada, gus = await house.host_and_guest("film", widescreen=True)
    await gus.page.call("do", "leave")
    await ada.page.call("publish", 5, {})
    guest = await house.come(meeting.links.guest_join, "Gil")
    await ada.press("[data-control=tools]")
    await ada.press("[data-tool=record]", "Record")
    await asyncio.gather(*(window.sees("body[data-recording=true] #recording") for window in (ada, guest)))
    await guest.page.call("do", "leave")  # one person fills the picture, so that it can be read
    await asyncio.sleep(RECORDED)
    await ada.press("[data-tool=record]", "Stop recording")
    await ada.misses("#recording")

    desk = await house.open(f"{house.url}/recordings")
    await desk.type("#key", "another key")
    await desk.press("button", "Continue")
    await desk.sees("[role=alert]", "The server does not know this key")
    await desk.type("#key", KEY)
    await desk.press("button", "Continue")
    await desk.type("#room", "film")

    async def finished() -> bool:
        return (await house.team.recordings("film"))[0].links.download is not None

    await until(finished, FILM_PATIENCE, "the recording to be finished")
    await desk.press("button", "Show")
    await desk.press(".card-main:enabled")
    await desk.page.call("playable", "#player", PATIENCE)
    late, early = [await desk.page.call("seek", "#player", share) for share in (0.8, 0.4)]
    assert late["duration"] > 1.0
    assert (late["number"], early["number"]) == (5, 5)
    assert (late["at"], early["at"]) == pytest.approx((0.8 * late["duration"], 0.4 * late["duration"]), abs=0.01)
    assert 0 < (late["count"] - early["count"]) % 256 < 128, "the later picture is shown for the later moment"
    assert [line for line in desk.page.said if "403" not in line] == []


async def test_a_picture_of_everybody_is_taken_and_listed(house: House):
    _, ada, _ = await house.host_and_guest("pictures")
    await ada.press("[data-control=tools]")
    await ada.press("[data-tool=snapshot]")
    await ada.sees("[data-snapshot] img")
    await ada.press(".layout[title=Nine]")
    await ada.page.call("option", "layout_name", "nine", PATIENCE)
    desk = await house.sign_in("/team#pictures")
    await desk.type("#room", "pictures")
    await desk.press("button", "Show")
    await desk.sees("[data-snapshot] img")


async def test_a_team_registers_its_webhook_and_makes_permalinks(house: House):
    desk = await house.sign_in("/team")
    await desk.type("#hook-url", "https://hooks.invalid/here")
    await desk.press("button", "Save")
    await desk.sees(".hook-url", "https://hooks.invalid/here")
    hook = await house.team.webhooks.get()
    assert hook is not None
    assert hook.types == ["room_update", "recording_update"]
    await house.team.enter(NewUser(name="Ada"), "told")
    await desk.press("[aria-label='Look again']")
    await desk.sees("[data-delivery]", "room_update")
    await desk.press("#tab-permalinks")
    await desk.type("#link-room", "Clinic")
    await desk.type("#link-host", "Ada")
    await desk.press("button", "Create")
    await desk.sees("[data-permalink]", "Clinic")
    host = await (await desk.sees("[data-permalink] [data-link]", "Host")).get_attribute("data-link")
    assert host == (await house.team.permalinks.list()).items[0].links["gui"]
    await house.come(host, "Ada")


async def test_what_goes_on_is_kept_from_what_the_server_tells(house: House):
    window = await house.open(house.url)
    begun = {"id": "r1", "duration": None}
    told = [
        {
            "type": "room_setup",
            "content": {"access_key": "k", "locked": True, "options": {"a": 1}, "user": {"guest": True}},
        },
        {"type": "recording_update", "recording": begun},
        {"type": "recording_update", "recording": {"id": "r0", "duration": 9}},
        {"type": "options_update", "options": {"a": 2}},
        {"type": "layer_update", "layers": {"-1": "behind", "1": None}},
        {"type": "chat", "content": "nothing to keep"},
    ]
    kept, changes = await window.page.page.evaluate(
        """async (told) => {
            const {Happening} = await import('/static/happening.js');
            const now = new Happening();
            const changes = told.map((message) => now.apply(message));
            return [{...now}, changes];
        }""",
        told,
    )
    assert changes == [True, True, True, True, True, False]
    assert (kept["accessKey"], kept["guest"], kept["locked"], kept["recording"]) == ("k", True, True, begun)
    assert (kept["options"], kept["layers"]) == ({"a": 2}, {"-1": "behind", "1": None})


async def test_the_little_pictures_of_layouts_are_those_of_the_composite(chromium: Chromium, server: RunningServer):
    page = await chromium.page()
    await page.open(server.url)
    drawn = await page.page.evaluate("import('/static/ui/tools/layouts.js').then(({LAYOUTS}) => LAYOUTS)")
    width, height = canvas_of(False)
    assert tuple(drawn) == NAMES
    for name, boxes in drawn.items():
        real = [(box.left / width, box.top / height, box.width / width, box.height / height) for box in named(name)]
        assert len(boxes) == len(real)
        for little, box in zip(sorted(boxes), sorted(real), strict=True):
            assert [part / 100 for part in little] == pytest.approx(box, abs=0.02), name
