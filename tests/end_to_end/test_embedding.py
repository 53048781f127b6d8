"""Rooms of spaces as people come to them: in another site's page, by a one-time link, by an invite, as listeners."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web

from tests.end_to_end.meeting import Person as Someone
from tests.support.api_server import Api
from tests.support.browsers import PATIENCE, Chromium, ChromiumPage
from tests.support.server import RunningServer, free_ports, running, until
from tests.support.spaces import CLIENT, Person, Visit, grant, person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EXAMPLE = Path(__file__).parents[2] / "static" / "examples"
PATIENT = PATIENCE * 1000
USED = "This link has been used already"


@dataclass
class School:
    """A server, its organisation, and two other sites: one that the settings name, one that a pattern lets in."""

    server: RunningServer
    api: Api
    site: str
    guest_site: str

    async def room(self, ada: Person, **body: Any) -> tuple[str, dict[str, Any]]:
        space = await ada.space(isPublic=False)
        return space, await ada.room(space, isPublic=False, **body)

    async def link(self, ada: Person, space: str, room: dict[str, Any], name: str = "Gus", **body: Any) -> str:
        path = f"/spaces/{space}/rooms/{room['id']}/generate-access"
        return str((await ada.made(path, username=name, **body))["url"])


@asynccontextmanager
async def serving(host: str, port: int) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.static("/", EXAMPLE)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def school(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[School]:
    site, guest_site = free_ports(2)
    ancestors = [f"http://127.0.0.1:{site}", "http://127.0.0.2:*"]
    options = {"spaces__clients": [CLIENT], "embed__frame_ancestors": ancestors}
    async with (
        running(tmp_path_factory.mktemp("school"), **options) as server,
        serving("127.0.0.1", site) as named,
        serving("127.0.0.2", guest_site) as by_pattern,
        ClientSession(server.url) as session,
    ):
        yield School(server, Api(session), named, by_pattern)  # type: ignore[arg-type]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ada(school: School) -> Person:
    return await person(school.api, "ada")


class Embedding:
    """The example page of a foreign site, and the room in its frame."""

    def __init__(self, chromium_page: ChromiumPage) -> None:
        self.page = chromium_page.page
        self.room = self.page.frame_locator("iframe")

    async def state(self, state: str) -> None:
        await self.room.locator(f"body[data-state={state}]").wait_for(state="attached", timeout=PATIENT)

    async def heard(self, type: str) -> str:
        message = self.page.locator(f"#messages li[data-type={type}]").first
        await message.wait_for(timeout=PATIENT)
        return str(await message.text_content())

    async def press(self, text: str) -> None:
        await self.page.get_by_role("button", name=text, exact=True).click()

    async def inside(self, expression: str) -> Any:
        return await self.page.frames[1].evaluate(expression)


async def embed(chromium: Chromium, site: str, link: str, off: str = "") -> Embedding:
    page = await chromium.page()
    await page.open(f"{site}/embedding.html?room={quote(link + '&autojoin=1', safe='')}&off={off}")
    return Embedding(page)


async def come(chromium: Chromium, school: School, room: dict[str, Any], token: str, number: int) -> Someone:
    page = await chromium.page()
    await page.open(f"{school.server.url}/room/{room['alias']}?refreshToken={token}&autojoin=1&audio=0&video=0")
    return Someone(page, await page.call("joined", PATIENCE), number)


async def holds(page: Any, expression: str) -> None:
    """Waits until it is true in the page, whose policy lets Playwright's own waiting evaluate nothing."""
    await until(lambda: page.evaluate(f"!!({expression})"), PATIENCE, expression)


async def shown(page: Any, control: str) -> bool:
    return bool(await page.locator(f"[data-control={control}]").is_visible())


async def test_another_site_shows_a_room_and_commands_it(school: School, chromium: Chromium, ada: Person):
    space, room = await school.room(ada)
    link = await school.link(ada, space, room, "Gus")
    async with Visit(school.api, room["alias"], ada.token) as moderator:
        await moderator.join()
        first = await embed(chromium, school.site, link)
        await first.state("joined")
        assert '"name":"Gus"' in await first.heard("joined")
        assert '"count":2' in await first.heard("participants")
        stream = "conference.ownStreams.length && conference.connections.publish?.connectionState === 'connected'"
        await holds(first.page.frames[1], stream)
        await first.press("Mute")
        assert (await moderator.until("mute_update"))["audio"] is True
        await first.press("Unmute")
        assert (await moderator.until("mute_update"))["audio"] is False
        await first.press("Leave")
        assert '"reason":"left"' in await first.heard("left")
        assert not await first.room.get_by_role("link").count(), "nothing leads out of the frame"

        again = await embed(chromium, school.site, link)
        assert '"reason":"access_used"' in await again.heard("error")
        await again.room.get_by_role("heading", name=USED).wait_for(timeout=PATIENT)


