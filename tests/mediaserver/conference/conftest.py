"""A conference whose transport only remembers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from mediaserver.conference.conference import Conference, Limits
from mediaserver.conference.participant import Participant, Rights
from mediaserver.conference.stream import Description, StreamDescription
from mediaserver.events import MediaEvent
from tests.support.client_sdp import Identity, Section, publish_offer, subscribe_answer
from tests.support.fake_transport import FakeConnection, FakeRouter, FakeSink, FakeSource

SOUND, PICTURE = Section("0", "opus"), Section("1", "vp8")


@dataclass
class Meeting:
    """A conference, what it told, and the participants' clients in short."""

    router: FakeRouter = field(default_factory=FakeRouter)
    events: list[MediaEvent] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.conference = Conference(
            "hall", Limits(3), self.router, tell=self.events.append, on_closed=self.closed.append
        )

    def join(self, participant_id: str, **rights: bool) -> Participant:
        return self.conference.join(participant_id, Rights(**rights))

    def publish(
        self,
        participant: Participant,
        *sections: Section,
        streams: Sequence[StreamDescription] | None = None,
        identity: Identity | None = None,
    ) -> Description:
        """Offers sound and picture of a camera named after the participant, unless told otherwise."""
        if streams is None:
            streams = [camera(f"{participant.id}-cam")]
        return participant.negotiate(publish_offer(*(sections or (SOUND, PICTURE)), identity=identity), streams)

    def subscribe(self, participant: Participant, *, opens: bool = True, **answer: object) -> Description:
        """Takes and answers the next offer; `opens` lets the connection come up if it has not."""
        offer = participant.offer()
        connection = self.router.connections[-1]
        participant.accept(subscribe_answer(offer.sdp, **answer))
        if opens and connection.state.value == "new":
            connection.opens()
        return offer

    def told(self, kind: type[MediaEvent]) -> list[MediaEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def carried(self, connection: FakeConnection) -> dict[str, FakeSource | None]:
        return {sink.slot.mid: sink.carried for sink in self.sinks(connection)}

    def sinks(self, connection: FakeConnection) -> list[FakeSink]:
        return self.router.sinks[connection.number]


def camera(
    stream_id: str, audio_mid: str | None = "0", video_mid: str | None = "1", **fields: str
) -> StreamDescription:
    return StreamDescription(stream_id, "camera", "", audio_mid, video_mid, **fields)


def screen(stream_id: str, video_mid: str) -> StreamDescription:
    return StreamDescription(stream_id, "screen", "", None, video_mid)


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()
