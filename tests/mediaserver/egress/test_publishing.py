"""Publishing over RTMP as a conversation of bytes: what is said in which order, and what servers may answer."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.egress import amf, chunks
from mediaserver.egress.chunks import Message
from mediaserver.egress.publishing import Publishing, Refused, read_place
from mediaserver.errors import MalformedPacket
from mediaserver.media.codecs import VideoEncoder
from mediaserver.media.headers import codec_private
from mediaserver.rtp.codecs import CodecId
from tests.support.pictures import coded
from tests.support.rtmp_server import BAD_NAME, Taking

PLACE = read_place("rtmp://live.example/app/instance/secret-key?token=1")
CHANCE = bytes(1528)


def talk(publishing: Publishing, server: Taking, cut: int = 1 << 16) -> None:
    """Until both have nothing more to say."""
    while out := publishing.to_send():
        answer = b"".join(server.receive(out[at : at + cut]) for at in range(0, len(out), cut))
        for at in range(0, len(answer), cut):
            publishing.receive(answer[at : at + cut])


@pytest.mark.parametrize(
    ("url", "about", "port", "name"),
    [
        pytest.param("rtmp://a.example/live2/key", "rtmp://a.example/live2", 1935, "key", id="plain"),
        pytest.param("rtmps://a.example:443/rtmp/k?s=1&t=2", "rtmps://a.example/rtmp", 443, "k?s=1&t=2", id="query"),
        pytest.param("rtmp://a.example:1936/a/b/key", "rtmp://a.example:1936/a/b", 1936, "key", id="instance"),
        pytest.param("rtmp://[::1]/live/key", "rtmp://[::1]/live", 1935, "key", id="an address"),
    ],
)
def test_a_url_says_where_a_stream_goes(url: str, about: str, port: int, name: str) -> None:
    place = read_place(url)
    assert (place.about, place.port, place.name) == (about, port, name)
    assert name not in repr(place)


@pytest.mark.parametrize("url", ["http://a/b/c", "rtmp:///live/key", "rtmp://a", "rtmp://a/live", "rtmp://a/live/", ""])
def test_other_urls_are_none_of_a_stream(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a stream"):
        read_place(url)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5000), st.sampled_from([1, 128, 4096]))
def test_a_stream_is_live_whatever_the_cuts(cut: int, chunk_bytes: int) -> None:
    publishing, server = Publishing(PLACE, CHANCE), Taking(chunk_bytes=chunk_bytes)
    talk(publishing, server, cut)
    assert publishing.live
    assert [command[0] for command in server.commands] == [
        *("connect", "releaseStream", "FCPublish", "createStream", "publish")
    ]
    about = server.commands[0][2]
    assert (about["app"], about["tcUrl"]) == ("app/instance", "rtmp://live.example/app/instance")
    assert server.commands[-1][3:] == ["secret-key?token=1", "live"]


def test_frames_follow_what_a_decoder_needs() -> None:
    publishing, server = Publishing(PLACE, CHANCE), Taking()
    talk(publishing, server)
    encoder = VideoEncoder(CodecId.H264_HIGH, 320, 180, 30, 400_000)
    frames = [frame for index in range(3) for frame in encoder.encode(coded(index, at=index / 30))]
    record = codec_private(CodecId.H264_HIGH, frames[0].data)
    publishing.begin((320, 180), record, 0)
    for index, frame in enumerate(frames):
        publishing.picture(frame.data, index * 33, key=frame.key)
        publishing.sound(b"aac", index * 33)
    publishing.end()
    talk(publishing, server)
    about, config, sound_config, *media = server.media
    assert amf.read(about.body)[2]["width"] == 320
    assert config.body == b"\x17\0\0\0\0" + record
    assert sound_config.body == b"\xaf\0\x11\x90"
    assert [(each.kind, each.body[:2], each.time_ms, each.stream) for each in media] == [
        *((chunks.PICTURE, b"\x17\1", 0, 1), (chunks.SOUND, b"\xaf\1", 0, 1)),
        *((chunks.PICTURE, b"\x27\1", 33, 1), (chunks.SOUND, b"\xaf\1", 33, 1)),
        *((chunks.PICTURE, b"\x27\1", 66, 1), (chunks.SOUND, b"\xaf\1", 66, 1)),
    ]
    for each in media[::2]:
        assert _whole(each.body[5:]), "units behind their lengths, and no parameter sets"
    assert [command[0] for command in server.commands[-2:]] == ["FCUnpublish", "deleteStream"]


def _whole(units: bytes) -> bool:
    at, kinds = 0, []
    while at < len(units):
        size = int.from_bytes(units[at : at + 4])
        kinds.append(units[at + 4] & 31)
        at += 4 + size
    return at == len(units) and not {7, 8, 9} & set(kinds)


def test_a_server_that_does_not_want_the_stream_says_so_without_its_name() -> None:
    with pytest.raises(Refused) as refused:
        talk(Publishing(PLACE, CHANCE), Taking(answer=BAD_NAME))
    assert str(refused.value) == "NetStream.Publish.BadName"


@pytest.mark.parametrize("code", ["secret-key", "x" * 65, "", 7, None])
def test_what_a_server_says_is_shown_only_where_it_can_hold_no_secret(code: object) -> None:
    answer = {"level": "error", "code": code}
    with pytest.raises(Refused, match=r"^refused$"):
        talk(Publishing(PLACE, CHANCE), Taking(answer=answer))


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        pytest.param(("_error", 1, None, {"code": "NetConnection.Connect.Rejected"}), True, id="connecting"),
        pytest.param(("_error", 4, None, {"code": "NetStream.Failed"}), True, id="creating"),
        pytest.param(("close",), True, id="closing"),
        pytest.param(("_error", 2, None, {"code": "NetStream.Failed"}), False, id="releasing what was not there"),
        pytest.param(("onBWDone", 0, None, 8192), False, id="anything else"),
    ],
)
def test_errors_count_where_they_matter(command: tuple[object, ...], refused: bool) -> None:
    publishing, server = Publishing(PLACE, CHANCE), Taking()
    talk(publishing, server)
    if refused:
        with pytest.raises(Refused):
            publishing.receive(server.say(*command))
    else:
        publishing.receive(server.say(*command))


def test_pings_are_answered_and_what_was_read_acknowledged() -> None:
    publishing, server = Publishing(PLACE, CHANCE), Taking()
    talk(publishing, server)
    before = len(server.control)
    window = chunks.write(Message(chunks.WINDOW_SIZE, (1000).to_bytes(4)), 2, 128)
    ping = chunks.write(Message(chunks.USER_CONTROL, b"\0\6\1\2\3\4"), 2, 128)
    bandwidth = chunks.write(Message(chunks.PEER_BANDWIDTH, (1000).to_bytes(4) + b"\2"), 2, 128)
    publishing.receive(window + ping + bandwidth + server.say("onBWDone", "x" * 1000))
    talk(publishing, server)
    told = server.control[before:]
    assert [each.kind for each in told] == [chunks.USER_CONTROL, chunks.WINDOW_SIZE, chunks.ACKNOWLEDGEMENT]
    assert told[0].body == b"\0\7\1\2\3\4"
    assert int.from_bytes(told[2].body) > 1000


def test_who_is_no_rtmp_server_is_malformed() -> None:
    with pytest.raises(MalformedPacket):
        Publishing(PLACE, CHANCE).receive(b"HTTP/1.1 400 Bad Request\r\n")


def test_times_go_on_after_hours() -> None:
    publishing, server = Publishing(PLACE, CHANCE), Taking()
    talk(publishing, server)
    for hour in range(0, 24, 3):
        publishing.picture(b"\0\0\0\1\x65" + bytes([1]) * 9000, hour * 3_600_000, key=True)
    talk(publishing, server)
    assert {b - a for a, b in pairwise(each.time_ms for each in server.media)} == {3 * 3_600_000}
