"""Which of our codecs a payload type of a description stands for, with its retransmissions and feedback.

A payload type is only a number of one description; the codec is told by name, clock rate and parameters. Pure.
RFC 7587 (Opus), RFC 7741 (VP8), RFC 9628 (VP9), RFC 6184 section 8.1 (H.264), AV1 RTP payload specification
section 7, RFC 4588 section 8.6 (apt).
"""

import functools
from collections.abc import Iterator, Mapping

from mediaserver.rtp.codecs import CODECS, RED_PAYLOAD_TYPE, Codec, CodecId
from mediaserver.transport.sdp_lines import Payload
from mediaserver.transport.sdp_model import MediaSection

FEEDBACK = {
    "audio": ("transport-cc", "nack"),
    "video": ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"),
}
"""What we understand, per kind."""

_BASELINE = ("42",)
_HIGH = ("4d", "64")  # Main and High: a decoder for the second reads the first
_H264_DEFAULT = "420010"


_RTP = {f"{under}RTP/SAVP{f}" for under in ("UDP/TLS/", "TCP/TLS/", "TCP/DTLS/", "") for f in ("F", "")}
_NAMING = {
    CodecId.VP9: ("profile-id",),
    CodecId.H264_BASELINE: ("level-asymmetry-allowed", "packetization-mode", "profile-level-id"),
    CodecId.H264_HIGH: ("level-asymmetry-allowed", "packetization-mode", "profile-level-id"),
    CodecId.AV1: ("level-idx", "profile", "tier"),
}


def is_media(section: MediaSection) -> bool:
    """Whether it is sound or picture over a transport of ours."""
    return section.kind in ("audio", "video") and section.protocol in _RTP


def naming(codec: CodecId, offered: Mapping[str, str]) -> dict[str, str]:
    """Those of the parameters that name the codec rather than what the offerer likes to receive."""
    return {name: offered[name] for name in _NAMING.get(codec, ()) if name in offered}


def identify(kind: str, payload: Payload) -> CodecId | None:
    """The codec that is forwarded under this payload type; None if it is none of ours."""
    name = payload.name.lower()
    codec = _h264(payload) if name == "h264" else _BY_NAME.get(name)
    if codec is None or CODECS[codec].kind != kind or CODECS[codec].clock_rate != payload.clock_rate:
        return None
    if payload.parameters.get(_PROFILE.get(codec, ""), "0") != "0":
        return None
    return codec


_BY_NAME = {"opus": CodecId.OPUS, "vp8": CodecId.VP8, "vp9": CodecId.VP9, "av1": CodecId.AV1}
_PROFILE = {CodecId.VP9: "profile-id", CodecId.AV1: "profile"}  # only profile 0 is decoded everywhere


def _h264(payload: Payload) -> CodecId | None:
    if payload.parameters.get("packetization-mode") != "1":
        return None
    profile = payload.parameters.get("profile-level-id", _H264_DEFAULT)[:2].lower()
    if profile in _BASELINE:
        return CodecId.H264_BASELINE
    return CodecId.H264_HIGH if profile in _HIGH else None


def known(section: MediaSection) -> Iterator[tuple[CodecId, Payload]]:
    """The payload types of a section that we forward, in its order of preference."""
    for payload in section.payloads.values():
        codec = identify(section.kind, payload)
        if codec is not None:
            yield codec, payload


def retransmissions(section: MediaSection) -> dict[int, int]:
    """{payload type: the one its retransmissions come under}."""
    found: dict[int, int] = {}
    for payload in section.payloads.values():
        apt = payload.parameters.get("apt", "")
        if payload.name.lower() == "rtx" and apt.isascii() and apt.isdigit() and len(apt) <= 3:
            found.setdefault(int(apt), payload.type)
    return found


def feedback(section: MediaSection, payload: Payload) -> list[str]:
    """The feedback about this payload type that the section offers and we understand."""
    offered = {*payload.feedback, *section.feedback}
    return [each for each in FEEDBACK.get(section.kind, ()) if each in offered]


@functools.cache
def our_payloads(kind: str) -> Mapping[int, Payload]:
    """All codecs of a kind as we offer them to send, RTX or RED behind each. The same each time: to be read only."""
    payloads: dict[int, Payload] = {}
    for codec in CODECS.values():
        if codec.kind == kind:
            payloads[codec.payload_type] = _ours(codec)
            if codec.rtx_payload_type is not None:
                payloads[codec.rtx_payload_type] = rtx(codec.rtx_payload_type, codec.payload_type, codec.clock_rate)
            if codec.id is CodecId.OPUS:
                payloads[RED_PAYLOAD_TYPE] = _red(codec)
    return payloads


def _ours(codec: Codec) -> Payload:
    wanted = [each for each in FEEDBACK[codec.kind] if each != "ccm fir"]  # "nack pli" asks for the same
    return Payload(codec.payload_type, codec.name, codec.clock_rate, codec.channels, dict(codec.parameters), wanted)


def _red(codec: Codec) -> Payload:
    blocks = f"{codec.payload_type}/{codec.payload_type}"
    return Payload(RED_PAYLOAD_TYPE, "red", codec.clock_rate, codec.channels, {blocks: ""})


def redundant(section: MediaSection, payload_type: int) -> int | None:
    """The payload type of RED whose blocks are of this one (RFC 2198 section 5), None without it."""
    for payload in section.payloads.values():
        blocks = {block for name in payload.parameters for block in name.split("/")}
        if payload.name.lower() == "red" and blocks <= {str(payload_type)}:
            return payload.type
    return None


def rtx(payload_type: int, of: int, clock_rate: int) -> Payload:
    """The payload type of retransmissions of another one."""
    return Payload(payload_type, "rtx", clock_rate, parameters={"apt": str(of)})
