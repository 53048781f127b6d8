"""Frames of a program on their way to a connection that may be slower than the program. Pure.

What has waited for too long is of no use to a live stream: all of it is left out, and it goes on with the next key
frame. Nothing is kept for a connection that is not there.
"""

from collections import deque

from mediaserver.egress.output import EncodedFrame

MAX_BEHIND = 3.0  # seconds: a player has about as much in store
MAX_BYTES = 8 << 20

Waiting = tuple[bool, EncodedFrame]
"""Whether it is a picture's, and the frame."""


class Backlog:
    """Shut at first."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._size_bytes = 0
        self._open = self._going = False
        self.dropped = 0
        """Frames that were left out because the connection was too slow."""

    def open(self) -> None:
        """From the next key frame on."""
        self.shut()
        self._open = True

    def shut(self) -> None:
        self._open = self._going = False
        self._clear()

    def put(self, frame: EncodedFrame, *, picture: bool) -> bool:
        """Returns whether the connection has fallen behind now."""
        if not self._open or (not self._going and not (picture and frame.key)):
            return False
        if self._waiting and (
            frame.at - self._waiting[0][1].at > MAX_BEHIND or self._size_bytes + len(frame.data) > MAX_BYTES
        ):
            self.dropped += len(self._waiting) + 1
            self._clear()
            self._going = False
            return True
        self._going = True
        self._waiting.append((picture, frame))
        self._size_bytes += len(frame.data)
        return False

    def take(self) -> list[Waiting]:
        """All of it, in its order."""
        taken = list(self._waiting)
        self._clear()
        return taken

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def _clear(self) -> None:
        self._waiting.clear()
        self._size_bytes = 0
