"""One server and one of each browser for all tests here; a room and its people for each."""

import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.end_to_end.meeting import Meeting
from tests.support import browsers
from tests.support.browsers import Chromium, FirefoxPage
from tests.support.server import RunningServer, running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningServer]:
    async with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    async with browsers.chromium() as browser:
        yield browser


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def windows(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Closes what a test has left open."""
    if "chromium" not in request.fixturenames:
        yield
        return
    async with request.getfixturevalue("chromium").closing():
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def firefox() -> AsyncIterator[FirefoxPage]:
    async with browsers.firefox() as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(server: RunningServer, chromium: Chromium) -> AsyncIterator[Meeting]:
    async with Meeting(server, chromium) as meeting:
        yield meeting


@pytest_asyncio.fixture(loop_scope="session")
async def own_server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    """For tests that kill it."""
    async with running(tmp_path) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningServer]:
    """For tests that are hard on it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for thousands of sockets, here and there
    limits = {"sfu": 5000}
    directory = tmp_path_factory.mktemp("attacked")
    async with running(directory, media__listen_ips=["127.0.0.1"], realtime__max_participants=limits) as server:
        yield server
