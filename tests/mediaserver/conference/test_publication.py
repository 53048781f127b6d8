import pytest

from mediaserver.conference.stream import StreamDescription
from mediaserver.errors import BadDescription, MediaError, NoSuchStream, PublishForbidden, StreamExists
from mediaserver.events import (
    ConnectionLost,
    ConnectionOpened,
    DataReceived,
    StreamChanged,
    StreamEnded,
    StreamInfo,
    StreamMuted,
    StreamStarted,
)
from mediaserver.transport.connection import State
from mediaserver.transport.sdp import parse
from tests.mediaserver.conference.conftest import PICTURE, SOUND, camera, screen
from tests.support.client_sdp import Identity, Section, publish_offer


@pytest.fixture
def ada(meeting):
    return meeting.join("ada")


def feeds(meeting):
    return {mid: source.kind for mid, source in meeting.router.intakes[-1].feeds.items()}


def test_an_offer_is_answered_and_its_streams_start(meeting, ada):
    answer = meeting.publish(ada)
    assert answer.streams == (StreamDescription("ada-cam", "camera", "ada", "0", "1"),)
    assert [section.mid for section in parse(answer.sdp).sections] == ["0", "1", "d"]
    assert feeds(meeting) == {"0": "audio", "1": "video"}
    assert meeting.told(StreamStarted) == [
        StreamStarted("hall", "ada", StreamInfo("ada-cam", "ada", "camera", audio=True, video=True))
    ]


def test_a_section_that_no_stream_names_feeds_nothing(meeting, ada):
    meeting.publish(ada, streams=[camera("c", video_mid=None)])
    assert feeds(meeting) == {"0": "audio"}


@pytest.mark.parametrize(
    ("sdp", "streams"),
    [
        pytest.param("nonsense", [], id="no description"),
        pytest.param(publish_offer(SOUND).replace("a=fingerprint", "a=fingerpaint"), [], id="no fingerprint"),
        pytest.param(publish_offer(SOUND), [camera("x")], id="stream of a section that is not there"),
        pytest.param(
            publish_offer(SOUND, PICTURE, Section("2", "vp8")),
            [camera("ada-cam"), camera("x", None, "2")],
            id="second camera",
        ),
        pytest.param(
            publish_offer(SOUND, identity=Identity("other", "CC")), [camera("x")], id="new connection, bad list"
        ),
    ],
)
def test_an_offer_that_cannot_be_used_changes_nothing(meeting, ada, sdp, streams):
    meeting.publish(ada)
    before = (meeting.conference.streams(), feeds(meeting), list(meeting.events))
    with pytest.raises(MediaError):
        ada.negotiate(sdp, streams)
    assert (meeting.conference.streams(), feeds(meeting), list(meeting.events)) == before
    assert meeting.router.open_connections() == 1
    assert len(meeting.router.connections[0].remotes) == 1


def test_a_first_offer_that_cannot_be_used_leaves_no_connection(meeting, ada):
    with pytest.raises(BadDescription):
        ada.negotiate("nonsense", [])
    with pytest.raises(StreamExists):
        meeting.publish(ada, PICTURE, Section("2", "vp8"), streams=[camera("a", None), camera("b", None, "2")])
    assert meeting.router.open_connections() == 0


def test_a_stream_id_of_somebody_else_is_refused(meeting, ada):
    meeting.publish(ada)
    with pytest.raises(BadDescription, match="somebody else"):
        meeting.publish(meeting.join("bob"), streams=[camera("ada-cam")])


def test_who_may_not_publish_may_have_a_data_channel(meeting):
    viewer = meeting.join("viewer", publish=False)
    with pytest.raises(PublishForbidden):
        meeting.publish(viewer)
    assert meeting.publish(viewer, streams=[]).streams == ()
    assert len(meeting.router.connections[-1].sctp) == 1


