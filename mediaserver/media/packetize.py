"""Coded frames to packets, for what we send ourselves: VP8 (RFC 7741), H.264 (RFC 6184), Opus (RFC 7587).

Pure. A `Packetizer` is one outgoing stream: it owns sequence numbers, timestamps and picture ids.
"""

from collections.abc import Iterator

from mediaserver.media.depacketize import FU_A, STAP_A, START_CODE
from mediaserver.media.timeline import NTP_EPOCH
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import RtpPacket, write_packet

MAX_PAYLOAD = 1150  # bytes: with every header of ours it fits the smallest path that browsers expect
PARAMETER_SETS = (7, 8)  # NAL units that go along with the next one


class Packetizer:
    """`sequence` and `timestamp` are those of the first packet, at time 0."""

    def __init__(self, codec: CodecId, ssrc: int, *, sequence: int = 0, timestamp: int = 0) -> None:
        self.ssrc = ssrc
        self._codec = codec
        self._rate = CODECS[codec].clock_rate
        self._payload_type = CODECS[codec].payload_type
        self._sequence = sequence
        self._timestamp = timestamp
        self._picture = 0
        self._packets = self._octets = 0

    def packets(self, data: bytes, at: float) -> list[bytes]:
        """The frame's packets; `at` in seconds tells its timestamp."""
        payloads = list(self._payloads(data))
        timestamp = self._ticks(at)
        out = []
        for i, payload in enumerate(payloads):
            marker = CODECS[self._codec].kind == "video" and i == len(payloads) - 1
            packet = RtpPacket(self._payload_type, self._sequence & 0xFFFF, timestamp, self.ssrc, payload, marker)
            out.append(write_packet(packet))
            self._sequence += 1
            self._octets += len(payload)
        self._packets += len(payloads)
        self._picture = (self._picture + 1) & 0x7FFF
        return out

    def report(self, at: float, wall: float, name: str) -> bytes:
        """A sender report: the stream is at `at` when the wall clock shows `wall`."""
        ntp = int((wall + NTP_EPOCH) * 2**32) & (2**64 - 1)
        report = rtcp.SenderReport(self.ssrc, ntp, self._ticks(at), self._packets, self._octets)
        return rtcp.write_compound([report, rtcp.Description(((self.ssrc, name),))])

    def _ticks(self, at: float) -> int:
        return (self._timestamp + round(at * self._rate)) & 0xFFFFFFFF

    def _payloads(self, data: bytes) -> Iterator[bytes]:
        if self._codec is CodecId.OPUS:
            yield data
        elif self._codec is CodecId.VP8:
            yield from _vp8(data, self._picture)
        else:
            yield from _h264(data)


def _vp8(data: bytes, picture: int) -> Iterator[bytes]:
    rest = bytes([0x80, (picture >> 8) | 0x80, picture & 0xFF])  # with a picture id of 15 bits
    room = MAX_PAYLOAD - 1 - len(rest)
    for at in range(0, len(data), room):
        yield bytes([0x90 if at == 0 else 0x80]) + rest + data[at : at + room]


def _h264(data: bytes) -> Iterator[bytes]:
    """Parameter sets go together with what follows them; what is too long is cut."""
    together: list[bytes] = []
    for unit in nal_units(data):
        if unit[0] & 31 in PARAMETER_SETS and sum(map(len, together)) + len(unit) < MAX_PAYLOAD // 2:
            together.append(unit)
            continue
        if together:
            yield _aggregate(together)
            together = []
        yield from _fragments(unit) if len(unit) > MAX_PAYLOAD else (unit,)
    if together:
        yield _aggregate(together)


def _aggregate(units: list[bytes]) -> bytes:
    if len(units) == 1:
        return units[0]
    importance = max(unit[0] & 0x60 for unit in units)
    return bytes([importance | STAP_A]) + b"".join(len(unit).to_bytes(2) + unit for unit in units)


def _fragments(unit: bytes) -> Iterator[bytes]:
    room = MAX_PAYLOAD - 2
    body = unit[1:]
    for at in range(0, len(body), room):
        flags = (0x80 if at == 0 else 0) | (0x40 if at + room >= len(body) else 0)
        yield bytes([unit[0] & 0xE0 | FU_A, flags | unit[0] & 31]) + body[at : at + room]


def nal_units(data: bytes) -> list[bytes]:
    """The units between start codes of three or four bytes (H.264 annex B)."""
    units = []
    for piece in data.split(START_CODE[1:])[1:]:
        unit = piece.rstrip(b"\x00")
        if unit:
            units.append(unit)
    return units
