"""Coded pictures and sound by real encoders, with a picture that tells its number; and packets of them by codec."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import av
import numpy as np

from mediaserver.media.packetize import Packetizer
from mediaserver.rtp.codecs import CODECS, CodecId
from tests.support import payloads

ENCODERS: dict[CodecId, tuple[str, dict[str, str]]] = {
    CodecId.VP8: ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    CodecId.VP9: ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    CodecId.H264_BASELINE: ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
    CodecId.AV1: ("libsvtav1", {"preset": "12", "svtav1-params": "pred-struct=1:rc=2"}),
}
BITS = 8  # of a picture's number, as dark and light columns
SIZE = 320, 180
Part = tuple[bytes, bool]
"""A payload and its marker."""


def picture(number: int, width: int, height: int) -> np.ndarray:
    """uint8, (height, width), luma: columns that are the bits of `number`, the highest first."""
    columns = [220 if number >> bit & 1 else 30 for bit in reversed(range(BITS))]
    return np.repeat(np.array(columns, np.uint8), width // BITS)[None, :].repeat(height, 0)


def number_of(frame: av.VideoFrame) -> int:
    """The number that a decoded picture shows."""
    luma = frame.to_ndarray(format="gray")
    means = [columns.mean() for columns in np.array_split(luma[luma.shape[0] // 4 :], BITS, axis=1)]
    return sum(int(mean > 125) << bit for bit, mean in zip(reversed(range(BITS)), means, strict=True))


@cache
def pictures(codec: CodecId, count: int = 30, size: tuple[int, int] = SIZE, key_every: int = 1000) -> tuple[Part, ...]:
    """(data, whether it is a key frame) of `count` coded pictures that show 0, 1, 2 ..."""
    name, options = ENCODERS[codec]
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 30), Fraction(30)
    encoder.bit_rate, encoder.gop_size, encoder.max_b_frames = 500_000, key_every, 0
    encoder.options = options
    out: list[Part] = []
    for i in range(count):
        luma = picture(i % (1 << BITS), *size)
        frame = av.VideoFrame.from_ndarray(
            np.concatenate([luma, np.full((size[1] // 2, size[0]), 128, np.uint8)]), format="yuv420p"
        )
        frame.pts = i
        out += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    out += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(None)]
    return tuple(out)


@cache
def tones(seconds: float = 1.0, frequency: float = 440.0) -> tuple[bytes, ...]:
    """Opus packets of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48000, "stereo", "flt"
    encoder.bit_rate = 64000
    out = []
    for i in range(round(seconds * 50)):
        t = (np.arange(960) + i * 960) / 48000
        wave = (0.4 * np.sin(2 * np.pi * frequency * t)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None, :], format="flt", layout="stereo")
        frame.sample_rate, frame.pts = 48000, i * 960
        out += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(out)


def parts(codec: CodecId, data: bytes, *, key: bool = False, room: int = 900) -> list[Part]:
    """The payloads of one frame as a sender cuts them."""
    if codec is CodecId.VP9:
        pieces = [data[at : at + room] for at in range(0, len(data), room)]
        return [
            (
                payloads.vp9_payload(
                    piece, start=i == 0, end=i == len(pieces) - 1, inter=not key, picture_id=7, layer=(0, 0),
                    sizes=[SIZE] if key and i == 0 else None,
                ),
                i == len(pieces) - 1,
            )
            for i, piece in enumerate(pieces)
        ]  # fmt: skip
    if codec is CodecId.AV1:
        return list(_av1_parts(data, key, room))
    packets = Packetizer(codec, 1).packets(data, 0.0)
    return [(packet[12:], bool(packet[1] & 0x80)) for packet in packets]


def _av1_parts(data: bytes, key: bool, room: int) -> Iterator[Part]:
    units = [unit for unit in _obus(data) if unit[0] >> 3 & 15 != 2]
    pieces = [
        (unit[at : at + room], at > 0, at + room < len(unit)) for unit in units for at in range(0, len(unit), room)
    ]
    for i, (piece, continues, unfinished) in enumerate(pieces):
        new = key and i == 0
        payload = payloads.av1_payload(piece, continues=continues, unfinished=unfinished, new_sequence=new)
        yield payload, i == len(pieces) - 1


def _obus(data: bytes) -> Iterator[bytes]:
    """Without their size fields, as they travel."""
    at = 0
    while at < len(data):
        header, at = data[at], at + 1
        assert header & 2, "an encoder's OBUs have sizes"
        size = shift = 0
        while True:
            size |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 128:
                break
        yield bytes([header & ~2]) + data[at : at + size]
        at += size


def decoded(codec: CodecId, frames: list[bytes]) -> list[av.VideoFrame]:
    """By a decoder that is none of ours."""
    names = {CodecId.VP8: "vp8", CodecId.VP9: "vp9", CodecId.H264_BASELINE: "h264", CodecId.AV1: "libdav1d"}
    decoder = av.CodecContext.create(names[codec], "r")
    out = [frame for data in frames for frame in decoder.decode(av.Packet(data))]
    return out + list(decoder.decode(None))


def clock_rate(codec: CodecId) -> int:
    return CODECS[codec].clock_rate
