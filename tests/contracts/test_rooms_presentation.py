"""Slides and screens shown to everybody: each line of section 13 of the rooms contract."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestServer
from PIL import Image

from signaling.appkeys import PRESENTATIONS
from signaling.services.presentations import Presentation
from tests.support.clock import MovableClock
from tests.support.documents import pdf, picture, png_that_claims, svg
from tests.support.hooks import hook
from tests.support.team import KEY, Team, team_server

NEVER_ISSUED = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"
GRACE = 0.05


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_200.0)


@pytest.fixture
async def team(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Team]:
    async with team_server(tmp_path, clock, reconnect_grace_seconds=GRACE) as team:
        yield team


@pytest.fixture
async def ada(team: Team) -> dict[str, Any]:
    return await team.enter(user={"id": "ada"})


@pytest.fixture
async def bob(team: Team, ada: dict[str, Any]) -> dict[str, Any]:
    return await team.enter(name="Bob", user={"id": "bob"})


PICTURES = {
    "a.png": ("image/png", picture("PNG", size=(64, 48))),
    "b.jpg": ("image/jpeg", picture("JPEG", size=(3000, 1500))),
    "c.webp": ("image/webp", picture("WEBP", size=(64, 48))),
    "page.html": ("text/html", b"<script>"),
    "lie.png": ("image/png", b"<script>"),
    "drawing.svg": ("image/svg+xml", svg()),
    "drawing.png": ("image/png", svg()),
    "report.pdf": ("application/pdf", pdf()),
    "report.png": ("image/png", pdf()),
    "bomb.png": ("image/png", png_that_claims(30_000, 30_000)),
}


@pytest.fixture
async def pictures() -> AsyncIterator[str]:
    """Where they can be fetched."""

    async def serve(request: web.Request) -> web.Response:
        media_type, body = PICTURES[request.match_info["name"]]
        return web.Response(body=body, content_type=media_type)

    app = web.Application()
    app.add_routes([web.get("/{name}", serve)])
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


def of(meeting: dict[str, Any]) -> str:
    return f"/rooms/{meeting['access_key']}/presentation"


async def shown(team: Team, meeting: dict[str, Any]) -> Any:
    """As the meeting is told to its users."""
    return (await team.ask("GET", f"/rooms/{meeting['access_key']}"))[1]["presentation"]


@pytest.mark.parametrize("name", ["a.png", "b.jpg", "c.webp"])
@pytest.mark.parametrize("body", ["json", "data"])
async def test_a_slide_is_shown(team: Team, ada: dict[str, Any], pictures: str, name: str, body: str):
    slide = f"{pictures}/{name}"
    status, told = await team.ask("POST", of(ada), **{body: {"slide": slide}})
    assert status == 201
    assert set(told) == {"slide", "room", "user"}
    assert told["slide"] == slide
    assert told["room"] == ada["room"]
    assert told["user"] == {**told["user"], "id": "ada", "name": "Ada", "avatar": None, "guest": False}
    assert told["user"]["joined_at"].endswith("Z")
    assert await shown(team, ada) == told


async def test_without_a_slide_the_screen_is_shown(team: Team, ada: dict[str, Any]):
    status, told = await team.ask("POST", of(ada))
    assert (status, told["slide"], told["user"]["id"]) == (201, None, "ada")


async def test_a_slide_of_the_meetings_own_files_is_shown(team: Team, ada: dict[str, Any]):
    form = FormData()
    form.add_field("file", picture("PNG"), filename="a.png", content_type="image/png")
    _, file = await team.ask("POST", f"/rooms/{ada['access_key']}/files", data=form)
    [slide] = file["links"]["slides"]
    status, told = await team.ask("POST", of(ada), json={"slide": slide})
    assert (status, told["slide"]) == (201, slide)
    other = await team.enter("another")
    assert await team.status("POST", of(other), json={"slide": slide}) == 400
    assert await team.status("POST", of(ada), json={"slide": file["links"]["download"]}) == 400


@pytest.mark.parametrize(
    "slide",
    [
        pytest.param("no URL", id="no URL"),
        pytest.param("ftp://img.example/a.png", id="another scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("http://127.0.0.1:1/a.png", id="nobody there"),
        pytest.param("{pictures}/missing.png", id="missing"),
        *(pytest.param(f"{{pictures}}/{name}", id=name) for name in PICTURES if name[0] not in "abc"),
        pytest.param("{pictures}/bomb.png", id="bomb"),
        pytest.param("http://img.example/" + "x" * 5000, id="endless"),
        pytest.param(7, id="a number"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_slide_that_cannot_be_shown_is_400(
    team: Team, ada: dict[str, Any], pictures: str, method: str, slide: Any
):
    if method == "PUT":
        await team.ask("POST", of(ada))
    before = await shown(team, ada)
    wanted = slide.format(pictures=pictures) if isinstance(slide, str) else slide
    assert await team.status(method, of(ada), json={"slide": wanted}) == 400
    assert await shown(team, ada) == before


async def test_no_slide_is_fetched_from_inside(tmp_path: Path, pictures: str):
    async with team_server(tmp_path, fetch={"allow_private_addresses": False}) as team:
        ada = await team.enter()
        assert await team.status("POST", of(ada), json={"slide": f"{pictures}/a.png"}) == 400


async def test_while_one_presents_another_cannot(team: Team, ada: dict[str, Any], bob: dict[str, Any], pictures: str):
    assert await team.status("POST", of(ada)) == 201
    assert await team.status("POST", of(bob), json={"slide": f"{pictures}/a.png"}) == 409
    assert await team.status("POST", of(bob)) == 409
    assert (await shown(team, ada))["user"]["id"] == "ada"


async def test_the_presenter_may_begin_anew(team: Team, ada: dict[str, Any], pictures: str):
    await team.ask("POST", of(ada))
    status, told = await team.ask("POST", of(ada), json={"slide": f"{pictures}/a.png"})
    assert (status, told["slide"]) == (201, f"{pictures}/a.png")


async def test_only_the_presenter_changes_the_slide(
    team: Team, ada: dict[str, Any], bob: dict[str, Any], pictures: str
):
    assert await team.status("PUT", of(ada), json={"slide": f"{pictures}/a.png"}) == 404
    await team.ask("POST", of(ada), json={"slide": f"{pictures}/a.png"})
    assert await team.status("PUT", of(bob), json={"slide": f"{pictures}/b.jpg"}) == 409
    status, told = await team.ask("PUT", of(ada), json={"slide": f"{pictures}/b.jpg"})
    assert (status, told["slide"]) == (200, f"{pictures}/b.jpg")
    assert await shown(team, ada) == told


async def test_anybody_may_stop_it_and_twice_is_fine(team: Team, ada: dict[str, Any], bob: dict[str, Any]):
    gus = await team.guest(ada)
    for who in (ada, bob, gus):
        await team.ask("POST", of(ada))
        assert await team.ask("DELETE", of(who)) == (200, None)
        assert await shown(team, ada) is None
        assert await team.ask("DELETE", of(who)) == (200, None)
    assert await team.status("POST", of(bob)) == 201


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_key_that_was_never_issued_is_404(team: Team, method: str):
    assert await team.status(method, f"/rooms/{NEVER_ISSUED}/presentation") == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_key_of_an_ended_meeting_is_410(team: Team, ada: dict[str, Any], method: str):
    await team.end()
    assert await team.status(method, of(ada)) == 410


async def test_everybody_hears_of_start_change_and_end(
    team: Team, ada: dict[str, Any], bob: dict[str, Any], pictures: str
):
    first, second = f"{pictures}/a.png", f"{pictures}/b.jpg"
    talker, observer = await team.join(bob), await team.observe()
    await team.ask("POST", of(ada), json={"slide": first})
    await team.ask("PUT", of(ada), json={"slide": second})
    await team.ask("DELETE", of(bob))
    for listener in (talker, observer):
        told = [await listener.until("presentation_update") for _ in range(3)]
        assert [each["presentation"] and each["presentation"]["slide"] for each in told] == [first, second, None]
        slides = [each["slide"] for each in listener.heard if each["type"] == "slide"]
        assert [*slides, (await listener.until("slide"))["slide"]] == [first, second, ""]


async def test_it_ends_when_the_presenter_leaves(team: Team, ada: dict[str, Any], bob: dict[str, Any]):
    presenter, listener = await team.join(ada), await team.join(bob)
    await team.ask("POST", of(ada))
    assert (await listener.until("presentation_update"))["presentation"]["user"]["id"] == "ada"
    await presenter.send("leave")
    assert (await listener.until("presentation_update"))["presentation"] is None
    assert await shown(team, bob) is None


async def test_it_ends_when_the_presenter_is_lost_for_longer_than_the_grace(
    team: Team, ada: dict[str, Any], bob: dict[str, Any]
):
    presenter, listener = await team.join(ada), await team.join(bob)
    await team.ask("POST", of(ada))
    assert (await listener.until("presentation_update"))["presentation"] is not None
    presenter.vanish()
    assert (await listener.until("presentation_update"))["presentation"] is None


async def test_it_goes_on_when_somebody_else_leaves(team: Team, ada: dict[str, Any], bob: dict[str, Any]):
    await team.join(ada)
    other = await team.join(bob)
    await team.ask("POST", of(ada))
    await other.send("leave")
    await other.closed()
    assert (await shown(team, ada))["user"]["id"] == "ada"


async def test_a_new_meeting_begins_without_one(team: Team, ada: dict[str, Any]):
    await team.ask("POST", of(ada))
    await team.end()
    assert (await team.enter())["presentation"] is None


async def test_the_composite_is_given_the_slide_drawn_by_us(team: Team, ada: dict[str, Any], pictures: str):
    given: list[tuple[Presentation | None, tuple[int, int] | None]] = []

    def watch(meeting_id: str, presentation: Presentation | None) -> None:
        picture = presentation and presentation.picture
        given.append((presentation, Image.open(picture.path).size if picture else None))

    team.client.server.app[PRESENTATIONS].watches.append(watch)  # type: ignore[attr-defined]
    await team.ask("POST", of(ada), json={"slide": f"{pictures}/b.jpg"})
    await team.ask("PUT", of(ada))
    await team.ask("DELETE", of(ada))
    (slide, size), (screen, no_size), (end, _) = given
    assert slide is not None
    assert (slide.slide, size) == (f"{pictures}/b.jpg", (1920, 960))
    assert screen is not None
    assert (screen.slide, no_size, screen.user.id) == (None, None, "ada")
    assert end is None


async def test_no_picture_is_kept_longer_than_it_is_shown(
    team: Team, ada: dict[str, Any], bob: dict[str, Any], pictures: str, tmp_path: Path
):
    app = team.client.server.app  # type: ignore[attr-defined]
    for method, name in (("POST", "a.png"), ("PUT", "b.jpg"), ("PUT", "c.webp")):
        await team.ask(method, of(ada), json={"slide": f"{pictures}/{name}"})
        await team.ask("POST", of(bob), json={"slide": f"{pictures}/{name}"})
        await app[PRESENTATIONS].aclose()
        assert len(kept(tmp_path)) == 1
    await team.ask("DELETE", of(ada))
    await app[PRESENTATIONS].aclose()
    assert kept(tmp_path) == []


def kept(directory: Path) -> list[Path]:
    return list((directory / "pictures").iterdir())


async def test_the_team_hears_of_it(team: Team, ada: dict[str, Any]):
    async with hook() as receiver:
        wanted = {"url": receiver.url, "types": "presentation_update"}
        assert await team.status("POST", "/webhooks", key=KEY, json=wanted) == 201
        await team.ask("POST", of(ada))
        await receiver.until(lambda: len(receiver.got) == 1)
        await team.ask("DELETE", of(ada))
        await receiver.until(lambda: len(receiver.got) == 2)
    bodies = [got.json() for got in receiver.got]
    assert [body["type"] for body in bodies] == ["presentation_update"] * 2
    assert bodies[0]["presentation"]["user"]["id"] == "ada"
    assert bodies[1]["presentation"] is None
