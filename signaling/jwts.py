"""JSON web tokens, made and read: HS256 and nothing else (RFC 7519, RFC 8725). Pure, takes `now`.

The algorithm is ours to say, not the token's: `none` and keys taken for something else are refused like any other
wrong signature. What the claims mean is the services' business.
"""

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

ALGORITHM = "HS256"
MAX_TOKEN = 4096  # characters
_HEADER = {"alg": ALGORITHM, "typ": "JWT"}


class BadJwt(ValueError):
    """No token, altered, or signed with another key."""


class ExpiredJwt(BadJwt):
    """It was good until `exp`, or is not good before `nbf`."""


def looks_like_jwt(text: str) -> bool:
    """Three parts with dots between them."""
    return len(text) <= MAX_TOKEN and text.isascii() and text.count(".") == 2


def write(secret: bytes, claims: Mapping[str, Any]) -> str:
    return jwt.encode(_HEADER, dict(claims), OctKey.import_key(secret), algorithms=[ALGORITHM])


def read(secret: bytes, text: str, now: float) -> dict[str, Any]:
    """The claims of a token that is good at `now`, unix seconds; BadJwt or ExpiredJwt."""
    if not secret or not looks_like_jwt(text):
        raise BadJwt
    try:
        claims = jwt.decode(text, OctKey.import_key(secret), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError):
        raise BadJwt from None
    if not isinstance(claims, dict):
        raise BadJwt
    _check_time(claims, now)
    return claims


def _check_time(claims: Mapping[str, Any], now: float) -> None:
    expires, begins = claims.get("exp"), claims.get("nbf")
    for moment in (expires, begins):
        if moment is not None and (isinstance(moment, bool) or not isinstance(moment, int | float)):
            raise BadJwt
    if (expires is not None and now >= expires) or (begins is not None and now < begins):
        raise ExpiredJwt
