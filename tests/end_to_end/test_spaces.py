"""Calls of a space on a real server: recorded with real people inside, told of to a receiver, cut off by a kill."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.test_recording import hears
from tests.support.api_server import Api
from tests.support.hooks import Got, Hook, hook
from tests.support.mesh_peer import MeshPeer
from tests.support.peer import Colour
from tests.support.server import RunningServer, running, until
from tests.support.spaces import CLIENT, Person, person

RED, GREEN = (210, 40, 40), (40, 180, 60)
LOW, HIGH = 330.0, 880.0
SECONDS = 3.0
PATIENCE = 40.0  # seconds until a file is there
SOMETHING = 4000  # bytes: the recording has really begun
BEAT = 10.0  # seconds: a killed server is wrong by no more than that

pytestmark = pytest.mark.slow


@asynccontextmanager
async def server(directory: Path) -> AsyncIterator[tuple[RunningServer, Api]]:
    options = {
        "media__listen_ips": ["127.0.0.1"],
        "spaces__clients": [CLIENT],
        "fetch__allow_private_addresses": "true",
        "webhooks__backoff_seconds": [0.1],
    }
    async with running(directory, **options) as server, ClientSession(server.url) as session:
        yield server, Api(session)  # type: ignore[arg-type]


async def enter(who: Person, room: dict[str, Any], colour: Colour, tone_hz: float) -> MeshPeer:
    query = {"room": room["alias"], "token": who.token}
    socket = await who.api.client.ws_connect("/rt", params=query)
    return MeshPeer(who.id, colour, tone_hz, socket)


def opened(got: Got, secret: str) -> dict[str, Any]:
    """The event, which has to be signed."""
    said = got.json()
    text = json.dumps(said["body"], separators=(",", ":")).encode()
    assert said["signature"] == hmac.new(secret.encode(), text, "sha256").hexdigest()
    return said["body"]


def events(receiver: Hook, secret: str) -> list[str]:
    return [opened(got, secret)["eventName"] for got in receiver.accepted]


async def test_two_people_in_a_lesson_are_recorded(tmp_path: Path) -> None:
    async with server(tmp_path) as (_, api), hook() as receiver:
        teacher, pupil = await person(api, "ada"), await person(api, "bob")
        space = await teacher.space()
        room = await teacher.room(space)
        secret = (await teacher.made(f"/spaces/{space}/webhook", url=receiver.url))["secret"]
        records = f"/spaces/{space}/rooms/{room['id']}/records"
        ada, bob = await enter(teacher, room, RED, LOW), await enter(pupil, room, GREEN, HIGH)
        try:
            await ada.until(lambda: ada.gets(bob, "server"), "Bob")
            await bob.until(lambda: bob.gets(ada, "server"), "Ada")
            record = await teacher.made(f"{records}/start")
            await until(lambda: written(tmp_path, record["id"]) > SOMETHING, PATIENCE, "something to be written")
            await asyncio.sleep(SECONDS)
            assert (await teacher.ask("POST", f"{records}/stop"))[0] == 200
            await receiver.until(lambda: "record_finished" in events(receiver, secret))
        finally:
            await asyncio.gather(ada.close(), bob.close())
        [listed] = (await teacher.ask("GET", records))[1]["items"]
        file = tmp_path / "download.webm"
        path = f"/v1{records}/download/{record['id']}"
        link = await (await api.send("GET", path, key=None, headers=bearer(teacher))).text()
        async with ClientSession() as nobody, nobody.get(link) as response:
            assert (response.status, response.content_type) == (200, "video/webm")
            file.write_bytes(await response.read())
    assert (listed["id"], listed["state"], listed["fileSize"]) == (record["id"], "ready", file.stat().st_size)
    assert hears(file, LOW, HIGH)
    assert events(receiver, secret)[:3] == ["call_started", "record_started", "record_finished"]
    assert {opened(got, secret)["callId"] for got in receiver.accepted} == {record["callId"]}


async def test_a_call_that_a_kill_cuts_off_is_told_and_listed_as_over(tmp_path: Path) -> None:
    async with server(tmp_path) as (process, api), hook() as receiver:
        ada = await person(api, "ada")
        space = await ada.space()
        room = await ada.room(space)
        secret = (await ada.made(f"/spaces/{space}/webhook", url=receiver.url))["secret"]
        records = f"/spaces/{space}/rooms/{room['id']}/records"
        inside = await enter(ada, room, RED, LOW)
        try:
            await inside.until(lambda: inside.told("joined"), "joined")
            record = await ada.made(f"{records}/start")
            await receiver.until(lambda: "record_started" in events(receiver, secret))
            await until(lambda: written(tmp_path, record["id"]) > SOMETHING, PATIENCE, "something to be written")
            await asyncio.sleep(SECONDS)
            await process.kill()
            killed = datetime.now(UTC)
            await process.start()
            await receiver.until(lambda: len(receiver.accepted) == 4)
        finally:
            await inside.close()

        async def over() -> bool:
            return bool((await ada.ask("GET", f"/spaces/{space}/analytics/calls"))[1]["items"])

        await until(over, PATIENCE, "the call to be listed")
        [call] = (await ada.ask("GET", f"/spaces/{space}/analytics/calls"))[1]["items"]
        [line] = (await ada.ask("GET", f"/spaces/{space}/analytics/report?callId={call['id']}"))[1]["items"]
        [listed] = (await ada.ask("GET", records))[1]["items"]
    assert events(receiver, secret)[:2] == ["call_started", "record_started"]
    assert set(events(receiver, secret)[2:]) == {"call_finished", "record_finished"}
    assert call["id"] == record["callId"]
    assert line["joins"][0]["leftAt"] == call["finishedAt"]
    late = (killed - datetime.fromisoformat(call["finishedAt"])).total_seconds()
    assert 0 <= late <= BEAT + 1
    assert listed["state"] == "ready"


def written(directory: Path, record_id: str) -> int:
    """Bytes so far."""
    folder = directory / "data" / "recordings" / record_id
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def bearer(who: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {who.token}"}
