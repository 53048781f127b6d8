"""Two browsers that can reach nothing but a relay meet through a real coturn, with what the server has told them."""

import asyncio
from pathlib import Path

import pytest

from tests.end_to_end.meeting import Meeting, everybody_meets
from tests.support.browsers import Chromium
from tests.support.server import running
from tests.support.turn import turn_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SECRET = "a secret of both"
RELAYED = "signals.relayOnly()"
SMALL = {"width": 160, "height": 90, "simulcast": False}


async def test_two_browsers_meet_through_a_relay_alone(tmp_path: Path, chromium: Chromium) -> None:
    async with turn_server(tmp_path, SECRET) as turn:
        servers = [{"urls": [turn.url]}]
        async with (
            running(tmp_path, ice_servers=servers, turn__shared_secret=SECRET) as server,
            Meeting(server, chromium, conferenceType="MESH") as meeting,
        ):
            ada, bob = await asyncio.gather(*(meeting.join(number, before=RELAYED) for number in (1, 2)))
            await asyncio.gather(ada.publish(**SMALL), bob.publish(**SMALL))
            await everybody_meets(ada, bob)
            for person in (ada, bob):
                [connection] = await person.call("connections")
                assert connection["pc"] == "direct"
                assert "relay" in connection["local"]
                assert "relay" in connection["remote"]
