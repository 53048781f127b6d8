"""People come late, leave, come again and reload the page; what they say and send arrives at those who are there."""

import asyncio

import pytest

from tests.end_to_end.meeting import Meeting, Person, everybody_meets, two_meet
from tests.support.browsers import PATIENCE, ChromiumPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FAST = 2.0  # seconds from being in the conference to a moving picture, on a machine that runs the browsers as well
SMOOTH = 1500  # milliseconds: two cores with browsers on them stumble
TURNS = 20
NUMBERS = 16  # as many can be told apart


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "av1"])
async def test_who_comes_late_sees_everybody_at_once(meeting: Meeting, codec: str) -> None:
    ada, bob = await two_meet(meeting, codec=codec)
    carl = await meeting.join(3)
    assert max(await asyncio.gather(carl.sees(ada), carl.sees(bob))) < FAST
    await carl.meets(ada, bob)


async def test_leaving_and_coming_again_twenty_times_leaves_no_stuck_or_black_picture(meeting: Meeting) -> None:
    ada, bob = await two_meet(meeting)
    for turn in range(TURNS):
        await bob.do("leave")
        await ada.call("gone", bob.id, PATIENCE)
        bob = await meeting.again(bob, (3 + turn) % NUMBERS)
        await asyncio.gather(bob.publish(), bob.sees(ada))
        await ada.sees(bob)
    await everybody_meets(ada, bob)
    assert await ada.call("sections") == {"audio": 1, "video": 1}


async def test_a_reload_of_the_page_resumes_the_same_participant_and_stream(meeting: Meeting) -> None:
    ada, bob = await two_meet(meeting)
    await ada.call("listen", ["participant_update"])
    await ada.call("watch", bob.id)
    assert isinstance(bob.page, ChromiumPage)
    await bob.page.reload()
    again = Person(bob.page, await bob.call("joined", PATIENCE), number=5)
    await again.publish()
    await everybody_meets(ada, again)
    assert (again.id, again.stream_id) == (bob.id, bob.stream_id)
    assert await ada.call("heard") == []
    assert (await ada.call("watched", bob.id))["same"]


async def test_who_leaves_is_gone_at_once_and_the_others_go_on(meeting: Meeting) -> None:
    ada, bob = await two_meet(meeting)
    carl = await meeting.join(3)
    await carl.publish()
    await everybody_meets(ada, bob, carl)
    await ada.call("watch", bob.id)
    await carl.do("leave")
    await asyncio.gather(ada.call("gone", carl.id, FAST), bob.call("gone", carl.id, FAST))
    await ada.call("frames", bob.id, 10, PATIENCE)
    assert (await ada.call("watched", bob.id))["longest"] < SMOOTH


async def test_what_is_muted_is_black_and_silent_for_the_others_until_it_is_unmuted(meeting: Meeting) -> None:
    ada, bob = await two_meet(meeting)
    await bob.call("listen", ["mute_update"])
    await ada.do("mute", ada.stream_id, {"audio": True, "video": True})
    await bob.call("told", "mute_update", '"video":true', PATIENCE)
    await bob.call("silent", ada.id, PATIENCE)
    await ada.do("mute", ada.stream_id, {"audio": False, "video": False})
    await bob.meets(ada)


async def test_chat_reaches_everybody_and_oneself(meeting: Meeting) -> None:
    people = await asyncio.gather(*(meeting.join(number) for number in (1, 2, 3)))
    await asyncio.gather(*(person.call("listen", ["chat"]) for person in people))
    await people[0].do("sendChat", "grüß euch 👋")
    told = await asyncio.gather(*(person.call("told", "chat", "grüß euch 👋", PATIENCE) for person in people))
    assert {message["cid"] for message in told} == {people[0].id}


async def test_data_goes_from_channel_to_channel_to_all_or_to_those_who_are_named(meeting: Meeting) -> None:
    ada, bob, carl = await asyncio.gather(*(meeting.join(number) for number in (1, 2, 3)))
    people = (ada, bob, carl)
    await asyncio.gather(*(person.call("listen", ["data"]) for person in people))
    await asyncio.gather(*(person.call("channel", PATIENCE) for person in people))
    assert await ada.do("sendData", {"for": "all"})
    assert await ada.do("sendData", {"for": "one"}, {"to": [carl.id]})
    assert await ada.do("sendData", {"for": "all", "last": True})
    told = await asyncio.gather(*(person.call("told", "data", '"last":true', PATIENCE) for person in (bob, carl)))
    assert [message["from"] for message in told] == [ada.id, ada.id]
    assert [message["payload"]["for"] for message in await bob.call("heard")] == ["all", "all"]
    assert [message["payload"]["for"] for message in await carl.call("heard")] == ["all", "one", "all"]
    assert await ada.call("heard") == []
