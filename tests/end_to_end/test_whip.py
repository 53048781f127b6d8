"""Encoders and players over HTTP, of several makes: what comes out is looked at and listened to."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.server import RunningServer, until
from tests.support.whip_peer import HttpRoom, http_room

RED, GREEN = (210, 40, 40), (40, 180, 60)
LOW, HIGH = 330.0, 880.0

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def room(server: RunningServer) -> AsyncIterator[HttpRoom]:
    async with http_room(server.url, await server.create()) as room:
        yield room


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_what_an_encoder_sends_is_what_a_player_shows(room: HttpRoom, codec: str):
    await room.publish("cam", RED, LOW, codec)
    player = await room.play("cam")
    await player.sees(RED, LOW)


async def test_many_players_watch_one_encoder(room: HttpRoom):
    await room.publish("cam", RED, LOW)
    for player in [await room.play("cam") for _ in range(4)]:
        await player.sees(RED, LOW)


async def test_a_player_goes_on_with_the_next_stream_of_the_same_participant(room: HttpRoom):
    encoder = await room.publish("cam", RED, LOW)
    player = await room.play("cam")
    await player.sees(RED, LOW)
    assert await encoder.stop() == 200
    await room.publish("cam", GREEN, HIGH)
    await player.sees(GREEN, HIGH)


async def test_an_encoder_that_comes_again_is_seen_at_once(room: HttpRoom):
    await room.publish("cam", RED, LOW)
    player = await room.play("cam")
    await player.sees(RED, LOW)
    await room.publish("cam", GREEN, HIGH)
    await player.sees(GREEN, HIGH)


async def test_who_ends_their_sessions_leaves_nothing_behind(room: HttpRoom):
    encoder, player = await room.publish("cam", RED, LOW), await room.play("cam")
    await player.sees(RED, LOW)
    assert [await peer.stop() for peer in (player, player, encoder, encoder)] == [200, 404, 200, 404]
    await until(lambda: player.pc.connectionState == "closed", 5.0, "the player's end")


async def test_a_player_that_vanishes_is_not_counted_for_long(room: HttpRoom, server: RunningServer):
    async def viewers() -> float:
        return (await server.metrics())['folkmoot_viewers{mode="SFU"}']

    async def one_is_gone() -> bool:
        return await viewers() < watching

    await room.publish("cam", RED, LOW)
    player = await room.play("cam")
    await player.sees(RED, LOW)
    watching = await viewers()
    await player.close()
    await until(one_is_gone, 10.0, "one viewer less")
