"""The options of a meeting: what the caller may choose, with the defaults, and how they are kept and told.

Also the kinds of parameters that the whole family has: flags as forms spell them, addresses, names. Rooms contract,
section 2.2.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

MAX_TEXT = 255  # characters of an id or a name
MAX_URL = 2048  # characters
MAX_MOMENT = 40  # characters
MAX_CUSTOM_FIELDS = 64
MAX_CUSTOM_TEXT = 1024  # characters of one
MAX_PARTICIPANTS = 10_000
MAX_PIXELS = 1280  # the composite's longer side
LOCALES = ("en", "de", "fr")

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_COLOUR = r"^#[0-9a-fA-F]{6}$"
_LOST_PLUS = re.compile(r" (?=[0-9:]{2,8}$)")
_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)


def _bad() -> PydanticCustomError:
    return PydanticCustomError("bad_value", "cannot be used")


def _flag(value: Any) -> bool:
    """true, false, 1, 0 in any case; in JSON as values or as texts."""
    if isinstance(value, bool):
        return value
    found = _FLAGS.get(str(value).lower()) if isinstance(value, str | int) else None
    if found is None:
        raise _bad()
    return found


def _whole(value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad()
    return value


def _storable(value: str) -> str:
    """A database, and whoever reads the answer, can take it."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _bad()
    return value


def _blank_is_nothing(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise _bad()
    return value


def _http_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018 - raises if it is none
    except ValueError:
        good = False
    if not good or not value.isprintable() or " " in value:
        raise _bad()
    return value


_Text = Annotated[str, Field(strict=True, max_length=MAX_TEXT), AfterValidator(_storable)]
_Address = Annotated[
    str, Field(strict=True, max_length=MAX_URL), AfterValidator(_storable), AfterValidator(_http_address)
]

Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": "integer"})]
Text = Annotated[_Text | None, BeforeValidator(_blank_is_nothing)]
"""A blank one is as good as none."""
Name = Annotated[_Text, AfterValidator(_not_blank)]
Address = Annotated[
    _Address | None,
    BeforeValidator(_blank_is_nothing),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "uri", "maxLength": MAX_URL}, {"type": "null"}]}),
]


def _moment(value: Any) -> float:
    """ISO 8601; UTC where it says nothing else. A plus that a form has turned into a space counts as one."""
    if not isinstance(value, str) or len(value) > MAX_MOMENT:
        raise _bad()
    try:
        found = datetime.fromisoformat(_LOST_PLUS.sub("+", value.strip()))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _bad() from None


Moment = Annotated[float, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
"""Unix seconds."""


def _custom_field(value: Any) -> str | bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value) > MAX_CUSTOM_TEXT:
        raise _bad()
    return _storable(value)


_CustomField = Annotated[
    str | bool, BeforeValidator(_custom_field), WithJsonSchema({"type": ["string", "boolean"], "maxLength": 1024})
]


class Position(BaseModel):
    """Pixels from the composite's top left."""

    x: Annotated[Whole, Field(ge=0, le=MAX_PIXELS)]
    y: Annotated[Whole, Field(ge=0, le=MAX_PIXELS)]


class RoomOptions(BaseModel):
    """What a meeting is to be like. Names that are not known are passed over."""

    model_config = ConfigDict(title="RoomOptions", frozen=True)

    show_names: Flag = True
    show_label: Flag = True
    exit_url: Address = None
    recording_available: Flag = True
    broadcast_available: Flag = True
    layout_available: Flag = True
    reaction_available: Flag = True
    guest_token_available: Flag = True
    suggest_guest_names: Flag = True
    lock_available: Flag = False
    kick_available: Flag = True
    sfu_mode: Literal["disabled", "screencast", "ptp"] = "ptp"
    widescreen: Flag = False
    background_color: Annotated[str, Field(strict=True, pattern=_COLOUR)] = "#121212"
    audio_insert: Literal["enabled", "disabled", "audio_only"] = "audio_only"
    audio_insert_position: Position | None = None
    custom_fields: Annotated[
        dict[Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_storable)], _CustomField],
        Field(max_length=MAX_CUSTOM_FIELDS),
    ] = {}
    max_participants: Annotated[Whole, Field(ge=1, le=MAX_PARTICIPANTS)] | None = None
    """Online at once; None: as the server's settings say."""
    record_on_start: Flag = False

    def limit(self, default: int) -> int:
        """How many may be online."""
        return default if self.max_participants is None else self.max_participants
