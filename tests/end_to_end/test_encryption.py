"""People with the same key see and hear each other through a server that does not; all others get nothing."""

import asyncio

import pytest
from aiohttp import ClientSession

from tests.end_to_end.meeting import Meeting, Person, everybody_meets
from tests.support.browsers import PATIENCE, Chromium, ChromiumPage, FirefoxPage
from tests.support.mesh_peer import Peers
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEY = "q3X9-vN1c2b7Wm0kLzR5yA"
OTHER_KEY = "a0Qd7-yG4kP2rT9sVw1Xzg"
MANY, SOME = 100, 10  # packets
GREY = (128, 128, 128)
TONE_OF_ADA, TOLERANCE_HZ = 730, 20  # of number 1, as signals.js plays it
SMALL = {"width": 320, "height": 180}
OLDER_WAY = "delete window.RTCRtpScriptTransform"


async def test_two_chromiums_and_a_firefox_meet_with_the_same_key(meeting: Meeting, firefox: FirefoxPage) -> None:
    ada, bob = await asyncio.gather(meeting.join(1, key=KEY), meeting.join(2, key=KEY))
    fox = await meeting.join(3, firefox, key=KEY)
    await asyncio.gather(*(person.publish(**SMALL) for person in (ada, bob, fox)))
    await everybody_meets(ada, bob, fox)
    assert await ada.call("mode") == {"mode": "SFU", "e2ee": True}


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "av1"])
async def test_each_codec_can_be_forwarded_unread(meeting: Meeting, codec: str) -> None:
    ada, bob = await asyncio.gather(meeting.join(1, key=KEY), meeting.join(2, key=KEY))
    options = {"width": 640, "height": 360, "codec": codec, "simulcast": True}
    await asyncio.gather(ada.publish(**options), bob.publish(**options))
    await everybody_meets(ada, bob)
    pictures = await ada.call("pictures")
    assert {picture["codec"] for picture in pictures.values()} == {codec}


async def test_a_browser_with_the_older_way_meets_one_with_the_newer(meeting: Meeting) -> None:
    ada, bob = await asyncio.gather(meeting.join(1, key=KEY, before=OLDER_WAY), meeting.join(2, key=KEY))
    await asyncio.gather(ada.publish(**SMALL), bob.publish(**SMALL))
    await everybody_meets(ada, bob)


async def test_another_key_or_none_shows_nothing(meeting: Meeting) -> None:
    ada, eve, joe = await asyncio.gather(meeting.join(1, key=KEY), meeting.join(2, key=OTHER_KEY), meeting.join(3))
    await asyncio.gather(*(person.publish(**SMALL) for person in (ada, eve, joe)))
    assert await eve.call("blind", ada.id, MANY, PATIENCE) is None
    assert await joe.call("blind", ada.id, MANY, PATIENCE) is None
    assert await ada.call("blind", joe.id, MANY, PATIENCE) is None
    await asyncio.gather(ada.call("safety", PATIENCE), eve.call("safety", PATIENCE))
    assert await ada.call("safetyNumber") != await eve.call("safetyNumber")


async def test_a_subscriber_without_the_key_gets_packets_that_no_decoder_can_read(
    meeting: Meeting, server: RunningServer
) -> None:
    ada = await meeting.join(1, key=KEY)
    await ada.publish(**SMALL)
    async with ClientSession() as session:
        others = Peers(server, meeting.room, session)
        spy = await others.join("spy", GREY, 440.0)
        try:
            await spy.until(lambda: spy.frames(ada.id, "audio") > MANY, "sound, whatever it is")
            assert await spy.received("video") > SOME
            assert spy.frames(ada.id, "video") == 0
            tone = spy.tone(ada.id)
            assert tone is None or abs(tone - TONE_OF_ADA) > TOLERANCE_HZ
        finally:
            await others.aclose()