def test_a_screen_comes_and_goes_beside_the_camera(meeting, ada):
    meeting.publish(ada)
    sources = dict(meeting.router.intakes[-1].feeds)
    with_screen = [camera("ada-cam"), screen("s", "2")]
    meeting.publish(ada, SOUND, PICTURE, Section("2", "vp8"), streams=with_screen)
    assert feeds(meeting) == {"0": "audio", "1": "video", "2": "video"}
    meeting.publish(ada, SOUND, PICTURE, Section("2", "vp8", "inactive"))
    assert meeting.router.intakes[-1].feeds == sources
    assert meeting.told(StreamEnded) == [StreamEnded("hall", "ada", "s")]
    assert not any(source.closed for source in sources.values())


def test_a_stream_that_replaces_another_takes_its_place(meeting, ada):
    meeting.publish(ada)
    meeting.events.clear()
    meeting.publish(ada, streams=[camera("new", replace="ada-cam")])
    assert [type(event) for event in meeting.events] == [StreamEnded, StreamStarted]
    assert [stream.stream_id for stream in meeting.conference.streams()] == ["new"]
    assert [source.closed for source in meeting.router.sources] == [True, True, False, False]


def test_a_stream_may_move_to_other_sections_unseen(meeting, ada):
    meeting.publish(ada)
    source = meeting.router.intakes[-1].feeds["1"]
    meeting.events.clear()
    meeting.publish(
        ada, SOUND, Section("1", "vp8", "inactive"), Section("2", "vp8"), streams=[camera("ada-cam", "0", "2")]
    )
    assert meeting.router.intakes[-1].feeds["2"] is source
    assert meeting.events == []


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param((SOUND, Section("1", "vp8", "inactive")), id="picture gone"),
        pytest.param((SOUND, Section("1", "vp9")), id="another codec"),
    ],
)
def test_a_change_that_others_notice_is_told(meeting, ada, sections):
    meeting.publish(ada)
    meeting.publish(ada, *sections)
    assert [event.stream.stream_id for event in meeting.told(StreamChanged)] == ["ada-cam"]


def test_simulcast_layers_are_answered(meeting, ada):
    answer = meeting.publish(ada, SOUND, Section("1", "vp8", rids=("f", "h", "q")))
    assert "a=simulcast:recv f;h;q" in answer.sdp
    assert meeting.router.intakes[-1].sections[1].rids == ("f", "h", "q")


def test_unpublishing_ends_the_stream_at_once(meeting, ada):
    meeting.publish(ada)
    ada.unpublish("ada-cam")
    assert feeds(meeting) == {}
    assert all(source.closed for source in meeting.router.sources)
    assert meeting.told(StreamEnded) == [StreamEnded("hall", "ada", "ada-cam")]
    with pytest.raises(NoSuchStream):
        ada.unpublish("ada-cam")


# connections


def test_the_same_peer_keeps_its_connection_and_its_credentials(meeting, ada):
    first = parse(meeting.publish(ada).sdp)
    second = parse(meeting.publish(ada).sdp)
    assert first.sections[0].transport.ufrag == second.sections[0].transport.ufrag
    assert (second.session_id, second.version) == (first.session_id, first.version + 1)
    assert len(meeting.router.connections) == 1
    assert len(meeting.router.connections[0].remotes) == 1


def test_new_credentials_of_the_same_peer_restart_ice(meeting, ada):
    meeting.publish(ada)
    answer = meeting.publish(ada, identity=Identity("remoteB"))
    connection = meeting.router.connections[0]
    assert [remote.ufrag for remote in connection.remotes] == ["remoteA", "remoteB"]
    assert parse(answer.sdp).sections[0].transport.ufrag == connection.local_ufrag == "local0gen1"
    assert len(meeting.router.connections) == 1


