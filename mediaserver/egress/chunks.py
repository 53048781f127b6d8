"""Messages of RTMP in chunks, to and from bytes. Pure; what a server sends is bounded, or it is MalformedPacket.

RTMP specification 1.0, section 5.3. Written messages have whole headers: they are few and large.
"""

from dataclasses import dataclass

from mediaserver.errors import MalformedPacket

SET_CHUNK_SIZE, ABORT, ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH = 1, 2, 3, 4, 5, 6
SOUND, PICTURE, DATA, COMMAND = 8, 9, 18, 20
FIRST_SIZE = 128  # of chunks, before anybody says otherwise
LATE = 0xFFFFFF  # milliseconds; a later time stands behind the header
MAX_MESSAGE_BYTES = 1 << 18  # that is read: answers to commands
MAX_STREAMS = 64


@dataclass(frozen=True, slots=True)
class Message:
    kind: int
    body: bytes
    stream: int = 0
    time_ms: int = 0


def write(message: Message, channel: int, chunk_bytes: int) -> bytes:
    """`channel`: the chunk stream, 3 to 63."""
    late = message.time_ms >= LATE
    time = (message.time_ms & 0xFFFFFFFF).to_bytes(4) if late else b""
    head = min(message.time_ms, LATE).to_bytes(3) + len(message.body).to_bytes(3) + bytes([message.kind])
    out = bytes([channel]) + head + message.stream.to_bytes(4, "little") + time + message.body[:chunk_bytes]
    for at in range(chunk_bytes, len(message.body), chunk_bytes):
        out += bytes([0xC0 | channel]) + time + message.body[at : at + chunk_bytes]
    return out


@dataclass(frozen=True, slots=True)
class _Header:
    """What a chunk stream's next message has, unless its chunks say otherwise."""

    time_ms: int = 0
    step_ms: int = 0
    length: int = 0
    kind: int = 0
    stream: int = 0
    late: bool = False


class Reader:
    """Chunks as they come, to messages. Follows the size of chunks that its messages set."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._headers: dict[int, _Header] = {}
        self._bodies: dict[int, bytearray] = {}
        self._chunk_bytes = FIRST_SIZE

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now."""
        self._buffer += data
        found = []
        while (chunk := self._chunk()) is not None:
            channel, header, part = chunk
            self._headers[channel] = header
            body = self._bodies.setdefault(channel, bytearray())
            body += part
            if len(body) >= header.length:
                del self._bodies[channel]
                found.append(Message(header.kind, bytes(body), header.stream, header.time_ms))
                self._follow(found[-1])
            elif len(self._bodies) > MAX_STREAMS:
                raise MalformedPacket("too many messages at once")
        return found

    def _follow(self, message: Message) -> None:
        if message.kind == SET_CHUNK_SIZE:
            self._chunk_bytes = int.from_bytes(message.body[:4]) & 0x7FFFFFFF
            if not self._chunk_bytes:
                raise MalformedPacket("chunks of no bytes")
        elif message.kind == ABORT:
            self._bodies.pop(int.from_bytes(message.body[:4]), None)

    def _chunk(self) -> tuple[int, _Header, bytes] | None:
        """The next chunk: its chunk stream, that stream's header from here on, and its part of a message."""
        cursor = _Cursor(self._buffer)
        try:
            first = cursor.take(1)[0]
            form, channel = first >> 6, first & 63
            if channel < 2:
                channel = 64 + int.from_bytes(cursor.take(channel + 1), "little")
            begun = len(self._bodies.get(channel, b""))
            header = self._header(channel, form, cursor, fresh=not begun)
            part = cursor.take(min(header.length - begun, self._chunk_bytes))
        except _NotWhole:
            return None
        del self._buffer[: cursor.at]
        return channel, header, part

    def _header(self, channel: int, form: int, cursor: "_Cursor", *, fresh: bool) -> _Header:
        """Section 5.3.1.2: each form says less, and takes the rest from the message before."""
        before = self._headers.get(channel, _Header())
        data = cursor.take((11, 7, 3, 0)[form])
        time = int.from_bytes(data[:3]) if form < 3 else before.step_ms
        late = time == LATE if form < 3 else before.late
        if late:
            told = int.from_bytes(cursor.take(4))
            time = told if form < 3 else time
        length = int.from_bytes(data[3:6]) if form < 2 else before.length
        if length > MAX_MESSAGE_BYTES:
            raise MalformedPacket("a message is too long")
        kind = data[6] if form < 2 else before.kind
        if form == 0:
            return _Header(time, 0, length, kind, int.from_bytes(data[7:11], "little"), late)
        now = before.time_ms + time if fresh else before.time_ms
        return _Header(now & 0xFFFFFFFF, time, length, kind, before.stream, late)


class _NotWhole(Exception):
    """More bytes have to come."""


class _Cursor:
    def __init__(self, data: bytearray) -> None:
        self._data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if len(self._data) - self.at < count:
            raise _NotWhole
        self.at += count
        return bytes(self._data[self.at - count : self.at])
