"""The shell of /rt against clients that are silent, slow, too loud or unlucky."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path

import pytest
from aiohttp import WSMsgType

from signaling.live.caller import Caller
from signaling.live.client import Client
from signaling.live.conversation import Conversation
from signaling.live.limits import PING_EVERY
from signaling.live.socket import LiveSocket, WebSocket
from signaling.live.subscriber import Subscriber
from signaling.services.members import Member, Visitor
from signaling.services.scheduler import Alarm
from tests.support.live import Closed, live_server
from tests.support.objects import alive, without_collections
from tests.support.simulated import SimulatedTime

PATIENCE = 5.0  # seconds for what has to come soon


async def eventually(condition: Callable[[], bool]) -> bool:
    """Whether `condition` comes true while the loop turns, which is looked at after each turn."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    for _turn in takewhile(lambda _: loop.time() < until, count()):
        if condition():
            return True
        await asyncio.sleep(0)
    return False


async def test_who_answers_pings_stays_however_long_they_say_nothing(tmp_path: Path):
    time = SimulatedTime()
    async with live_server(tmp_path, sockets=time) as live:
        talker, _ = await live.enter(await live.room())
        talker.socket._autoping = False
        for _ in range(10):
            time.advance(PING_EVERY)
            assert (await talker.socket.receive()).type is WSMsgType.PING
            await talker.socket.pong()
            assert (await talker.ask("ping"))["type"] == "pong"


async def test_two_missed_pings_lose_the_socket_and_keep_the_seat(tmp_path: Path):
    time = SimulatedTime()
    async with live_server(tmp_path, sockets=time) as live:
        room = await live.room()
        talker, _ = await live.enter(room, id="anna")
        talker.socket._autoping = False
        for _ in range(2):
            time.advance(PING_EVERY)
            assert (await talker.socket.receive()).type is WSMsgType.PING
        time.advance(PING_EVERY)
        with pytest.raises(Closed):
            await talker.receive()
        assert live.conferences.is_online(room.id, "anna")
        _, again = await live.enter(room, id="anna")
        assert again["participant"]["id"] == "anna"


async def test_a_slow_reader_is_dropped_while_others_are_served(tmp_path: Path):
    async with live_server(tmp_path, reconnect_grace_seconds=0.01) as live:
        room = await live.room()
        anna, _ = await live.enter(room, id="anna")
        slow, _ = await live.enter(room, id="slow")
        slow.socket._response.connection.transport.pause_reading()
        meeting = live.conferences.meeting(room.id)

        def slow_is_gone() -> bool:
            if "slow" in meeting.members:
                meeting.say(meeting.members["anna"], "chat", "x" * 30_000, 0.0)
            return "slow" not in meeting.members

        reading = asyncio.create_task(anna.until("pong"))
        assert await eventually(slow_is_gone)
        await anna.send("ping")
        await reading
        assert live.conferences.is_online(room.id, "anna")


async def test_a_failure_of_ours_is_told_and_closes(tmp_path: Path):
    async with live_server(tmp_path) as live:
        room = await live.room()

        async def fail(token: str) -> None:
            raise RuntimeError("the database is on fire")

        live.rooms.admit = fail
        said, code = await (await live.knock(token=room.token)).closed()
        assert ([message["name"] for message in said], code) == (["server_failure"], 4500)
        assert "fire" not in said[0]["message"]


async def test_a_message_too_long_to_be_read_at_all_ends_the_socket_and_nothing_else(tmp_path: Path):
    async with live_server(tmp_path) as live:
        room = await live.room()
        loud, _ = await live.enter(room, id="loud")
        calm, _ = await live.enter(room, id="calm")
        with suppress(ConnectionError):  # closed while it was still being sent
            await loud.socket.send_str("x" * (8 << 20))
        await loud.closed()
        assert (await calm.ask("ping"))["type"] == "pong"


async def test_a_client_that_never_closes_its_side_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("signaling.live.socket.CLOSE_WITHIN", 0.05)
    async with live_server(tmp_path) as live:
        talker, _ = await live.enter(await live.room())
        talker.socket._autoclose = False
        await talker.send("leave")
        assert (await talker.receive())["type"] == "terminated"
        assert (await talker.socket.receive()).type is WSMsgType.CLOSE
        transport = talker.socket._response.connection.transport
        assert await eventually(transport.is_closing)


async def test_a_request_that_is_no_upgrade_is_refused(tmp_path: Path):
    async with live_server(tmp_path) as live, live.session.get(live.server.make_url("/rt")) as response:
        assert response.status in (400, 426)


async def test_five_hundred_sockets_come_and_go(tmp_path: Path):
    async with live_server(tmp_path) as live:
        room = await live.room()
        talkers = await asyncio.gather(*(live.knock(token=room.token) for _ in range(500)))
        await asyncio.gather(*(talker.until("room_setup") for talker in talkers))
        meeting = live.conferences.meeting(room.id)
        assert len(meeting.visitors) == 500
        for talker in talkers:
            talker.vanish()
        assert await eventually(lambda: not meeting.visitors)


async def test_who_has_left_is_gone_at_once(tmp_path: Path):
    types = (Client, Caller, Conversation, Subscriber, LiveSocket, WebSocket, Member, Visitor, Alarm)
    async with live_server(tmp_path) as live:
        room = await live.room()
        await live.enter(room)
        with without_collections():
            before = alive(*types)
            talker, _ = await live.enter(room)
            assert alive(*types) > before
            await talker.send("leave")
            await talker.closed()
            assert await eventually(lambda: alive(*types) == before)
