"""RTP packets between bytes and a plain dataclass, with their header extensions.

The native core's `header.c` does the same without objects; both follow the same tables of tests. What an extension's
id means is the session description's affair, what its value means `extensions.py`'s. RFC 3550 section 5.1, RFC 8285.
"""

from dataclasses import dataclass
from struct import Struct

from mediaserver.errors import MalformedPacket

FIXED_LENGTH = 12  # bytes
MAX_PACKET = 65535  # bytes: what a UDP datagram can hold
MAX_CSRCS = 15
ONE_BYTE_FORM = 0xBEDE
TWO_BYTE_FORM = 0x1000  # the last four bits are free for the application
ONE_BYTE_MAX_ID = 14
ONE_BYTE_MAX_LENGTH = 16

_FIXED = Struct("!BBHII")
_BLOCK = Struct("!HH")

Elements = tuple[tuple[int, bytes], ...]
"""Header extension elements in the packet's order: (id, value)."""


@dataclass(frozen=True, slots=True)
class RtpHeader:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extensions: Elements = ()
    padded: bool = False
    """The last bytes of the packet are padding."""
    length: int = FIXED_LENGTH
    """Where the payload starts."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extensions: Elements = ()
    padding: int = 0
    """Bytes behind the payload, their count included; at most 255."""


def read_header(data: bytes) -> RtpHeader:
    """Reads a packet's header; MalformedPacket if it is not RTP or does not hold what its header announces.

    A malformed element ends reading of the extension, not of the packet.
    """
    if not FIXED_LENGTH <= len(data) <= MAX_PACKET:
        raise MalformedPacket("not the length of an RTP packet")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != 2:
        raise MalformedPacket("not RTP version 2")
    end = FIXED_LENGTH + (first & 15) * 4
    if end > len(data):
        raise MalformedPacket("contributing sources beyond the packet")
    csrcs = tuple(int.from_bytes(data[at : at + 4]) for at in range(FIXED_LENGTH, end, 4))
    extensions: Elements = ()
    if first & 0x10:
        extensions, end = _read_extension(data, end)
    return RtpHeader(
        second & 0x7F, sequence, timestamp, ssrc, bool(second >> 7), csrcs, extensions, bool(first & 0x20), end
    )


def payload_length(data: bytes, header: RtpHeader) -> int:
    """Bytes of payload without padding; MalformedPacket if the padding is impossible."""
    length = len(data) - header.length
    if not header.padded:
        return length
    if not 1 <= data[-1] <= length:
        raise MalformedPacket("impossible padding")
    return length - data[-1]


def read_packet(data: bytes) -> RtpPacket:
    """Reads a whole plain packet; MalformedPacket as `read_header` and `payload_length`."""
    header = read_header(data)
    end = header.length + payload_length(data, header)
    return RtpPacket(
        header.payload_type,
        header.sequence,
        header.timestamp,
        header.ssrc,
        data[header.length : end],
        header.marker,
        header.csrcs,
        header.extensions,
        len(data) - end,
    )


def write_packet(packet: RtpPacket) -> bytes:
    """The packet's bytes; ValueError for values that do not fit their fields."""
    if len(packet.csrcs) > MAX_CSRCS or not 0 <= packet.padding <= 255 or not 0 <= packet.payload_type <= 127:
        raise ValueError("a value does not fit its field")
    first = 0x80 | bool(packet.padding) << 5 | bool(packet.extensions) << 4 | len(packet.csrcs)
    second = packet.marker << 7 | packet.payload_type
    padding = bytes(packet.padding - 1) + bytes([packet.padding]) if packet.padding else b""
    return (
        _FIXED.pack(first, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc)
        + b"".join(csrc.to_bytes(4) for csrc in packet.csrcs)
        + write_extensions(packet.extensions)
        + packet.payload
        + padding
    )


def write_extensions(elements: Elements) -> bytes:
    """The extension block behind a fixed header; nothing for no elements. The two-byte form only where it must be."""
    if not elements:
        return b""
    if any(not 1 <= number <= 255 or len(value) > 255 for number, value in elements):
        raise ValueError("an element does not fit its header")
    small = all(n <= ONE_BYTE_MAX_ID and 1 <= len(value) <= ONE_BYTE_MAX_LENGTH for n, value in elements)
    body = b"".join(
        (bytes([number << 4 | (len(value) - 1)]) if small else bytes([number, len(value)])) + value
        for number, value in elements
    )
    body += bytes(-len(body) % 4)
    return _BLOCK.pack(ONE_BYTE_FORM if small else TWO_BYTE_FORM, len(body) // 4) + body


def _read_extension(data: bytes, at: int) -> tuple[Elements, int]:
    """The elements of the block at `at`, and where it ends. Blocks of other forms have no elements for us."""
    if len(data) - at < _BLOCK.size:
        raise MalformedPacket("extension beyond the packet")
    form, words = _BLOCK.unpack_from(data, at)
    start = at + _BLOCK.size
    end = start + words * 4
    if end > len(data):
        raise MalformedPacket("extension beyond the packet")
    if form == ONE_BYTE_FORM:
        return tuple(_one_byte_elements(data[start:end])), end
    if form & 0xFFF0 == TWO_BYTE_FORM:
        return tuple(_two_byte_elements(data[start:end])), end
    return (), end


def _one_byte_elements(block: bytes) -> list[tuple[int, bytes]]:
    elements, at = [], 0
    while at < len(block):
        if block[at] == 0:  # padding
            at += 1
            continue
        number, length = block[at] >> 4, (block[at] & 15) + 1
        if number in (0, 15) or at + 1 + length > len(block):
            break
        elements.append((number, block[at + 1 : at + 1 + length]))
        at += 1 + length
    return elements


def _two_byte_elements(block: bytes) -> list[tuple[int, bytes]]:
    elements, at = [], 0
    while at < len(block):
        if block[at] == 0:  # padding
            at += 1
            continue
        if at + 2 > len(block) or at + 2 + block[at + 1] > len(block):
            break
        elements.append((block[at], block[at + 2 : at + 2 + block[at + 1]]))
        at += 2 + block[at + 1]
    return elements
