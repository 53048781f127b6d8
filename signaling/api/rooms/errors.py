"""How the rooms family puts an error: `{"error": "<text>"}`. Rooms contract, sections 1 and 2."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from signaling.api import Problem
from signaling.api.errors import row_for
from signaling.services.conferences import ShuttingDown
from signaling.services.errors import (
    BadMediaType,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Locked,
    NotFound,
    NotNow,
    Refused,
    ServiceError,
    SwitchedOff,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    UnknownPath,
    WrongMethod,
)

_ROWS: Mapping[type[Exception], tuple[int, str | None]] = {
    Unauthorized: (401, "Unauthorized"),
    Refused: (403, "Forbidden"),
    Forbidden: (403, None),
    UnknownPath: (404, "Not Found"),
    NotFound: (404, None),
    WrongMethod: (405, "Method Not Allowed"),
    SwitchedOff: (405, None),
    NotNow: (406, None),
    Conflict: (409, None),
    Gone: (410, None),
    TooLarge: (413, None),
    BadMediaType: (415, None),
    Locked: (423, None),
    TooMany: (429, None),
    ShuttingDown: (503, None),
    Unavailable: (503, "Service Unavailable"),
    Invalid: (400, None),
    ServiceError: (400, None),
    Exception: (500, "Internal Server Error"),
}
"""Without words of its own an error says its sentence."""


class RoomsProblem(BaseModel):
    """An error, in words."""

    model_config = ConfigDict(title="RoomsError")

    error: str


def rooms_problem(error: Exception) -> Problem:
    status, words = row_for(_ROWS, error)
    return Problem(status, {"error": words or str(error)})
