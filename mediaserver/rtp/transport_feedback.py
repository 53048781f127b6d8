"""Transport-wide feedback between bytes and a dataclass: which packets of a connection arrived, and when.

draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1. What a sender concludes from it is not decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from mediaserver.errors import MalformedPacket

TICK = 250e-6  # seconds
REFERENCE_TICKS = 256  # the reference time counts 64 ms
REFERENCE_BITS = 24
MAX_RUN = 8191
LOST, NEAR, FAR = 0, 1, 2  # symbols: not received, delta of one byte, of two bytes
VECTOR = 7  # symbols of two bits in a chunk
BITS_VECTOR = 14  # symbols of one bit in a chunk

_HEAD = Struct("!IIHH")


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    sender: int
    media: int
    base: int
    """Sequence number of the first packet told of."""
    count: int
    """Number of this message, modulo 256."""
    reference: int
    """Of 64 ms, modulo 2^24; what the times count from."""
    arrivals: tuple[int | None, ...]
    """From `base` on: ticks of 250 us since the reference time; None: not received."""


def read_feedback(body: bytes) -> TransportFeedback:
    """Reads what follows the RTCP header; MalformedPacket if it ends early."""
    if len(body) < 16:
        raise MalformedPacket("transport-wide feedback too short")
    sender, media, base, told = _HEAD.unpack_from(body)
    symbols, at = _read_symbols(body, 16, told)
    arrivals: list[int | None] = []
    now = 0
    for symbol in symbols:
        if symbol == LOST:
            arrivals.append(None)
            continue
        size = 1 if symbol == NEAR else 2
        if symbol not in (NEAR, FAR) or at + size > len(body):
            raise MalformedPacket("a time is missing, or of no known size")
        now += int.from_bytes(body[at : at + size], signed=symbol == FAR)
        at += size
        arrivals.append(now)
    return TransportFeedback(sender, media, base, body[15], int.from_bytes(body[12:15]), tuple(arrivals))


def write_feedback(feedback: TransportFeedback) -> bytes:
    """What follows the RTCP header, padded to whole words; ValueError for times too far apart."""
    symbols, deltas, now = [], b"", 0
    for at in feedback.arrivals:
        if at is None:
            symbols.append(LOST)
            continue
        delta, now = at - now, at
        symbols.append(NEAR if 0 <= delta <= 255 else FAR)
        if not -32768 <= delta <= 32767:
            raise ValueError("two packets arrived too far apart for one message")
        deltas += delta.to_bytes(1) if 0 <= delta <= 255 else delta.to_bytes(2, signed=True)
    head = _HEAD.pack(feedback.sender, feedback.media, feedback.base, len(symbols))
    body = head + feedback.reference.to_bytes(3) + bytes([feedback.count]) + _write_symbols(symbols) + deltas
    return body + bytes(-len(body) % 4)


def _read_symbols(body: bytes, at: int, told: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    while len(symbols) < told:
        if at + 2 > len(body):
            raise MalformedPacket("the status of a packet is missing")
        symbols += _chunk_symbols(int.from_bytes(body[at : at + 2]))
        at += 2
    return symbols[:told], at


def _chunk_symbols(chunk: int) -> list[int]:
    if not chunk & 0x8000:
        return [chunk >> 13 & 3] * (chunk & MAX_RUN)
    if not chunk & 0x4000:
        return [chunk >> (BITS_VECTOR - 1 - i) & 1 for i in range(BITS_VECTOR)]
    return [chunk >> 2 * (VECTOR - 1 - i) & 3 for i in range(VECTOR)]


def _write_symbols(symbols: Sequence[int]) -> bytes:
    chunks = b""
    for at in range(0, len(symbols), VECTOR):
        chunk = 0xC000
        for i, symbol in enumerate(symbols[at : at + VECTOR]):
            chunk |= symbol << 2 * (VECTOR - 1 - i)
        chunks += chunk.to_bytes(2)
    return chunks
