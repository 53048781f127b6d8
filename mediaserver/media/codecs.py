"""Decoders and encoders of pictures and sound, one small class each, over FFmpeg's libraries (PyAV).

Each is fed whole frames (`depacketize.py` makes them) and keeps the state of one stream. A decoder raises only
`MalformedPacket` for what it cannot read, whatever a stranger sends; it may still use up memory or time, hence it runs
in a process with limits. Encoders are set for conversation: no frames held back, nothing looked at ahead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from mediaserver.egress.output import EncodedFrame
from mediaserver.errors import MalformedPacket
from mediaserver.media.mixing import BLOCK, RATE, SLACK, Sound
from mediaserver.media.pictures import TICK, TICKS, Picture, plain
from mediaserver.rtp.codecs import CodecId

MAX_PIXELS = 4096 * 2304  # of a decoded picture: 14 MB
KEY_INTERVAL = 10.0  # seconds between key frames nobody has asked for
_KEY, _ANY = int(PictureType.I), int(PictureType.NONE)
CONCEALED = 0.1  # seconds of sound made up at most, ever softer: libopus would go on with noise

_DECODERS = {
    CodecId.VP8: "vp8",
    CodecId.VP9: "vp9",
    CodecId.H264_BASELINE: "h264",
    CodecId.H264_HIGH: "h264",
    CodecId.AV1: "libdav1d",
}


class VideoDecoder:
    """Decodes one track; pictures may change their size from one to the next."""

    def __init__(self, codec: CodecId) -> None:
        self._context: Any = av.CodecContext.create(_DECODERS[codec], "r")
        self._context.thread_count = 1
        self._context.options = {"flags": "low_delay", "max_pixels": str(MAX_PIXELS)}
        if codec == CodecId.AV1:
            self._context.options |= {"max_frame_delay": "1"}

    def decode(self, data: bytes, at: float) -> list[Picture]:
        """The pictures in a frame of the track, mostly one, in yuv420p; raises `MalformedPacket`."""
        packet = av.Packet(data)
        packet.pts, packet.time_base = round(at * TICKS), TICK
        try:
            pictures = [plain(picture) for picture in self._context.decode(packet)]
        except (av.FFmpegError, ValueError) as error:
            raise MalformedPacket(f"a frame cannot be decoded: {error}") from error
        for picture in pictures:
            picture.time_base = TICK
        return pictures


class AudioDecoder:
    """Decodes one Opus track to float32 (samples, 2) at 48 kHz."""

    def __init__(self) -> None:
        self._context: Any = av.CodecContext.create("libopus", "r")
        self._context.sample_rate, self._context.layout = RATE, "stereo"
        self._context.options = {"request_sample_fmt": "flt"}
        self._lost = b""
        self._length = BLOCK
        self._concealed = 0

    def decode(self, data: bytes) -> Sound:
        """The sound in one packet; raises `MalformedPacket`."""
        if not data:
            raise MalformedPacket("an Opus packet of no bytes")
        sound = self._decode(data)
        self._lost, self._length, self._concealed = _nothing_like(data), len(sound), 0
        return sound

    def conceal(self) -> Sound:
        """Sound in place of one lost packet as long as the last: its like for a moment, then silence."""
        start, self._concealed = self._concealed, self._concealed + self._length
        if not self._lost or self._concealed > CONCEALED * RATE:
            return np.zeros((self._length, 2), np.float32)
        try:
            sound = self._decode(self._lost)
        except MalformedPacket:
            return np.zeros((self._length, 2), np.float32)
        fading = 1 - np.arange(start, start + len(sound), dtype=np.float32) / np.float32(CONCEALED * RATE)
        return sound * fading[:, None]

    def _decode(self, data: bytes) -> Sound:
        try:
            frames = self._context.decode(av.Packet(data))
        except (av.FFmpegError, ValueError) as error:
            raise MalformedPacket(f"sound cannot be decoded: {error}") from error
        parts = [frame.to_ndarray().reshape(-1, 2) for frame in frames]
        return np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)


@dataclass(frozen=True, slots=True)
class _Encoder:
    name: str
    options: Mapping[str, str]


_REALTIME = {"deadline": "realtime", "lag-in-frames": "0", "qmin": "2", "qmax": "56", "threads": "1"}
_X264 = {"preset": "veryfast", "tune": "zerolatency", "threads": "1", "bf": "0", "sc_threshold": "0"}
_ENCODERS = {
    CodecId.VP8: _Encoder("libvpx", _REALTIME | {"cpu-used": "-10", "auto-alt-ref": "0", "static-thresh": "1"}),
    CodecId.VP9: _Encoder("libvpx-vp9", _REALTIME | {"cpu-used": "8", "row-mt": "0", "aq-mode": "3"}),
    CodecId.H264_BASELINE: _Encoder("libx264", _X264 | {"profile": "baseline"}),
    CodecId.H264_HIGH: _Encoder("libx264", _X264 | {"profile": "high"}),
    CodecId.AV1: _Encoder("libsvtav1", {"preset": "11", "svtav1-params": "rtc=1:rc=2:pred-struct=1:lookahead=0:lp=1"}),
}


class VideoEncoder:
    """Encodes a program at one size and a steady rate, each frame as it comes."""

    def __init__(
        self, codec: CodecId, width: int, height: int, fps: int, bitrate: int, *, key_every: float = KEY_INTERVAL
    ) -> None:
        """`bitrate` in bits a second. H.264 is Annex B with its parameter sets in each key frame."""
        context: Any = av.CodecContext.create(_ENCODERS[codec].name, "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = TICK, Fraction(fps)
        context.bit_rate, context.gop_size = bitrate, round(fps * key_every)
        rate = {} if codec == CodecId.AV1 else {"maxrate": str(bitrate), "bufsize": str(bitrate)}
        if codec in (CodecId.VP8, CodecId.VP9):
            rate["minrate"] = str(bitrate)
        context.options = {**_ENCODERS[codec].options, **rate}
        context.open()
        self._context = context
        self._duration = 1 / fps

    def encode(self, frame: Picture, *, key: bool = False) -> list[EncodedFrame]:
        """What the picture (yuv420p, with its time) becomes; mostly one frame. `key`: it must stand on its own."""
        frame.pict_type = _KEY if key else _ANY
        return [self._encoded(packet) for packet in self._context.encode(frame)]

    def flush(self) -> list[EncodedFrame]:
        """What was held back; nothing can be encoded afterwards."""
        return [self._encoded(packet) for packet in self._context.encode(None)]

    def _encoded(self, packet: Any) -> EncodedFrame:
        return EncodedFrame(bytes(packet), packet.pts / TICKS, bool(packet.is_keyframe), self._duration)


class AudioEncoder:
    """Encodes 20 ms at a time as Opus. A decoder brings each sample 6.5 ms late (312 samples, RFC 7845's pre-skip)."""

    PRE_SKIP = 312

    def __init__(self, bitrate: int = 96_000) -> None:
        self._context = _audio("libopus", "flt", bitrate, {"application": "audio", "frame_duration": "20"})
        self._position = 0

    def encode(self, samples: Sound, at: float | None = None) -> list[EncodedFrame]:
        """One packet: of the block (960, 2), whose first sample belongs at `at`, by default right after the last."""
        if at is not None:
            self._position = round(at * RATE)
        start, self._position = self._position, self._position + BLOCK
        packets = self._context.encode(_sound_frame(samples.reshape(1, -1), "flt", start))
        assert len(packets) == 1, "20 ms of sound are one packet"
        return [EncodedFrame(bytes(packets[0]), start / RATE, True, BLOCK / RATE)]


class AacEncoder:
    """Encodes sound as AAC for RTMP, HLS and MP4: raw frames of 1024 samples."""

    def __init__(self, bitrate: int = 128_000) -> None:
        self._bitrate = bitrate
        self._position = 0
        self._context = self._begin()

    @property
    def config(self) -> bytes:
        """The AudioSpecificConfig that a container needs."""
        return bytes(self._context.extradata or b"")

    def encode(self, samples: Sound, at: float | None = None) -> list[EncodedFrame]:
        """Whole frames as they fill up; `at` as for `AudioEncoder`. Where time jumps, what is not full yet is lost."""
        position = self._position if at is None else round(at * RATE)
        if abs(position - self._position) > SLACK:
            self._context, self._position = self._begin(), position
        frame = _sound_frame(np.ascontiguousarray(samples.T), "fltp", self._position)
        self._position += len(samples)
        return [EncodedFrame(bytes(p), p.pts / RATE, True, 1024 / RATE) for p in self._context.encode(frame)]

    def _begin(self) -> Any:
        context = _audio("aac", "fltp", self._bitrate, {"flags": "+global_header"})
        context.open()
        return context


def _audio(name: str, sample_format: str, bitrate: int, options: dict[str, str]) -> Any:
    context: Any = av.CodecContext.create(name, "w")
    context.sample_rate, context.layout, context.format = RATE, "stereo", sample_format
    context.time_base, context.bit_rate, context.options = Fraction(1, RATE), bitrate, options
    return context


def _sound_frame(samples: np.ndarray[Any, np.dtype[np.float32]], sample_format: str, start: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples, format=sample_format, layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
    return frame


def _nothing_like(packet: bytes) -> bytes:
    """A packet of as many frames as this one, each of no bytes, which a decoder takes for lost. RFC 6716, section 3.2.

    The low bits of the first byte tell one, two, or (3) as many frames as the next byte says.
    """
    code = packet[0] & 3
    frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 1)[code]
    return bytes([packet[0] | 3, max(1, frames)])
