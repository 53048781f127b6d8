"""aiortc clients meet in a MESH room of a running server, and move to it when one more comes: what arrives is seen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.media_port import nothing_at_the_media_port
from tests.support.mesh_peer import peers
from tests.support.server import RunningServer, running

RED, GREEN, BLUE = (210, 40, 40), (40, 180, 60), (50, 60, 200)
LOW, MIDDLE, HIGH = 330.0, 550.0, 880.0

pytestmark = pytest.mark.slow


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running(tmp_path) as server:
        yield server


async def test_a_pair_meets_directly_and_the_server_sees_no_packet_of_it(server: RunningServer):
    async with nothing_at_the_media_port(server), peers(server) as people:
        ada = await people.join("ada", RED, LOW)
        bob = await people.join("bob", GREEN, HIGH)
        await people.meet("directly")
        assert (ada.publishing, bob.subscribing) == (None, None)
        assert await server.counter('streams{mode="MESH"}') == 2


async def test_a_request_over_http_moves_a_pair_to_the_server(server: RunningServer):
    async with peers(server) as people:
        ada = await people.join("ada", RED, LOW)
        await people.join("bob", GREEN, HIGH)
        await people.meet("directly")
        assert (await server.upgrade(people.room))["conferenceType"] == "SFU"
        await people.meet("server")
        assert ada.told("mode_update") == {"type": "mode_update", "mode": "SFU", "reason": "request"}


async def test_the_third_moves_everybody_to_the_server_and_nobody_goes_offline(server: RunningServer):
    async with peers(server, autoUpgradeParticipantCount=3) as people:
        async with nothing_at_the_media_port(server):
            ada = await people.join("ada", RED, LOW)
            bob = await people.join("bob", GREEN, MIDDLE)
            await people.meet("directly")
        carl = await people.join("carl", BLUE, HIGH)
        assert carl.direct == {}
        assert {stream["stream_id"] for stream in carl.told("joined")["streams"]} == {ada.stream_id, bob.stream_id}
        await people.meet("server")
        assert ada.gets(bob, "directly")
        assert bob.gets(ada, "directly")
        for one in (ada, bob):
            kinds = [m["type"] for m in one.heard if m["type"] in ("mode_update", "participant_update")]
            assert kinds[-2:] == ["mode_update", "participant_update"]
            assert all(m["participant"]["online"] for m in one.heard if m["type"] == "participant_update")
            await one.let_go()
        frames = bob.subscribing.screen("ada", "video").frames
        await bob.until(lambda: bob.subscribing.screen("ada", "video").frames > frames + 30, "going on without ada")
        assert await server.counter("folkmoot_media_packets_forwarded_total") > 0
        assert await server.counter('streams{mode="SFU"}') == 3
