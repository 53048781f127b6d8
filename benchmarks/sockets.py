"""Many WebSockets of one process: opened, kept alive, and told when a text came. Nothing but what a benchmark needs.

Each is a protocol of the event loop without a task of its own, so that thousands of readers cost little beside the
server that is measured. Frames of a server are not masked; RFC 6455 section 5.
"""

import asyncio
import base64
import os
from collections.abc import Callable

CONNECTING_AT_ONCE = 64
CONNECT_WITHIN = 60.0  # seconds
_TEXT, _CLOSE, _PING = 0x1, 0x8, 0x9
_PONG = bytes((0x8A, 0x80, 0, 0, 0, 0))  # masked with zeros, empty

Heard = Callable[[bytes], None]


class Reader(asyncio.Protocol):
    """Hears what one socket is told."""

    def __init__(self, request: bytes, heard: Heard) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False
        self._request = request
        self._heard = heard
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed before it was open"))

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self.opened.done():
            head, end, self._data = self._data.partition(b"\r\n\r\n")
            if not end:
                self._data = head
                return
            if b" 101 " not in head[:20]:
                self._transport.abort()
                return
            self.opened.set_result(None)
        while self._frame():
            pass

    def close(self) -> None:
        self._transport.close()

    def _frame(self) -> bool:
        """Takes one whole frame, if there is one."""
        data = self._data
        if len(data) < 2:
            return False
        size, start = data[1] & 0x7F, 2
        if size >= 126:
            start += 2 if size == 126 else 8
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return False
        kind, body, self._data = data[0] & 0x0F, data[start : start + size], data[start + size :]
        if kind == _TEXT:
            self._heard(body)
        elif kind == _PING:
            self._transport.write(_PONG)
        elif kind == _CLOSE:
            self._transport.abort()
        return True


async def open_many(host: str, port: int, paths: list[str], key: str, heard: Heard) -> list[Reader]:
    """A socket for each path, all open."""
    turns = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def one(path: str) -> Reader:
        async with turns:
            loop = asyncio.get_running_loop()
            _, reader = await loop.create_connection(lambda: Reader(_request(host, path, key), heard), host, port)
            await asyncio.wait_for(reader.opened, CONNECT_WITHIN)
            return reader

    return list(await asyncio.gather(*(one(path) for path in paths)))


def close_all(readers: list[Reader]) -> None:
    for reader in readers:
        reader.close()


def _request(host: str, path: str, key: str) -> bytes:
    nonce = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {nonce}",
        f"Authorization: {key}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
