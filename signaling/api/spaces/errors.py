"""How the spaces family puts an error: a slug for programs, a description for people. Spaces contract, section 11."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from signaling.api import Problem
from signaling.api.errors import row_for
from signaling.services.errors import (
    BadMediaType,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Refused,
    ServiceError,
    TooLarge,
    TooMany,
    Unauthorized,
    WrongMethod,
)
from signaling.services.spaces.access import AccessExpired, AccessUsed
from signaling.services.spaces.accounts import InvalidClient, InvalidGrant
from signaling.services.spaces.invites import InviteExpired, InviteUsed


class UnsupportedGrant(Invalid):
    def __init__(self) -> None:
        super().__init__("grant_type is none that is served.")


_ROWS: Mapping[type[Exception], tuple[int, str]] = {
    Unauthorized: (401, "unauthorized"),
    InvalidClient: (401, "invalid_client"),
    InvalidGrant: (400, "invalid_grant"),
    Refused: (401, "unauthorized"),
    Forbidden: (403, "forbidden"),
    NotFound: (404, "not_found"),
    WrongMethod: (405, "method_not_allowed"),
    Conflict: (409, "conflict"),
    InviteUsed: (410, "invite_used"),
    InviteExpired: (410, "invite_expired"),
    AccessUsed: (410, "access_used"),
    AccessExpired: (410, "access_expired"),
    Gone: (410, "gone"),
    TooLarge: (413, "too_large"),
    BadMediaType: (415, "unsupported_media_type"),
    TooMany: (429, "too_many_requests"),
    UnsupportedGrant: (400, "unsupported_grant_type"),
    ServiceError: (400, "invalid_request"),
    Exception: (500, "server_error"),
}


class SpacesProblem(BaseModel):
    model_config = ConfigDict(title="SpacesError")

    error: str
    error_description: str


def spaces_problem(error: Exception) -> Problem:
    status, slug = row_for(_ROWS, error)
    description = str(error) if isinstance(error, ServiceError) else "Internal server error"
    return Problem(status, {"error": slug, "error_description": description})
