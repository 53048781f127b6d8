"""Encoders and players of other makes: Chromium, GStreamer, FFmpeg. What comes out is looked at and listened to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.end_to_end.meeting import Meeting, Person
from tests.support.browsers import Chromium, ChromiumPage
from tests.support.ffmpeg_peer import ffmpeg_encoder
from tests.support.gst import COLOUR, TONE_HZ, gstreamer
from tests.support.server import RunningServer
from tests.support.signals import WHIP
from tests.support.whip_peer import HttpRoom, http_room, near, sounds

GREEN, HIGH = (40, 180, 60), 880.0
PATIENCE = 20.0  # seconds
TWO_LAYERS = {"width": 480, "height": 270, "simulcast": True}

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def room(meeting: Meeting) -> AsyncIterator[HttpRoom]:
    """The meeting's room as others find it."""
    async with http_room(meeting.url, meeting.room) as room:
        yield room


async def blank(chromium: Chromium, server: RunningServer) -> ChromiumPage:
    """A page with nothing of ours in it but the test's scripts."""
    page = await chromium.page(WHIP)
    await page.open(f"{server.url}/healthz")
    return page


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "av1"])
async def test_chromium_publishes_and_plays(
    chromium: Chromium, server: RunningServer, room: HttpRoom, codec: str
) -> None:
    encoder, player = await blank(chromium, server), await blank(chromium, server)
    await encoder.call("encode", f"{room.whip}?id=cam", room.token, 5, {"codec": codec})
    await player.call("play", f"{room.whep}?user=cam", room.token)
    await player.call("sees", "played", 5, PATIENCE)
    await player.call("hears", "played", 5, PATIENCE)
    assert [await player.call("endOver"), await encoder.call("endOver")] == [200, 200]
    await player.call("overAndOut", PATIENCE)
    await encoder.call("overAndOut", PATIENCE)
    await player.close()
    await encoder.close()


async def test_a_meeting_sees_an_encoder_and_a_player_sees_a_meeting(
    chromium: Chromium, server: RunningServer, meeting: Meeting, room: HttpRoom
) -> None:
    encoder, player = await blank(chromium, server), await blank(chromium, server)
    bob = await meeting.join(2)
    await bob.publish()
    await encoder.call("encode", f"{room.whip}?id=cam&name=Studio", room.token, 5)
    await bob.meets(Person(encoder, "cam", 5))
    await player.call("play", f"{room.whep}?user={bob.id}", room.token)
    await player.call("sees", "played", 2, PATIENCE)
    await player.call("hears", "played", 2, PATIENCE)
    await player.close()
    await encoder.close()


async def test_layers_of_an_encoder_come_through(chromium: Chromium, server: RunningServer, room: HttpRoom) -> None:
    encoder, player = await blank(chromium, server), await blank(chromium, server)
    await encoder.call("encode", f"{room.whip}?id=cam", room.token, 5, TWO_LAYERS)
    await player.call("play", f"{room.whep}?user=cam", room.token)
    await player.call("sees", "played", 5, PATIENCE)
    assert await encoder.call("sentLayers") == 2
    await player.close()
    await encoder.close()


@pytest.mark.parametrize("who", ["encoder", "player"])
async def test_ice_is_restarted_without_a_break(
    chromium: Chromium, server: RunningServer, room: HttpRoom, who: str
) -> None:
    encoder, player = await blank(chromium, server), await blank(chromium, server)
    await encoder.call("encode", f"{room.whip}?id=cam", room.token, 5)
    await player.call("play", f"{room.whep}?user=cam", room.token)
    await player.call("sees", "played", 5, PATIENCE)
    await player.call("watch", "played")
    page = encoder if who == "encoder" else player
    assert await page.call("restartOver") == [200, 204]
    await page.call("movedOver", PATIENCE)
    await player.call("frames", "played", 30, PATIENCE)
    assert (await player.call("watched", "played"))["longest"] < 2000
    await player.close()
    await encoder.close()


async def test_gstreamer_publishes(room: HttpRoom) -> None:
    async with gstreamer("publish", f"{room.whip}?id=cam", room.token) as encoder:
        await encoder.tells(lambda told: told.get("state") == "connected", "a connection")
        player = await room.play("cam")
        await player.sees(COLOUR, TONE_HZ)
        await encoder.end()


async def test_gstreamer_plays(room: HttpRoom) -> None:
    await room.publish("cam", GREEN, HIGH)
    async with gstreamer("play", f"{room.whep}?user=cam", room.token) as player:
        await player.tells(lambda told: near(told.get("colour"), GREEN), "the colour")
        await player.tells(lambda told: sounds(told.get("tone"), HIGH), "the tone")
        await player.end()


async def test_ffmpeg_publishes(room: HttpRoom, tmp_path: Path) -> None:
    async with ffmpeg_encoder(tmp_path, f"{room.whip}?id=cam", room.token, GREEN, HIGH):
        player = await room.play("cam")
        await player.sees(GREEN, HIGH)