async def test_a_site_that_only_a_pattern_lets_in_commands_nothing(school: School, chromium: Chromium, ada: Person):
    space, room = await school.room(ada)
    guest = await embed(chromium, school.guest_site, await school.link(ada, space, room))
    await guest.state("joined")
    await holds(guest.page.frames[1], "conference.ownStreams.length")
    commands = "addEventListener('message', ({data}) => data.type === 'leave' && (window.heardLeave = true))"
    await guest.inside(commands)
    for text in ("Mute", "Camera off", "Leave"):
        await guest.press(text)
    await holds(guest.page.frames[1], "window.heardLeave")
    await guest.inside("fetch('/about.json').then(answer => answer.text())")  # as long as the page needs to decide
    assert await guest.inside("document.body.dataset.state") == "joined"
    muted = "conference.ownStreams.map(({id}) => conference.muted(id))"
    assert await guest.inside(muted) == [{"audio": False, "video": False}]


async def test_another_window_commands_nothing(school: School, chromium: Chromium, ada: Person):
    """Of the same named origin, but not the one around the room."""
    space, room = await school.room(ada)
    page = await embed(chromium, school.site, await school.link(ada, space, room))
    await page.state("joined")
    await page.page.evaluate(
        """async site => {
        const sibling = document.createElement('iframe');
        sibling.src = `${site}/embedding.html`;
        document.body.append(sibling);
        await new Promise(loaded => sibling.onload = loaded);
        sibling.contentWindow.eval("parent.frames[0].postMessage({type: 'leave'}, '*')");
    }""",
        school.site,
    )
    await page.inside("fetch('/about.json').then(answer => answer.text())")
    assert await page.inside("document.body.dataset.state") == "joined"


async def test_a_site_that_is_not_named_shows_nothing(school: School, chromium: Chromium, ada: Person):
    space, room = await school.room(ada)
    (port,) = free_ports(1)
    async with serving("127.0.0.3", port) as stranger:
        page = await embed(chromium, stranger, await school.link(ada, space, room))
        await holds(page.page, "frames.length === 1")
        await page.page.wait_for_timeout(500)
        assert not any(room["alias"] in frame.url for frame in page.page.frames[1:])


async def test_a_camera_that_the_site_switches_off_is_done_without(school: School, chromium: Chromium, ada: Person):
    space, room = await school.room(ada)
    page = await embed(chromium, school.site, await school.link(ada, space, room), off="camera,screen")
    await page.room.get_by_text("has switched the camera off").wait_for(timeout=PATIENT)
    await page.state("joined")
    await holds(page.page.frames[1], "conference.ownStreams.length")
    sent = "conference.ownStreams.map(({audio, video}) => [audio !== null, video !== null])"
    assert await page.inside(sent) == [[True, False]]
    assert [await shown(page.room, each) for each in ("mic", "camera", "screen")] == [True, False, False]


async def test_a_listener_speaks_once_a_moderator_lets_them(school: School, chromium: Chromium, ada: Person):
    bob = await person(school.api, "bob")
    space, room = await school.room(ada, type="webinar")
    roles = f"/spaces/{space}/rooms/{room['id']}/roles"
    await ada.made(roles, targetUserId=bob.id, role="role_room_user")
    tokens = [await refresh_token(school.api, name) for name in ("ada", "bob")]
    speaker, listener = await asyncio.gather(
        *(come(chromium, school, room, token, number) for number, token in enumerate(tokens, 1))
    )
    await speaker.publish()
    await listener.sees(speaker)
    page = listener.page.page  # type: ignore[attr-defined]
    assert [await shown(page, each) for each in ("mic", "camera", "screen", "hand")] == [False, False, False, True]
    with pytest.raises(AssertionError, match="not for the role"):
        await listener.publish()

    await ada.made(roles, targetUserId=bob.id, role="role_room_moderator")
    await page.locator("[data-control=mic]").wait_for(timeout=PATIENT)
    await listener.publish()
    await speaker.sees(listener)
    await listener.meets(speaker)

    await ada.ask("DELETE", f"{roles}/{bob.id}")
    await gone(page)


