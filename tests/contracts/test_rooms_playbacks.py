"""Films and music in the composite: each line of section 11 of the rooms contract."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from signaling.appkeys import MEDIA, PLAYBACKS
from signaling.services import playbacks as service
from tests.support.documents import picture
from tests.support.team import Team, team_server, together

NEVER_ISSUED = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"
FILES = {
    "film.webm": ("video/webm", b"\x1a\x45\xdf\xa3" + bytes(100)),
    "film.mp4": ("application/octet-stream", b"\x00\x00\x00\x20ftypisom" + bytes(100)),
    "music.mp3": ("audio/mpeg", b"ID3\x04" + bytes(100)),
    "picture.png": ("image/png", picture("PNG")),
    "list.m3u8": ("application/vnd.apple.mpegurl", b"#EXTM3U\n/etc/passwd\n"),
    "nothing.webm": ("video/webm", b""),
    "large.webm": ("video/webm", b"\x1a\x45\xdf\xa3" + bytes(3000)),
}


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_server(tmp_path) as team:
        yield team


@pytest.fixture
async def ada(team: Team) -> dict[str, Any]:
    return await team.enter(user={"id": "ada"})


@pytest.fixture
async def files() -> AsyncIterator[str]:
    """Where they can be fetched."""

    async def serve(request: web.Request) -> web.Response:
        media_type, body = FILES[request.match_info["name"]]
        return web.Response(body=body, content_type=media_type)

    app = web.Application()
    app.add_routes([web.get("/{name}", serve)])
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


def of(meeting: dict[str, Any], play_id: str = "") -> str:
    return f"/rooms/{meeting['access_key']}/playbacks{play_id and '/'}{play_id}"


def conference(team: Team, meeting: dict[str, Any]) -> Any:
    """The media plane's."""
    return team.client.app[MEDIA].conference(meeting["signaling"]["options"]["conf_id"])


def seats(podium: list[dict[str, Any]]) -> list[tuple[str | None, str | None]]:
    return [(each["user_id"], each["play_id"]) for each in podium if each["z-index"] == 0]


def content(film: Any) -> bytes:
    return Path(film.path).read_bytes()


async def shown(team: Team, meeting: dict[str, Any]) -> Any:
    """As the meeting is told to its users."""
    return (await team.ask("GET", f"/rooms/{meeting['access_key']}"))[1]["playbacks"]


def kept(directory: Path) -> list[Path]:
    return list((directory / "playbacks").iterdir())


@pytest.mark.parametrize("name", ["film.webm", "film.mp4", "music.mp3"])
@pytest.mark.parametrize("body", ["json", "data"])
@pytest.mark.parametrize("nested", [False, True])
async def test_a_file_is_fetched_and_played(
    team: Team, ada: dict[str, Any], files: str, name: str, body: str, nested: bool
):
    flat = {"url": f"{files}/{name}", "play_id": "intro", "name": "Our film", "audio": "true", "loop_count": "2"}
    wanted = {f"playback[{key}]": value for key, value in flat.items()} if nested else flat
    assert await team.ask("POST", of(ada), **{body: wanted}) == (201, None)
    film = conference(team, ada).films["intro"]
    assert (film.sound, film.loops, content(film)) == (True, 2, FILES[name][1])
    assert await shown(team, ada) == [
        {
            "url": f"{files}/{name}",
            "name": "Our film",
            "play_id": "intro",
            "replacement_id": None,
            "audio": True,
            "loop_count": 2,
        }
    ]


async def test_by_default_it_plays_once_and_unheard_under_an_id_of_its_own(team: Team, ada: dict[str, Any], files: str):
    for _ in range(2):
        assert await team.status("POST", of(ada), json={"playback": {"url": f"{files}/film.webm"}}) == 201
    first, second = await shown(team, ada)
    assert first["play_id"] != second["play_id"]
    assert (first["audio"], first["loop_count"], first["name"]) == (False, 0, None)
    film = conference(team, ada).films[first["play_id"]]
    assert (film.sound, film.loops) == (False, 0)


async def test_the_composite_is_drawn_as_long_as_something_plays(team: Team, ada: dict[str, Any], files: str):
    for play_id in ("a", "b"):
        await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": play_id})
    media = conference(team, ada)
    media.has_played("a")
    assert media.scenes[-1] is not None
    assert await team.status("DELETE", of(ada, "b")) == 200
    assert media.scenes[-1] is None


