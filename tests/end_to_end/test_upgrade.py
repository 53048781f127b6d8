"""A meeting moves from direct connections to the server while it goes on, and nobody sees it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.end_to_end.meeting import Meeting, Person, everybody_meets
from tests.support.browsers import PATIENCE, Chromium, ChromiumPage, FirefoxPage
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SMALL = {"width": 160, "height": 90, "simulcast": False, "fps": 15}
CLOSED_WITHIN = 10.0  # seconds
SMOOTH = 1500  # milliseconds: two cores with browsers on them stumble; how smooth it can be is a benchmark's


@pytest_asyncio.fixture(loop_scope="session")
async def moving(server: RunningServer, chromium: Chromium) -> AsyncIterator[Meeting]:
    """A room that the fourth person moves to the server."""
    async with Meeting(server, chromium, conferenceType="MESH", autoUpgradeParticipantCount=4) as meeting:
        yield meeting


async def three(meeting: Meeting) -> list[Person]:
    """Who are connected directly, and watch each other."""
    people = list(await asyncio.gather(*(meeting.join(number) for number in (1, 2, 3))))
    await asyncio.gather(*(person.publish(**SMALL) for person in people))
    await everybody_meets(*people)
    for person, other in pairs(people):
        await person.call("watch", other.id)
        await person.call("listen", ["participant_update", "mode_update"])
    return people


def pairs(people: list[Person]) -> list[tuple[Person, Person]]:
    return [(one, other) for one in people for other in people if one is not other]


async def moved(people: list[Person]) -> None:
    """Everything is shown as the server sends it, and no direct connection is left."""
    await asyncio.gather(*(person.call("moved", CLOSED_WITHIN) for person in people))


async def test_the_fourth_moves_everybody_to_the_server_and_nobody_sees_it(
    moving: Meeting, server: RunningServer
) -> None:
    people = await three(moving)
    dora = await moving.join(4)
    await dora.publish(**SMALL)
    await moved(people)
    await everybody_meets(*people, dora)
    for person, other in pairs(people):
        watched = await person.call("watched", other.id)
        assert watched["same"]
        assert watched["older"] == []
        assert watched["longest"] < SMOOTH
    for person in people:
        told = await person.call("heard")
        offline = [
            event for event in told if event["type"] == "participant_update" and not event["participant"]["online"]
        ]
        assert offline == []
        assert await person.call("mode") == {"mode": "SFU", "e2ee": False}
    assert (await server.room(moving.room))["conferenceType"] == "SFU"


async def test_somebody_with_firefox_moves_along(moving: Meeting, firefox: FirefoxPage) -> None:
    ada, bob = await asyncio.gather(moving.join(1), moving.join(2))
    fox = await moving.join(3, firefox)
    people = [ada, bob, fox]
    await asyncio.gather(*(person.publish(**SMALL) for person in people))
    await everybody_meets(*people)
    dora = await moving.join(4)
    await dora.publish(**SMALL)
    await moved(people)
    await everybody_meets(*people, dora)


async def test_a_page_that_reloads_during_the_move_comes_back_on_the_server(moving: Meeting) -> None:
    ada, bob, carl = await three(moving)
    dora = await moving.join(4)
    assert isinstance(carl.page, ChromiumPage)
    await carl.page.reload()
    again = Person(carl.page, await carl.call("joined", PATIENCE), number=5)
    await asyncio.gather(again.publish(**SMALL), dora.publish(**SMALL))
    await everybody_meets(ada, bob, again, dora)
    await moved([ada, bob])
    assert again.id == carl.id


async def test_a_second_newcomer_and_somebody_who_leaves_do_not_disturb_the_move(moving: Meeting) -> None:
    ada, bob, carl = await three(moving)
    dora, emil = await asyncio.gather(moving.join(4), moving.join(5))
    await carl.do("leave")
    await asyncio.gather(dora.publish(**SMALL), emil.publish(**SMALL))
    await everybody_meets(ada, bob, dora, emil)
    await moved([ada, bob])


async def test_who_cannot_move_in_time_lets_go_of_the_direct_connections(moving: Meeting) -> None:
    people = await three(moving)
    await people[0].call("refuseOffers")
    dora = await moving.join(4)
    await dora.publish(**SMALL)
    await asyncio.gather(*(person.call("unconnected", CLOSED_WITHIN + PATIENCE) for person in people))
    rest = [*people[1:], dora]
    await asyncio.gather(*(one.sees(other) for one, other in pairs(rest)))
