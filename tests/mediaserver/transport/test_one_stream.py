"""What an offer without any other signaling may be, case by case."""

import re

import pytest

from mediaserver.errors import BadDescription, UnfitDescription
from mediaserver.transport.one_stream import OneStream, read_one_stream
from tests.support.client_sdp import Section, publish_offer
from tests.support.descriptions import description

SOUND, PICTURE = Section("0", "opus"), Section("1", "vp8")
CREDENTIALS = ("remoteA", "remote-password-of-22-chars")


def offer(*sections: Section, **options: bool) -> str:
    return publish_offer(*sections, **options)


def edited(old: str, new: str) -> str:
    text = offer(SOUND, PICTURE)
    assert old in text
    return text.replace(old, new)


def told_once() -> str:
    """As libdatachannel (OBS) puts it: the lines about the transport stand once, before all sections."""
    text = offer(SOUND, PICTURE, data=False)
    transport = re.findall(r"a=(?:ice-|fingerprint|setup)[^\r]*\r\n", text)
    for line in transport:
        text = text.replace(line, "")
    return text.replace("m=", "".join(dict.fromkeys(transport)) + "m=", 1)


@pytest.mark.parametrize(
    ("sdp", "found"),
    [
        pytest.param(offer(SOUND, PICTURE), ("0", "1"), id="sound and picture"),
        pytest.param(offer(PICTURE, SOUND), ("0", "1"), id="the other way round"),
        pytest.param(offer(SOUND, data=False), ("0", None), id="sound alone"),
        pytest.param(offer(PICTURE), (None, "1"), id="picture alone"),
        pytest.param(edited("a=sendonly", "a=sendrecv"), ("0", "1"), id="sendrecv"),
        pytest.param(edited("a=sendonly\r\n", ""), ("0", "1"), id="no direction, which is sendrecv"),
        pytest.param(edited("a=setup:actpass", "a=setup:active"), ("0", "1"), id="DTLS client"),
        pytest.param(
            edited("m=video 9 UDP", "m=video 0 UDP").replace("a=mid:1", "a=mid:1\r\na=bundle-only"),
            ("0", "1"),
            id="bundle-only with port 0",
        ),
        pytest.param(told_once(), ("0", "1"), id="transport told once"),
        pytest.param(edited("a=rtcp-mux\r\n", "a=rtcp-mux-only\r\n"), ("0", "1"), id="mux only"),
        pytest.param(edited("a=mid:0", "a=mid:0\r\na=msid:s1 a"), ("0", "1"), id="one says its stream"),
        pytest.param(edited("a=mid:0", "a=mid:0\r\na=msid:- a"), ("0", "1"), id="no stream"),
        pytest.param(
            edited("a=mid:0", "a=mid:0\r\na=msid:s1 a").replace("a=mid:1", "a=mid:1\r\na=ssrc:7 msid:s1 b"),
            ("0", "1"),
            id="one stream",
        ),
        pytest.param(offer(SOUND, Section("1", "vp8", rids=("f", "h", "q"))), ("0", "1"), id="simulcast"),
    ],
)
def test_an_offer_of_one_stream_is_understood(sdp: str, found: tuple[str | None, str | None]):
    assert read_one_stream(sdp, "publish") == OneStream(*found, CREDENTIALS)


@pytest.mark.parametrize(
    ("sdp", "why"),
    [
        pytest.param(offer(), "neither sound nor picture", id="data alone"),
        pytest.param(offer(SOUND, Section("2", "opus")), "2 audio sections", id="two of sound"),
        pytest.param(offer(PICTURE, Section("2", "vp8")), "2 video sections", id="two of picture"),
        pytest.param(edited("a=sendonly", "a=recvonly"), "recvonly", id="recvonly"),
        pytest.param(edited("a=sendonly", "a=inactive"), "inactive", id="inactive"),
        pytest.param(edited("BUNDLE 0 1 d", "BUNDLE 0"), "not bundled", id="outside of the bundle"),
        pytest.param(edited("a=group:BUNDLE 0 1 d\r\n", ""), "not bundled", id="no bundle"),
        pytest.param(edited("m=video 9 UDP", "m=video 0 UDP"), "not bundled", id="a rejected section"),
        pytest.param(edited("a=rtcp-mux\r\n", ""), "rtcp-mux", id="no rtcp-mux"),
        pytest.param(edited("a=setup:actpass", "a=setup:passive"), "passive", id="DTLS server"),
        pytest.param(offer(SOUND, Section("1", "theora")), "no codec", id="no codec of ours"),
        pytest.param(edited("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP"), "no codec", id="not encrypted"),
        pytest.param(edited("a=fingerprint:sha-256", "a=fingerprint:md5"), "fingerprint", id="no usable fingerprint"),
        pytest.param(edited("a=ice-ufrag:remoteA\r\n", ""), "ice-ufrag", id="no ICE credentials"),
        pytest.param(edited("s=-", "s=-\r\na=ice-lite"), "ICE-lite", id="both lite"),
        pytest.param(
            edited("a=mid:0", "a=mid:0\r\na=msid:s1 a").replace("a=mid:1", "a=mid:1\r\na=msid:s2 b"),
            "different streams",
            id="two streams",
        ),
        pytest.param(edited("a=mid:1", "a=mid:0"), "same mid", id="one mid twice"),
    ],
)
def test_an_offer_that_cannot_be_taken_as_a_whole_is_refused(sdp: str, why: str):
    with pytest.raises(UnfitDescription, match=why):
        read_one_stream(sdp, "publish")


@pytest.mark.parametrize("sdp", ["", "hello", "{}", "v=0\r\nm=audio\r\n", "v=0\r\n\0"])
def test_what_is_no_description_is_told_from_what_is_refused(sdp: str):
    with pytest.raises(BadDescription) as caught:
        read_one_stream(sdp, "publish")
    assert not isinstance(caught.value, UnfitDescription)


@pytest.mark.parametrize("direction", ["recvonly", "sendrecv"])
def test_a_player_receives(direction: str):
    assert read_one_stream(edited("a=sendonly", f"a={direction}"), "play") == OneStream("0", "1", CREDENTIALS)


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_a_player_that_does_not_receive_is_refused(direction: str):
    with pytest.raises(UnfitDescription, match=direction):
        read_one_stream(edited("a=sendonly", f"a={direction}"), "play")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gstreamer-whip-offer", ("audio1", "video0")),
        ("chromium-camera_mic-offer", ("0", "1")),
        ("firefox-camera_mic-offer", ("0", "1")),
        ("aiortc-publish-offer", ("0", "1")),
    ],
)
def test_real_clients_offers_are_taken(name: str, found: tuple[str, str]):
    stream = read_one_stream(description(name), "publish")
    assert (stream.audio_mid, stream.video_mid) == found
