"""The codecs that are forwarded, their numbers in the native core and in descriptions we write.

The numbers of `CodecId` are also those of `native/core.h`. RFC 7587 (Opus), RFC 7741 (VP8), RFC 9628 (VP9),
RFC 6184 (H.264), AV1 RTP payload specification.
"""

from dataclasses import dataclass
from enum import IntEnum


class CodecId(IntEnum):
    OPUS = 0
    RED = 1
    VP8 = 2
    VP9 = 3
    H264_BASELINE = 4
    H264_HIGH = 5
    AV1 = 6


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec as we write it into our own offers."""

    id: CodecId
    kind: str
    name: str
    clock_rate: int
    payload_type: int
    rtx_payload_type: int | None = None
    channels: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()


CODECS: dict[CodecId, Codec] = {
    c.id: c
    for c in (
        Codec(
            CodecId.OPUS,
            "audio",
            "opus",
            48000,
            111,
            channels=2,
            parameters=(("minptime", "10"), ("useinbandfec", "1")),
        ),
        Codec(CodecId.VP8, "video", "VP8", 90000, 96, 97),
        Codec(CodecId.VP9, "video", "VP9", 90000, 98, 99, parameters=(("profile-id", "0"),)),
        Codec(
            CodecId.H264_BASELINE,
            "video",
            "H264",
            90000,
            102,
            103,
            parameters=(("level-asymmetry-allowed", "1"), ("packetization-mode", "1"), ("profile-level-id", "42e01f")),
        ),
        Codec(
            CodecId.H264_HIGH,
            "video",
            "H264",
            90000,
            104,
            105,
            parameters=(("level-asymmetry-allowed", "1"), ("packetization-mode", "1"), ("profile-level-id", "640c1f")),
        ),
        Codec(CodecId.AV1, "video", "AV1", 90000, 106, 107),
    )
}
"""RED (RFC 2198) is no codec of its own: it is offered beside Opus to who receives."""

RED_PAYLOAD_TYPE = 63
