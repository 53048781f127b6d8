"""How the realtime family puts an error, byte for byte. Realtime contract, section 2."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from signaling.api import Problem
from signaling.api.errors import row_for
from signaling.services.errors import (
    BadBody,
    BadMediaType,
    BadPagingToken,
    BadParameter,
    Missing,
    NotFound,
    OutOfRange,
    Refused,
    ServiceError,
    TextTooLong,
    TooLarge,
    Unauthorized,
    UnknownPath,
    WrongMethod,
)

ECHOED = 256  # characters of a value that was sent, at most

_NOT_OURS = "The token ::= [{}] is invalid."
_Row = tuple[int, str, str | None, str, tuple[str, ...]]

_ROWS: Mapping[type[Exception], _Row] = {
    Unauthorized: (401, "BASE-00001", None, "Authorization missing.", ()),
    Refused: (400, "REALTIME-00009", "INVALID_TOKEN", _NOT_OURS, ("credential",)),
    BadPagingToken: (400, "REALTIME-00009", "INVALID_TOKEN", _NOT_OURS, ("value",)),
    BadBody: (400, "BASE-00014", None, "The passed JSON body is invalid.", ()),
    BadMediaType: (415, "BASE-00017", None, "Passed media type is not supported.", ()),
    TooLarge: (413, "BASE-00413", None, "Passed body is too large.", ()),
    TextTooLong: (
        400,
        "BASE-00013",
        "STRING_SIZE",
        "The parameter with name ::= [{}] is larger than ::= [{}] characters",
        ("parameter", "limit"),
    ),
    OutOfRange: (
        400,
        "BASE-00015",
        "NUMBER_SIZE",
        "The parameter with name ::= [{}] is is not within the range from ::= [{}] to [{}]",
        ("parameter", "low", "high"),
    ),
    BadParameter: (
        400,
        "BASE-00016",
        "INVALID_VALUE",
        "The parameter with name ::= [{}] has an invalid value.",
        ("parameter",),
    ),
    Missing: (
        400,
        "BASE-00012",
        "PARAMETER_MISSING",
        "The parameter with name ::= [{}] is missing.",
        ("parameter",),
    ),
    NotFound: (
        400,
        "REALTIME-00004",
        "CONFERENCE_ROOM_DOES_NOT_EXIST",
        "A conference room with id ::= [{}] does not exist.",
        ("id",),
    ),
    UnknownPath: (404, "BASE-00404", None, "Resource not found.", ()),
    WrongMethod: (405, "BASE-00405", None, "Method not allowed.", ()),
    ServiceError: (400, "BASE-00014", None, "The passed JSON body is invalid.", ()),
    Exception: (500, "BASE-00500", None, "Internal server error.", ()),
}


class RealtimeProblem(BaseModel):
    """An error: `code` and `id` are for programs, `description` is for people."""

    model_config = ConfigDict(title="RealtimeError")

    httpCode: int
    code: str
    id: str | None
    description: list[str]


def realtime_problem(error: Exception) -> Problem:
    status, code, name, template, fields = row_for(_ROWS, error)
    description = template.format(*(str(getattr(error, field))[:ECHOED] for field in fields))
    return Problem(status, {"httpCode": status, "code": code, "id": name, "description": [description]})
