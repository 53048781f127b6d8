"""Somebody who watches one stream from outside."""

import pytest

from mediaserver.errors import BadDescription, ConferenceClosed, NoSuchStream, UnfitDescription
from mediaserver.events import MediaEvent, ViewerEnded, ViewerEvent, ViewerPlaying, ViewerWaiting
from mediaserver.transport.connection import State
from mediaserver.transport.fragment import IceFragment
from mediaserver.transport.sdp import parse
from tests.mediaserver.conference.conftest import camera
from tests.support.client_sdp import Section, publish_offer
from tests.support.descriptions import description

RECEIVE = (Section("0", "opus", "recvonly"), Section("1", "vp8", "recvonly"))
NEW = IceFragment(("other", "another-password-of-22-c"), 0)


def offer(*sections: Section) -> str:
    return publish_offer(*(sections or RECEIVE), data=False)


@pytest.fixture
def ada(meeting):
    participant = meeting.join("ada")
    meeting.publish(participant)
    return participant


def watch(meeting, *sections: Section, opens: bool = True):
    viewer = meeting.conference.view("v1", offer(*sections), "ada-cam")
    connection = meeting.router.connections[-1]
    if opens:
        connection.opens()
    return viewer, connection


def kinds(meeting, connection) -> dict[str, str | None]:
    """What each of the viewer's sections carries."""
    return {mid: source and source.kind for mid, source in meeting.carried(connection).items()}


def told(meeting) -> list[MediaEvent]:
    return meeting.told(ViewerEvent)


def test_a_viewer_is_sent_the_sound_and_the_picture_of_the_stream(meeting, ada):
    viewer, connection = watch(meeting)
    assert kinds(meeting, connection) == {"0": "audio", "1": "video"}
    assert [section.direction for section in parse(viewer.answer).sections] == ["sendonly", "sendonly"]


def test_nothing_flows_before_the_connection_is_open(meeting, ada):
    _, connection = watch(meeting, opens=False)
    assert kinds(meeting, connection) == {"0": None, "1": None}


def test_a_viewer_may_want_the_sound_alone(meeting, ada):
    _, connection = watch(meeting, RECEIVE[0])
    assert kinds(meeting, connection) == {"0": "audio"}


def test_a_viewer_is_no_participant(meeting, ada):
    before = list(meeting.events)
    watch(meeting)
    assert meeting.events == before
    assert meeting.conference.viewer_count == 1
    assert [each.participant_id for each in meeting.conference.stats().participants] == ["ada"]
    assert [each.viewer_id for each in meeting.conference.stats().viewers] == ["v1"]
    for name in "bc":  # of three seats
        meeting.join(name)


def test_an_unknown_stream_cannot_be_watched(meeting):
    with pytest.raises(NoSuchStream):
        meeting.conference.view("v1", offer(), "ada-cam")


@pytest.mark.parametrize(
    ("sections", "why"),
    [
        pytest.param((RECEIVE[0], Section("1", "vp9", "recvonly")), "VP8, which is not offered", id="other codec"),
        pytest.param((Section("1", "vp8", "sendonly"),), "sendonly", id="not receiving"),
    ],
)
def test_an_offer_that_does_not_fit_leaves_nothing_behind(meeting, ada, sections, why):
    with pytest.raises(UnfitDescription, match=why):
        meeting.conference.view("v1", offer(*sections), "ada-cam")
    assert meeting.conference.viewer_count == 0
    assert meeting.router.connections[-1].state is State.CLOSED


def test_what_is_no_offer_leaves_nothing_behind(meeting, ada):
    with pytest.raises(BadDescription):
        meeting.conference.view("v1", "hello", "ada-cam")
    assert meeting.conference.viewer_count == 0


def test_a_stream_without_what_is_asked_for_cannot_be_watched(meeting):
    bob = meeting.join("bob")
    meeting.publish(bob, Section("0", "opus"), streams=[camera("bob-cam", video_mid=None)])
    with pytest.raises(UnfitDescription, match="nothing that the offer asks for"):
        meeting.conference.view("v1", offer(RECEIVE[1]), "bob-cam")


def test_when_the_stream_is_over_the_viewer_waits_and_goes_on_with_the_next_one(meeting, ada):
    _, connection = watch(meeting)
    ada.unpublish("ada-cam")
    assert kinds(meeting, connection) == {"0": None, "1": None}
    assert told(meeting) == [ViewerWaiting("hall", "v1")]
    meeting.publish(ada)
    assert kinds(meeting, connection) == {"0": "audio", "1": "video"}
    assert told(meeting)[1:] == [ViewerPlaying("hall", "v1")]


def test_somebody_elses_stream_is_not_what_a_viewer_waits_for(meeting, ada):
    _, connection = watch(meeting)
    ada.leave()
    meeting.publish(meeting.join("bob"))
    assert kinds(meeting, connection) == {"0": None, "1": None}
    meeting.publish(meeting.join("ada"))
    assert kinds(meeting, connection) == {"0": "audio", "1": "video"}


