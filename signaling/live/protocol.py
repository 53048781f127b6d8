"""What may be said over /rt: how a message is read, what may come when and from whom, and how errors are told.

Pure. What a message does is `messages.py`'s; how it is framed `framing.py`'s. An error that leaves the conversation
going is a `LiveError`; one that ends it is a `Refusal`, whose close code is 4000 plus the error's code.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from signaling.services.doors import Role

MAX_MESSAGE_BYTES = 256 * 1024
MAX_TEXT_BYTES = 32 * 1024  # of what people say to each other
MAX_REQUEST_ID = 128  # characters
CLOSE_CODES_START = 4000

Message = dict[str, Any]
"""One JSON object with a string `type`."""


class Close(IntEnum):
    """Why a socket is closed, where no error is the reason."""

    NORMAL = 1000
    SHUTDOWN = 1001


class Stage(IntFlag):
    """Where in the conversation a message is allowed."""

    LOBBY = 1
    JOINED = 2
    ANY = 3


class LiveError(Exception):
    """Told to the client as an `error`; the conversation goes on. `about` is added to the error.

    `request_id` is set by whoever knows which message the error answers.
    """

    def __init__(self, code: int, name: str, message: str, **about: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.message = message
        self.about = about
        self.request_id: str | int | None = None

    def render(self) -> Message:
        error: Message = {"type": "error", "code": self.code, "name": self.name, "message": self.message, **self.about}
        if self.request_id is not None:
            error["request_id"] = self.request_id
        return error


class Refusal(LiveError):
    """Told to the client, then the socket is closed."""

    @property
    def close_code(self) -> int:
        return CLOSE_CODES_START + self.code


class BadMessage(LiveError):
    """A message, or a field of one, that cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "bad_message", message)


def malformed(message: str) -> Refusal:
    """Neither query nor conversation can be understood."""
    return Refusal(400, "malformed", message)


def too_long() -> Refusal:
    return Refusal(413, "message_too_long", f"a message has at most {MAX_MESSAGE_BYTES} bytes")


def too_many() -> Refusal:
    return Refusal(429, "too_many_messages", "more messages than anybody needs to send")


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may send a message, and when."""

    role: Role = Role.SUBSCRIBER
    stage: Stage = Stage.JOINED


RULES: Mapping[str, Rule] = {
    "ping": Rule(stage=Stage.ANY),
    "leave": Rule(stage=Stage.ANY),
    "join": Rule(stage=Stage.LOBBY),
    "chat": Rule(),
    "custom": Rule(),
    "raise_hand": Rule(),
    "set_attributes": Rule(),
    "set_view": Rule(),
    "subscribe": Rule(),
    "answer": Rule(),
    "candidate": Rule(),
    "restart": Rule(),
    "close": Rule(),
    "renew_endpoint": Rule(),
    "offer": Rule(Role.PUBLISHER),
    "unpublish": Rule(Role.PUBLISHER),
    "mute": Rule(Role.PUBLISHER),
    "stfu": Rule(Role.PUBLISHER),
    "kick": Rule(Role.MODERATOR),
    "upgrade": Rule(Role.MODERATOR),
    "record_start": Rule(Role.MODERATOR),
    "record_stop": Rule(Role.MODERATOR),
}


def permit(kind: str, *, role: Role, joined: bool, powers: frozenset[str] = frozenset(), direct: bool = False) -> None:
    """Raises the error that answers a message of this type at this point, if it is not allowed.

    `powers` are messages that are allowed whatever the role. `direct`: it is meant for another participant, to whom
    listeners offer a connection as well; what they send on it is looked at later.
    """
    rule = RULES.get(kind)
    if rule is None:
        raise LiveError(400, "unknown_message", "there is no message of this type")
    if not joined and Stage.LOBBY not in rule.stage:
        raise LiveError(409, "not_joined", f"{kind} comes after join")
    if joined and Stage.JOINED not in rule.stage:
        raise LiveError(409, "already_joined", f"{kind} comes once")
    if role < rule.role and kind not in powers and not (direct and kind == "offer"):
        raise LiveError(403, "forbidden", f"{kind} is not for the role {role.name.lower()}")


def read(text: str) -> Message:
    """The message in `text`; BadMessage if it is none."""
    try:
        message = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise BadMessage("this is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BadMessage("a message is a JSON object with a string type")
    return message


def write(message: Mapping[str, Any]) -> str:
    """The message as ASCII, so that nothing a stranger has said can fail to be encoded later."""
    return _ENCODER.encode(message)


def request_id(message: Message) -> str | int | None:
    """What the reply to `message` repeats, if anything."""
    given = message.get("request_id")
    if isinstance(given, bool):
        return None
    if isinstance(given, int) and abs(given) < 1 << 53:
        return given
    return given if isinstance(given, str) and len(given) <= MAX_REQUEST_ID else None


def _finite(number: str) -> float:
    """JSON has no infinity: whoever were told one could not read it."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


_DECODER = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)
_ENCODER = json.JSONEncoder(separators=(",", ":"))
