"""Streams of one server's meeting pushed to another server, by the same protocols that anybody could use."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from signaling.client import Meeting, NewUser, Rooms
from tests.support.server import RunningServer, running, until
from tests.support.whip_peer import HttpRoom, http_room

RED, GREEN = (210, 40, 40), (40, 180, 60)
LOW, HIGH = 330.0, 880.0
KEY = "the api key of a team"
PATIENCE = 15.0

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def source(tmp_path: Path) -> AsyncIterator[RunningServer]:
    keys = [{"key": KEY, "team": "My Company"}]
    (tmp_path / "source").mkdir()
    private = {"fetch__allow_private_addresses": "true"}
    async with running(tmp_path / "source", api_keys=keys, departure_timeout_seconds=60, **private) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def target(server: RunningServer) -> AsyncIterator[HttpRoom]:
    """A room of another server."""
    async with http_room(server.url, await server.create()) as room:
        yield room


@pytest_asyncio.fixture(loop_scope="session")
async def rooms(source: RunningServer) -> AsyncIterator[Rooms]:
    async with Rooms(source.url, KEY) as rooms:
        yield rooms


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(source: RunningServer, rooms: Rooms) -> AsyncIterator[tuple[Meeting, HttpRoom]]:
    """Ada in a meeting, and that as encoders see it."""
    ada = await rooms.enter(NewUser(name="Ada", id="ada"), "standup")
    conference = {"id": ada.signaling.options.conf_id, "token": ada.access_key}
    async with http_room(source.url, conference) as room:
        yield ada, room


class Told:
    """What those who observe the meeting are told of its forwards."""

    def __init__(self) -> None:
        self.states: list[str] = []

    async def listen(self, events: AsyncIterator[dict[str, Any]]) -> None:
        async for event in events:
            if event["type"] == "forward_update":
                self.states += [each["state"] for each in event["forwards"]]

    async def state(self, wanted: str) -> None:
        await until(lambda: wanted in self.states, PATIENCE, f"a forward that is {wanted}")


@pytest_asyncio.fixture(loop_scope="session")
async def told(rooms: Rooms, meeting: Any) -> AsyncIterator[Told]:
    told = Told()
    async with rooms.observe("standup") as events:
        listening = asyncio.create_task(told.listen(events))
        yield told
        listening.cancel()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_what_a_user_sends_is_seen_at_another_server(
    rooms: Rooms, meeting: tuple[Meeting, HttpRoom], target: HttpRoom, told: Told, codec: str
):
    encoder = await meeting[1].publish("ada", RED, LOW, codec)
    await rooms.forward_source("standup", "tv", "ada", f"{target.whip}?id=far", token=target.token)
    await told.state("live")
    player = await target.play("far")
    await player.sees(RED, LOW)
    await encoder.stop()
    await told.state("ended")


async def test_the_composite_is_seen_at_another_server(
    rooms: Rooms, meeting: tuple[Meeting, HttpRoom], target: HttpRoom, server: RunningServer, told: Told
):
    await meeting[1].publish("ada", RED, LOW)
    await rooms.forward_composite("standup", "tv", f"{target.whip}?id=far", token=target.token)
    await told.state("live")
    player = await target.play("far")
    await player.sees(RED, LOW)
    await rooms.stop_forward("standup", "tv")
    await told.state("ended")


async def test_a_forward_ends_when_the_team_says_so_and_the_other_server_knows_at_once(
    rooms: Rooms, meeting: tuple[Meeting, HttpRoom], target: HttpRoom, server: RunningServer, told: Told
):
    await meeting[1].publish("ada", GREEN, HIGH)
    await rooms.forward_source("standup", "tv", "ada", f"{target.whip}?id=far", token=target.token)
    await told.state("live")
    assert (await server.metrics())['folkmoot_participants{mode="SFU"}'] == 1
    await rooms.stop_forward("standup", "tv")
    await told.state("ended")

    async def nobody_is_there() -> bool:
        return (await server.metrics())['folkmoot_participants{mode="SFU"}'] == 0

    await until(nobody_is_there, PATIENCE, "the end at the other server")


async def test_a_forward_ends_when_the_other_server_ends_it(
    rooms: Rooms, meeting: tuple[Meeting, HttpRoom], target: HttpRoom, server: RunningServer, told: Told
):
    await meeting[1].publish("ada", GREEN, HIGH)
    await rooms.forward_source("standup", "tv", "ada", target.whip, media="video", token=target.token)
    await told.state("live")
    await server.delete({"id": target.id})
    await told.state("ended")
    await rooms.forward_source("standup", "tv", "ada", target.whip, token=target.token)
    await told.state("failed")
