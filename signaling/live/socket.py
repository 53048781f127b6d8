"""One WebSocket, as the conversation sees it: messages out through a bounded queue, an end that comes last.

A reader so slow that the queue fills up is dropped without a word, like one whose network is gone: words would not
reach it either. Nothing here knows what a message means.
"""

import asyncio
import struct
from asyncio import transports
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from signaling.live.framing import Channel, Framing
from signaling.live.protocol import LiveError, Message, Refusal, too_long

MAX_QUEUED = 1000  # frames
MAX_QUEUED_BYTES = 4 << 20
CLOSE_WITHIN = 5.0  # seconds for what is queued and for the other side's close
READ_AT_MOST = (1 << 20) + 1  # bytes: what is longer than a message may be is still read, to be answered properly

log = structlog.get_logger(__name__)


class WebSocket(web.WebSocketResponse):
    """A WebSocket that answers a message which is too long to be read at all with the contract's code."""

    def __init__(self, protocols: tuple[str, ...]) -> None:
        super().__init__(
            protocols=protocols, autoping=False, autoclose=False, compress=False, max_msg_size=READ_AT_MOST, timeout=1.0
        )
        self.told_too_long: tuple[str, ...] = ()
        self._parted = False

    async def part(self, code: int) -> None:
        """Sends the close frame and leaves the reading to the conversation."""
        self._parted = True
        await self.send_frame(struct.pack("!H", code), WSMsgType.CLOSE)

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        if self._parted:
            return False  # a second close frame would make the first one worth nothing to browsers
        if code != WSCloseCode.MESSAGE_TOO_BIG or self.closed:
            return await super().close(code=code, message=message, drain=drain)
        for frame in self.told_too_long:
            await self.send_str(frame)
        return await super().close(code=too_long().close_code, message=message, drain=drain)


@dataclass(frozen=True, slots=True)
class _Ping:
    pass


@dataclass(frozen=True, slots=True)
class _Pong:
    data: bytes


@dataclass(frozen=True, slots=True)
class _Close:
    code: int


class LiveSocket:
    """Queues what is to be sent; `pump` sends it until the end."""

    def __init__(self, socket: WebSocket, transport: transports.Transport | None, framing: Framing) -> None:
        socket.told_too_long = framing.refusal(too_long())
        self.framing = framing
        self.closing = False
        self._socket = socket
        self._transport = transport
        self._queue: asyncio.Queue[str | _Ping | _Pong | _Close] = asyncio.Queue()
        self._queued_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        for frame in framing.greeting():
            self.send_frame(frame)

    def send(self, message: Message, channel: Channel = Channel.PERSONAL) -> None:
        for frame in self.framing.encode(message, channel):
            self.send_frame(frame)

    def send_frame(self, frame: str) -> None:
        self._put(frame, len(frame))

    def ping(self) -> None:
        self._put(_Ping(), 0)

    def pong(self, data: bytes) -> None:
        self._put(_Pong(data), len(data))

    def tell_error(self, error: LiveError) -> None:
        self.send(error.render())

    def refuse(self, refusal: Refusal) -> None:
        """Tells why, then closes."""
        for frame in self.framing.refusal(refusal):
            self.send_frame(frame)
        self.close(refusal.close_code)

    def close(self, code: int) -> None:
        """Closes after all that is queued; what comes later is not sent."""
        if not self.closing:
            self._put(_Close(code), 0)
            self.closing = True
            self._deadline = asyncio.get_running_loop().call_later(CLOSE_WITHIN, self.abort)

    def abort(self) -> None:
        """Drops the connection without a word."""
        self.closing = True
        if self._transport:
            self._transport.abort()
        self._queue.put_nowait(_Close(WSCloseCode.ABNORMAL_CLOSURE))

    async def pump(self) -> None:
        """Sends what is queued; returns after the close frame, or when the connection is gone."""
        try:
            while not isinstance(item := await self._queue.get(), _Close):
                await self._send(item)
            await self._socket.part(item.code)
        except ConnectionError:
            self.closing = True

    def finish(self) -> None:
        """The other side has closed, too."""
        if self._deadline:
            self._deadline.cancel()

    async def _send(self, item: Any) -> None:
        match item:
            case str():
                self._queued_bytes -= len(item)
                await self._socket.send_str(item)
            case _Pong(data):
                self._queued_bytes -= len(data)
                await self._socket.pong(data)
            case _Ping():
                await self._socket.ping()

    def _put(self, item: str | _Ping | _Pong | _Close, size: int) -> None:
        if self.closing:
            return
        self._queued_bytes += size
        if self._queue.qsize() >= MAX_QUEUED or self._queued_bytes > MAX_QUEUED_BYTES:
            log.info("slow reader dropped", queued=self._queue.qsize(), queued_bytes=self._queued_bytes)
            self.abort()
            return
        self._queue.put_nowait(item)
