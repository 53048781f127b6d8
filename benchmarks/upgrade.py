"""Does anybody see it when a meeting moves from direct connections to the server?

Three Chromium pages are connected directly (MESH, `autoUpgradeParticipantCount` 4), each with its fake camera at 30
frames/s and a steady tone; a fourth joins. For each ordered pair of the three: the longest time between two pictures
shown (presentation times told by requestVideoFrameCallback on the visible element) from the server's word until half a
second after the stream's exchange, and the longest time in which nothing was to be heard: level of each track, by an
AudioWorklet, times the volume of the element that plays it. Beside them the longest in the second before, in the same
run: browsers that share two cores stumble without any move; the one around the exchange of tracks alone; and how long
the page's longest task took meanwhile. A busy page is not called back for every picture: `missed` counts those that
were shown all the same, `least` is the gap if they came evenly. Everything runs on one machine, over loopback.
"""

import asyncio
import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.join import FLAGS, percentile
from benchmarks.server import Server

RUNS, QUICK_RUNS = 20, 3
NAMES = ("Ada", "Bob", "Carl")
CAMERA = "width=320&height=180&fps=30"
PATIENCE = 30.0  # seconds
SETTLE = 2.0  # seconds
BAR_P50 = 0.1  # seconds
SOUND_BAR_P50 = 0.06
TOLD = ("move", "least", "before", "exchange", "took", "busy", "sound", "sound_before")  # seconds
HOOKS = (Path(__file__).parent / "upgrade_page.js").read_text()

Row = dict[str, object]


async def move(browser: Any, server: Server) -> list[dict[str, float]]:
    """What each pair of three saw when a fourth came."""
    body = {"conferenceType": "MESH", "autoUpgradeParticipantCount": 4}
    headers = {"x-vcs-token": server.key}
    async with server.http.post(f"{server.url}/api/realtime/room", json=body, headers=headers) as answer:
        token = (await answer.json())["room"]["token"]
    async with AsyncExitStack() as closing:
        pages = [await enter(browser, server, token, name, closing) for name in NAMES]
        await come(pages, "sees(2)")
        await asyncio.sleep(SETTLE)
        await enter(browser, server, token, "Dora", closing)
        await come(pages, "moved()")
        await asyncio.sleep(SETTLE)
        return [gap for page in pages for gap in await page.evaluate("gaps()")]


async def come(pages: Sequence[Any], state: str) -> None:
    """Waits until it is so in every page."""
    async with asyncio.timeout(PATIENCE):
        for page in pages:
            await page.evaluate(f"comes(() => {state})")


async def enter(browser: Any, server: Server, token: str, name: str, closing: AsyncExitStack) -> Any:
    context = await browser.new_context(viewport={"width": 640, "height": 400}, bypass_csp=True)  # for the worklet
    closing.push_async_callback(context.close)
    await context.add_init_script(HOOKS)
    page = await context.new_page()
    await page.goto(f"{server.url}/app?token={token}&autojoin=1&name={name}&{CAMERA}")
    return page


def told(gaps: Sequence[dict[str, float]], runs: int) -> Row:
    row: Row = {"case": "three to the server", "runs": runs, "pairs": len(gaps)}
    for what in TOLD:
        values = [gap[what] / 1000 for gap in gaps]
        row[f"{what}_p50"] = round(statistics.median(values), 4)
        row[f"{what}_p95"] = round(percentile(values, 0.95), 4)
    row["missed"] = sum(gap["missed"] for gap in gaps)
    figures = {what: f"p50 {row[f'{what}_p50']} p95 {row[f'{what}_p95']}" for what in TOLD}
    late = statistics.median(gap["move"] for gap in gaps) / 1000 > BAR_P50
    silent = statistics.median(gap["sound"] for gap in gaps) / 1000 > SOUND_BAR_P50
    print(
        f"  longest gap between two pictures, seconds: during the move {figures['move']} (if the {row['missed']} "
        f"pictures that the pages were too busy to note came evenly: {figures['least']}); in the second before "
        f"{figures['before']}; around the exchange {figures['exchange']}; a page's longest task {figures['busy']}; a "
        f"stream had moved after {figures['took']} [{runs} runs, {len(gaps)} pairs]"
        + (f" MISSED (bar {BAR_P50 * 1e3:.0f} ms)" if late else ""),
        f"  longest silence, seconds: during the move {figures['sound']}; in the second before "
        f"{figures['sound_before']}" + (f" MISSED (bar {SOUND_BAR_P50 * 1e3:.0f} ms)" if silent else ""),
        sep="\n",
        flush=True,
    )
    return row


async def measured(quick: bool) -> list[Row]:
    from playwright.async_api import async_playwright

    runs = QUICK_RUNS if quick else RUNS
    gaps: list[dict[str, float]] = []
    async with Server() as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        for _ in range(runs):
            gaps += await move(browser, server)
        await browser.close()
    return [told(gaps, runs)]


def run(quick: bool = False) -> list[Row]:
    print("upgrade: Chromium x4, fake cameras at 320x180 and 30 frames/s, loopback, all on the same cores")
    return asyncio.run(measured(quick))
