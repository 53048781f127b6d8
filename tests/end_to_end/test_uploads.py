"""Archives in a tenant's store: of real people, and of a server that is killed on the way."""

import asyncio
import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import ClientSession

from tests.support.api_server import JWT, web_token
from tests.support.buckets import Bucket, bucket
from tests.support.mesh_peer import MeshPeer
from tests.support.peer import COLOUR_TOLERANCE
from tests.support.server import RunningServer, running, until

ARCHIVE = "6b1f0b77c47e83aa5d10f31c"
KEY = f"folkmoot/{ARCHIVE}/archive.webm"
CONTENT = random.Random(7).randbytes(40 << 20)  # several parts, some of them at once
LET_THROUGH = 12 << 20  # bytes before the line to the store stands still
PATIENCE = 60.0  # seconds
SECONDS = 3.0
RED, TONE_HZ = (210, 40, 40), 440.0

pytestmark = pytest.mark.slow


class Line:
    """The way to the bucket: it lets so many bytes through and then stands still, until it is opened."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.passed, self.stuck, self.open = 0, asyncio.Event(), asyncio.Event()
        self._ways: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Line":
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.endpoint = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        for source, sink, counted in ((reader, there_writer, True), (there_reader, writer, False)):
            way = asyncio.create_task(self._pass(source, sink, counted=counted))
            self._ways.add(way)
            way.add_done_callback(self._ways.discard)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool) -> None:
        try:
            while data := await source.read(65536):
                self.passed += len(data) if counted else 0
                if self.passed > LET_THROUGH and not self.open.is_set():
                    self.stuck.set()
                    await self.open.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass  # one of the two is gone
        finally:
            sink.close()


@pytest.fixture
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


async def ask(server: RunningServer, method: str, path: str, **rest: Any) -> Any:
    headers = {"Authorization": f"Bearer {web_token()}"}
    async with ClientSession(server.url) as session, session.request(method, path, headers=headers, **rest) as response:
        assert response.status == 200, await response.text()
        return json.loads(await response.text())


def leave_an_archive(server: RunningServer, session_id: str) -> Path:
    """As a server that has just finished the file leaves it behind."""
    folder = server.directory / "data" / "recordings" / ARCHIVE
    folder.mkdir(parents=True)
    (folder / "recording.webm").write_bytes(CONTENT)
    with closing(sqlite3.connect(server.directory / "data" / "folkmoot.db")) as database, database:
        database.execute(
            "INSERT INTO recordings (id, kind, family, owner, container, conference_id, about, created_ms, state,"
            " duration, target_id) VALUES (?, 'recording', 'sessions', '', ?, ?, ?, ?, 'stopped', 60, 1)",
            (ARCHIVE, session_id, session_id, '{"name": null, "auto": true}', 1_772_440_500_000),
        )
    return folder


def upload_target(server: RunningServer, session_id: str) -> str | None:
    with closing(sqlite3.connect(server.directory / "data" / "folkmoot.db")) as database:
        found = database.execute("SELECT upload_target FROM sessions WHERE session_id = ?", (session_id,)).fetchone()
        return str(found[0]) if found[0] else None


async def status(server: RunningServer) -> str:
    return str((await ask(server, "GET", f"/archives/{ARCHIVE}"))["metaData"]["status"])


async def test_an_archive_arrives_once_although_the_server_is_killed_on_the_way(tmp_path: Path, s3: Bucket):
    # it would have expired: it was made a while ago
    settings = {"jwt": JWT, "fetch__allow_private_addresses": True, "recordings__retention_days": 36_500}
    async with Line(s3.port) as line, running(tmp_path, **settings) as server:
        await ask(server, "PUT", "/archives/storage-target", json=s3.target(line.endpoint))
        link = (await ask(server, "POST", "/session", json={}))["code"]
        session_id = (await ask(server, "POST", f"/session/{link}/token", json={}))["sessionId"]
        await server.stop()
        folder = leave_an_archive(server, session_id)
        await server.start()
        await asyncio.wait_for(line.stuck.wait(), PATIENCE)
        assert await status(server) == "stopped"
        await server.kill()
        assert s3.arrivals() == []
        assert (folder / "recording.webm").read_bytes() == CONTENT
        assert upload_target(server, session_id) is None
        line.open.set()
        await server.start()

        async def arrived() -> bool:
            return await status(server) == "uploaded"

        await until(arrived, PATIENCE, "the archive to arrive")
        assert upload_target(server, session_id) == "AWSS3"
    assert s3.arrivals() == [KEY]
    assert await s3.objects().sha256(KEY) == hashlib.sha256(CONTENT).hexdigest()
    assert not folder.exists()


async def test_what_people_say_in_a_session_is_in_the_tenants_store_when_it_is_over(tmp_path: Path, s3: Bucket):
    settings = {"jwt": JWT, "fetch__allow_private_addresses": True, "media__listen_ips": ["127.0.0.1"]}
    async with running(tmp_path, **settings) as server, ClientSession(server.url) as visitors:
        await ask(server, "PUT", "/archives/storage-target", json=s3.target())
        link = (await ask(server, "POST", "/session", json={"enableArchiving": True}))["code"]
        issued = await ask(server, "POST", f"/session/{link}/token", json={})
        socket = await visitors.ws_connect("/rt", params={"token": issued["token"], "id": "ada"})
        ada = MeshPeer("ada", RED, TONE_HZ, socket)
        try:
            await ada.until(lambda: ada.count("recording_update") == 1, "the archive to begin")
            assert (await archive(server))["status"] == "started"
            await asyncio.sleep(SECONDS)
            await ask(server, "DELETE", f"/session/{link}/archive")
        finally:
            await ada.close()

        async def uploaded() -> bool:
            return (await archive(server))["status"] == "uploaded"

        await until(uploaded, PATIENCE, "the archive to arrive")
        told = await archive(server)
        assert upload_target(server, issued["sessionId"]) == "AWSS3"
    content = await s3.objects().read(f"folkmoot/{told['id']}/archive.webm")
    assert (told["size"], told["url"]) == (len(content), None)
    with av.open(BytesIO(content)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, audio.codec_context.name) == (1280, 720, "opus")
        last = list(container.decode(video=0))[-1].to_ndarray(format="rgb24")
    assert np.all(np.abs(np.median(last[100:600, 300:900], axis=(0, 1)) - RED) < COLOUR_TOLERANCE)


async def archive(server: RunningServer) -> Any:
    """The only one there is."""
    (found,) = (await ask(server, "GET", "/archives"))["items"]
    return found["metaData"]
