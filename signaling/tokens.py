"""Credentials and opaque tokens: made, recognised, bound to what they are for.

Pure: bytes from a cryptographic generator and the time are handed in. What a credential allows is the services'
business, where it is kept the store's. Paging tokens are HMAC-sealed cursors: nothing about them is stored.
"""

import base64
import binascii
import hashlib
import hmac
import re
import string
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass

TOKEN_BYTES = 32  # 256 bits; written as 64 lower-case hex digits
KEY_CHARACTERS = 24  # of an access key: 142 bits
ID_BYTES = 12  # of an id that is no credential; written as 24 lower-case hex digits
SHOWN_CHARACTERS = 4  # of a credential, in logs
_ALPHABET = string.ascii_letters + string.digits
_KEY = re.compile(rf"[A-Za-z0-9]{{{KEY_CHARACTERS}}}")
_ID = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")
_FAIR = 256 - 256 % len(_ALPHABET)  # bytes from here on would favour the first letters
_MAC_BYTES = 16
_CURSOR = struct.Struct(">q16s")
_MAX_PAGING_TOKEN = 128  # characters; longer is not ours


class BadToken(ValueError):
    """Not made by this server, altered, or meant for someone else."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place right after one room in a list ordered by creation time, then id."""

    created_ms: int
    id: uuid.UUID


def new_token(random: Callable[[int], bytes]) -> str:
    """A bearer credential of 64 lower-case hex digits."""
    return random(TOKEN_BYTES).hex()


def new_key(random: Callable[[int], bytes]) -> str:
    """A credential of 24 letters and digits."""
    key = ""
    while len(key) < KEY_CHARACTERS:
        key += "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in random(KEY_CHARACTERS) if byte < _FAIR)
    return key[:KEY_CHARACTERS]


def looks_like_key(text: str) -> bool:
    """Whether `new_key` may have made it. What could be an id as `new_id` makes them counts as one."""
    return _KEY.fullmatch(text) is not None and _ID.fullmatch(text) is None


def new_id(random: Callable[[int], bytes]) -> str:
    """Names something, opens nothing: 24 lower-case hex digits."""
    return random(ID_BYTES).hex()


def new_uuid(random: Callable[[int], bytes]) -> uuid.UUID:
    return uuid.UUID(bytes=random(16), version=4)


def digest(credential: str) -> str:
    """What is stored and looked up in place of a credential. They carry 128 bits or more, so no salt is needed."""
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compares two credentials in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def find_key(keys: tuple[str, ...], sent: str) -> str | None:
    """The key among `keys` that was sent. Looks at every one, so the time tells nothing."""
    found = None
    for key in keys:
        if same(key, sent):
            found = key
    return found


def shortened(credential: str) -> str:
    """Enough to recognise a credential in a log, too little to use it."""
    return f"{credential[:SHOWN_CHARACTERS]}…"


def seal_cursor(secret: bytes, owner: str, cursor: Cursor) -> str:
    """A paging token for `owner` alone: URL-safe, 54 characters."""
    place = _CURSOR.pack(cursor.created_ms, cursor.id.bytes)
    return _encode(place + _mac(secret, owner, place))


def open_cursor(secret: bytes, owner: str, token: str) -> Cursor:
    """The cursor sealed in `token`; BadToken for whatever `seal_cursor` has not made for this owner."""
    sealed = _decode(token)
    place, mac = sealed[: _CURSOR.size], sealed[_CURSOR.size :]
    if len(place) != _CURSOR.size or not hmac.compare_digest(mac, _mac(secret, owner, place)):
        raise BadToken
    created_ms, id_bytes = _CURSOR.unpack(place)
    return Cursor(created_ms, uuid.UUID(bytes=id_bytes))


def turn_credential(secret: str, user: str, expires: float) -> tuple[str, str]:
    """User name and password that a TURN server with the same shared secret takes until `expires` (unix seconds)."""
    username = f"{int(expires)}:{user}"
    mac = hmac.digest(secret.encode(), username.encode("utf-8", "replace"), "sha1")
    return username, base64.b64encode(mac).decode()


def _mac(secret: bytes, owner: str, place: bytes) -> bytes:
    return hmac.digest(secret, b"paging\0" + owner.encode() + b"\0" + place, "sha256")[:_MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(token: str) -> bytes:
    if len(token) > _MAX_PAGING_TOKEN or not token.isascii():
        raise BadToken
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise BadToken from None
    if _encode(data) != token:  # another spelling of the same bytes
        raise BadToken
    return data
