"""Messages between the server and a media worker: JSON objects, each behind its length, on a stream socket.

`Frames` is pure. `Channel` is one end of the socket in an event loop: it never waits; an end that does not read is
told to its owner by `on_lost`, as is one that has gone.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
MAX_MESSAGE_BYTES = 4 << 20
MAX_WAITING_BYTES = 16 << 20
READ_BYTES = 1 << 16


class BadMessage(Exception):
    """The other end does not keep to the format."""


class Frames:
    """Bytes as they were read, to messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now; raises BadMessage."""
        self._buffer += data
        out = []
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4])
            if size > MAX_MESSAGE_BYTES:
                raise BadMessage("a message is too long")
            if len(self._buffer) < 4 + size:
                break
            out.append(_read(bytes(self._buffer[4 : 4 + size])))
            del self._buffer[: 4 + size]
        return out


def write(message: Message) -> bytes:
    """Raises ValueError for a message that is too long."""
    data = json.dumps(message, separators=(",", ":")).encode()
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValueError("a message is too long")
    return len(data).to_bytes(4) + data


def _read(data: bytes) -> Message:
    try:
        message = json.loads(data)
    except ValueError as error:
        raise BadMessage("a message is no JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("a message is no object")
    return message


class Channel:
    """Owns the socket. `on_lost` is called once, with the reason, unless `close` came first."""

    def __init__(
        self, end: socket.socket, on_message: Callable[[Message], None], on_lost: Callable[[str], None]
    ) -> None:
        end.setblocking(False)
        self._socket = end
        self._on_message = on_message
        self._on_lost = on_lost
        self._frames = Frames()
        self._out = bytearray()
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(end, self._readable)

    def send(self, **message: Any) -> None:
        """Nothing happens on a closed channel."""
        if self._closed:
            return
        if not self._out:
            self._loop.add_writer(self._socket, self._writable)
        self._out += write(message)
        if len(self._out) > MAX_WAITING_BYTES:
            self._lose("it does not read")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(str(error))
            return
        if not data:
            self._lose("it has gone")
            return
        try:
            messages = self._frames.feed(data)
        except BadMessage as error:
            self._lose(str(error))
            return
        for message in messages:
            if not self._closed:
                self._on_message(message)

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._out)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(str(error))
            return
        del self._out[:sent]
        if not self._out:
            self._loop.remove_writer(self._socket)

    def _lose(self, why: str) -> None:
        if not self._closed:
            self.close()
            self._on_lost(why)