async def test_a_film_has_a_spot_of_its_own_once_there_is_a_picture(team: Team, ada: dict[str, Any], files: str):
    ann = await team.join(ada)
    await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": "film"})
    await team.ask("POST", of(ada), json={"url": f"{files}/music.mp3", "play_id": "music"})
    media = conference(team, ada)
    media.begins_to_play("music", picture=False)
    assert [tile.source for tile in media.scenes[-1].tiles] == [""]
    media.begins_to_play("film")
    told = await ann.until("podium_update")
    while len(seats(told["podium"])) < 2:
        told = await ann.until("podium_update")
    assert sorted(map(str, seats(told["podium"]))) == ["('ada', None)", "(None, 'film')"]
    assert {tile.source for tile in media.scenes[-1].tiles} == {"", "playback:film"}
    media.has_played("film")
    assert [tile.source for tile in media.scenes[-1].tiles] == [""]
    assert seats((await ann.until("podium_update"))["podium"]) == [("ada", None)]


@pytest.mark.parametrize("picture", [True, False])
@pytest.mark.parametrize("sound", [True, False])
async def test_who_sees_streams_is_given_the_film_as_one(
    team: Team, ada: dict[str, Any], files: str, picture: bool, sound: bool
):
    await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": "film", "audio": sound})
    media = conference(team, ada)
    assert media.screens == {}
    media.begins_to_play("film", picture=picture)
    assert media.screens == {"film": (picture, sound)}
    media.has_played("film")
    assert media.screens == {}


async def test_a_film_replaces_the_picture_of_a_user(team: Team, ada: dict[str, Any], files: str):
    bob = await team.enter(name="Bob", user={"id": "bob"})
    talkers = [await team.join(each) for each in (ada, bob)]
    wanted = {"url": f"{files}/film.webm", "play_id": "film", "replacement_id": "bob"}
    assert await team.status("POST", of(ada), json=wanted) == 201
    media = conference(team, ada)
    media.begins_to_play("film")
    assert [tile.source for tile in media.scenes[-1].tiles] == ["", "playback:film"]
    told = await talkers[0].until("podium_update")
    while ("bob", "film") not in seats(told["podium"]):
        told = await talkers[0].until("podium_update")
    assert seats(told["podium"]) == [("ada", None), ("bob", "film")]


async def test_a_film_can_be_given_a_spot_by_its_id(team: Team, ada: dict[str, Any], files: str):
    await team.join(ada)
    await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": "film"})
    media = conference(team, ada)
    media.begins_to_play("film")
    layout = {"map": [[0, 0, 640, 480], [640, 480, 640, 480]], "users": ["film", "ada"]}
    assert await team.status("POST", f"/rooms/{ada['access_key']}/layout", json=layout) == 200
    tiles = media.scenes[-1].tiles
    assert [(tile.source, tile.box.left, tile.box.fit) for tile in tiles] == [
        ("playback:film", 0, "contain"),
        ("", 640, "auto"),
    ]


async def test_each_start_stop_and_end_is_told_with_all_that_plays(team: Team, ada: dict[str, Any], files: str):
    ann, observer = await team.join(ada), await team.observe()
    for play_id in ("a", "b", "c"):
        await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": play_id})
    media = conference(team, ada)
    media.has_played("b")
    await team.ask("DELETE", of(ada, "a"))
    media.has_played("c", "it cannot be read")
    for listener in (ann, observer):
        told = [(await listener.until("playback_update"))["playing"] for _ in range(6)]
        assert [[each["play_id"] for each in playing] for playing in told] == [
            ["a"],
            ["a", "b"],
            ["a", "b", "c"],
            ["a", "c"],
            ["c"],
            [],
        ]
    assert await shown(team, ada) == []


async def test_who_comes_later_is_told_what_plays(team: Team, ada: dict[str, Any], files: str):
    await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": "film"})
    observer = await team.observe()
    [playing] = (await observer.until("room_update"))["content"]["playbacks"]
    assert playing["play_id"] == "film"


async def test_an_id_that_plays_is_409_and_free_again_afterwards(team: Team, ada: dict[str, Any], files: str):
    wanted = {"url": f"{files}/film.webm", "play_id": "film"}
    assert sorted(await together(*(team.status("POST", of(ada), json=wanted) for _ in range(3)))) == [201, 409, 409]
    conference(team, ada).has_played("film")
    assert await team.status("POST", of(ada), json=wanted) == 201
    assert await team.status("DELETE", of(ada, "film")) == 200
    assert await team.status("POST", of(ada), json=wanted) == 201


