"""Reading what callers send: JSON bodies, query strings, and the checks that pydantic models describe.

The same models make the OpenAPI description. Of several mistakes the first parameter's counts, in the order of the
model; a `null` is as good as nothing in every family.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from signaling.services.errors import (
    BadBody,
    BadMediaType,
    BadParameter,
    BadValue,
    Missing,
    OutOfRange,
    TextTooLong,
    TooLarge,
)

MAX_BODY = 1 << 20  # bytes, of everything but uploads
_DECIMAL = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_OUT_OF_RANGE = "out_of_range"

Model = TypeVar("Model", bound=BaseModel)


def integer(low: int, high: int, *, as_text: bool = False) -> Any:
    """A whole number in bounds, or (in a query string always, in JSON `as_text`) its decimal digits."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise PydanticCustomError("wrong_type", "is no number")
        number = _whole(value)
        if number is None or not low <= number <= high:
            raise PydanticCustomError(_OUT_OF_RANGE, "is out of range", {"low": low, "high": high})
        return number

    number = {"type": "integer", "minimum": low, "maximum": high}
    digits = {"type": "string", "pattern": "^-?[0-9]{1,18}$"}
    return Annotated[int, BeforeValidator(read), WithJsonSchema({"anyOf": [number, digits]} if as_text else number)]


def text(limit: int) -> Any:
    """Text of at most `limit` characters that every database can hold."""
    return Annotated[str, Field(strict=True, max_length=limit), AfterValidator(_storable)]


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body's JSON object; empty where there is no body."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except web.RequestPayloadError:
        raise BadBody from None
    if not body:
        return {}
    if request.content_type != "application/json":  # what aiohttp gives has neither parameters nor capitals
        raise BadMediaType
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadBody from None
    if not isinstance(value, dict):
        raise BadBody
    return value


def query(request: web.Request) -> dict[str, str]:
    """The query's parameters; of repeated ones the first. An empty one is not given."""
    return {name: request.query[name] for name in request.query if request.query[name]}


def check(model: type[Model], values: Mapping[str, Any]) -> Model:
    """The model filled from `values`; BadParameter for the first that cannot be used."""
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _complaint(error.errors(include_url=False)[0]) from None


def _complaint(detail: ErrorDetails) -> BadParameter:
    name, kind = str(detail["loc"][0]), detail["type"]
    if kind == "missing":
        return Missing(name)
    if kind == "string_too_long":
        return TextTooLong(name, detail["ctx"]["max_length"])
    if kind == _OUT_OF_RANGE:
        return OutOfRange(name, detail["ctx"]["low"], detail["ctx"]["high"])
    return BadValue(name)


def _whole(value: float | str) -> int | None:
    if isinstance(value, str):
        return int(value) if _DECIMAL.fullmatch(value) else None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def _storable(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("wrong_type", "has a character that cannot be stored")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
