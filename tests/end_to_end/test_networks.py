"""Networks that block UDP, change addresses or break: pictures and sound find their way again."""

import asyncio

import pytest

from tests.end_to_end.meeting import Meeting, Person, everybody_meets, two_meet
from tests.support.browsers import PATIENCE, FirefoxPage
from tests.support.relay import Gate, Nat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SMOOTH = 1500  # milliseconds: two cores with browsers on them stumble; a way that was lost would take longer
BACK_AFTER = 5000  # milliseconds: a browser checks its path every 2.5 s
CHANGES_WITHIN = 8000  # milliseconds: before that a browser does not give up a way that has worked
SIGNALING = {"offer", "answer", "candidate", "restart"}


async def test_where_udp_is_blocked_media_goes_by_tcp(meeting: Meeting) -> None:
    ada, bob = await two_meet(meeting, before="signals.blockUdp()")
    await ada.call("goBy", "tcp", PATIENCE)
    await bob.call("goBy", "udp", PATIENCE)
    await ada.call("watch", bob.id)
    await bob.call("watch", ada.id)
    await asyncio.gather(ada.call("frames", bob.id, 30, PATIENCE), bob.call("frames", ada.id, 30, PATIENCE))
    for person, other in ((ada, bob), (bob, ada)):
        assert (await person.call("watched", other.id))["longest"] < SMOOTH


async def test_media_changes_over_when_udp_gets_through_and_back_when_it_is_lost(meeting: Meeting) -> None:
    async with Nat(meeting.server.udp_port) as nat:
        nat.blocks = True
        ada, bob = await two_meet(meeting, before=f"signals.relayTo({nat.port}, {{tcp: true}})")
        await asyncio.gather(ada.call("watch", bob.id), bob.call("watch", ada.id))
        await ada.call("goBy", "tcp", PATIENCE)
        nat.blocks = False
        await ada.call("goBy", "udp", PATIENCE)
        nat.blocks = True
        await ada.call("goBy", "tcp", PATIENCE)
        await everybody_meets(ada, bob)
        for person, other in ((ada, bob), (bob, ada)):
            watched = await person.call("watched", other.id)
            assert watched["same"]
            assert watched["longest"] < CHANGES_WITHIN


@pytest.mark.parametrize("before", ["", "signals.blockUdp()"], ids=["udp", "tcp"])
async def test_an_ice_restart_of_both_connections_does_not_interrupt_media(meeting: Meeting, before: str) -> None:
    await _restart_is_not_noticed(*await two_meet(meeting, before=before))


async def test_firefox_restarts_ice_without_an_interruption(meeting: Meeting, firefox: FirefoxPage) -> None:
    ada, bob = await asyncio.gather(meeting.join(1, firefox), meeting.join(2))
    await asyncio.gather(ada.publish(), bob.publish())
    await everybody_meets(ada, bob)
    await _restart_is_not_noticed(ada, bob)


async def _restart_is_not_noticed(ada: Person, bob: Person) -> None:
    ufrags = await ada.call("ufrags")
    await asyncio.gather(ada.call("watch", bob.id), bob.call("watch", ada.id))
    await ada.do("restartIce")
    await ada.call("restarted", ufrags, PATIENCE)
    await asyncio.gather(ada.call("frames", bob.id, 30, PATIENCE), bob.call("frames", ada.id, 30, PATIENCE))
    for person, other in ((ada, bob), (bob, ada)):
        watched = await person.call("watched", other.id)
        assert watched["same"]
        assert watched["longest"] < SMOOTH
    await everybody_meets(ada, bob)


async def test_a_publisher_is_told_what_arrives_and_finds_more_bandwidth(meeting: Meeting) -> None:
    """A browser begins at 300 kbit/s; without feedback it never gets far beyond."""
    ada, _ = await two_meet(meeting, simulcast=True, width=640, height=360)
    await ada.call("maySend", 500_000, 2 * PATIENCE)


async def test_media_follows_a_client_whose_address_changes_without_any_signaling(meeting: Meeting) -> None:
    async with Nat(meeting.server.udp_port) as nat:
        ada, bob = await two_meet(meeting, before=f"signals.relayTo({nat.port})")
        await asyncio.gather(ada.call("watch", bob.id), bob.call("watch", ada.id))
        await ada.call("countMessages")
        for _ in range(2):
            nat.rebind()
            await asyncio.gather(ada.call("frames", bob.id, 15, PATIENCE), bob.call("frames", ada.id, 15, PATIENCE))
        assert nat.rebound >= 4
        await everybody_meets(ada, bob)
        for person, other in ((ada, bob), (bob, ada)):
            watched = await person.call("watched", other.id)
            assert watched["same"]
            assert watched["longest"] < BACK_AFTER
        assert SIGNALING.isdisjoint(await ada.call("get", "sent"))


async def test_media_goes_on_while_the_socket_is_lost_and_nobody_hears_of_it(meeting: Meeting) -> None:
    async with Gate(meeting.server.port) as gate:
        meeting.url = gate.url
        ada = await meeting.join(1)
        meeting.url = meeting.server.url
        bob = await meeting.join(2)
        await asyncio.gather(ada.publish(), bob.publish())
        await everybody_meets(ada, bob)
        await bob.call("listen", ["participant_update"])
        await asyncio.gather(ada.call("watch", bob.id), bob.call("watch", ada.id))
        gate.shut()
        await ada.call("state", "reconnecting", PATIENCE)
        await asyncio.gather(ada.call("frames", bob.id, 15, PATIENCE), bob.call("frames", ada.id, 15, PATIENCE))
        await gate.open()
        await ada.call("state", "joined", PATIENCE)
        assert await ada.call("joined", PATIENCE) == ada.id
        await everybody_meets(ada, bob)
        for person, other in ((ada, bob), (bob, ada)):
            watched = await person.call("watched", other.id)
            assert watched["same"]
            assert watched["longest"] < SMOOTH
        assert await bob.call("heard") == []


async def test_a_stream_that_comes_while_the_socket_is_lost_is_shown_when_it_is_back(meeting: Meeting) -> None:
    async with Gate(meeting.server.port) as gate:
        meeting.url = gate.url
        ada = await meeting.join(1)
        gate.shut()
        await ada.call("state", "reconnecting", PATIENCE)
        meeting.url = meeting.server.url
        bob = await meeting.join(2)
        await bob.publish()
        await gate.open()
        await ada.call("state", "joined", PATIENCE)
        await ada.meets(bob)
