"""The server, a camera, somebody on a good line, and people on bad ones: real Chromium everywhere.

Each bad line leads to a namespace of its own with a browser of its own; camera and good line share one browser on the
server's side.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.impaired.cases import Case, Step
from benchmarks.impaired.judge import Notes
from benchmarks.join import FLAGS
from benchmarks.server import Server
from tests.support.namespaces import OPEN, FarSide, far_side, near_side

CHROMIUM = "/usr/bin/chromium"
SIZE, FPS, LENGTH = (1280, 720), 20, 4  # pixels, pictures a second, seconds until it repeats
SCENE = "mandelbrot=s={0}x{1}:r={2}:start_scale=0.6:end_scale=0.2,noise=alls=8:allf=t,format=yuv420p"
NOTHING = "/about.json"  # something of the server's that has no look
SCRIPT = (Path(__file__).parent / "page.js").read_text()
SEATED = 60.0  # seconds to get in, on the worst of lines


def film(path: Path) -> None:
    """What every camera shows: structure that moves and some noise, so that encoders need the bits they may use."""
    source = SCENE.format(*SIZE, FPS)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-t", str(LENGTH), str(path)]
    subprocess.run(command, check=True)


@dataclass(frozen=True)
class Line:
    """A bad line and the browser behind it."""

    side: FarSide
    browser: Any

    def weather(self, step: Step | None) -> None:
        """None: as good as it gets."""
        weather = step.weather if step else OPEN
        self.side.weather(weather, weather)

    async def play(self, case: Case) -> float:
        """Goes through the steps; returns when the first began, as the system's clock tells."""
        began = ends = time.time()
        for step in case.steps:
            self.weather(step)
            ends += step.seconds
            await asyncio.sleep(ends - time.time())
        return began


class Stage:
    """`async with`; then `room` by `room`. `near` is the browser on the server's side."""

    async def __aenter__(self) -> Self:
        from playwright.async_api import async_playwright

        self._closing = AsyncExitStack()
        try:
            directory = self._closing.enter_context(tempfile.TemporaryDirectory())
            self._directory = Path(directory)
            film(self._directory / "film.y4m")
            address = self._closing.enter_context(near_side())
            self.server = await self._closing.enter_async_context(Server(address=address))
            self._playwright = await self._closing.enter_async_context(async_playwright())
            self.near = await self._launch(Path(CHROMIUM))
            self._lines: list[Line] = []
        except BaseException:
            await self._closing.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    async def line(self, number: int) -> Line:
        """Made when it is first asked for."""
        while len(self._lines) <= number:
            side = self._closing.enter_context(far_side(len(self._lines) + 1, seed=len(self._lines)))
            self._lines.append(Line(side, await self._launch(side.wrapper(self._directory, CHROMIUM))))
        return self._lines[number]

    async def _launch(self, program: Path) -> Any:
        flags = [
            *FLAGS,
            f"--use-file-for-fake-video-capture={self._directory / 'film.y4m'}",
            f"--unsafely-treat-insecure-origin-as-secure={self.server.url}",
        ]
        browser = await self._playwright.chromium.launch(executable_path=str(program), args=flags)
        self._closing.push_async_callback(browser.close)
        return browser

    async def page(self, browser: Any, closing: AsyncExitStack) -> Any:
        """A page that can `enter`; everything it needs has been loaded."""
        context = await browser.new_context(viewport={"width": 400, "height": 300}, bypass_csp=True)
        closing.push_async_callback(context.close)
        page = await context.new_page()
        await page.goto(self.server.url + NOTHING)
        await page.add_script_tag(content=SCRIPT, type="module")
        await page.wait_for_function("window.enter !== undefined")
        return page


async def enter(page: Any, token: str, name: str, *, camera: bool = False) -> None:
    width, height = SIZE
    constraints = {"width": width, "height": height, "frameRate": FPS} if camera else None
    async with asyncio.timeout(SEATED):
        await page.evaluate(f"enter({json.dumps(token)}, {json.dumps(name)}, {json.dumps(constraints)})")


async def noted(page: Any) -> Notes:
    notes: Notes = await page.evaluate("noted()")
    return notes
