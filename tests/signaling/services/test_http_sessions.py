"""What a PATCH means, and who publishes and watches over HTTP, in simulated time."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver import BadDescription, IceFragment, read_fragment, read_one_stream
from signaling.services.composites import Composites
from signaling.services.conferences import ShuttingDown
from signaling.services.entrance import AlreadyOnline
from signaling.services.errors import Forbidden, NotFound
from signaling.services.http_sessions import (
    BadFragment,
    HttpSession,
    HttpSessions,
    NoPrecondition,
    OutOfCapacity,
    UnfitOffer,
    WrongPrecondition,
)
from signaling.services.meeting import NotInMesh
from signaling.services.publishers import Publishers
from signaling.services.viewers import NothingLive, Viewers, Wanted
from signaling.settings import Settings
from signaling.tokens import digest
from tests.support.client_sdp import Section, publish_offer
from tests.support.fake_media import FakeViewer
from tests.support.http_media import CANDIDATE, CREDENTIALS, SENT, WANTED
from tests.support.meetings import World

FIRST = ("first", "a-password-of-22-characters")
OFFER = publish_offer(*SENT, data=False)
ASKED = publish_offer(*WANTED, data=False)
CAM = Wanted(user_id="cam")


# a session


@dataclass
class Remembering:
    restarts: list[IceFragment] = field(default_factory=list)
    finished: int = 0

    def restart(self, fragment: IceFragment) -> str:
        self.restarts.append(fragment)
        return "ours"

    def finish(self) -> None:
        self.finished += 1


@pytest.fixture
def session() -> HttpSession:
    return HttpSession("room", digest("token"), FIRST, Remembering())


def test_candidates_change_nothing(session: HttpSession):
    tag = session.tag
    assert session.patch({tag}, CREDENTIALS.format("first") + CANDIDATE) is None
    assert session.patch({"other", tag}, CANDIDATE) is None
    assert session.tag == tag
    assert session.peer.restarts == []


@pytest.mark.parametrize("tags", [{"*"}, None], ids=["any", "its own"])
def test_new_credentials_restart_and_give_a_new_tag(session: HttpSession, tags: set[str] | None):
    before = session.tag
    restarted = session.patch(tags or {before}, CREDENTIALS.format("second"))
    assert restarted is not None
    assert (restarted.fragment, restarted.tag) == ("ours", session.tag)
    assert session.tag != before
    with pytest.raises(WrongPrecondition):
        session.patch({before}, CANDIDATE)


def test_the_same_restart_again_gets_the_same_tag(session: HttpSession):
    first = session.patch({"*"}, CREDENTIALS.format("second"))
    assert session.patch({"*"}, CREDENTIALS.format("second")) == first


def test_a_patch_has_to_say_what_it_is_about(session: HttpSession):
    with pytest.raises(NoPrecondition):
        session.patch(None, CANDIDATE)
    with pytest.raises(BadFragment):
        session.patch({session.tag}, "hello")


def test_a_session_is_its_makers_as_long_as_it_lasts(session: HttpSession):
    sessions = HttpSessions()
    sessions.add(session)
    assert sessions.own("room", session.id, "token") is session
    with pytest.raises(Forbidden):
        sessions.own("room", session.id, "another")
    with pytest.raises(NotFound):
        sessions.own("hall", session.id, "token")
    sessions.forget(session)
    sessions.forget(session)
    with pytest.raises(NotFound):
        sessions.find("room", session.id)


LINES = st.lists(
    st.one_of(
        st.sampled_from([*OFFER.split("\r\n"), CANDIDATE.strip(), *CREDENTIALS.split("\r\n"), "v=0", "m=", "a="]),
        st.text(max_size=40),
    ),
    max_size=30,
)


READERS = (
    read_fragment,
    lambda sdp: read_one_stream(sdp, "publish"),
    lambda sdp: read_one_stream(sdp, "play"),
)


@given(LINES)
def test_whatever_is_sent_is_understood_or_refused(lines: list[str]):
    for text in ("\r\n".join(lines), "v=0\r\n" + "\r\n".join(lines)):
        for read in READERS:
            try:
                read(text)
            except BadDescription:
                continue


# publishing and playing


class Over(World):
    """Conferences with encoders and players."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        settings = Settings(data_dir="unused", whep={"max_viewers": 2})
        self.publishers = Publishers(self.entrance, self.admission)
        self.viewers = Viewers(
            self.conferences, self.admission, Composites(self.time.clock, self.time), settings, self.time
        )

        def hear(event):
            self.conferences.media_event(event)
            self.viewers.media_event(event)

        self.media.on_event = hear

    async def publish(self, seat: str = "cam", sdp: str = OFFER, token: str = "room"):
        return await self.publishers.publish(token, "room", sdp, seat=seat, name="WHIP", label="camera")

    async def play(self, wanted: Wanted = CAM, sdp: str = ASKED):
        return await self.viewers.play("room", "room", sdp, wanted)

    @property
    def watching(self) -> list[FakeViewer]:
        return list(self.media.conference("room").viewers.values())