async def refresh_token(api: Api, name: str) -> str:
    body = {"grant_type": "password", "username": f"{name}@acme.example.org", "password": f"password of {name}"}
    return str((await grant(api, **body))[1]["refresh_token"])


async def gone(page: Any) -> None:
    await page.locator("body[data-state=left]").wait_for(state="attached", timeout=PATIENT)


async def test_who_is_no_moderator_any_more_listens_again(school: School, chromium: Chromium, ada: Person):
    eve = await person(school.api, "eve")
    space = await ada.space()
    room = await ada.room(space, type="webinar")
    roles = f"/spaces/{space}/rooms/{room['id']}/roles"
    await ada.made(roles, targetUserId=eve.id, role="role_room_moderator")
    listener = await come(chromium, school, room, await refresh_token(school.api, "ada"), 1)
    page = await chromium.page()
    token = await refresh_token(school.api, "eve")
    await page.open(f"{school.server.url}/room/{room['alias']}?refreshToken={token}&autojoin=1")
    await page.call("joined", PATIENCE)
    await holds(page.page, "conference.ownStreams.length")
    watched = listener.page.page  # type: ignore[attr-defined]
    await holds(watched, "conference.streams.length === 1")
    await ada.ask("DELETE", f"{roles}/{eve.id}")
    await holds(watched, "conference.streams.length === 0")
    await page.page.locator("[data-control=mic]").wait_for(state="hidden", timeout=PATIENT)
    assert [await shown(page.page, each) for each in ("mic", "camera", "hand")] == [False, False, True]
    assert await page.page.evaluate("conference.ownStreams.length") == 0
    await ada.made(roles, targetUserId=eve.id, role="role_room_moderator")
    await page.page.locator("[data-control=camera]").click()
    await holds(watched, "conference.streams.length === 1")


async def test_a_newcomer_comes_in_by_an_invite(school: School, chromium: Chromium, ada: Person):
    space, room = await school.room(ada, name="Class 3b")
    invite = await ada.made(f"/spaces/{space}/invites", role="role_room_moderator", roomId=room["id"])
    address = f"{school.server.url}{urlsplit(invite['url']).path}"
    page = (await chromium.page()).page
    await page.goto(address)
    await page.get_by_role("heading", name="You are invited to Class 3b").wait_for(timeout=PATIENT)
    await page.get_by_label("Your name").fill("Newcomer")
    await page.get_by_label("E-mail").fill("newcomer@example.org")
    await page.get_by_label("Password").fill("a secret of mine")
    await page.locator("form button[type=submit]").click()
    await page.locator("#accept").wait_for(timeout=PATIENT)
    [before] = (await ada.ask("GET", f"/spaces/{space}/invites"))[1]["items"]
    assert before["activatedAt"] is None
    await page.locator("#accept").click()
    await page.wait_for_url(f"**/room/{room['alias']}?*", timeout=PATIENT)
    await page.get_by_role("heading", name="Class 3b").wait_for(timeout=PATIENT)
    await page.get_by_role("button", name="Join now").click()
    await page.locator("body[data-state=joined]").wait_for(state="attached", timeout=PATIENT)
    assert await page.evaluate("[conference.self.name, conference.self.role]") == ["Newcomer", "moderator"]

    late = (await chromium.page()).page
    await late.goto(address)
    await late.get_by_role("heading", name="This invitation has been used already").wait_for(timeout=PATIENT)


async def test_a_private_room_tells_strangers_so(school: School, chromium: Chromium, ada: Person):
    _, room = await school.room(ada)
    page = (await chromium.page()).page
    await page.goto(f"{school.server.url}/room/{room['alias']}")
    await page.get_by_role("heading", name="This room is private").wait_for(timeout=PATIENT)
    response = await page.goto(f"{school.server.url}/room/AAAAAAAAAA")
    assert response.status == 404
    await page.get_by_role("heading", name="This link leads nowhere").wait_for(timeout=PATIENT)
