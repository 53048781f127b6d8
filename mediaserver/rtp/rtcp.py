"""RTCP packets between bytes and plain dataclasses: reports, descriptions, feedback.

The native core reads and writes RTCP of its own; this is its twin for tests, and for parts that are not in a hurry.
What follows from a report is not decided here. RFC 3550 section 6 (SR, RR, SDES, BYE), RFC 4585 (NACK, PLI), RFC 5104
section 4.3.1 (FIR), draft-alvestrand-rmcat-remb-03 (REMB); transport-wide feedback has its own file.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from struct import Struct

from mediaserver.errors import MalformedPacket
from mediaserver.rtp.sequence import seq_add, seq_diff
from mediaserver.rtp.transport_feedback import TransportFeedback, read_feedback, write_feedback

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
NACK_FORMAT, TRANSPORT_FORMAT = 1, 15  # of RTPFB
PLI_FORMAT, FIR_FORMAT, REMB_FORMAT = 1, 4, 15  # of PSFB
CNAME_ITEM = 1
MAX_BLOCKS = 31
NACK_SPAN = 16  # packets behind the first one that an entry can name
REMB_NAME = b"REMB"
REMB_MANTISSA = (1 << 18) - 1

_HEADER = Struct("!BBH")
_BLOCK = Struct("!IB3sIIII")
_SENDER = Struct("!IQIII")
_PAIR = Struct("!II")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver tells about one stream."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the last report."""
    lost: int
    """Since the beginning; negative if packets came twice."""
    highest: int
    """Sequence number with its cycles in the upper 16 bits."""
    jitter_ticks: int
    last_report: int
    """Middle 32 bits of the NTP time in the last sender report; 0: none came."""
    delay: int
    """Since that report, in 1/65536 seconds."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp: int
    """Seconds since 1900 with 32 bits behind the point."""
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """SDES: canonical names by SSRC; other items are not kept."""

    names: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Bye:
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    sender: int
    media: int
    lost: tuple[int, ...]
    """Sequence numbers, as the entries name them."""


@dataclass(frozen=True, slots=True)
class Pli:
    sender: int
    media: int


@dataclass(frozen=True, slots=True)
class Fir:
    sender: int
    requests: tuple[tuple[int, int], ...]
    """(SSRC, command number)."""


@dataclass(frozen=True, slots=True)
class Remb:
    sender: int
    bitrate_bps: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """A packet of a kind that is not read here."""

    type: int
    format: int
    body: bytes


_Told = SenderReport | ReceiverReport | Description | Bye | Other
_Asked = Nack | Pli | Fir | Remb | TransportFeedback
Packet = _Told | _Asked


def read_compound(data: bytes) -> list[Packet]:
    """The packets of one datagram, in order; MalformedPacket if a length does not hold."""
    packets: list[Packet] = []
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise MalformedPacket("RTCP header beyond the packet")
        first, kind, words = _HEADER.unpack_from(data, at)
        end = at + (words + 1) * 4
        if first >> 6 != 2 or end > len(data):
            raise MalformedPacket("not RTCP, or longer than the packet")
        packets.append(_read(kind, first & 31, _unpadded(data[at + 4 : end], bool(first & 0x20))))
        at = end
    return packets


def write_compound(packets: Iterable[Packet]) -> bytes:
    """The packets' bytes one behind the other; ValueError or struct.error for values that do not fit."""
    return b"".join(_write(packet) for packet in packets)


def _unpadded(body: bytes, padded: bool) -> bytes:
    if not padded:
        return body
    if not body or not 1 <= body[-1] <= len(body):
        raise MalformedPacket("impossible padding")
    return body[: -body[-1]]


def _read(kind: int, count: int, body: bytes) -> Packet:
    reader = _READERS.get((kind, count)) or _READERS.get((kind, None))
    if reader is None:
        return Other(kind, count, body)
    return reader(count, body)


def _need(body: bytes, size: int) -> None:
    if len(body) < size:
        raise MalformedPacket("RTCP packet too short for its kind")


def _blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    _need(body, at + count * _BLOCK.size)
    blocks = []
    for i in range(count):
        ssrc, fraction, lost, *rest = _BLOCK.unpack_from(body, at + i * _BLOCK.size)
        blocks.append(ReportBlock(ssrc, fraction, int.from_bytes(lost, signed=True), *rest))
    return tuple(blocks)


def _read_sr(count: int, body: bytes) -> Packet:
    _need(body, _SENDER.size)
    ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
    return SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(body, _SENDER.size, count))


def _read_rr(count: int, body: bytes) -> Packet:
    _need(body, 4)
    return ReceiverReport(_ssrc(body, 0), _blocks(body, 4, count))


