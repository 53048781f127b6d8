"""What a team puts into its meeting's picture beside cameras: films, music, slides, layers; seen and heard for real."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from PIL import Image, ImageDraw

from mediaserver.composition.layouts import Box
from tests.end_to_end.test_recording import hears
from tests.end_to_end.test_recordings import BLUE, GREEN, HIGH, LOW, RED, SECONDS, Team, boxes_of, has_colour, standup
from tests.support.films import film
from tests.support.mesh_peer import MeshPeer
from tests.support.peer import COLOUR_TOLERANCE, TONE_TOLERANCE_HZ, Colour

YELLOW, VIOLET, WHITE = (220, 200, 40), (150, 40, 190), (255, 255, 255)
TONE = 1500.0
LOUD = 0.25
WHOLE = Box(0, 0, 1280, 720)

pytestmark = pytest.mark.slow


@asynccontextmanager
async def files(folder: Path) -> AsyncIterator[str]:
    """What is in the folder can be fetched."""
    app = web.Application()
    app.add_routes([web.static("/", folder)])
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def playing(witness: MeshPeer) -> list[str]:
    told = witness.told("playback_update")
    return [each["play_id"] for each in told["playing"]] if told else []


async def download(witness: MeshPeer, file: Path) -> Path:
    """The recording that was finished last."""
    await witness.until(lambda: witness.count("recording_update") == 3, "the file")
    told = witness.told("recording_update")
    assert told
    async with ClientSession() as nobody, nobody.get(told["recording"]["links"]["download"]) as response:
        await asyncio.to_thread(file.write_bytes, await response.read())
    return file


async def play(team: Team, **wanted: Any) -> None:
    await team.inside("POST", "playbacks", json=wanted)


async def test_a_film_and_music_are_seen_and_heard_until_they_end(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    film(folder / "film.webm", seconds=2.0, tone_hz=TONE, colour=YELLOW, loudness=LOUD)
    film(folder / "music.mp3", seconds=1.0, tone_hz=TONE, loudness=LOUD)
    loop = asyncio.get_running_loop()
    async with files(folder) as base, standup(tmp_path) as (team, ada, _):
        await team.inside("POST", "recording")
        await play(team, url=f"{base}/film.webm", play_id="film", audio=True, loop_count=-1)
        await team.shows(ada, ada=RED, bob=GREEN, film=YELLOW)
        await ada.until(lambda: ada.shows("film", YELLOW), "the film, as a stream of its own")
        await ada.until(lambda: abs((ada.tone("film") or 0.0) - TONE) < TONE_TOLERANCE_HZ, "its sound")
        await asyncio.sleep(SECONDS)
        await team.inside("DELETE", "playbacks/film")
        await team.inside("DELETE", "recording")
        await team.shows(ada, ada=RED, bob=GREEN)
        assert "film" not in boxes_of(ada)
        await ada.until(lambda: not ada.given("film"), "the end of its stream")
        assert hears(await download(ada, tmp_path / "recording.webm"), LOW, HIGH, TONE)

        began = loop.time()
        await play(team, url=f"{base}/music.mp3", play_id="music", audio=True, loop_count=1)
        await ada.until(lambda: playing(ada) == ["music"], "the music")
        await ada.until(lambda: playing(ada) == [], "the end of the music")
        assert loop.time() - began > 1.9, "twice a second"
        assert "music" not in boxes_of(ada)

        await play(team, url=f"{base}/film.webm", play_id="again", replacement_id="bob", loop_count=2)
        await team.shows(ada, ada=RED, bob=YELLOW)
        await ada.until(lambda: playing(ada) == [], "the end of the film")
        await team.shows(ada, ada=RED, bob=GREEN)


def page(folder: Path) -> Path:
    """Half blue, half violet, at 16:9."""
    image = Image.new("RGB", (1600, 900), BLUE)
    ImageDraw.Draw(image).rectangle((800, 0, 1599, 899), VIOLET)
    path = folder / "page.png"
    image.save(path)
    return path


async def test_a_slide_is_large_with_people_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    page(folder)
    async with files(folder) as base, standup(tmp_path) as (team, ada, _):
        await team.inside("POST", "presentation", json={"slide": f"{base}/page.png"})
        picture = await team.shows(ada, ada=RED, bob_too=GREEN)
        boxes = boxes_of(ada)
        stage = boxes["bob"]
        assert stage.width * stage.height > 4 * boxes["ada"].width * boxes["ada"].height
        left, right = (Box(stage.left + x, stage.top, stage.width // 2, stage.height) for x in (0, stage.width // 2))
        assert has_colour(picture, left, BLUE)
        assert has_colour(picture, right, VIOLET)
        await team.inside("DELETE", "presentation")
        await team.shows(ada, ada=RED, bob=GREEN)


def png(size: tuple[int, int], *boxes: tuple[tuple[int, int, int, int], Colour]) -> bytes:
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    for box, colour in boxes:
        ImageDraw.Draw(image).rectangle(box, colour)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def at(picture: np.ndarray, x: int, y: int, colour: Colour) -> bool:
    around = picture[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3)
    return bool(np.all(np.abs(np.median(around, axis=0) - colour) < COLOUR_TOLERANCE))


async def test_layers_lie_behind_and_over_everybody(tmp_path: Path) -> None:
    """One spot is left empty, so that the background is to be seen."""
    folder = tmp_path / "layers"
    folder.mkdir()
    (folder / "behind.png").write_bytes(png((1280, 720), ((0, 0, 1279, 359), VIOLET)))
    (folder / "front.png").write_bytes(png((400, 200), ((0, 0, 199, 199), YELLOW)))
    boxes = [[0, 0, 640, 360], [640, 360, 640, 360]]
    async with files(folder) as base, standup(tmp_path) as (team, ada, _):
        await team.inside("POST", "layout", json={"map": boxes, "users": ["ada", "bob"]})
        await team.inside("POST", "layers", json={"url": f"{base}/behind.png", "z-index": -1})
        await team.inside("POST", "layers", json={"url": f"{base}/front.png"})
        picture = await team.shows(ada, bob=GREEN)
        assert at(picture, 100, 100, YELLOW), "over Ada"
        assert at(picture, 300, 100, RED), "through the foreground"
        assert at(picture, 900, 100, VIOLET), "behind"
        assert at(picture, 100, 500, WHITE), "where the background is transparent"
        await team.inside("DELETE", "layers/1")
        await team.inside("DELETE", "layers/-1")
        picture = await team.shows(ada, ada=RED, bob=GREEN)
        assert at(picture, 100, 100, RED)
        assert at(picture, 900, 100, (18, 18, 18))


async def test_a_box_is_filled_or_shows_the_whole_picture(tmp_path: Path) -> None:
    """Cameras of 4:3 in boxes that are much wider, or a little."""
    wide, tall = 1000, 300
    boxes = [[0, 0, wide, tall, "cover"], [0, 360, wide, tall, "contain"]]
    async with standup(tmp_path) as (team, ada, _):
        await team.inside("POST", "layout", json={"map": boxes, "users": ["ada", "bob"], "show_names": False})
        picture = await team.shows(ada, ada=RED, bob=GREEN)
        assert at(picture, 20, 150, RED)
        assert at(picture, 20, 510, (18, 18, 18)), "beside it is the background"
        boxes = [[0, 0, wide, tall, "auto"], [0, 360, 500, tall, "auto"]]
        await team.inside("POST", "layout", json={"map": boxes, "users": ["ada", "bob"], "show_names": False})
        picture = await team.shows(ada, ada=RED, bob=GREEN)
        assert at(picture, 20, 150, (18, 18, 18)), "so much would be cut off that all of it is shown"
        assert at(picture, 20, 510, GREEN), "a little may be cut off"
