"""What the sessions family reads and writes: models of its bodies, and the reading of them."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from signaling.api.bodies import text
from signaling.api.sessions.errors import Unprocessable
from signaling.services import attendees
from signaling.services.session_rules import write_date

MAX_METADATA = 64 * 1024  # characters, as JSON
MAX_NAME = 255  # characters

Model = TypeVar("Model", bound=BaseModel)


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > MAX_METADATA:
        raise ValueError("is too large")
    return value


Date = StrictStr | StrictInt | StrictFloat
"""ISO 8601, or milliseconds."""
Metadata = Annotated[dict[str, Any], AfterValidator(_small)]
Name = text(MAX_NAME)


class SessionBody(BaseModel):
    """Every field may be left out."""

    isScheduled: StrictBool | None = None
    scheduleTime: Date | None = None
    enableArchiving: StrictBool | None = None
    endToEndEncryption: StrictBool | None = None
    extId: Name | None = None  # type: ignore[valid-type]
    extMetadata: Metadata | None = None


class TokenBody(BaseModel):
    """Every field may be left out. `data` tells who it is, at most 1000 characters."""

    role: StrictStr | None = None
    expireTime: Date | None = None
    data: text(1 << 20) | None = None  # type: ignore[valid-type]


class EditBody(BaseModel):
    """A session's own fields and no others; those that cannot be changed are ignored."""

    model_config = ConfigDict(extra="forbid")

    id: StrictInt | StrictFloat | None = None
    sessionId: StrictStr | None = None
    meetingLink: StrictStr | None = None
    isScheduled: StrictBool | None = None
    scheduleTime: Date | None = None
    isArchived: StrictBool | None = None
    archiveId: StrictStr | None = None
    uploadTarget: text(16) | None = None  # type: ignore[valid-type]
    startTime: Date | None = None
    endTime: Date | None = None
    extId: Name | None = None  # type: ignore[valid-type]
    extMetadata: Metadata | None = None
    deleted: StrictBool | None = None
    deletedOn: Date | None = None
    deletedBy: StrictStr | None = None
    createdOn: Date | None = None
    modifiedOn: Date | None = None
    createdBy: StrictStr | None = None
    modifiedBy: StrictStr | None = None


class ConnectionBody(BaseModel):
    model_config = ConfigDict(extra="allow")

    data: text(1000) | None = None  # type: ignore[valid-type]


class WebhookBody(BaseModel):
    """What another media server says of a session."""

    model_config = ConfigDict(extra="allow")

    sessionId: Name  # type: ignore[valid-type]
    event: StrictStr
    reason: StrictStr | None = None
    connection: ConnectionBody | None = None


class LinkAnswer(BaseModel):
    model_config = ConfigDict(title="MeetingLink")

    code: str


class TokenAnswer(BaseModel):
    model_config = ConfigDict(title="SessionToken")

    sessionId: str
    token: str


class Attendee(BaseModel):
    model_config = ConfigDict(title="SessionAttendee")

    id: int
    sessionId: str
    attendee: str
    createdOn: str
    modifiedOn: str
    isDeleted: bool
    extId: str | None
    extMetadata: dict[str, Any] | None


def read(model: type[Model], values: Mapping[str, Any]) -> Model:
    """The model filled from what was sent; `Unprocessable` names every field that cannot be used."""
    try:
        return model.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise Unprocessable(_details(error)) from None


def _details(error: ValidationError) -> list[tuple[str, str]]:
    """One for each field: a union that fails has one for each of its types."""
    found = {str(each["loc"][0]): each["msg"] for each in error.errors(include_url=False, include_input=False)}
    return [(f"/{name}", message) for name, message in found.items()]


def rendered_attendee(record: attendees.Attendee) -> dict[str, Any]:
    return {
        "id": record.id,
        "sessionId": record.session_id,
        "attendee": record.attendee,
        "createdOn": write_date(record.created_ms),
        "modifiedOn": write_date(record.modified_ms),
        "isDeleted": record.is_deleted,
        "extId": record.ext_id,
        "extMetadata": None if record.ext_metadata is None else json.loads(record.ext_metadata),
    }
