"""STUN messages to and from bytes, as much of it as ICE needs.

Reads and writes binding requests, successes and errors; whether one is to be believed, and what follows from it, is
`ice_lite.py`'s. Pure. RFC 8489 (STUN), RFC 8445 section 16.1 (the attributes of ICE).
"""

import hmac
from binascii import crc32
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from struct import Struct

from mediaserver.errors import MalformedPacket

REQUEST = 0x0001  # the kinds of message: all are of the method "binding"
INDICATION = 0x0011
SUCCESS = 0x0101
ERROR = 0x0111

BAD_REQUEST = 400
UNKNOWN_ATTRIBUTE = 420
ROLE_CONFLICT = 487

MAX_MESSAGE_BYTES = 1500  # a check of a browser has about 120
MAX_UNKNOWN_ATTRIBUTES = 16  # as many are named in an answer

Endpoint = tuple[str, int]
"""An ip as text and a port."""

_COOKIE = 0x2112A442
_HEADER = Struct("!HHI12s")
_ATTRIBUTE = Struct("!HH")
_WORD = Struct("!I")
_LONG = Struct("!Q")
_HEADER_BYTES = 20
_INTEGRITY_BYTES = 24  # the whole attribute
_FINGERPRINT_BYTES = 8
_FINGERPRINT_XOR = 0x5354554E
_COMPREHENSION_OPTIONAL = 0x8000

_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008
_ERROR_CODE = 0x0009
_UNKNOWN_ATTRIBUTES = 0x000A
_XOR_MAPPED_ADDRESS = 0x0020
_PRIORITY = 0x0024
_USE_CANDIDATE = 0x0025
_FINGERPRINT = 0x8028
_ICE_CONTROLLED = 0x8029
_ICE_CONTROLLING = 0x802A

# Understood in the sense of RFC 8489 section 6.3: not a reason for 420, whether or not we look at it.
_KNOWN = {_USERNAME, _ERROR_CODE, _UNKNOWN_ATTRIBUTES, _XOR_MAPPED_ADDRESS, _PRIORITY, _USE_CANDIDATE} | {
    0x0001,  # MAPPED-ADDRESS
    0x0014,  # REALM
    0x0015,  # NONCE
    0x001C,  # MESSAGE-INTEGRITY-SHA256
}


@dataclass(slots=True)
class Message:
    """One message as it was read. What is None was not there."""

    kind: int
    transaction: bytes
    data: bytes
    """The whole message."""
    username: str | None = None
    priority: int | None = None
    use_candidate: bool = False
    controlling: int | None = None
    """The tie-breaker of a peer that controls."""
    controlled: int | None = None
    mapped: Endpoint | None = None
    error: int | None = None
    integrity_at: int = 0
    """Where MESSAGE-INTEGRITY starts; 0 if there is none."""
    fingerprinted: bool = False
    unknown: tuple[int, ...] = ()
    """Attributes that would have to be understood and are not."""


def parse(data: bytes) -> Message:
    """Reads one message; anything else than a whole and well-formed one raises `MalformedPacket`.

    A FINGERPRINT is checked here, MESSAGE-INTEGRITY by `authentic`. Attributes behind the integrity do not count.
    """
    size = len(data)
    if not _HEADER_BYTES <= size <= MAX_MESSAGE_BYTES or size % 4:
        raise MalformedPacket("no STUN message has this size")
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if cookie != _COOKIE or length != size - _HEADER_BYTES or kind & 0xC000:
        raise MalformedPacket("not a STUN header")
    message = Message(kind, transaction, data)
    position = _HEADER_BYTES
    while position < size:
        attribute, length = _ATTRIBUTE.unpack_from(data, position)
        start = position + 4
        end = start + length
        if end > size or message.fingerprinted:
            raise MalformedPacket("an attribute reaches beyond the message, or stands behind the fingerprint")
        if attribute == _FINGERPRINT:
            _check_fingerprint(data, position, length)
            message.fingerprinted = True
        elif not message.integrity_at:
            _read_attribute(message, attribute, position, data[start:end])
        position = (end + 3) & ~3
    return message


def authentic(message: Message, key: bytes) -> bool:
    """Whether whoever wrote the message knew `key` (the password of the side that is asked)."""
    at = message.integrity_at
    if not at:
        return False
    data = message.data
    covered = data[:2] + (at + _INTEGRITY_BYTES - _HEADER_BYTES).to_bytes(2, "big") + data[4:at]
    return hmac.compare_digest(hmac.digest(key, covered, "sha1"), data[at + 4 : at + _INTEGRITY_BYTES])


def success(request: Message, source: Endpoint, key: bytes) -> bytes:
    """The answer to a check that came from `source`."""
    mapped = _xor_address(source, request.transaction)
    return _seal(SUCCESS, request.transaction, _attribute(_XOR_MAPPED_ADDRESS, mapped), key)


