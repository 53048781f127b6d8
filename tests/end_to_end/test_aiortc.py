"""aiortc clients publish and receive through a media server: real sockets, DTLS and SRTP; what arrives is looked at."""

import pytest

from mediaserver.events import ConnectionOpened, DataReceived, StreamEnded
from tests.support.peer import Peer, Stage

RED, GREEN, BLUE = (210, 40, 40), (40, 180, 60), (50, 60, 200)
LOW, MIDDLE, HIGH = 330.0, 550.0, 880.0

pytestmark = pytest.mark.slow


async def shown(stage, viewer: Peer, stream_id, colour, tone) -> None:
    await stage.until(lambda: viewer.sees(stream_id, colour), f"{stream_id} in {colour}")
    await stage.until(lambda: viewer.hears(stream_id, tone), f"{stream_id} at {tone} Hz")


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_two_participants_see_and_hear_each_other(codec):
    async with Stage() as stage:
        ada, bob = stage.join("ada"), stage.join("bob")
        await ada.publish("ada-cam", RED, LOW, codec)
        await bob.publish("bob-cam", GREEN, HIGH, codec)
        await shown(stage, ada, "bob-cam", GREEN, HIGH)
        await shown(stage, bob, "ada-cam", RED, LOW)
        opened = {(e.participant_id, e.pc) for e in stage.events if isinstance(e, ConnectionOpened)}
        assert opened == {(who, pc) for who in ("ada", "bob") for pc in ("publish", "subscribe")}


async def test_a_late_joiner_sees_everybody_who_is_there():
    async with Stage() as stage:
        ada, bob = stage.join("ada"), stage.join("bob")
        await ada.publish("ada-cam", RED, LOW)
        await bob.publish("bob-cam", GREEN, MIDDLE, "H264")
        await shown(stage, bob, "ada-cam", RED, LOW)
        carl = stage.join("carl")
        await shown(stage, carl, "ada-cam", RED, LOW)
        await shown(stage, carl, "bob-cam", GREEN, MIDDLE)


async def test_who_leaves_and_comes_again_is_shown_in_the_same_sections():
    async with Stage() as stage:
        ada = stage.join("ada")
        await ada.publish("ada-cam", RED, LOW)
        mids = set()
        for turn, (colour, tone) in enumerate([(GREEN, HIGH), (BLUE, MIDDLE), (GREEN, LOW)]):
            bob = stage.join("bob")
            await bob.publish(f"bob-cam{turn}", colour, tone)
            await shown(stage, ada, f"bob-cam{turn}", colour, tone)
            await shown(stage, bob, "ada-cam", RED, LOW)
            stream = ada.stream(f"bob-cam{turn}")
            mids.add((stream.audio_mid, stream.video_mid))
            await stage.leave("bob")
        assert mids == {("0", "1")}
        assert len(ada.subscribing.getTransceivers()) == 2


async def test_a_reloaded_page_goes_on_as_the_same_participant():
    async with Stage() as stage:
        ada, bob = stage.join("ada"), stage.join("bob")
        await ada.publish("ada-cam", RED, LOW)
        await bob.publish("bob-cam", GREEN, HIGH)
        await shown(stage, ada, "bob-cam", GREEN, HIGH)
        await shown(stage, bob, "ada-cam", RED, LOW)
        section = bob.stream("ada-cam")
        await ada.reload()
        await ada.publish("ada-cam", BLUE, MIDDLE)
        await shown(stage, ada, "bob-cam", GREEN, HIGH)
        await shown(stage, bob, "ada-cam", BLUE, MIDDLE)
        assert bob.stream("ada-cam") == section
        assert not [event for event in stage.events if isinstance(event, StreamEnded)]


async def test_a_stream_that_is_muted_falls_silent_and_comes_back():
    async with Stage() as stage:
        ada, bob = stage.join("ada"), stage.join("bob")
        await ada.publish("ada-cam", RED, LOW)
        await shown(stage, bob, "ada-cam", RED, LOW)
        ada.participant.mute("ada-cam", video=True)
        await stage.until(lambda: stage.server.stats().engine["dropped_muted"] > 10, "packets dropped as muted")
        frames = bob.screens["1"].frames
        ada.participant.mute("ada-cam", video=False)
        await stage.until(lambda: bob.screens["1"].frames > frames + 10, "pictures after unmuting")
        assert bob.sees("ada-cam", RED)


async def test_text_goes_both_ways_over_the_data_channel():
    async with Stage() as stage:
        ada = stage.join("ada")
        await ada.connect()
        await stage.until(lambda: ada.channel_open, "an open data channel")
        ada.say("hello")
        await stage.until(lambda: DataReceived("stage", "ada", "hello") in stage.events, "text at the server")
        assert ada.participant.send_text("grüß dich")
        await stage.until(lambda: ada.texts == ["grüß dich"], "text at the client")