async def test_everybody_sees_the_same_safety_number_until_somebody_comes(meeting: Meeting) -> None:
    ada, bob = await asyncio.gather(meeting.join(1, key=KEY), meeting.join(2, key=KEY))
    await asyncio.gather(ada.publish(**SMALL), bob.publish(**SMALL))
    await everybody_meets(ada, bob)
    number = await ada.call("safetyNumber")
    assert len(number.split(" ")) == 6
    await bob.call("safety", PATIENCE, number)
    carl = await meeting.join(3, key=KEY)
    await carl.call("safety", PATIENCE)
    await asyncio.gather(carl.sees(ada), carl.sees(bob))
    later = await carl.call("safetyNumber")
    await asyncio.gather(*(person.call("safety", PATIENCE, later) for person in (ada, bob)))
    assert later != number


async def test_who_leaves_is_locked_out_even_if_the_server_goes_on_sending(meeting: Meeting) -> None:
    """Whoever watches has another key, is sent everything, and gets what the one who leaves has learnt."""
    ada, mal = await asyncio.gather(meeting.join(1, key=KEY), meeting.join(2, key=KEY))
    watcher = await meeting.join(3, key=OTHER_KEY)
    await asyncio.gather(ada.publish(**SMALL), mal.publish(**SMALL))
    await asyncio.gather(ada.sees(mal), mal.sees(ada))
    await watcher.call("steal", await mal.call("keys"))
    await watcher.sees(ada)
    bob = await meeting.join(4, key=KEY)
    await bob.sees(ada)
    await watcher.sees(ada)
    keys = await mal.call("keys")
    await mal.do("leave")
    await watcher.call("steal", keys)
    await watcher.call("locked", ada.id, MANY, PATIENCE)
    await bob.sees(ada)


async def test_a_reload_and_a_lost_socket_cost_no_keys(meeting: Meeting) -> None:
    ada, bob = await asyncio.gather(meeting.join(1, key=KEY), meeting.join(2, key=KEY))
    await asyncio.gather(ada.publish(**SMALL), bob.publish(**SMALL))
    await everybody_meets(ada, bob)
    await ada.call("loseSocket")
    assert isinstance(bob.page, ChromiumPage)
    await bob.page.reload()
    again = Person(bob.page, await bob.call("joined", PATIENCE), number=5)
    await again.publish(**SMALL)
    await ada.call("state", "joined", PATIENCE)
    await everybody_meets(ada, again)


async def test_a_meeting_with_a_key_stays_encrypted_when_it_moves_to_the_server(
    server: RunningServer, chromium: Chromium
) -> None:
    room = {"conferenceType": "MESH", "autoUpgradeParticipantCount": 3, "e2ee": True}
    async with Meeting(server, chromium, **room) as meeting:
        ada, bob = await asyncio.gather(meeting.join(1, key=KEY), meeting.join(2, key=KEY))
        await asyncio.gather(ada.publish(**SMALL), bob.publish(**SMALL))
        await everybody_meets(ada, bob)
        carl = await meeting.join(3, key=KEY)
        await carl.publish(**SMALL)
        await asyncio.gather(ada.call("moved", PATIENCE), bob.call("moved", PATIENCE))
        await everybody_meets(ada, bob, carl)
        assert await ada.call("mode") == {"mode": "SFU", "e2ee": True}
        eve = await meeting.join(4, key=OTHER_KEY)
        assert await eve.call("blind", ada.id, MANY, PATIENCE) is None


@pytest.mark.parametrize("mode", ["MESH", "SFU"])
async def test_an_encrypted_room_lets_nobody_in_without_a_key(
    server: RunningServer, chromium: Chromium, mode: str
) -> None:
    async with Meeting(server, chromium, conferenceType=mode, e2ee=True) as meeting:
        page = await chromium.page()
        await page.open(server.page(meeting.room))
        await page.call("state", "error", PATIENCE)
        assert await page.call("reason") == "key_missing"
        ada = await meeting.join(1, key=KEY)
        assert await ada.call("mode") == {"mode": mode, "e2ee": True}
        await page.close()
