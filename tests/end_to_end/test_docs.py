"""The page that shows the description of the API."""

import pytest

from tests.support.browsers import Chromium
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_every_operation_is_shown_with_what_it_takes(server: RunningServer, chromium: Chromium) -> None:
    page = await chromium.page()
    await page.open(f"{server.url}/docs")
    await page.page.wait_for_selector(".operation")
    assert await page.page.locator("#status").is_hidden()
    shown = await page.page.locator(".operation").all_inner_texts()
    document = await page.page.evaluate("fetch('/openapi.json').then((response) => response.json())")
    assert len(shown) == sum(len(methods) for methods in document["paths"].values())
    (publish,) = [text for text in shown if "/whip/{conference}\n" in text and text.startswith("POST")]
    assert "application/sdp" in publish
    assert "Authorization: Bearer" in publish
    assert page.said == []
    await page.close()
