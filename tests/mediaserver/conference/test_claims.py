import pytest

from mediaserver.conference.claims import check_claims
from mediaserver.conference.stream import StreamDescription
from mediaserver.errors import BadDescription, StreamExists
from mediaserver.transport.negotiation import LocalTransport, answer_publish
from mediaserver.transport.sdp import parse
from tests.support.client_sdp import Section, publish_offer
from tests.support.fake_transport import CANDIDATE, FINGERPRINT

LOCAL = LocalTransport("ufrag", "password-of-more-than-22-characters", FINGERPRINT, (CANDIDATE,), 1, 1)


def camera(stream_id="a", **fields):
    return StreamDescription(stream_id, "camera", "somebody", **fields)


def screen(stream_id="s", **fields):
    return StreamDescription(stream_id, "screen", "somebody", **fields)


def check(claims, *sections, present=None):
    offer = parse(publish_offer(*sections))
    return check_claims(claims, offer, answer_publish(offer, LOCAL).sections, present or {}, "me")


SOUND, PICTURE, SECOND = Section("0", "opus"), Section("1", "vp8"), Section("2", "vp8")


def test_what_is_accepted_is_the_participants_own():
    accepted = check([camera(audio_mid="0", video_mid="1")], SOUND, PICTURE)
    assert accepted == (StreamDescription("a", "camera", "me", "0", "1"),)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(Section("1", "theora"), id="no codec of ours"),
        pytest.param(Section("1", "vp8", "inactive"), id="inactive"),
        pytest.param(Section("1", "vp8", "recvonly"), id="only receiving"),
    ],
)
def test_a_section_that_sends_nothing_is_no_track(picture):
    accepted = check([camera(audio_mid="0", video_mid="1")], SOUND, picture)
    assert accepted == (StreamDescription("a", "camera", "me", "0", None),)


def test_a_stream_without_tracks_is_left_out():
    assert check([camera(), screen(video_mid="1")], SOUND, Section("1", "theora")) == ()


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        pytest.param([camera(audio_mid="7")], "'7'", id="unknown section"),
        pytest.param([camera(audio_mid="1")], "no audio section", id="wrong kind"),
        pytest.param([camera(video_mid="d")], "no video section", id="data channel"),
        pytest.param([camera(video_mid="1"), screen(video_mid="1")], "named twice", id="two streams, one section"),
        pytest.param([camera(audio_mid="0"), camera(video_mid="1")], "listed twice", id="one id twice"),
        pytest.param([StreamDescription("a", "one_view", "me", "0")], "neither camera nor screen", id="label"),
        pytest.param([camera("a b", audio_mid="0")], "stream id", id="blank in an id"),
        pytest.param([camera("a\r\nm=", audio_mid="0")], "stream id", id="lines in an id"),
        pytest.param([camera("x" * 65, audio_mid="0")], "stream id", id="long id"),
        pytest.param([screen("old", audio_mid="0")], "cannot change its label", id="another label"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(claims, said):
    with pytest.raises(BadDescription, match=said):
        check(claims, SOUND, PICTURE, present={"old": "camera"})


def test_a_second_camera_is_refused():
    with pytest.raises(StreamExists, match="camera"):
        check([camera("a", video_mid="1"), camera("b", video_mid="2")], PICTURE, SECOND, present={"a": "camera"})


def test_a_second_camera_may_replace_the_first():
    accepted = check(
        [camera("a", video_mid="1"), camera("b", video_mid="1", replace="a")], PICTURE, present={"a": "camera"}
    )
    assert accepted == (StreamDescription("b", "camera", "me", None, "1"),)


def test_another_camera_may_come_when_the_first_is_no_longer_listed():
    assert len(check([camera("b", video_mid="1")], PICTURE, present={"a": "camera"})) == 1


def test_a_running_stream_cannot_push_out_another():
    claims = [camera("a", video_mid="1", replace="b"), camera("b", video_mid="2", replace="a")]
    with pytest.raises(StreamExists):
        check(claims, PICTURE, SECOND, present={"a": "camera", "b": "camera"})
