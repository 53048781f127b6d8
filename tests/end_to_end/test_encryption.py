"""People with the same key see and hear each other through a server that does not; all others get nothing."""

import asyncio

import pytest

from tests.end_to_end.meeting import Meeting, everybody_meets
from tests.support.browsers import FirefoxPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEY = "q3X9-vN1c2b7Wm0kLzR5yA"
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