def test_a_stream_that_comes_again_in_another_codec_is_not_sent(meeting, ada):
    _, connection = watch(meeting)
    ada.unpublish("ada-cam")
    meeting.publish(ada, Section("0", "opus"), Section("1", "vp9"))
    assert kinds(meeting, connection) == {"0": "audio", "1": None}


def test_a_lost_connection_ends_the_viewer(meeting, ada):
    _, connection = watch(meeting)
    connection.loses("consent has expired")
    assert told(meeting) == [ViewerEnded("hall", "v1", "consent has expired")]
    assert meeting.conference.viewer_count == 0


def test_a_closed_viewer_says_nothing_more(meeting, ada):
    viewer, connection = watch(meeting)
    viewer.close()
    viewer.close()
    ada.leave()
    assert connection.state is State.CLOSED
    assert told(meeting) == []


def test_the_end_of_the_conference_ends_its_viewers(meeting, ada):
    watch(meeting)
    meeting.conference.close()
    assert told(meeting) == [ViewerEnded("hall", "v1", "the conference is over")]
    assert meeting.router.open_connections() == 0
    with pytest.raises(ConferenceClosed):
        meeting.conference.view("v2", offer(), "ada-cam")


def test_a_restart_gives_new_credentials_and_the_same_ones_again_if_asked_again(meeting, ada):
    viewer, connection = watch(meeting)
    before = connection.local_ufrag
    first, second = viewer.restart(NEW), viewer.restart(NEW)
    assert first == second
    assert before not in first
    assert connection.local_ufrag in first
    assert connection.remotes[-1].ufrag == "other"


def test_a_publisher_may_restart_without_a_description(meeting, ada):
    connection = meeting.router.connections[0]
    before = connection.local_ufrag
    answer = ada.restart_publish(NEW)
    assert before not in answer
    assert connection.local_ufrag in answer
    assert connection.remotes[-1].ufrag == "other"
    assert connection.generation == 1


def test_who_publishes_nothing_has_nothing_to_restart(meeting):
    with pytest.raises(BadDescription):
        meeting.join("bob").restart_publish(NEW)


# a picture with several layers

LAYERED = Section("1", "vp8", rids=("f", "h", "q"))
RATES = ((0, 1280, 720, 1_500_000), (1, 640, 360, 500_000), (2, 320, 180, 150_000))
LAYERS = [
    {"layer": n, "width": width, "height": height, "rate_bps": rate, "age": 0.02, "fps": 30.0}
    for n, width, height, rate in RATES
]


def layered(meeting, remb_bps: int, seconds: float = 6.0) -> int:
    """Which layer of Ada's picture a viewer gets whose line carries so much."""
    meeting.publish(meeting.join("ada"), Section("0", "opus"), LAYERED)
    for source in meeting.router.sources:
        source.counters = LAYERS if source.kind == "video" else []
    _, connection = watch(meeting)
    connection.counters = {"remb_bps": remb_bps, "remb_age": 0.1}
    for tick in range(round(seconds * 5)):
        meeting.conference.tick(1000.0 + tick / 5)
    (picture,) = [sink for sink in meeting.sinks(connection) if sink.slot.kind == "video"]
    assert picture.carried is not None
    return picture.layer


@pytest.mark.parametrize(("bps", "layer"), [(8_000_000, -1), (1_000_000, 1), (300_000, 2), (50_000, 2)])
def test_the_layer_that_fits_the_line_is_sent_and_never_none(meeting, bps, layer):
    assert layered(meeting, bps) == layer


def test_a_picture_without_layers_is_sent_whatever_the_line(meeting, ada):
    for source in meeting.router.sources:
        source.counters = LAYERS[:1] if source.kind == "video" else []
    _, connection = watch(meeting)
    connection.counters = {"remb_bps": 50_000, "remb_age": 0.1}
    for tick in range(30):
        meeting.conference.tick(1000.0 + tick / 5)
    assert kinds(meeting, connection) == {"0": "audio", "1": "video"}


@pytest.mark.parametrize("rids", [(), ("f", "h")], ids=["one layer", "two layers"])
def test_every_packet_is_told_of_only_where_there_is_a_choice(meeting, rids):
    meeting.publish(meeting.join("ada"), Section("0", "opus"), Section("1", "vp8", rids=rids))
    sdp = (
        description("chromium-camera_mic-offer").replace("a=sendrecv", "a=recvonly").replace("a=sendonly", "a=recvonly")
    )
    answer = meeting.conference.view("v1", sdp, "ada-cam").answer
    assert ("transport-cc" in answer) == ("transport-wide-cc" in answer) == bool(rids)
    assert (meeting.router.connections[-1].listener is not None) == bool(rids)
