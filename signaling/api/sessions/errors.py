"""How the sessions family puts an error. Sessions contract, section 1."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from signaling.api import Problem
from signaling.api.errors import row_for
from signaling.services.errors import (
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
from signaling.services.storage_plans import MissingCredentials


class Unprocessable(Invalid):
    """Fields of a wrong type, or that do not belong there: (path, message) each."""

    def __init__(self, details: list[tuple[str, str]]) -> None:
        super().__init__("The request body is invalid. See error object `details` property for more info.")
        self.details = details


class WebhookFailed(ServiceError):
    def __init__(self, cause: str) -> None:
        super().__init__(f"Error occured triggering webhook event {cause}")


_ROWS: Mapping[type[Exception], tuple[int, str]] = {
    Unauthorized: (401, "UnauthorizedError"),
    Refused: (401, "UnauthorizedError"),
    Forbidden: (403, "ForbiddenError"),
    NotFound: (404, "NotFoundError"),
    WrongMethod: (405, "MethodNotAllowedError"),
    Conflict: (409, "ConflictError"),
    Gone: (410, "GoneError"),
    TooLarge: (413, "PayloadTooLargeError"),
    TooMany: (429, "TooManyRequestsError"),
    Unprocessable: (422, "UnprocessableEntityError"),
    WebhookFailed: (500, "InternalServerError"),
    MissingCredentials: (500, "InternalServerError"),
    ServiceError: (400, "BadRequestError"),
    Exception: (500, "InternalServerError"),
}


class SessionsErrorBody(BaseModel):
    statusCode: int
    name: str
    message: str
    code: str | None = None
    details: list[dict[str, str]] | None = None


class SessionsProblem(BaseModel):
    """An error; `code` and `details` come with a body that cannot be read."""

    model_config = ConfigDict(title="SessionsError")

    error: SessionsErrorBody


def sessions_problem(error: Exception) -> Problem:
    status, name = row_for(_ROWS, error)
    message = str(error) if isinstance(error, ServiceError) else "Internal Server Error"
    body: dict[str, Any] = {"statusCode": status, "name": name, "message": message}
    if isinstance(error, Unprocessable):
        body["code"] = "VALIDATION_FAILED"
        body["details"] = [{"path": path, "message": text} for path, text in error.details]
    return Problem(status, {"error": body})
