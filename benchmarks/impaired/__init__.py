"""What do people on bad lines see and hear, and do the others notice anything? Real Chromium, real lines.

Lines are pairs of tun devices with delay, loss, a rate and a queue in both directions; a browser sits in a network
namespace behind each (`tests/support/namespaces.py`). First those who watch are behind such a line, then the one who
publishes. Needs root. All browsers run on this machine and share its cores: what the one on a good line saw is told
beside, so that stumbling browsers are not taken for bad lines.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from benchmarks.impaired.cases import Case, batches, uplinks
from benchmarks.impaired.stage import Line, Stage, enter, noted
from benchmarks.impaired.table import Row, markdown

SETTLED = 12.0  # seconds until a camera sends all its layers


async def watchers(stage: Stage, cases: Sequence[Case]) -> list[Row]:
    """One camera; somebody on a good line and somebody on each bad one watch it."""
    async with AsyncExitStack() as closing:
        token = await stage.server.room()
        camera, good = [await stage.page(stage.near, closing) for _ in range(2)]
        await enter(camera, token, "camera", camera=True)
        await enter(good, token, "good line")
        lines = [await stage.line(number) for number in range(len(cases))]
        pages = [await stage.page(line.browser, closing) for line in lines]
        await asyncio.sleep(SETTLED)
        runs = [watch(case, line, page, token) for case, line, page in zip(cases, lines, pages, strict=True)]
        began = await asyncio.gather(*runs)
        notes = [await noted(page) for page in pages]
        sent, other = await noted(camera), await noted(good)
    told = zip(cases, began, notes, strict=True)
    return [row for case, at, seen in told for row in Row.of_watcher(case, at, seen, sent, other)]


async def watch(case: Case, line: Line, page: Any, token: str) -> float:
    """In the line's weather from before the first packet; returns when that began to be measured."""
    line.weather(case.steps[0])
    try:
        await enter(page, token, "bad line")
        return await line.play(case)
    finally:
        line.weather(None)


async def camera(stage: Stage, case: Case) -> list[Row]:
    """The camera is on the bad line; somebody on a good one watches it."""
    async with AsyncExitStack() as closing:
        token = await stage.server.room()
        line = await stage.line(0)
        good = await stage.page(stage.near, closing)
        page = await stage.page(line.browser, closing)
        await enter(good, token, "good line")
        line.weather(case.steps[0])
        try:
            await enter(page, token, "camera", camera=True)
            began = await line.play(case)
        finally:
            line.weather(None)
        return Row.of_camera(case, began, await noted(good), await noted(page))


async def measured(quick: bool) -> list[Row]:
    rows: list[Row] = []
    async with Stage() as stage:
        for cases in batches(quick):
            rows += told(await watchers(stage, cases))
        for case in uplinks(quick):
            rows += told(await camera(stage, case))
    return rows


def told(rows: list[Row]) -> list[Row]:
    print(markdown(rows), flush=True)
    return rows


def run(quick: bool = False) -> list[dict[str, object]]:
    rows = asyncio.run(measured(quick))
    print("\n" + markdown(rows))
    return [row.told() for row in rows]
