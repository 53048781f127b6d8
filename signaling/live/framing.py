"""How messages become text frames: one class for each WebSocket subprotocol. Pure.

A framing says what is sent at the start, how a message is told on a channel (what everybody hears, or what concerns
one participant alone), what a frame of the client's holds, how a refusal looks, and what is sent regularly.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from signaling.live.protocol import BadMessage, LiveError, Message, read, write

BEAT = 3.0  # seconds
MAX_HELD = 200  # messages of a channel to which nobody has subscribed yet
MAX_IDENTIFIER = 256  # characters


class Channel(Enum):
    """By the names of the contract."""

    ROOM = "RoomChannel"
    PERSONAL = "UserChannel"


FOR_ONE = frozenset({"stfu", "layers_update"})
"""Events that concern whoever hears them, although they come the way that everybody's events come."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a frame holds: messages to act on, frames to answer with at once."""

    messages: tuple[Message, ...] = ()
    replies: tuple[str, ...] = field(default=())


class Framing(Protocol):
    name: str
    beat: float | None
    """Seconds between two frames of `heartbeat`; None without any."""

    def greeting(self) -> tuple[str, ...]:
        """Frames that are sent first."""

    def heartbeat(self, wall: float) -> str: ...
    def encode(self, message: Message, channel: Channel) -> tuple[str, ...]:
        """The frames to send now; none where nobody listens on that channel yet."""

    def decode(self, text: str) -> Decoded:
        """Raises BadMessage."""

    def refusal(self, error: LiveError) -> tuple[str, ...]:
        """Frames that are sent before the socket is closed."""


class JsonFraming:
    """`conf-v1-json`: each frame is one message."""

    name = "conf-v1-json"
    beat: float | None = None

    def greeting(self) -> tuple[str, ...]:
        return ()

    def heartbeat(self, wall: float) -> str:
        raise AssertionError("this framing has no beat")

    def encode(self, message: Message, channel: Channel) -> tuple[str, ...]:
        return (write(message),)

    def decode(self, text: str) -> Decoded:
        return Decoded((read(text),))

    def refusal(self, error: LiveError) -> tuple[str, ...]:
        return (write(error.render()),)


class CableFraming:
    """`actioncable-v1-json`: messages come over channels to which the client subscribes.

    What is told on a channel before that is kept until then.
    """

    name = "actioncable-v1-json"
    beat: float | None = BEAT

    def __init__(self) -> None:
        self._identifiers: dict[Channel, str] = {}
        """As the client wrote them, of the channels it has subscribed to."""
        self._held: dict[Channel, deque[Message]] = {channel: deque(maxlen=MAX_HELD) for channel in Channel}

    def greeting(self) -> tuple[str, ...]:
        return (write({"type": "welcome"}),)

    def heartbeat(self, wall: float) -> str:
        return write({"type": "ping", "message": int(wall)})

    def encode(self, message: Message, channel: Channel) -> tuple[str, ...]:
        identifier = self._identifiers.get(channel)
        if identifier is None:
            self._held[channel].append(message)
            return ()
        return (write({"identifier": identifier, "message": message}),)

    def decode(self, text: str) -> Decoded:
        command = _object(text)
        identifier = command.get("identifier")
        if not isinstance(identifier, str) or len(identifier) > MAX_IDENTIFIER:
            raise BadMessage("a command has an identifier")
        match command.get("command"):
            case "subscribe":
                return Decoded(replies=self._subscribe(identifier))
            case "unsubscribe":
                self._identifiers = {each: known for each, known in self._identifiers.items() if known != identifier}
                return Decoded()
            case "message":
                return Decoded((self._message(identifier, command.get("data")),))
            case _:
                raise BadMessage("there is no such command")

    def refusal(self, error: LiveError) -> tuple[str, ...]:
        return (write({"type": "disconnect", "reason": "unauthorized", "reconnect": False}),)

    def _subscribe(self, identifier: str) -> tuple[str, ...]:
        channel = _channel(identifier)
        if channel is None:
            return (write({"identifier": identifier, "type": "reject_subscription"}),)
        self._identifiers[channel] = identifier
        held = self._held[channel]
        frames = [write({"identifier": identifier, "message": message}) for message in held]
        held.clear()
        return (write({"identifier": identifier, "type": "confirm_subscription"}), *frames)

    def _message(self, identifier: str, data: Any) -> Message:
        if identifier not in self._identifiers.values():
            raise BadMessage("nobody has subscribed to this channel")
        if not isinstance(data, str):
            raise BadMessage("data is not a text")
        return read(data)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("this is not JSON") from None
    if not isinstance(value, dict):
        raise BadMessage("a command is a JSON object")
    return value


def _channel(identifier: str) -> Channel | None:
    """The channel that an identifier, itself JSON, names."""
    try:
        return Channel(_object(identifier).get("channel"))
    except (BadMessage, ValueError):
        return None


FRAMINGS: dict[str, type[Framing]] = {each.name: each for each in (JsonFraming, CableFraming)}
PROTOCOLS = tuple(FRAMINGS)


def choose(offered: str | None) -> Framing:
    """The framing for the subprotocol both sides know; `conf-v1-json` where there is none."""
    return FRAMINGS.get(offered or JsonFraming.name, JsonFraming)()
