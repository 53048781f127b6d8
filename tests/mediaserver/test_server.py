from dataclasses import replace

import pytest

from mediaserver import (
    Conference,
    Limits,
    MediaConfig,
    MediaEvent,
    MediaServer,
    NoSuchConference,
    Participant,
    Rights,
    StreamDescription,
    StreamStarted,
)
from mediaserver.conference.link import Link
from mediaserver.conference.publication import PublishSide
from mediaserver.conference.subscription import SubscribeSide
from mediaserver.transport.connection import Connection
from tests.support.client_sdp import Section, publish_offer
from tests.support.clock import MovableClock
from tests.support.objects import alive, without_collections


class Listener:
    """Keeps what it hears; `broken`, it fails with each event."""

    def __init__(self) -> None:
        self.events: list[MediaEvent] = []
        self.broken = False

    def __call__(self, event: MediaEvent) -> None:
        self.events.append(event)
        if self.broken:
            raise RuntimeError("broken")


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
async def server(listener):
    config = MediaConfig(udp_port=0, tcp_port=0, listen_ips=("127.0.0.1",), threads=2)
    server = MediaServer(config, MovableClock(), listener)
    await server.start()
    yield server
    await server.aclose()


CAMERA = [StreamDescription("cam", "camera", "", "0")]


async def test_a_conference_is_opened_once(server):
    hall = server.open("hall", Limits(5))
    assert server.open("hall") is hall
    assert server.conference("hall") is hall


async def test_a_conference_that_was_closed_is_unknown_and_can_be_opened_again(server):
    hall = server.open("hall")
    hall.close()
    with pytest.raises(NoSuchConference):
        server.conference("hall")
    assert server.open("hall") is not hall


async def test_an_offer_is_answered_with_the_address_of_the_port(server):
    answer = server.open("hall").join("ada", Rights()).negotiate(publish_offer(Section("0", "opus")), CAMERA)
    [(ip, port)] = server.port.engine.sockets
    assert f" udp {server.port.candidates[0].priority} {ip} {port} typ host" in answer.sdp
    assert server.port.fingerprint.value in answer.sdp


async def test_a_listener_that_fails_does_not_undo_what_it_heard(server, listener):
    listener.broken = True
    server.open("hall").join("ada", Rights()).negotiate(publish_offer(Section("0", "opus")), CAMERA)
    assert [type(event) for event in listener.events] == [StreamStarted]
    assert [stream.stream_id for stream in server.conference("hall").streams()] == ["cam"]


async def test_stats_cover_the_engine_and_every_conference(server):
    server.open("hall").join("ada", Rights()).negotiate(publish_offer(Section("0", "opus")), CAMERA)
    stats = server.stats()
    assert stats.engine["packets_forwarded"] == 0
    [hall] = stats.conferences
    [ada] = hall.participants
    assert (hall.conference_id, ada.participant_id, ada.publish.state) == ("hall", "ada", "checking")


async def test_closing_ends_all_conferences_and_may_be_repeated(server):
    server.open("hall").join("ada", Rights()).offer()
    await server.aclose()
    await server.aclose()
    assert server.stats().conferences == ()


async def test_time_passes_in_every_conference_even_if_one_fails(server):
    class Watched(Conference):
        ticks: list[float]

        def tick(self, now):
            self.ticks.append(now)
            if self.id == "broken":
                raise RuntimeError("broken")

    for name in ("broken", "sound"):
        conference = server.open(name)
        conference.__class__ = Watched
        conference.ticks = []
    server.tick()
    assert [len(server.conference(name).ticks) for name in ("broken", "sound")] == [1, 1]


async def test_who_has_left_is_gone_at_once(server):
    types = (Participant, PublishSide, SubscribeSide, Link, Connection)
    hall = server.open("hall")
    hall.join("anna", Rights())
    with without_collections():
        before = alive(*types)
        bert = hall.join("bert", Rights())
        bert.negotiate(publish_offer(Section("0", "opus")), [replace(CAMERA[0], stream_id="bert")])
        bert.offer()
        assert alive(*types) > before
        bert.leave()
        del bert
        assert alive(*types) == before
