"""What others say to a participant whose socket is lost, kept until they come back. Pure."""

from collections import deque
from collections.abc import Collection

from signaling.live.fields import size
from signaling.live.protocol import Message

MAX_MESSAGES = 100
MAX_BYTES = 1 << 20


class Held:
    """Bounded: what comes when it is full is dropped."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._bytes = 0

    def keep(self, message: Message) -> None:
        length = size(message)
        if len(self._messages) < MAX_MESSAGES and self._bytes + length <= MAX_BYTES:
            self._messages.append(message)
            self._bytes += length

    def take(self, online: Collection[str]) -> list[Message]:
        """All of it, but for what comes from people who have left meanwhile."""
        held = [message for message in self._messages if message["from"] in online]
        self._messages.clear()
        self._bytes = 0
        return held