def failure(request: Message, code: int, reason: str, key: bytes) -> bytes:
    """The answer that refuses a check; 420 names the attributes."""
    body = _attribute(_ERROR_CODE, bytes((0, 0, code // 100, code % 100)) + reason.encode())
    if code == UNKNOWN_ATTRIBUTE:
        body += _attribute(_UNKNOWN_ATTRIBUTES, b"".join(kind.to_bytes(2, "big") for kind in request.unknown))
    return _seal(ERROR, request.transaction, body, key)


def request(
    transaction: bytes,
    username: str,
    key: bytes,
    *,
    priority: int,
    controlling: int | None = None,
    controlled: int | None = None,
    use_candidate: bool = False,
) -> bytes:
    """A connectivity check. `username`: the ufrag of the side that is asked, a colon, the asker's own."""
    attributes = [(_USERNAME, username.encode()), (_PRIORITY, _WORD.pack(priority))]
    if controlling is not None:
        attributes.append((_ICE_CONTROLLING, _LONG.pack(controlling)))
    if controlled is not None:
        attributes.append((_ICE_CONTROLLED, _LONG.pack(controlled)))
    if use_candidate:
        attributes.append((_USE_CANDIDATE, b""))
    return write(REQUEST, transaction, attributes, key)


def write(kind: int, transaction: bytes, attributes: Iterable[tuple[int, bytes]], key: bytes | None) -> bytes:
    """A message of the given attributes, with integrity if there is a key, and a fingerprint."""
    return _seal(kind, transaction, b"".join(_attribute(name, value) for name, value in attributes), key)


def _check_fingerprint(data: bytes, position: int, length: int) -> None:
    if length != 4 or position + _FINGERPRINT_BYTES != len(data):
        raise MalformedPacket("the fingerprint is not the last attribute")
    (told,) = _WORD.unpack_from(data, position + 4)
    if told != crc32(data[:position]) ^ _FINGERPRINT_XOR:
        raise MalformedPacket("the fingerprint is wrong")


def _read_attribute(message: Message, attribute: int, position: int, value: bytes) -> None:
    if attribute == _USERNAME:
        message.username = _text(value)
    elif attribute == _MESSAGE_INTEGRITY:
        message.integrity_at = position
        _fixed(value, _INTEGRITY_BYTES - 4)
    elif attribute == _PRIORITY:
        message.priority = int.from_bytes(_fixed(value, 4), "big")
    elif attribute == _USE_CANDIDATE:
        message.use_candidate = True
    elif attribute == _ICE_CONTROLLING:
        message.controlling = int.from_bytes(_fixed(value, 8), "big")
    elif attribute == _ICE_CONTROLLED:
        message.controlled = int.from_bytes(_fixed(value, 8), "big")
    elif attribute == _XOR_MAPPED_ADDRESS:
        message.mapped = _read_address(value, message.transaction)
    elif attribute == _ERROR_CODE:
        message.error = _read_error(value)
    elif attribute < _COMPREHENSION_OPTIONAL and attribute not in _KNOWN:
        message.unknown = (*message.unknown, attribute)[:MAX_UNKNOWN_ATTRIBUTES]


def _fixed(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise MalformedPacket("an attribute has a wrong size")
    return value


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise MalformedPacket("a text is not UTF-8") from None


def _read_error(value: bytes) -> int:
    if len(value) < 4:
        raise MalformedPacket("an error without a code")
    return (value[2] & 7) * 100 + value[3]


def _read_address(value: bytes, transaction: bytes) -> Endpoint:
    if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
        raise MalformedPacket("an address of neither family")
    port = int.from_bytes(value[2:4], "big") ^ _COOKIE >> 16
    return str(ip_address(_xor(value[4:], transaction))), port


def _xor_address(source: Endpoint, transaction: bytes) -> bytes:
    ip, port = source
    packed = _packed(ip)
    family = 1 if len(packed) == 4 else 2
    return family.to_bytes(2, "big") + (port ^ _COOKIE >> 16).to_bytes(2, "big") + _xor(packed, transaction)


def _xor(packed: bytes, transaction: bytes) -> bytes:
    mask = (_WORD.pack(_COOKIE) + transaction)[: len(packed)]
    return (int.from_bytes(packed, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(packed), "big")


@lru_cache(maxsize=4096)
def _packed(ip: str) -> bytes:
    return ip_address(ip).packed


def _attribute(name: int, value: bytes) -> bytes:
    size = len(value)
    return _ATTRIBUTE.pack(name, size) + value + bytes(-size % 4)


def _seal(kind: int, transaction: bytes, body: bytes, key: bytes | None) -> bytes:
    """Puts the header before the attributes, integrity and fingerprint behind them."""
    size = len(body)
    if key is not None:
        size += _INTEGRITY_BYTES
        covered = _HEADER.pack(kind, size, _COOKIE, transaction) + body
        body += _attribute(_MESSAGE_INTEGRITY, hmac.digest(key, covered, "sha1"))
    data = _HEADER.pack(kind, size + _FINGERPRINT_BYTES, _COOKIE, transaction) + body
    return data + _attribute(_FINGERPRINT, _WORD.pack(crc32(data) ^ _FINGERPRINT_XOR))
