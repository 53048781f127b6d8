"""The server dies, stops or ends a conference, or somebody takes another's seat: what people are told and get back."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.end_to_end.meeting import Meeting, Person, everybody_meets, two_meet
from tests.support.browsers import PATIENCE, Chromium
from tests.support.server import RunningServer, running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BACK_WITHIN = 30.0  # seconds: the pauses between tries grow, and media needs a new connection


async def _come_back(*people: Person) -> list[Person]:
    """The same pages, joined again: in a server that has forgotten them they are new participants."""
    await asyncio.gather(*(person.call("state", "joined", BACK_WITHIN) for person in people))
    ids = await asyncio.gather(*(person.call("joined", BACK_WITHIN) for person in people))
    return [Person(person.page, id, person.number) for person, id in zip(people, ids, strict=True)]


async def test_after_a_crash_of_the_server_everybody_is_back_by_themselves(
    own_server: RunningServer, chromium: Chromium
) -> None:
    async with Meeting(own_server, chromium) as meeting:
        people = await two_meet(meeting)
        await own_server.kill()
        await asyncio.gather(*(person.call("state", "reconnecting", PATIENCE) for person in people))
        await own_server.start()
        await everybody_meets(*await _come_back(*people), seconds=BACK_WITHIN)


async def test_a_server_that_is_stopped_says_so_and_is_joined_again_when_it_is_back(
    own_server: RunningServer, chromium: Chromium
) -> None:
    async with Meeting(own_server, chromium) as meeting:
        people = await two_meet(meeting)
        await asyncio.gather(*(person.call("listen", ["terminated"]) for person in people))
        assert await own_server.stop() == 0
        for person in people:
            await person.call("told", "terminated", "server_shutdown", PATIENCE)
        await own_server.start()
        await everybody_meets(*await _come_back(*people), seconds=BACK_WITHIN)


async def test_a_second_socket_with_the_same_seat_replaces_the_first(meeting: Meeting) -> None:
    ada, bob = await two_meet(meeting)
    token = await ada.call("endpoint")
    async with (
        ClientSession(meeting.server.url) as session,
        session.ws_connect("/rt", params={"token": token}) as socket,
    ):
        await socket.send_json({"type": "join"})
        await ada.call("state", "left", PATIENCE)
        assert await ada.call("reason") == "replaced"
        await bob.call("state", "joined", PATIENCE)


async def test_deleting_the_room_sends_everybody_away(meeting: Meeting) -> None:
    people = await two_meet(meeting)
    await meeting.server.delete(meeting.room)
    for person in people:
        await person.call("state", "left", PATIENCE)
        assert await person.call("reason") == "room_deleted"


async def test_who_vanishes_without_a_word_is_gone_when_the_grace_is_over(tmp_path: Path, chromium: Chromium) -> None:
    async with running(tmp_path, reconnect_grace_seconds=2) as server, Meeting(server, chromium) as meeting:
        ada, bob = await two_meet(meeting)
        await ada.call("watch", bob.id)
        await meeting.vanish(bob)
        assert await ada.call("gone", bob.id, PATIENCE) > 1000