async def test_more_than_can_be_played_at_once_is_409(team: Team, ada: dict[str, Any], files: str, tmp_path: Path):
    wanted = [team.status("POST", of(ada), json={"url": f"{files}/film.webm"}) for _ in range(service.MAX_PLAYING + 2)]
    assert sorted(await together(*wanted)) == [201] * service.MAX_PLAYING + [409] * 2
    assert len(kept(tmp_path)) == service.MAX_PLAYING


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"url": ""}, id="a blank url"),
        pytest.param({"url": "ftp://films.example/film.webm"}, id="another scheme"),
        pytest.param({"url": "file:///etc/passwd"}, id="a path"),
        pytest.param({"url": "http://127.0.0.1:1/film.webm"}, id="nobody there"),
        pytest.param({"url": "{files}/film.webm", "audio": "loud"}, id="audio"),
        pytest.param({"url": "{files}/film.webm", "loop_count": -2}, id="loops below"),
        pytest.param({"url": "{files}/film.webm", "loop_count": "x"}, id="loops in letters"),
        pytest.param({"url": "{files}/film.webm", "loop_count": 1.5}, id="loops in halves"),
        pytest.param({"url": "{files}/film.webm", "play_id": "x" * 256}, id="a long id"),
        pytest.param({"url": "{files}/film.webm", "replacement_id": "nobody"}, id="nobody to replace"),
        pytest.param({"playback": "x"}, id="nested in a text"),
        *(
            pytest.param({"url": f"{{files}}/{name}"}, id=name)
            for name in ("missing.webm", "picture.png", "list.m3u8", "nothing.webm")
        ),
    ],
)
async def test_what_cannot_be_played_is_400(
    team: Team, ada: dict[str, Any], files: str, body: dict[str, Any], tmp_path: Path
):
    filled = {
        name: value.replace("{files}", files) if isinstance(value, str) else value for name, value in body.items()
    }
    assert await team.status("POST", of(ada), json=filled) == 400
    assert (await shown(team, ada), conference(team, ada).films, kept(tmp_path)) == ([], {}, [])


async def test_a_file_that_is_too_large_is_400(
    team: Team, ada: dict[str, Any], files: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "MAX_BYTES", 2000)
    assert await team.status("POST", of(ada), json={"url": f"{files}/large.webm"}) == 400
    assert kept(tmp_path) == []


async def test_what_does_not_play_cannot_be_stopped(team: Team, ada: dict[str, Any], files: str):
    assert await team.status("DELETE", of(ada, "film")) == 404
    await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": "film"})
    assert await team.ask("DELETE", of(ada, "film")) == (200, None)
    assert conference(team, ada).films == {}
    assert await team.status("DELETE", of(ada, "film")) == 404


async def test_anybody_in_the_meeting_may_stop_it(team: Team, ada: dict[str, Any], files: str):
    await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": "film"})
    guest = await team.guest(ada)
    assert await team.status("DELETE", of(guest, "film")) == 200


async def test_what_has_played_leaves_no_file(team: Team, ada: dict[str, Any], files: str, tmp_path: Path):
    for play_id in ("stopped", "ended"):
        await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": play_id})
    assert len(kept(tmp_path)) == 2
    await team.ask("DELETE", of(ada, "stopped"))
    conference(team, ada).has_played("ended")
    await team.client.app[PLAYBACKS].aclose()
    assert kept(tmp_path) == []


async def test_a_meeting_that_ends_takes_its_films_along(team: Team, ada: dict[str, Any], files: str, tmp_path: Path):
    await team.ask("POST", of(ada), json={"url": f"{files}/film.webm", "play_id": "film"})
    await team.end()
    assert await team.status("POST", of(ada), json={"url": f"{files}/film.webm"}) == 410
    assert await team.status("DELETE", of(ada, "film")) == 410
    await team.client.app[PLAYBACKS].aclose()
    assert kept(tmp_path) == []


async def test_a_meeting_that_ends_while_a_film_is_fetched_has_none(team: Team, ada: dict[str, Any], tmp_path: Path):
    asked, go = asyncio.Event(), asyncio.Event()

    async def serve(request: web.Request) -> web.Response:
        asked.set()
        await go.wait()
        return web.Response(body=FILES["film.webm"][1])

    app = web.Application()
    app.add_routes([web.get("/film.webm", serve)])
    async with TestServer(app) as server:
        playing = asyncio.create_task(team.status("POST", of(ada), json={"url": str(server.make_url("/film.webm"))}))
        await asked.wait()
        await team.end()
        go.set()
        assert await playing == 410
    assert kept(tmp_path) == []


async def test_a_server_that_starts_keeps_no_films(tmp_path: Path):
    (tmp_path / "playbacks").mkdir()
    (tmp_path / "playbacks" / "left").write_bytes(b"x")
    async with team_server(tmp_path):
        assert kept(tmp_path) == []


async def test_a_key_that_was_never_issued_is_404(team: Team):
    path = f"/rooms/{NEVER_ISSUED}/playbacks"
    assert await team.status("POST", path, json={"url": "http://films.example/film.webm"}) == 404
    assert await team.status("DELETE", f"{path}/film") == 404
