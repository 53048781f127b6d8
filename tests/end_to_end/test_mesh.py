"""People who are connected directly: everything that works by the server works without it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.end_to_end.meeting import Meeting, Person, everybody_meets
from tests.support.browsers import PATIENCE, Chromium, ChromiumPage, FirefoxPage
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SMALL = {"width": 160, "height": 90, "simulcast": False}


@pytest_asyncio.fixture(loop_scope="session")
async def mesh(server: RunningServer, chromium: Chromium) -> AsyncIterator[Meeting]:
    async with Meeting(server, chromium, conferenceType="MESH") as meeting:
        yield meeting


async def people(mesh: Meeting, count: int) -> list[Person]:
    """Who see and hear each other."""
    everybody = list(await asyncio.gather(*(mesh.join(number) for number in range(1, count + 1))))
    await asyncio.gather(*(person.publish(**SMALL) for person in everybody))
    await everybody_meets(*everybody)
    return everybody


async def test_three_people_see_and_hear_each_other_without_the_servers_media(
    mesh: Meeting, server: RunningServer
) -> None:
    everybody = await people(mesh, 3)
    for person in everybody:
        assert await person.call("ways") == ["direct", "direct"]
        assert await person.call("mode") == {"mode": "MESH", "e2ee": True}


async def test_who_comes_late_meets_everybody_and_who_leaves_is_gone(mesh: Meeting) -> None:
    ada, bob = await people(mesh, 2)
    carl = await mesh.join(3)
    await asyncio.gather(carl.sees(ada), carl.sees(bob))
    await carl.publish(**SMALL)
    await everybody_meets(ada, bob, carl)
    await bob.do("leave")
    await asyncio.gather(ada.call("gone", bob.id, PATIENCE), carl.call("gone", bob.id, PATIENCE))
    await everybody_meets(ada, carl)


async def test_two_who_publish_at_once_find_together(mesh: Meeting) -> None:
    ada, bob = await asyncio.gather(mesh.join(1), mesh.join(2))
    for _ in range(5):
        await asyncio.gather(ada.publish(**SMALL), bob.publish(**SMALL))
        await everybody_meets(ada, bob)
        await asyncio.gather(ada.do("unpublish", ada.stream_id), bob.do("unpublish", bob.stream_id))
        await asyncio.gather(ada.call("gone", bob.id, PATIENCE), bob.call("gone", ada.id, PATIENCE))


async def test_a_screen_is_shared_beside_the_camera_and_again(mesh: Meeting) -> None:
    ada, bob = await people(mesh, 2)
    for number in (7, 8):
        screen = await ada.call("share", number)
        await bob.call("seesScreen", ada.id, number, PATIENCE)
        await bob.sees(ada)
        await ada.do("unpublish", screen)
        await bob.call("noScreen", ada.id, PATIENCE)


async def test_what_is_muted_is_silent_until_it_is_unmuted(mesh: Meeting) -> None:
    ada, bob = await people(mesh, 2)
    await bob.call("listen", ["mute_update"])
    await ada.do("mute", ada.stream_id, {"audio": True, "video": True})
    await bob.call("told", "mute_update", '"video":true', PATIENCE)
    await bob.call("silent", ada.id, PATIENCE)
    await ada.do("mute", ada.stream_id, {"audio": False, "video": False})
    await bob.meets(ada)


async def test_chat_and_data_reach_the_others(mesh: Meeting) -> None:
    ada, bob = await people(mesh, 2)
    await bob.call("listen", ["chat", "data"])
    await ada.do("sendChat", "hello")
    await bob.call("told", "chat", "hello", PATIENCE)
    assert await ada.do("sendData", {"for": "you"}, {"to": [bob.id]})
    assert (await bob.call("told", "data", "you", PATIENCE))["from"] == ada.id


async def test_a_reload_keeps_the_others_elements(mesh: Meeting) -> None:
    ada, bob = await people(mesh, 2)
    await ada.call("watch", bob.id)
    assert isinstance(bob.page, ChromiumPage)
    await bob.page.reload()
    again = Person(bob.page, await bob.call("joined", PATIENCE), number=5)
    await again.publish(**SMALL)
    await everybody_meets(ada, again)
    assert (again.id, again.stream_id) == (bob.id, bob.stream_id)
    assert (await ada.call("watched", bob.id))["same"]


async def test_a_lost_socket_costs_no_picture(mesh: Meeting) -> None:
    ada, bob = await people(mesh, 2)
    await ada.call("watch", bob.id)
    await bob.call("loseSocket")
    await bob.call("state", "reconnecting", PATIENCE)
    await bob.call("state", "joined", PATIENCE)
    carl = await mesh.join(3)
    await carl.publish(**SMALL)
    await everybody_meets(ada, bob, carl)
    assert (await ada.call("watched", bob.id))["same"]


async def test_a_pair_restarts_ice_and_goes_on(mesh: Meeting) -> None:
    ada, bob = await people(mesh, 2)
    before = await ada.call("directUfrags")
    await asyncio.gather(ada.do("restartIce"), bob.do("restartIce"))
    await asyncio.gather(ada.call("directRestarted", before, PATIENCE), ada.meets(bob), bob.meets(ada))


async def test_chromium_and_firefox_meet_directly(mesh: Meeting, firefox: FirefoxPage) -> None:
    ada = await mesh.join(1)
    await ada.publish(**SMALL)
    fox = await mesh.join(2, firefox)
    await fox.publish(**SMALL)
    await everybody_meets(ada, fox)
