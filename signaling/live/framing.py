"""How messages become text frames: one class for each WebSocket subprotocol. Pure.

A framing says what is sent at the start, how a message is told on a channel (what everybody hears, or what concerns
one participant alone), what a frame of the client's holds, how a refusal looks, and what is sent regularly.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from signaling.live.protocol import LiveError, Message, read, write


class Channel(Enum):
    ROOM = "room"
    PERSONAL = "personal"


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
    def encode(self, message: Message, channel: Channel) -> str: ...
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

    def encode(self, message: Message, channel: Channel) -> str:
        return write(message)

    def decode(self, text: str) -> Decoded:
        return Decoded((read(text),))

    def refusal(self, error: LiveError) -> tuple[str, ...]:
        return (write(error.render()),)


FRAMINGS: dict[str, type[Framing]] = {JsonFraming.name: JsonFraming}
PROTOCOLS = tuple(FRAMINGS)


def choose(offered: str | None) -> Framing:
    """The framing for the subprotocol both sides know; `conf-v1-json` where there is none."""
    return FRAMINGS.get(offered or JsonFraming.name, JsonFraming)()
