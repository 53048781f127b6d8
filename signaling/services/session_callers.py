"""Who calls the sessions family: a web token's claims, and which permissions it carries. Pure.

Sessions contract, section 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signaling import jwts
from signaling.services.errors import Forbidden, Refused, Unauthorized
from signaling.services.session_rules import read_date

PERMISSIONS = (
    "CreateMeetingSession",
    "GenerateMeetingToken",
    "EditMeeting",
    "StopMeeting",
    "GetMeetingAttendees",
    "GetMeetingArchives",
    "DeleteMeetingArchive",
    "SetMeetingUploadTarget",
    "StartMeetingArchive",
    "StopMeetingArchive",
)
MAX_NAME = 255  # characters of an id in the claims
_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Claims:
    """`by` is who changes what they change, `tenant` whose sessions they see; None: everybody's."""

    permissions: frozenset[str]
    by: str | None
    tenant: str | None

    def require(self, permission: str) -> None:
        if permission not in self.permissions:
            raise Forbidden("NotAllowedAccess")


def read_bearer(header: str, secret: str, issuer: str, now: float) -> Claims:
    """The claims of an Authorization header; raises Unauthorized or Refused in the contract's words."""
    if header[: len(_SCHEME)].lower() != _SCHEME or not jwts.looks_like_jwt(token := header[len(_SCHEME) :].strip()):
        raise Unauthorized("TokenInvalid")
    try:
        claims = jwts.read(secret.encode(), token, now)
    except jwts.BadJwt:
        raise Refused(token, "TokenExpired") from None
    if not issuer or claims.get("iss") != issuer:
        raise Refused(token, "TokenExpired")
    _check_password_age(claims, now, token)
    return Claims(_permissions(claims), _first(claims, "userTenantId", "id", "sub"), _first(claims, "tenantId"))


def _permissions(claims: Mapping[str, Any]) -> frozenset[str]:
    given = claims.get("permissions")
    if not isinstance(given, list):
        raise Unauthorized("TokenInvalid")
    return frozenset(each for each in given if isinstance(each, str))


def _check_password_age(claims: Mapping[str, Any], now: float, token: str) -> None:
    if (until := claims.get("passwordExpiryTime")) is None:
        return
    until_ms = read_date(until)
    if until_ms is None or until_ms <= now * 1000:
        raise Refused(token, "PasswordExpiryError")


def _first(claims: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        if (value := claims.get(name)) is not None and not isinstance(value, bool | dict | list):
            return str(value)[:MAX_NAME]
    return None
