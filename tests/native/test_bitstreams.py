"""Key frames found in what real encoders and other people's packetizers make: FFmpeg's and aiortc's."""

import socket
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.packet import read_packet
from tests.support.native import Parsers
from tests.support.payloads import PayloadInfo, vp9_payload

WIDTH, HEIGHT = 320, 180  # the height is no multiple of a macroblock: H.264 must crop
FRAMES, KEYFRAME_EVERY = 12, 5
RATE = 30
RTCP_TYPES = range(200, 205)


def pictures() -> Iterator[av.VideoFrame]:
    """A bright bar that moves over a gradient."""
    gradient = np.linspace(0, 200, WIDTH, dtype=np.uint8)[None, :, None].repeat(HEIGHT, 0).repeat(3, 2)
    for i in range(FRAMES):
        picture = gradient.copy()
        picture[:, i * 20 : i * 20 + 20] = 255
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = i, Fraction(1, RATE)
        yield frame


def encoded(stream: av.VideoStream | av.VideoCodecContext) -> list[av.Packet]:
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.gop_size, stream.time_base = KEYFRAME_EVERY, Fraction(1, RATE)
    return [packet for frame in [*pictures(), None] for packet in stream.encode(frame)]


@pytest.mark.parametrize(
    ("codec", "encoder", "options"),
    [
        (CodecId.VP8, "libvpx", {"deadline": "realtime"}),
        (CodecId.H264_BASELINE, "libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
        (CodecId.H264_HIGH, "libx264", {"preset": "medium", "tune": "zerolatency", "profile": "high"}),
        (CodecId.AV1, "libsvtav1", {"preset": "12"}),
    ],
    ids=lambda value: value.name if isinstance(value, CodecId) else None,
)
def test_finds_key_frames_in_what_ffmpeg_sends(
    parsers: Parsers, codec: CodecId, encoder: str, options: dict[str, str]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        url = f"rtp://127.0.0.1:{receiver.getsockname()[1]}?pkt_size=400"
        with av.open(url, "w", format="rtp", options={"strict": "experimental"}) as muxer:
            keyframes = 0
            for packet in encoded(muxer.add_stream(encoder, rate=RATE, options=options)):
                is_keyframe = packet.is_keyframe
                muxer.mux(packet)
                infos = [parsers.read_payload(codec, payload) for payload in received(receiver)]
                assert_is_frame(infos, is_keyframe)
                keyframes += is_keyframe
    assert keyframes == 3


def received(receiver: socket.socket) -> Iterator[bytes]:
    """The payloads of RTP packets that lie in the socket."""
    while True:
        try:
            datagram = receiver.recv(2048)
        except BlockingIOError:
            return
        if datagram[1] not in RTCP_TYPES:
            yield read_packet(datagram).payload


def assert_is_frame(infos: list[PayloadInfo | None], keyframe: bool) -> None:
    known = [info for info in infos if info is not None]
    assert known
    assert len(known) == len(infos)
    assert known[0].frame_start
    assert [info.keyframe for info in known] == [int(keyframe), *[0] * (len(known) - 1)]
    assert (known[0].width, known[0].height) == ((WIDTH, HEIGHT) if keyframe else (0, 0))


@pytest.mark.parametrize(("codec", "encoder"), [(CodecId.VP8, Vp8Encoder), (CodecId.H264_BASELINE, H264Encoder)])
def test_finds_key_frames_in_what_aiortc_sends(
    parsers: Parsers, codec: CodecId, encoder: type[Vp8Encoder] | type[H264Encoder]
) -> None:
    sender = encoder()
    for i, frame in enumerate(pictures()):
        payloads, _ = sender.encode(frame, force_keyframe=i % KEYFRAME_EVERY == 0)
        assert_is_frame([parsers.read_payload(codec, payload) for payload in payloads], i % KEYFRAME_EVERY == 0)


def test_finds_key_frames_of_a_vp9_encoder(parsers: Parsers) -> None:
    """FFmpeg's packetizer does not tell which pictures depend on others: the frame's own header does."""
    context = av.VideoCodecContext.create("libvpx-vp9", "w")
    context.options = {"deadline": "realtime", "lag-in-frames": "0"}
    keyframes = 0
    for packet in encoded(context):
        frame = bytes(packet)
        inter = bool(frame[0] & 0x04)  # frame_type, in profile 0
        payloads = [
            vp9_payload(frame[:200], inter=inter, end=False, sizes=None if inter else [(WIDTH, HEIGHT)]),
            vp9_payload(frame[200:] or b"end", inter=inter, start=False),
        ]
        assert_is_frame([parsers.read_payload(CodecId.VP9, payload) for payload in payloads], packet.is_keyframe)
        keyframes += packet.is_keyframe
    assert keyframes == 3
