"""What lies behind and over everything in the composite: each line of section 10 of the rooms contract."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestServer
from PIL import Image

from signaling.appkeys import LAYERS, MEDIA
from tests.support.documents import pdf, picture, png_that_claims, svg
from tests.support.team import Team, team_server

NEVER_ISSUED = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"
PICTURES = {
    "a.png": ("image/png", picture("PNG", size=(64, 48))),
    "b.jpg": ("image/jpeg", picture("JPEG", size=(1280, 960))),
    "c.webp": ("image/webp", picture("WEBP", size=(64, 48))),
    "wide.png": ("image/png", picture("PNG", size=(1282, 100))),
    "high.png": ("image/png", picture("PNG", size=(100, 962))),
    "page.html": ("text/html", b"<script>"),
    "lie.png": ("image/png", b"<script>"),
    "drawing.svg": ("image/svg+xml", svg()),
    "report.pdf": ("application/pdf", pdf()),
    "bomb.png": ("image/png", png_that_claims(30_000, 30_000)),
}


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_server(tmp_path) as team:
        yield team


@pytest.fixture
async def ada(team: Team) -> dict[str, Any]:
    """In a meeting whose composite is wanted."""
    ada = await team.enter(user={"id": "ada"})
    assert await team.status("POST", f"/rooms/{ada['access_key']}/recording") == 201
    return ada


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


def of(meeting: dict[str, Any], index: str = "") -> str:
    return f"/rooms/{meeting['access_key']}/layers{index and '/'}{index}"


def scene(team: Team, meeting: dict[str, Any]) -> Any:
    """What the composite shows."""
    return team.client.app[MEDIA].conference(meeting["signaling"]["options"]["conf_id"]).scenes[-1]


def upload(name: str, **parameters: str) -> FormData:
    form = FormData()
    for key, value in parameters.items():
        form.add_field(key.replace("_", "-"), value)
    media_type, body = PICTURES[name]
    form.add_field("file", body, filename=name, content_type=media_type)
    return form


def kept(directory: Path) -> list[Path]:
    return list((directory / "pictures").iterdir())


@pytest.mark.parametrize("name", ["a.png", "b.jpg", "c.webp"])
@pytest.mark.parametrize("body", ["json", "data"])
async def test_a_picture_by_its_url_lies_over_everything(
    team: Team, ada: dict[str, Any], pictures: str, name: str, body: str
):
    assert await team.ask("POST", of(ada), **{body: {"url": f"{pictures}/{name}"}}) == (201, None)
    shown = scene(team, ada)
    assert (shown.behind, shown.insert) == ("", None)
    assert Image.open(shown.front).size == ((1280, 960) if name == "b.jpg" else (64, 48))


@pytest.mark.parametrize("name", ["a.png", "b.jpg", "c.webp", "drawing.svg"])
async def test_a_picture_that_is_sent_lies_behind_everything(team: Team, ada: dict[str, Any], name: str):
    assert await team.ask("POST", of(ada), data=upload(name, z_index="-1")) == (201, None)
    shown = scene(team, ada)
    assert shown.front == ""
    assert Image.open(shown.behind).format in ("PNG", "JPEG")


async def test_a_picture_larger_than_the_composite_is_a_background_only(team: Team, ada: dict[str, Any], pictures: str):
    for name in ("wide.png", "high.png"):
        assert await team.status("POST", of(ada), json={"url": f"{pictures}/{name}"}) == 400
        assert await team.status("POST", of(ada), data=upload(name)) == 400
        assert await team.status("POST", of(ada), json={"url": f"{pictures}/{name}", "z-index": -1}) == 201
    wide = await team.enter("wide", options={"widescreen": True})
    assert await team.status("POST", of(wide), json={"url": f"{pictures}/b.jpg"}) == 400


@pytest.mark.parametrize("body", ["json", "data"])
@pytest.mark.parametrize(("z_index", "name"), [("1", "insert"), ("-1", "insert_behind")])
async def test_a_panel_of_text(team: Team, ada: dict[str, Any], pictures: str, body: str, z_index: str, name: str):
    wanted = {"insert[title]": "Ada", "insert[content]": "speaks", "z-index": z_index, "layout": "fixed"}
    assert await team.ask("POST", of(ada), **{body: wanted}) == (201, None)
    shown = getattr(scene(team, ada), name)
    assert (shown.title, shown.content, shown.icon, shown.fixed) == ("Ada", "speaks", "", True)
    with_icon = {"insert[content]": "speaks", "insert[icon]": f"{pictures}/a.png", "z-index": z_index}
    assert await team.ask("POST", of(ada), **{body: with_icon}) == (201, None)
    shown = getattr(scene(team, ada), name)
    assert (shown.title, shown.content, shown.fixed) == ("", "speaks", False)
    assert Image.open(shown.icon).size == (64, 48)
    assert (scene(team, ada).front, scene(team, ada).behind) == ("", "")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"url": "{pictures}/a.png", "insert": {"title": "x"}}, id="two at once"),
        pytest.param({"insert": {"icon": "{pictures}/a.png"}}, id="only an icon"),
        pytest.param({"insert": {"title": " ", "content": "\n"}}, id="blank texts"),
        pytest.param({"insert": {"title": "x", "icon": "{pictures}/lie.png"}}, id="an icon that is none"),
        pytest.param({"insert": "x"}, id="an insert that is a text"),
        pytest.param({"insert": {"content": "x" * 501}}, id="an endless text"),
        pytest.param({"url": "{pictures}/a.png", "z-index": 0}, id="in the middle"),
        pytest.param({"url": "{pictures}/a.png", "z-index": 2}, id="too high"),
        pytest.param({"url": "{pictures}/a.png", "z-index": "x"}, id="no number"),
        pytest.param({"url": "{pictures}/a.png", "id": "x" * 65}, id="a long id"),
        pytest.param({"url": "{pictures}/a.png", "layout": "x"}, id="no layout"),
        pytest.param({"file": "x"}, id="a file that is a text"),
        pytest.param({"url": "file:///etc/passwd"}, id="a path"),
        pytest.param({"url": "http://127.0.0.1:1/a.png"}, id="nobody there"),
        *(
            pytest.param({"url": f"{{pictures}}/{name}"}, id=name)
            for name in ("missing.png", "page.html", "lie.png", "drawing.svg", "report.pdf", "bomb.png")
        ),
    ],
)
async def test_a_layer_that_cannot_be_is_400(
    team: Team, ada: dict[str, Any], pictures: str, body: dict[str, Any], tmp_path: Path
):
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        return value.replace("{pictures}", pictures) if isinstance(value, str) else value

    before = scene(team, ada)
    assert await team.status("POST", of(ada), json=filled(body)) == 400
    assert scene(team, ada) is before
    assert kept(tmp_path) == []


@pytest.mark.parametrize("name", ["page.html", "lie.png", "report.pdf", "bomb.png"])
async def test_a_file_that_is_no_picture_is_400(team: Team, ada: dict[str, Any], name: str, tmp_path: Path):
    assert await team.status("POST", of(ada), data=upload(name)) == 400
    assert await team.status("POST", of(ada), data=upload("a.png", url="http://img.example/a.png")) == 400
    assert (kept(tmp_path), list((tmp_path / "uploads").iterdir())) == ([], [])


async def test_a_new_layer_takes_the_place_of_the_one_before(
    team: Team, ada: dict[str, Any], pictures: str, tmp_path: Path
):
    await team.ask("POST", of(ada), json={"url": f"{pictures}/a.png"})
    await team.ask("POST", of(ada), json={"url": f"{pictures}/b.jpg", "z-index": -1})
    first = scene(team, ada)
    await team.ask("POST", of(ada), json={"insert": {"title": "x"}})
    second = scene(team, ada)
    assert (second.front, second.insert.title, second.behind) == ("", "x", first.behind)
    await team.client.app[LAYERS].aclose()
    assert kept(tmp_path) == [Path(first.behind)]


async def test_everybody_hears_of_layers(team: Team, ada: dict[str, Any], pictures: str):
    ann, observer = await team.join(ada), await team.observe()
    await team.ask("POST", of(ada), json={"url": f"{pictures}/a.png", "id": "logo"})
    await team.ask("POST", of(ada), json={"insert": {"title": "x"}, "z-index": -1, "id": "text"})
    await team.ask("DELETE", of(ada, "1"))
    for listener in (ann, observer):
        told = []
        for _ in range(3):
            layers = (await listener.until("layer_update"))["layers"]
            podium = (await listener.until("podium_update"))["podium"]
            told.append((layers, [each for each in podium if each["z-index"] != 0]))
            assert [each["user_id"] for each in podium if each["z-index"] == 0] == ["ada"]
        logo, text = {"layer_id": "logo", "z-index": 1}, {"layer_id": "text", "z-index": -1}
        assert told == [
            ({"-1": None, "1": "logo"}, [logo]),
            ({"-1": "text", "1": "logo"}, [text, logo]),
            ({"-1": "text", "1": None}, [text]),
        ]


async def test_a_layer_without_an_id_is_given_one(team: Team, ada: dict[str, Any]):
    ann = await team.join(ada)
    await team.ask("POST", of(ada), json={"insert": {"title": "x"}})
    assert (await ann.until("layer_update"))["layers"]["1"]


@pytest.mark.parametrize(("index", "name"), [("1", "front"), ("-1", "behind")])
async def test_a_layer_is_removed_once(
    team: Team, ada: dict[str, Any], pictures: str, index: str, name: str, tmp_path: Path
):
    assert await team.status("DELETE", of(ada, index)) == 404
    await team.ask("POST", of(ada), json={"url": f"{pictures}/a.png", "z-index": index})
    assert getattr(scene(team, ada), name) != ""
    assert await team.ask("DELETE", of(ada, index)) == (200, None)
    assert getattr(scene(team, ada), name) == ""
    assert await team.status("DELETE", of(ada, index)) == 404
    await team.client.app[LAYERS].aclose()
    assert kept(tmp_path) == []


@pytest.mark.parametrize("index", ["0", "2", "x", "-2", "01", "+1"])
async def test_there_are_no_other_layers(team: Team, ada: dict[str, Any], index: str):
    await team.ask("POST", of(ada), json={"insert": {"title": "x"}})
    assert await team.status("DELETE", of(ada, index)) == 404


async def test_a_meeting_that_ends_takes_its_layers_along(
    team: Team, ada: dict[str, Any], pictures: str, tmp_path: Path
):
    await team.ask("POST", of(ada), json={"url": f"{pictures}/a.png"})
    await team.end()
    assert await team.status("POST", of(ada), json={"insert": {"title": "x"}}) == 410
    assert await team.status("DELETE", of(ada, "1")) == 410
    await team.client.app[LAYERS].aclose()
    assert kept(tmp_path) == []


async def test_a_key_that_was_never_issued_is_404(team: Team):
    path = f"/rooms/{NEVER_ISSUED}/layers"
    assert await team.status("POST", path, json={"insert": {"title": "x"}}) == 404
    assert await team.status("DELETE", f"{path}/1") == 404
