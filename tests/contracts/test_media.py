"""Stored files by signed link, as the rooms contract has it (section 6): what players and browsers are answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from signaling.api.media import Part, Unsatisfiable, part_of
from signaling.appkeys import LINKS, OBJECTS
from signaling.objects import PIECE_BYTES
from tests.support.api_server import Api, api_server, settings_for
from tests.support.clock import MovableClock

NAME = "6b1f0b77c47e83aa5d10f31c.webm"
CONTENT = bytes(range(256)) * (PIECE_BYTES // 128) + b"end"
SIZE = len(CONTENT)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with api_server(settings_for(tmp_path), clock) as api:
        app = api.client.server.app  # type: ignore[attr-defined]
        await app[OBJECTS].put(CONTENT, NAME)
        yield api


def link(api: Api, clock: MovableClock, name: str = NAME, life: float = 3600) -> str:
    """As a client follows it."""
    app = api.client.server.app  # type: ignore[attr-defined]
    return str(URL(app[LINKS].url(name, clock.wall() + life), encoded=True).relative())


async def test_a_link_needs_no_header(api: Api, clock: MovableClock):
    response = await api.send("GET", link(api, clock), key=None)
    assert (response.status, await response.read()) == (200, CONTENT)
    assert response.headers["Content-Type"] == "video/webm"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Length"] == str(SIZE)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"] == f'inline; filename="{NAME}"'
    assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_head_tells_what_get_would_send(api: Api, clock: MovableClock):
    response = await api.send("HEAD", link(api, clock), key=None)
    assert (response.status, response.headers["Content-Length"], await response.read()) == (200, str(SIZE), b"")
    part = await api.send("HEAD", link(api, clock), key=None, headers={"Range": "bytes=0-9"})
    assert (part.status, part.headers["Content-Length"], await part.read()) == (206, "10", b"")


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        pytest.param("bytes=0-0", 0, 1, id="the first byte"),
        pytest.param(f"bytes={PIECE_BYTES - 2}-{PIECE_BYTES + 1}", PIECE_BYTES - 2, PIECE_BYTES + 2, id="a stretch"),
        pytest.param("bytes=100-", 100, SIZE, id="all but the beginning"),
        pytest.param("bytes=-3", SIZE - 3, SIZE, id="the last bytes"),
        pytest.param(f"bytes=-{SIZE * 2}", 0, SIZE, id="more last bytes than there are"),
        pytest.param(f"bytes=5-{SIZE * 2}", 5, SIZE, id="past the end"),
        pytest.param("bytes=0-", 0, SIZE, id="everything, as players begin"),
    ],
)
async def test_a_range_is_given(api: Api, clock: MovableClock, wanted: str, start: int, stop: int):
    response = await api.send("GET", link(api, clock), key=None, headers={"Range": wanted})
    assert response.status == 206
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert response.headers["Content-Length"] == str(stop - start)
    assert await response.read() == CONTENT[start:stop]


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", f"bytes={'9' * 18}-"])
async def test_a_range_behind_the_end_cannot_be_given(api: Api, clock: MovableClock, wanted: str):
    response = await api.send("GET", link(api, clock), key=None, headers={"Range": wanted})
    assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "bytes=5-1", "bytes=-", "bytes=a-b", "lines=1-2", "bytes= 0-1", ""]
)
async def test_other_ranges_are_ignored(api: Api, clock: MovableClock, wanted: str):
    response = await api.send("GET", link(api, clock), key=None, headers={"Range": wanted})
    assert (response.status, await response.read()) == (200, CONTENT)


async def test_a_range_of_a_version_that_is_not_this_one_gets_the_whole(api: Api, clock: MovableClock):
    tag = (await api.send("HEAD", link(api, clock), key=None)).headers["ETag"]
    for version, status in ((tag, 206), ('"another"', 200)):
        headers = {"Range": "bytes=0-1", "If-Range": version}
        assert (await api.send("GET", link(api, clock), key=None, headers=headers)).status == status


async def test_what_a_client_has_is_not_sent_again(api: Api, clock: MovableClock):
    tag = (await api.send("HEAD", link(api, clock), key=None)).headers["ETag"]
    response = await api.send("GET", link(api, clock), key=None, headers={"If-None-Match": tag})
    assert (response.status, await response.read()) == (304, b"")


async def test_an_altered_link_is_403(api: Api, clock: MovableClock):
    good = link(api, clock)
    for bad in (
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.replace("expires=1", "expires=2"),
        good.split("&")[0],
    ):
        assert await api.ask("GET", bad, key=None) == (403, {"error": "Forbidden"})


async def test_a_link_is_403_once_it_has_expired(api: Api, clock: MovableClock):
    good = link(api, clock)
    clock.advance(3599)
    assert (await api.send("GET", good, key=None)).status == 200
    clock.advance(1)
    assert await api.ask("GET", good, key=None) == (403, {"error": "Forbidden"})


async def test_a_good_link_is_404_once_the_file_has_gone(api: Api, clock: MovableClock):
    good = link(api, clock)
    await api.client.server.app[OBJECTS].delete(NAME)  # type: ignore[attr-defined]
    assert await api.ask("GET", good, key=None) == (404, {"error": "Not Found"})
    assert (await api.send("HEAD", good, key=None)).status == 404


async def test_links_hold_over_a_restart(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path), clock) as api:
        await api.client.server.app[OBJECTS].put(CONTENT, NAME)  # type: ignore[attr-defined]
        good = link(api, clock)
    async with api_server(settings_for(tmp_path), clock) as api:
        response = await api.send("GET", str(URL(good)), key=None)
        assert (response.status, len(await response.read())) == (200, SIZE)


@pytest.mark.parametrize(
    ("name", "media_type", "disposition"),
    [
        ("a.png", "image/png", "inline"),
        ("a.jpg", "image/jpeg", "inline"),
        ("a.pdf", "application/pdf", "attachment"),
        ("a.svg", "application/octet-stream", "attachment"),
        ("a.html", "application/octet-stream", "attachment"),
        ("a", "application/octet-stream", "attachment"),
    ],
)
async def test_nothing_that_a_browser_would_run_is_shown(
    api: Api, clock: MovableClock, name: str, media_type: str, disposition: str
):
    await api.client.server.app[OBJECTS].put(b"<script>", name)  # type: ignore[attr-defined]
    response = await api.send("GET", link(api, clock, name), key=None)
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Disposition"] == f'{disposition}; filename="{name}"'


@pytest.mark.parametrize("path", ["/media/..%2Ffolkmoot.db", "/media/%2Fetc%2Fpasswd", "/media/../folkmoot.db"])
async def test_no_path_leads_to_other_files(api: Api, path: str):
    url = URL(f"{path}?expires=9999999999&signature={'0' * 64}", encoded=True)
    response = await api.client.get(url)
    assert response.status in (403, 404)


@given(st.text(alphabet="bytes=-,0123456789 ", max_size=30), st.integers(0, 5000))
def test_no_range_leads_out_of_the_file(wanted: str, size: int):
    try:
        part = part_of(wanted, size)
    except Unsatisfiable:
        return
    if part is not None:
        assert 0 <= part.start < part.stop <= size
        assert isinstance(part, Part)
