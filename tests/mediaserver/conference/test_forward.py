"""A stream that is pushed to another server: what is offered, which answers do, and when it is over."""

from collections.abc import Callable

import pytest

from mediaserver.errors import BadDescription, ConferenceClosed, NoSuchStream
from mediaserver.events import ViewerEnded, ViewerEvent, ViewerPlaying
from mediaserver.transport.connection import State
from mediaserver.transport.negotiation import LocalTransport, answer_publish
from mediaserver.transport.one_stream import check_one_stream
from mediaserver.transport.sdp import Candidate, Fingerprint, parse, write

FAR = LocalTransport(
    ufrag="farufrag",
    pwd="the-password-of-the-far-server",
    fingerprint=Fingerprint("sha-256", ":".join(["AB"] * 32)),
    candidates=(
        Candidate("1", 1, "udp", 100, "198.51.100.7", 5000),
        Candidate("2", 1, "udp", 200, "10.0.0.7", 5001),
        Candidate("3", 1, "tcp", 300, "198.51.100.7", 5002, tcp_type="passive"),
        Candidate("4", 1, "udp", 400, "far.local", 5003),
    ),
    session_id=1,
    version=1,
)


@pytest.fixture
def ada(meeting):
    participant = meeting.join("ada")
    meeting.publish(participant)
    return participant


def answer(forward, change: Callable[[str], str] = str) -> str:
    """As our own server answers an encoder."""
    return change(write(answer_publish(parse(forward.offer), FAR).description))


def anywhere(_: str) -> bool:
    return True


def push(meeting, *kinds: str):
    forward = meeting.conference.forward("f1", "ada-cam", kinds or ("audio", "video"))
    return forward, meeting.router.connections[-1]


def test_the_offer_is_an_encoders(meeting, ada):
    forward, _ = push(meeting)
    offer = parse(forward.offer)
    assert check_one_stream(offer, "publish")
    assert not offer.ice_lite
    assert [section.direction for section in offer.sections] == ["sendonly", "sendonly"]
    assert {section.transport.setup for section in offer.sections} == {"actpass"}


def test_each_track_is_offered_in_the_codec_it_comes_in_alone(meeting, ada):
    forward, _ = push(meeting)
    names = [[payload.name for payload in section.payloads.values()] for section in parse(forward.offer).sections]
    assert names == [["opus"], ["VP8", "rtx"]]


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_sound_or_picture_alone(meeting, ada, kind: str):
    forward, connection = push(meeting, kind)
    assert [section.kind for section in parse(forward.offer).sections] == [kind]
    forward.accept(answer(forward), anywhere)
    connection.opens()
    assert {mid: source.kind for mid, source in meeting.carried(connection).items()} == {"0": kind}


def test_what_is_not_there_cannot_be_pushed(meeting, ada):
    with pytest.raises(NoSuchStream):
        meeting.conference.forward("f1", "nothing", ("audio",))
    with pytest.raises(NoSuchStream):
        meeting.conference.forward("f1", "ada-cam", ())


def test_media_flows_once_the_connection_is_open(meeting, ada):
    forward, connection = push(meeting)
    forward.accept(answer(forward), anywhere)
    assert meeting.carried(connection) == {"0": None, "1": None}
    assert meeting.told(ViewerEvent) == []
    connection.opens()
    assert {mid: source.kind for mid, source in meeting.carried(connection).items()} == {"0": "audio", "1": "video"}
    assert meeting.told(ViewerEvent) == [ViewerPlaying("hall", "f1")]


def test_the_server_is_called_by_udp_where_that_is_allowed_the_best_address_first(meeting, ada):
    forward, connection = push(meeting)
    forward.accept(answer(forward), anywhere)
    assert connection.called == [("10.0.0.7", 5001), ("198.51.100.7", 5000)]
    forward, connection = push(meeting)
    forward.accept(answer(forward), lambda ip: not ip.startswith("10."))
    assert connection.called == [("198.51.100.7", 5000)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sdp: "", id="nothing"),
        pytest.param(lambda sdp: sdp.replace("m=video 9", "m=video 0"), id="picture refused"),
        pytest.param(lambda sdp: sdp.replace("a=recvonly", "a=inactive"), id="nothing wanted"),
        pytest.param(lambda sdp: sdp.replace("VP8/90000", "VP9/90000"), id="another codec"),
        pytest.param(lambda sdp: sdp.replace("a=setup:passive", "a=setup:actpass"), id="no choice of role"),
        pytest.param(lambda sdp: sdp.replace("a=ice-ufrag", "a=x-ufrag"), id="no name"),
        pytest.param(lambda sdp: sdp.replace("a=candidate", "a=x-candidate"), id="no address"),
    ],
)
def test_an_answer_that_does_not_do_ends_it_without_a_word(meeting, ada, change: Callable[[str], str]):
    forward, connection = push(meeting)
    with pytest.raises(BadDescription):
        forward.accept(answer(forward, change), anywhere)
    assert (connection.state, connection.called) == (State.CLOSED, [])
    assert meeting.told(ViewerEvent) == []
    assert meeting.conference.viewer_count == 0


def test_nobody_is_called_where_no_address_is_allowed(meeting, ada):
    forward, connection = push(meeting)
    with pytest.raises(BadDescription):
        forward.accept(answer(forward), lambda ip: False)
    assert (connection.state, connection.called) == (State.CLOSED, [])


def test_it_ends_with_its_stream_and_waits_for_no_other(meeting, ada):
    forward, connection = push(meeting)
    forward.accept(answer(forward), anywhere)
    connection.opens()
    ada.unpublish("ada-cam")
    assert connection.state is State.CLOSED
    assert meeting.told(ViewerEvent)[1:] == [ViewerEnded("hall", "f1", "its stream is over")]


def test_it_ends_when_the_server_is_gone(meeting, ada):
    forward, connection = push(meeting)
    forward.accept(answer(forward), anywhere)
    connection.opens()
    connection.loses("closed by the peer")
    assert meeting.told(ViewerEvent)[1:] == [ViewerEnded("hall", "f1", "closed by the peer")]


def test_it_ends_with_the_conference(meeting, ada):
    push(meeting)
    meeting.conference.close()
    assert meeting.told(ViewerEvent) == [ViewerEnded("hall", "f1", "the conference is over")]
    with pytest.raises(ConferenceClosed):
        push(meeting)