def test_another_certificate_is_another_connection_and_the_streams_go_on(meeting, ada):
    meeting.publish(ada)
    sources = dict(meeting.router.intakes[0].feeds)
    meeting.events.clear()
    meeting.publish(ada, identity=Identity("remoteB", "CC"))
    old, new = meeting.router.connections
    assert (old.state, new.state) == (State.CLOSED, State.NEW)
    assert meeting.router.intakes[1].connection is new
    assert meeting.router.intakes[1].feeds == sources
    assert meeting.events == []


def test_a_closed_connection_is_replaced_by_the_next_offer(meeting, ada):
    meeting.publish(ada)
    meeting.router.connections[0].loses("handshake failed")
    meeting.publish(ada)
    assert [connection.state for connection in meeting.router.connections] == [State.CLOSED, State.NEW]


def test_streams_may_end_while_the_connection_is_closed(meeting, ada):
    meeting.publish(ada)
    meeting.router.connections[0].loses("handshake failed")
    ada.unpublish("ada-cam")
    assert meeting.conference.streams() == []


def test_a_connection_may_end_while_the_offer_is_taken_over(meeting, ada):
    meeting.publish(ada)
    connection = meeting.router.connections[0]
    connection.when_met = lambda: connection.loses("no consent")
    meeting.publish(ada, identity=Identity("remoteB"))
    assert connection.state is State.CLOSED
    meeting.publish(ada, identity=Identity("remoteC"))
    assert meeting.router.intakes[1].feeds == meeting.router.intakes[0].feeds


def test_what_the_connection_does_is_told(meeting, ada):
    meeting.publish(ada)
    connection = meeting.router.connections[0]
    meeting.events.clear()
    connection.opens()
    connection.says("hello")
    connection.loses("no consent")
    assert meeting.events == [
        ConnectionOpened("hall", "ada", "publish"),
        DataReceived("hall", "ada", "hello"),
        ConnectionLost("hall", "ada", "publish", "no consent"),
    ]


def test_nothing_is_heard_of_a_connection_that_was_replaced(meeting, ada):
    meeting.publish(ada)
    meeting.publish(ada, identity=Identity("remoteB", "CC"))
    meeting.events.clear()
    meeting.router.connections[0].loses("closed")
    assert meeting.events == []


def test_the_data_channel_is_opened_once_per_connection(meeting, ada):
    assert not ada.send_text("nobody there")
    meeting.publish(ada)
    meeting.publish(ada)
    meeting.publish(ada, identity=Identity("remoteB", "CC"))
    assert [len(connection.sctp) for connection in meeting.router.connections] == [1, 1]
    assert ada.send_text("hello")
    assert meeting.router.connections[1].texts == ["hello"]


# muting


def test_muting_stops_the_packets_and_is_told_once(meeting, ada):
    meeting.publish(ada)
    ada.mute("ada-cam", audio=True)
    ada.mute("ada-cam", audio=True)
    assert [source.muted for source in meeting.router.sources] == [True, False]
    assert meeting.told(StreamMuted) == [
        StreamMuted("hall", "ada", StreamInfo("ada-cam", "ada", "camera", audio=True, video=True, audio_muted=True))
    ]


def test_a_track_that_comes_later_is_muted_as_its_stream(meeting, ada):
    meeting.publish(ada, SOUND, streams=[camera("c", video_mid=None)])
    ada.mute("c", video=True)
    meeting.publish(ada, streams=[camera("c")])
    assert [source.muted for source in meeting.router.sources] == [False, True]


def test_muting_an_unknown_stream_is_an_error(ada):
    with pytest.raises(NoSuchStream):
        ada.mute("nothing", audio=True)


@pytest.mark.parametrize(
    ("pc", "candidate", "fine"),
    [
        ("publish", "candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host generation 0", True),
        ("subscribe", None, True),
        ("subscribe", "", True),
        ("publish", "candidate:nonsense", False),
        ("both", None, False),
    ],
)
def test_candidates_are_checked_and_not_needed(ada, pc, candidate, fine):
    if fine:
        ada.candidate(pc, candidate)
    else:
        with pytest.raises(BadDescription):
            ada.candidate(pc, candidate)