def _read_sdes(count: int, body: bytes) -> Packet:
    names, at = [], 0
    for _ in range(count):
        _need(body, at + 4)
        ssrc, at, name = _ssrc(body, at), at + 4, None
        while at < len(body) and body[at]:
            _need(body, at + 2)
            _need(body, at + 2 + body[at + 1])
            if body[at] == CNAME_ITEM:
                name = body[at + 2 : at + 2 + body[at + 1]].decode("utf-8", "replace")
            at += 2 + body[at + 1]
        at = (at // 4 + 1) * 4
        names += [(ssrc, name)] if name is not None else []
    return Description(tuple(names))


def _read_bye(count: int, body: bytes) -> Packet:
    _need(body, 4 * count)
    return Bye(tuple(_ssrc(body, 4 * i) for i in range(count)))


def _read_nack(_: int, body: bytes) -> Packet:
    _need(body, 8)
    lost: list[int] = []
    for at in range(8, len(body) - 3, 4):
        first, mask = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        lost += [first, *(seq_add(first, i + 1) for i in range(NACK_SPAN) if mask >> i & 1)]
    return Nack(_ssrc(body, 0), _ssrc(body, 4), tuple(lost))


def _read_pli(_: int, body: bytes) -> Packet:
    _need(body, 8)
    return Pli(*_PAIR.unpack_from(body))


def _read_fir(_: int, body: bytes) -> Packet:
    _need(body, 8)
    return Fir(_ssrc(body, 0), tuple((_ssrc(body, at), body[at + 4]) for at in range(8, len(body) - 7, 8)))


def _read_remb(count: int, body: bytes) -> Packet:
    _need(body, 8)
    if body[8:12] != REMB_NAME:
        return Other(PSFB, count, body)
    _need(body, 16)
    _need(body, 16 + 4 * body[12])
    bitrate = (int.from_bytes(body[13:16]) & REMB_MANTISSA) << (body[13] >> 2)
    return Remb(_ssrc(body, 0), bitrate, tuple(_ssrc(body, 16 + 4 * i) for i in range(body[12])))


def _read_transport(_: int, body: bytes) -> Packet:
    return read_feedback(body)


def _ssrc(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 4])


_READERS: dict[tuple[int, int | None], Callable[[int, bytes], Packet]] = {
    (SR, None): _read_sr,
    (RR, None): _read_rr,
    (SDES, None): _read_sdes,
    (BYE, None): _read_bye,
    (RTPFB, NACK_FORMAT): _read_nack,
    (RTPFB, TRANSPORT_FORMAT): _read_transport,
    (PSFB, PLI_FORMAT): _read_pli,
    (PSFB, FIR_FORMAT): _read_fir,
    (PSFB, REMB_FORMAT): _read_remb,
}


def _packet(kind: int, count: int, body: bytes) -> bytes:
    if not 0 <= count <= MAX_BLOCKS or len(body) % 4:
        raise ValueError("a packet has at most 31 parts and whole words")
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _write_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            b.ssrc, b.fraction_lost, b.lost.to_bytes(3, signed=True), b.highest, b.jitter_ticks, b.last_report, b.delay
        )
        for b in blocks
    )


def _write(packet: Packet) -> bytes:
    return _packet(*_parts(packet)) if isinstance(packet, _Told) else _packet(*_asking_parts(packet))


def _parts(packet: _Told) -> tuple[int, int, bytes]:
    match packet:
        case SenderReport(ssrc, ntp, timestamp, packets, octets, blocks):
            head = _SENDER.pack(ssrc, ntp, timestamp, packets, octets)
            parts = SR, len(blocks), head + _write_blocks(blocks)
        case ReceiverReport(ssrc, blocks):
            parts = RR, len(blocks), ssrc.to_bytes(4) + _write_blocks(blocks)
        case Description(names):
            parts = SDES, len(names), b"".join(_chunk(ssrc, name.encode()) for ssrc, name in names)
        case Bye(ssrcs):
            parts = BYE, len(ssrcs), b"".join(ssrc.to_bytes(4) for ssrc in ssrcs)
        case Other(kind, count, body):
            parts = kind, count, body
    return parts


def _asking_parts(packet: _Asked) -> tuple[int, int, bytes]:
    match packet:
        case Nack(sender, media, lost):
            parts = RTPFB, NACK_FORMAT, _PAIR.pack(sender, media) + _entries(lost)
        case TransportFeedback():
            parts = RTPFB, TRANSPORT_FORMAT, write_feedback(packet)
        case Pli(sender, media):
            parts = PSFB, PLI_FORMAT, _PAIR.pack(sender, media)
        case Fir(sender, requests):
            entries = b"".join(ssrc.to_bytes(4) + bytes([number, 0, 0, 0]) for ssrc, number in requests)
            parts = PSFB, FIR_FORMAT, _PAIR.pack(sender, 0) + entries
        case Remb(sender, bitrate, ssrcs):
            parts = PSFB, REMB_FORMAT, _PAIR.pack(sender, 0) + _remb(bitrate, ssrcs)
    return parts


def _chunk(ssrc: int, name: bytes) -> bytes:
    chunk = ssrc.to_bytes(4) + bytes([CNAME_ITEM, len(name)]) + name
    return chunk + bytes(4 - len(chunk) % 4)


def _entries(lost: Sequence[int]) -> bytes:
    """As few NACK entries as name these numbers; their order is kept, so ascending ones share entries best."""
    entries: list[list[int]] = []
    for seq in lost:
        ahead = seq_diff(seq, entries[-1][0]) if entries else 0
        if 1 <= ahead <= NACK_SPAN:
            entries[-1][1] |= 1 << (ahead - 1)
        else:
            entries.append([seq, 0])
    return b"".join(first.to_bytes(2) + mask.to_bytes(2) for first, mask in entries)


def _remb(bitrate_bps: int, ssrcs: Sequence[int]) -> bytes:
    exponent = max(0, bitrate_bps.bit_length() - REMB_MANTISSA.bit_length())
    head = REMB_NAME + bytes([len(ssrcs)]) + (exponent << 18 | bitrate_bps >> exponent).to_bytes(3)
    return head + b"".join(ssrc.to_bytes(4) for ssrc in ssrcs)
