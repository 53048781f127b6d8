"""A meeting that is streamed, from the request to what players show: FFmpeg's, and a browser's by the page for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest

from tests.end_to_end.test_recording import hears
from tests.end_to_end.test_recordings import GREEN, HIGH, LOW, RED, Team, boxes_of, has_colour, standup
from tests.support.browsers import Chromium
from tests.support.server import until

PATIENCE = 30.0
LATENCY = 3.0  # seconds at most, on a machine that has other work

pytestmark = pytest.mark.slow


@asynccontextmanager
async def streamed(tmp_path: Path) -> AsyncIterator[tuple[Team, dict[str, Any], Any]]:
    """Ada in red and Bob in green have met, and are streamed."""
    async with standup(tmp_path) as (team, ada, _):
        stream = await team.inside("POST", "hls")

        async def begun() -> bool:
            async with team.session.get(path_of(stream)) as response:
                return bool(response.status == 200)

        await until(begun, PATIENCE, "a segment")
        yield team, stream, ada


def path_of(stream: dict[str, Any], what: str = "playlist") -> str:
    return "/" + stream[what].split("/", 3)[3]


async def playlist(team: Team, stream: dict[str, Any], query: str = "") -> str:
    async with team.session.get(path_of(stream) + query) as response:
        text: str = await response.text()
        assert response.status == 200, text
        return text


async def captured(team: Team, stream: dict[str, Any], seconds: float, file: Path) -> Path:
    """What FFmpeg gets of the stream in so many seconds, as it is."""
    url = str(team.session._build_url(path_of(stream)))
    command = ("ffmpeg", "-v", "error", "-y", "-i", url, "-t", str(seconds), "-c", "copy", str(file))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode == 0, said
    return file


def last_picture(file: Path) -> np.ndarray:
    with closing(av.open(str(file))) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-2]


async def test_ffmpeg_plays_a_meeting_to_its_end(tmp_path: Path) -> None:
    async with streamed(tmp_path) as (team, stream, ada):

        async def shown() -> bool:
            picture = last_picture(await captured(team, stream, 2.0, tmp_path / "look.mp4"))
            boxes = boxes_of(ada)
            return {"ada", "bob"} <= boxes.keys() and all(
                has_colour(picture, boxes[name], colour) for name, colour in (("ada", RED), ("bob", GREEN))
            )

        await until(shown, PATIENCE, "both in the stream")
        file = await captured(team, stream, 6.0, tmp_path / "stream.mp4")
        probed = await _probe(file)
        assert [(each["codec_name"], each.get("width"), each.get("height")) for each in probed["streams"]] == [
            ("h264", 1280, 720),
            ("aac", None, None),
        ]
        assert hears(file, LOW, HIGH)
        await team.inside("DELETE", "hls")

        async def over() -> bool:
            return (await playlist(team, stream)).endswith("#EXT-X-ENDLIST\n")

        await until(over, PATIENCE, "the end")


async def test_parts_come_in_time_and_another_worker_goes_on(tmp_path: Path) -> None:
    async with streamed(tmp_path) as (team, stream, _):
        loop = asyncio.get_running_loop()
        came = []
        for number in range(1, 3):
            for part in range(6):
                await playlist(team, stream, f"?_HLS_msn={number}&_HLS_part={part}")
                came.append(loop.time())
        assert 2.0 < came[-1] - came[0] < 6.0
        worker = next(
            child
            for process in psutil.Process().children()
            for child in process.children()
            if "mediaserver.composition.worker" in child.cmdline()
        )
        worker.kill()

        async def goes_on() -> bool:
            behind = (await playlist(team, stream)).partition("#EXT-X-DISCONTINUITY\n")[2]
            return 'MAP:URI="2.mp4"' in behind and behind.count("#EXTINF") >= 2

        await until(goes_on, PATIENCE, "a stream behind a discontinuity")
        assert len(last_picture(await captured(team, stream, 6.0, tmp_path / "stream.mp4"))) == 720


@pytest.mark.asyncio(loop_scope="session")
async def test_a_browser_plays_it_almost_as_it_happens(tmp_path: Path, chromium: Chromium) -> None:
    async with streamed(tmp_path) as (team, stream, _):
        page = (await chromium.page()).page
        await page.set_viewport_size({"width": 1280, "height": 800})
        try:
            await page.goto(str(team.session._build_url(path_of(stream, "page"))))
            await says(page, "document.body.dataset.state === 'live'")
            await says(page, f"Number(document.body.dataset.behind || 99) < {LATENCY}")
            began = await page.evaluate("document.querySelector('video').currentTime")
            await says(page, f"document.querySelector('video').currentTime > {began} + 5")
            await says(page, f"Number(document.body.dataset.behind || 99) < {LATENCY}")
            shown = await page.evaluate(COLOURS)
            assert any(np.abs(np.array(RED) - each).max() < 60 for each in shown)
            assert any(np.abs(np.array(GREEN) - each).max() < 60 for each in shown)
            await page.keyboard.press("k")
            await says(page, "document.querySelector('video').paused")
            await page.keyboard.press("l")
            await says(page, "!document.querySelector('video').paused")
            await team.inside("DELETE", "hls")
            await says(page, "document.body.dataset.state === 'ended'")
            await page.goto(str(team.session._build_url("/watch?stream=nothing")))
            await says(page, "document.body.dataset.state === 'missing'")
        finally:
            await page.context.close()


async def says(page: Any, condition: str) -> None:
    """Waits until it is so in the page."""
    seen = []

    async def so() -> bool:
        seen.append(await page.evaluate(SEEN))
        return bool(await page.evaluate(condition))

    try:
        await until(so, PATIENCE, condition)
    except AssertionError as error:
        raise AssertionError(f"{error}: {seen[:: len(seen) // 10 or 1]}") from None


SEEN = "[JSON.stringify(document.body.dataset), document.querySelector('video').currentTime]"
COLOURS = """() => {
  const video = document.querySelector("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 9 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 16, 9);
  const { data } = context.getImageData(0, 0, 16, 9);
  return Array.from({ length: 144 }, (_, i) => [data[4 * i], data[4 * i + 1], data[4 * i + 2]]);
}"""


async def _probe(file: Path) -> Any:
    command = ("ffprobe", "-v", "error", "-show_streams", "-of", "json", str(file))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return json.loads((await process.communicate())[0])