async def test_who_publishes_is_online_and_receives_nothing():
    world = Over()
    anna = await world.join("anna")
    opened = await world.publish()
    assert anna.ear.online() == [("cam", True)]
    assert anna.ear.told[-1]["participant"]["platform"] == "whip"
    media = world.media.conference("room").participant("cam")
    assert (media.rights.publish, media.rights.subscribe) == (True, False)
    assert opened.answer == f"answer to {OFFER}"
    assert len(world.publishers.sessions) == 1


@pytest.mark.parametrize("end", ["lost", "finished", "dismissed", "meeting over"])
async def test_whatever_ends_it_the_participant_is_offline_and_the_session_gone(end: str):
    world = Over()
    anna = await world.join("anna")
    opened = await world.publish()
    match end:
        case "lost":
            world.media.conference("room").participant("cam").loses("publish")
        case "finished":
            opened.session.peer.finish()
        case "dismissed":
            meeting = anna.meeting
            world.conferences.dismiss(meeting, meeting.members["cam"], "kicked")
        case "meeting over":
            await world.conferences.end("room", "ended")
    if end != "meeting over":
        assert anna.ear.online() == [("cam", True), ("cam", False)]
    assert len(world.publishers.sessions) == 0


async def test_the_end_of_a_connection_for_receiving_does_not_matter():
    world = Over()
    await world.publish()
    world.media.conference("room").participant("cam").loses("subscribe")
    assert len(world.publishers.sessions) == 1


async def test_an_offer_that_is_refused_has_never_happened():
    world = Over()
    anna = await world.join("anna")
    with pytest.raises(UnfitOffer):
        await world.publish(sdp=publish_offer(Section("1", "theora")))
    assert anna.ear.told == []
    assert anna.meeting.visitors == set()


async def test_a_seat_that_is_kept_for_somebody_lost_is_given_to_their_encoder():
    world = Over()
    bert = await world.join("bert")
    bert.vanish()
    await world.publish("bert")
    assert bert.ear.ended == ["replaced"]
    assert bert.meeting.members["bert"].by_http


async def test_who_is_online_keeps_the_seat():
    world = Over()
    await world.join("bert")
    with pytest.raises(AlreadyOnline):
        await world.publish("bert")
    await world.publish()
    with pytest.raises(AlreadyOnline):
        await world.visit("cam")


@pytest.mark.parametrize("act", ["publish", "play"])
async def test_nothing_goes_over_http_while_participants_are_connected_directly(act: str):
    world = Over(mode="MESH")
    await world.join("anna")
    with pytest.raises(NotInMesh):
        await (world.publish() if act == "publish" else world.play())


async def test_a_viewer_waits_thirty_seconds_for_its_stream():
    world = Over()
    await world.publish()
    await world.play()
    (viewer,) = world.watching
    viewer.waits()
    world.time.advance(29.0)
    viewer.plays()
    world.time.advance(60.0)
    assert len(world.viewers.sessions) == 1
    viewer.waits()
    world.time.advance(30.1)
    assert len(world.viewers.sessions) == 0
    assert world.watching == []


async def test_a_viewer_is_gone_with_its_session_and_with_the_meeting():
    world = Over()
    await world.publish()
    first, _ = await world.play(), await world.play()
    first.session.peer.finish()
    assert len(world.viewers.sessions) == 1
    await world.conferences.end("room", "ended")
    assert len(world.viewers.sessions) == 0


async def test_no_more_than_so_many_may_watch():
    world = Over()
    await world.publish()
    for _ in range(2):
        await world.play()
    with pytest.raises(OutOfCapacity):
        await world.play()
    assert world.conferences.counts()["viewers_sfu"] == 2


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (Wanted(user_id="anna"), NothingLive),
        (Wanted(user_id="nobody"), NotFound),
        (Wanted(stream_id="nothing"), NotFound),
    ],
)
async def test_what_cannot_be_played_is_told_from_what_may_come(wanted: Wanted, error: type[Exception]):
    world = Over()
    await world.join("anna")
    await world.publish()
    with pytest.raises(error):
        await world.play(wanted)


async def test_where_nobody_is_nothing_is_live():
    with pytest.raises(NothingLive):
        await Over().play()


async def test_nobody_gets_in_while_the_server_is_shutting_down():
    world = Over()
    await world.conferences.aclose()
    for attempt in (world.publish, world.play):
        with pytest.raises(ShuttingDown):
            await attempt()
