"""Reading the fields of a client's message: right type and bounds, or `BadMessage` with the field's name. Pure.

A `null` counts as "not given".
"""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from signaling.live.protocol import BadMessage, LiveError, Message

MAX_NAME = 256  # characters
MAX_ID = 64  # characters
MAX_SDP = 64 * 1024  # bytes
MAX_ANSWER = 4 * MAX_SDP  # to an offer of ours, which grows with the meeting
MAX_STREAMS = 256  # entries of a list or map of streams
MAX_ATTRIBUTES = 16  # keys
MAX_ATTRIBUTES_BYTES = 4 * 1024
MAX_NUMBER = 1 << 16
MAX_DEPTH = 32  # of lists and objects within each other


def text(message: Message, name: str, limit: int) -> str:
    value = maybe_text(message, name, limit)
    if value is None:
        raise BadMessage(f"{name} is missing")
    return value


def maybe_text(message: Message, name: str, limit: int) -> str | None:
    value = message.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit or not encodes(value):
        raise BadMessage(f"{name} is not a text of at most {limit} characters")
    return value


def flag(message: Message, name: str) -> bool:
    value = maybe_flag(message, name)
    if value is None:
        raise BadMessage(f"{name} is missing")
    return value


def maybe_flag(message: Message, name: str) -> bool | None:
    value = message.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadMessage(f"{name} is neither true nor false")
    return value


def number(message: Message, name: str) -> int:
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadMessage(f"{name} is not an integer")
    return value


def maybe_number(message: Message, name: str, low: int, high: int = MAX_NUMBER) -> int | None:
    if message.get(name) is None:
        return None
    value = number(message, name)
    if not low <= value <= high:
        raise BadMessage(f"{name} is not within {low} and {high}")
    return value


def one_of(message: Message, name: str, choices: Iterable[str]) -> str:
    value = text(message, name, MAX_ID)
    if value not in choices:
        raise BadMessage(f"{name} is none of {', '.join(choices)}")
    return value


def stream_id(message: Message, name: str = "stream_id") -> str:
    """A UUID in its usual spelling, as the publisher wrote it."""
    value = text(message, name, 36)
    try:
        plain = str(UUID(value))
    except ValueError:
        plain = ""
    if plain != value.lower():
        raise BadMessage(f"{name} is not a UUID")
    return value


def objects(message: Message, name: str, limit: int = MAX_STREAMS) -> list[Message]:
    """A list of objects; missing is empty."""
    value = message.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > limit or not all(isinstance(item, dict) for item in value):
        raise BadMessage(f"{name} is not a list of at most {limit} objects")
    return value


def table(message: Message, name: str, limit: int = MAX_STREAMS) -> Message:
    """An object with at most `limit` keys; missing is empty."""
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > limit:
        raise BadMessage(f"{name} is not an object of at most {limit} keys")
    return value


def attributes(message: Message) -> dict[str, Any]:
    value = table(message, "attributes", MAX_ATTRIBUTES)
    check_depth("attributes", value)
    if size(value) > MAX_ATTRIBUTES_BYTES:
        raise BadMessage(f"attributes are longer than {MAX_ATTRIBUTES_BYTES} bytes")
    return value


def check_depth(name: str, value: object) -> None:
    """Raises for what is nested too deeply; whatever is passed on has to be checked before it is written."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _within(outer)]
        if not level:
            return
    raise BadMessage(f"{name} is nested deeper than {MAX_DEPTH}")


def session_description(message: Message, limit: int = MAX_SDP) -> str:
    value = message.get("sdp")
    if not isinstance(value, str) or not encodes(value) or len(value.encode()) > limit:
        raise LiveError(400, "bad_sdp", f"sdp is not a session description of at most {limit} bytes")
    return value


def size(value: object) -> int:
    """Bytes of a text, or of a value's JSON, in UTF-8."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def _within(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def encodes(value: str) -> bool:
    """Whether there is no half of a surrogate pair in it, which nothing can send on."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
