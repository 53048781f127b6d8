"""Passive ICE over TCP: accepts streams and hands on those whose first frame is a check that one of ours trusts.

A stranger can hold a socket for `first_frame_timeout` at most, and only so many of them; everything after the first
frame is the forwarding core's, which gets the socket itself. RFC 6544 (ICE over TCP), RFC 4571 (frames).
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import structlog

from mediaserver.errors import MalformedPacket
from mediaserver.transport import stun
from mediaserver.transport.connection import Connection
from mediaserver.transport.stun import Endpoint

MAX_PENDING = 256  # streams whose first frame has not come; one more pushes out the oldest
BACKLOG = 128  # in the kernel
ACCEPT_PAUSE = 0.1  # seconds, when the system has no descriptor left
_FRAME_HEADER = 2

log = structlog.get_logger()


class StreamOwner(Protocol):
    """Who knows the connections: the port."""

    def trusting(self, message: stun.Message) -> Connection | None:
        """The connection whose peer has sent this check."""

    def room_for_stream(self) -> bool:
        """Whether one more stream may be opened."""

    def adopt(self, connection: Connection, fd: int, peer: Endpoint, data: bytes) -> None:
        """Takes the stream over, with all that was read from it."""


class TcpListener:
    """Listening sockets and the streams whose first frame is awaited."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        owner: StreamOwner,
        counters: Counter[str],
        *,
        first_frame_timeout: float,
    ) -> None:
        """`sockets` are bound and non-blocking; they are closed by `aclose`."""
        self._sockets = sockets
        self._owner = owner
        self._counters = counters
        self._timeout = first_frame_timeout
        self._accepting: list[asyncio.Task[None]] = []
        self._pending: dict[asyncio.Task[None], None] = {}  # oldest first

    def start(self) -> None:
        for each in self._sockets:
            each.listen(BACKLOG)
        self._accepting = [asyncio.create_task(self._accept(each)) for each in self._sockets]

    async def aclose(self) -> None:
        """May be called twice."""
        tasks = [*self._accepting, *self._pending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in self._sockets:
            each.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                stream, peer = await loop.sock_accept(listening)
            except OSError as error:
                self._counters["tcp_accept_failed"] += 1
                log.warning("cannot accept a stream", why=str(error))
                await asyncio.sleep(ACCEPT_PAUSE)
                continue
            self._counters["tcp_accepted"] += 1
            if self._owner.room_for_stream():
                self._await_first_frame(stream, (peer[0], peer[1]))
            else:
                self._counters["tcp_no_room"] += 1
                stream.close()

    def _await_first_frame(self, stream: socket.socket, peer: Endpoint) -> None:
        if len(self._pending) >= MAX_PENDING:
            self._counters["tcp_pushed_out"] += 1
            oldest = next(iter(self._pending))
            del self._pending[oldest]
            oldest.cancel()
        task = asyncio.create_task(self._greet(stream, peer))
        self._pending[task] = None
        task.add_done_callback(lambda done: self._pending.pop(done, None))

    async def _greet(self, stream: socket.socket, peer: Endpoint) -> None:
        """Reads the first frame; the stream is handed on or closed."""
        try:
            async with asyncio.timeout(self._timeout):
                data = await _first_frame(stream)
            connection = self._owner.trusting(stun.parse(data[_FRAME_HEADER : _FRAME_HEADER + _size(data)]))
            if connection is None:
                self._counters["tcp_not_trusted"] += 1
            else:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._owner.adopt(connection, stream.detach(), peer, data)
        except TimeoutError:
            self._counters["tcp_silent"] += 1
        except (MalformedPacket, OSError):
            self._counters["tcp_malformed"] += 1
        finally:
            stream.close()  # nothing, once it is detached


async def _first_frame(stream: socket.socket) -> bytes:
    """Reads until one frame is whole; there may be more behind it."""
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < _FRAME_HEADER or len(data) < _FRAME_HEADER + _size(data):
        part = await loop.sock_recv(stream, stun.MAX_MESSAGE_BYTES)
        if not part:
            raise MalformedPacket("the stream ended before its first frame")
        data += part
        if len(data) >= _FRAME_HEADER and _size(data) > stun.MAX_MESSAGE_BYTES:
            raise MalformedPacket("no check is that long")
    return data


def _size(data: bytes) -> int:
    return int.from_bytes(data[:_FRAME_HEADER], "big")
