"""What simulated participants share: SRTP by libsrtp, and a tag in every payload that tells what it is.

They share no code with the native core but the readers of `mediaserver.rtp`. The two ends: `rtp_publisher.py` and
`rtp_subscriber.py`; neither has a clock, whoever owns them tells the time and carries their datagrams
(`simulation.py`).
"""

from struct import Struct
from typing import NamedTuple

from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from mediaserver.rtp import rtcp
from mediaserver.rtp.packet import RtpPacket, read_packet

PROFILES = {
    "SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "SRTP_AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    "SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}

_TAG = Struct("!4sHIHHBd")
_MAGIC = b"tag:"


class Tag(NamedTuple):
    """At the end of every payload: what the packet is, whatever the codec."""

    source: int
    frame: int
    part: int
    parts: int
    key: bool
    captured: float


def write_tag(tag: Tag) -> bytes:
    return _TAG.pack(_MAGIC, *tag)


def read_tag(payload: bytes) -> Tag:
    magic, source, frame, part, parts, key, captured = _TAG.unpack(payload[-_TAG.size :])
    assert magic == _MAGIC, "a payload of no publisher of ours"
    return Tag(source, frame, part, parts, bool(key), captured)


class Srtp:
    """Both directions of one encrypted connection, the peer's end."""

    def __init__(self, profile: str, send: bytes, receive: bytes) -> None:
        self._tx = self._session(profile, send, Policy.SSRC_ANY_OUTBOUND)
        self._rx = self._session(profile, receive, Policy.SSRC_ANY_INBOUND)
        self.refused = self.replayed = 0

    @staticmethod
    def _session(profile: str, key: bytes, kind: int) -> Session:
        policy = Policy(key=key, ssrc_type=kind, srtp_profile=PROFILES[profile][0])
        policy.window_size = 1024
        policy.allow_repeat_tx = True
        return Session(policy)

    def protect(self, packet: bytes) -> bytes:
        return self._tx.protect(packet)

    def protect_rtcp(self, packets: list[rtcp.Packet]) -> bytes:
        return self.protect_rtcp_bytes(rtcp.write_compound(packets))

    def protect_rtcp_bytes(self, compound: bytes) -> bytes:
        """Whatever they are."""
        return self._tx.protect_rtcp(compound)

    def open(self, data: bytes) -> RtpPacket | list[rtcp.Packet] | None:
        """A packet, or the packets of a compound one; None (and counted) if libsrtp refuses it."""
        try:
            if 192 <= data[1] < 224:
                return rtcp.read_compound(self._rx.unprotect_rtcp(data))
            return read_packet(self._rx.unprotect(data))
        except SrtpError as error:
            if "replay" in str(error):
                self.replayed += 1
            else:
                self.refused += 1
            return None


class Plain:
    """The same for a peer that is trusted: packets as they are."""

    refused = replayed = 0

    def protect(self, packet: bytes) -> bytes:
        return packet

    def protect_rtcp(self, packets: list[rtcp.Packet]) -> bytes:
        return rtcp.write_compound(packets)

    def open(self, data: bytes) -> RtpPacket | list[rtcp.Packet]:
        return rtcp.read_compound(data) if 192 <= data[1] < 224 else read_packet(data)
