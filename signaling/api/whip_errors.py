"""How the HTTP media families put an error: as a problem (RFC 9457). WHIP and WHEP contract, sections 2 to 5."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from signaling.api import Problem
from signaling.api.errors import row_for
from signaling.services.conferences import ShuttingDown
from signaling.services.errors import (
    BadMediaType,
    Conflict,
    Gone,
    Invalid,
    Locked,
    NotFound,
    Refused,
    ServiceError,
    TooLarge,
    TooMany,
    Unauthorized,
    WrongMethod,
)
from signaling.services.http_sessions import NoPrecondition, OutOfCapacity, UnfitOffer, WrongPrecondition
from signaling.services.viewers import NothingLive

PROBLEM = "application/problem+json"
LATER = "Retry-After"

_Row = tuple[int, str, Mapping[str, str]]

_NOTHING: Mapping[str, str] = {}
_ROWS: Mapping[type[Exception], _Row] = {
    Unauthorized: (401, "Unauthorized", {"WWW-Authenticate": "Bearer"}),
    Refused: (403, "Forbidden", _NOTHING),
    NotFound: (404, "Not Found", _NOTHING),
    WrongMethod: (405, "Method Not Allowed", _NOTHING),
    NothingLive: (409, "Nothing Live", {LATER: "5"}),
    Conflict: (409, "Conflict", _NOTHING),
    Gone: (410, "Gone", _NOTHING),
    WrongPrecondition: (412, "Precondition Failed", _NOTHING),
    TooLarge: (413, "Content Too Large", _NOTHING),
    BadMediaType: (415, "Unsupported Media Type", _NOTHING),
    UnfitOffer: (422, "Unprocessable Content", _NOTHING),
    Locked: (423, "Locked", _NOTHING),
    NoPrecondition: (428, "Precondition Required", _NOTHING),
    TooMany: (429, "Too Many Requests", _NOTHING),
    ShuttingDown: (503, "Service Unavailable", {LATER: "10"}),
    OutOfCapacity: (503, "Service Unavailable", {LATER: "10"}),
    Invalid: (400, "Bad Request", _NOTHING),
    ServiceError: (400, "Bad Request", _NOTHING),
    Exception: (500, "Internal Server Error", _NOTHING),
}


class HttpMediaProblem(BaseModel):
    """An error: `title` is for programs and people, `detail` for people."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str


def http_media_problem(error: Exception) -> Problem:
    status, title, headers = row_for(_ROWS, error)
    detail = str(error) if isinstance(error, ServiceError) else "The server has failed."
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Problem(status, body, headers, PROBLEM)
