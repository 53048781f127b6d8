"""Errors outside every family, and what the families' own formats have in common."""

from collections.abc import Mapping
from typing import Any, TypeVar

from signaling.api import Problem
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
    Unavailable,
    WrongMethod,
)

Row = TypeVar("Row")

_STATUS: Mapping[type[Exception], tuple[int, str]] = {
    Unauthorized: (401, "Unauthorized"),
    Refused: (403, "Forbidden"),
    NotFound: (404, "Not Found"),
    WrongMethod: (405, "Method Not Allowed"),
    Conflict: (409, "Conflict"),
    Gone: (410, "Gone"),
    TooLarge: (413, "Content Too Large"),
    BadMediaType: (415, "Unsupported Media Type"),
    Locked: (423, "Locked"),
    TooMany: (429, "Too Many Requests"),
    Unavailable: (503, "Service Unavailable"),
    Invalid: (400, "Bad Request"),
    ServiceError: (400, "Bad Request"),
    Exception: (500, "Internal Server Error"),
}


def row_for(table: Mapping[type[Exception], Row], error: Exception) -> Row:
    """The table's row for the error's class, or for the nearest class above it."""
    return next(table[kind] for kind in type(error).__mro__ if kind in table)


def plain_problem(error: Exception) -> Problem:
    """The format where no family's applies: the status in words."""
    status, words = row_for(_STATUS, error)
    body: dict[str, Any] = {"error": words}
    return Problem(status, body)
