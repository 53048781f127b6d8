"""DTLS records as far as they can be read without keys: cut, judged, packed into datagrams.

OpenSSL ends a handshake over a record that makes no sense in it, and anybody who can forge a source address can send
one. So what no peer would send is sorted out here before OpenSSL sees it. Pure. RFC 6347 section 4.
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

MAX_DATAGRAM_BYTES = 4096  # in: OpenSSL keeps up to a hundred records that came too early
MAX_MESSAGE_BYTES = 16384  # of one handshake message: room for a chain of certificates
PACKET_BYTES = 1200  # out: what passes everywhere

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23
CLIENT_HELLO = 1

_HEADER = Struct("!BBBHHIH")  # type, version (2), epoch, sequence number (2 + 4), length
_HEADER_BYTES = 13
_FRAGMENT_HEADER_BYTES = 12
_VERSION_MAJOR = 0xFE
_VERSION_MINORS = (0xFF, 0xFD)  # DTLS 1.0 (first hello) and 1.2 (which 1.3 says as well)
_FROM_CLIENT = frozenset({1, 11, 15, 16})  # hello, certificate, its proof, key exchange
_FROM_SERVER = frozenset({2, 3, 11, 12, 13, 14, 22})


class Record(NamedTuple):
    type: int
    epoch: int
    body: bytes
    data: bytes
    """The whole record."""


def split(datagram: bytes) -> Iterator[Record]:
    """The records of a datagram, up to the first thing that is none.

    A record with the short header of DTLS 1.3 (RFC 9147 section 4) takes the rest of the datagram and has the epoch -1.
    """
    position, size = 0, len(datagram)
    if size > MAX_DATAGRAM_BYTES:
        return
    while size - position > 0:
        if datagram[position] >> 5 == 1:
            yield Record(datagram[position], -1, b"", datagram[position:])
            return
        if size - position < _HEADER_BYTES:
            return
        kind, major, minor, epoch, _, _, length = _HEADER.unpack_from(datagram, position)
        body = position + _HEADER_BYTES
        end = body + length
        if major != _VERSION_MAJOR or minor not in _VERSION_MINORS or end > size or not length:
            return
        yield Record(kind, epoch, datagram[body:end], datagram[position:end])
        position = end


def plausible(record: Record, *, from_client: bool) -> bool:
    """Whether a record of the unencrypted epoch may be shown to OpenSSL.

    Alerts may not: nobody vouches for them, and a peer that gives up is noticed by its silence.
    """
    if record.type == CHANGE_CIPHER_SPEC:
        return record.body == b"\x01"
    return record.type == HANDSHAKE and all(_fragments(record.body, _FROM_CLIENT if from_client else _FROM_SERVER))


def renumbered(record: Record, number: int) -> bytes:
    """The record with another sequence number.

    Nothing protects the numbers of the unencrypted epoch, so one forged high number would make OpenSSL take all that
    follow for replayed ones. What is really sent twice shows in the handshake messages.
    """
    return record.data[:5] + number.to_bytes(6, "big") + record.data[11:]


def begins_hello(record: Record) -> bool:
    """Whether the record starts a ClientHello (which may go on in the next one)."""
    return (
        record.type == HANDSHAKE and record.epoch == 0 and record.body[:1] == b"\x01" and record.body[6:9] == bytes(3)
    )


def pack(stream: bytes) -> list[bytes]:
    """Cuts what OpenSSL has written at the borders of records into datagrams of at most `PACKET_BYTES`."""
    datagrams: list[bytes] = []
    start = position = 0
    while position < len(stream):
        length = int.from_bytes(stream[position + 11 : position + 13], "big")
        end = len(stream) if stream[position] >> 5 == 1 else position + _HEADER_BYTES + length
        if end - start > PACKET_BYTES and position > start:
            datagrams.append(stream[start:position])
            start = position
        position = end
    if position > start:
        datagrams.append(stream[start:position])
    return datagrams


def _fragments(body: bytes, known: frozenset[int]) -> Iterator[bool]:
    """For each piece of a handshake message in the record: does its header make sense?"""
    position = 0
    while position < len(body):
        header = body[position : position + _FRAGMENT_HEADER_BYTES]
        if len(header) < _FRAGMENT_HEADER_BYTES:
            yield False
            return
        whole = int.from_bytes(header[1:4], "big")
        offset = int.from_bytes(header[6:9], "big")
        length = int.from_bytes(header[9:12], "big")
        position += _FRAGMENT_HEADER_BYTES + length
        yield (
            header[0] in known
            and whole <= MAX_MESSAGE_BYTES
            and offset + length <= whole
            and (length > 0 or whole == 0)
            and position <= len(body)
        )
