"""Reading the body of a request of the rooms family: a form, parts or JSON, and the checks that models describe.

All three come to the same nested parameters, see `nesting.py`. Uploads are read by whoever expects one.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from signaling.api.bodies import MAX_BODY, json_object
from signaling.api.rooms.nesting import MAX_NAMES, nest, unbracket
from signaling.api.rooms.parts import parts_of
from signaling.services.errors import BadBody, BadMediaType, BadParameter, BadValue, Missing, TextTooLong, TooLarge

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data"
JSON = "application/json"
READ = (JSON, FORM, PARTS)
BROKEN_PARTS = (
    *(ValueError, AssertionError, LookupError),
    *(HttpProcessingError, web.RequestPayloadError, web.HTTPException),
)
"""What reading parts raises for bodies that have none, or broken ones."""

Model = TypeVar("Model", bound=BaseModel)


async def parameters(request: web.Request) -> dict[str, Any]:
    """What the body says, nested; empty where there is none."""
    if not request.can_read_body:
        return {}
    match request.content_type:
        case "application/json":
            return unbracket(await json_object(request))
        case "application/x-www-form-urlencoded":
            return nest(_form(await _text(request)))
        case "multipart/form-data":
            return nest([pair async for pair in _parts(request)])
        case _:
            if await _text(request):
                raise BadMediaType
            return {}


async def read(request: web.Request, model: type[Model]) -> Model:
    """The model filled from the body; raises for the first parameter that cannot be used."""
    return checked(model, await parameters(request))


def checked(model: type[Model], values: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _complaint(error.errors(include_url=False)[0]) from None


async def _text(request: web.Request) -> str:
    try:
        return (await request.read()).decode()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except (web.RequestPayloadError, UnicodeDecodeError):
        raise BadBody("The body cannot be read.") from None


def _form(text: str) -> Iterator[tuple[str, str]]:
    try:
        yield from parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_NAMES)
    except ValueError:
        raise BadBody("The body is no form, or has too many parameters.") from None


async def _parts(request: web.Request) -> AsyncIterator[tuple[str, str]]:
    """The parts that are texts; files are passed over."""
    size = 0
    try:
        reader = parts_of(request)
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise BadBody("A part of the body has parts.")
            data = await _part(part, MAX_BODY - size)
            size += len(data)
            if part.name and part.filename is None:
                yield part.name, data.decode()
    except (web.HTTPRequestEntityTooLarge, TooLarge):
        raise TooLarge from None
    except BROKEN_PARTS:
        raise BadBody("The body cannot be read as parts.") from None


async def _part(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > limit:
            raise TooLarge
    if "Content-Encoding" in part.headers:  # it might be small only here
        raise BadBody("A part of the body is compressed.")
    return bytes(part.decode(data))


def _complaint(detail: ErrorDetails) -> BadParameter:
    name, kind = _name(detail["loc"]), detail["type"]
    if kind == "missing":
        return Missing(name)
    if kind == "string_too_long":
        return TextTooLong(name, detail["ctx"]["max_length"])
    return BadValue(name)


def _name(place: tuple[int | str, ...]) -> str:
    """As a form has it: `user[name]`."""
    first, *inner = (str(part) for part in place)
    return first + "".join(f"[{part}]" for part in inner)
