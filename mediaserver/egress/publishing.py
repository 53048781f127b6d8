"""How a stream is published over RTMP: handshake, connecting, publishing; as bytes in and bytes out.

Pure: the shell (`rtmp.py`) owns socket, thread and time. Whoever publishes feeds what the server sends and sends what
`to_send` gives; once it is `live`, frames may follow. A server that does not want the stream is `Refused`, one that
does not keep to the protocol MalformedPacket. The stream's name is a secret and stands in no error. RTMP 1.0.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from mediaserver.egress import amf, chunks, flv
from mediaserver.egress.chunks import Message
from mediaserver.errors import MalformedPacket
from mediaserver.media.headers import Size

HANDSHAKE_BYTES = 1536
VERSION = 3
CHUNK_BYTES = 4096  # of what is sent
WINDOW_BYTES = 2_500_000
PING, PONG = 6, 7  # user control events
CONTROL, COMMANDS, SOUNDS, PICTURES = 2, 3, 4, 6  # chunk streams
CONNECT, RELEASE, ANNOUNCE, CREATE, PUBLISH = 1, 2, 3, 4, 5  # numbers of commands
FPS = 30


class Refused(Exception):
    """The server says no; the text is its code, such as NetStream.Publish.BadName."""


class State(Enum):
    HANDSHAKE = "handshake"
    CONNECTING = "connecting"
    PUBLISHING = "publishing"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream goes, as its URL says: the last part of the path is the stream's name and a secret."""

    host: str
    port: int
    tls: bool
    app: str
    name: str = field(repr=False)

    @property
    def about(self) -> str:
        """What the server is told of where it is."""
        usual = 443 if self.tls else 1935
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == usual else f":{self.port}"
        return f"{'rtmps' if self.tls else 'rtmp'}://{host}{port}/{self.app}"


def read_place(url: str) -> Place:
    """ValueError for what is no such URL; its text says nothing of it."""
    parts = urlsplit(url)
    app, _, name = parts.path.removeprefix("/").rpartition("/")
    name += f"?{parts.query}" if parts.query else ""
    tls = parts.scheme == "rtmps"
    if parts.scheme not in ("rtmp", "rtmps") or not parts.hostname or not app or not name:
        raise ValueError("no address of a stream")
    return Place(parts.hostname, parts.port or (443 if tls else 1935), tls, app, name)


class Publishing:
    """One connection's conversation. `chance`: 1528 random bytes."""

    def __init__(self, place: Place, chance: bytes) -> None:
        assert len(chance) == HANDSHAKE_BYTES - 8
        self._place = place
        self._state = State.HANDSHAKE
        self._out = bytearray([VERSION]) + bytes(8) + chance
        self._greeting = bytearray()
        self._reader = chunks.Reader()
        self._stream = 0
        self._window = 0
        self._received = self._acknowledged = 0

    @property
    def live(self) -> bool:
        return self._state is State.LIVE

    def receive(self, data: bytes) -> None:
        """Raises `Refused` or MalformedPacket."""
        if self._state is State.HANDSHAKE:
            self._greeting += data
            data = self._greet()
        self._received += len(data)
        for message in self._reader.feed(data):
            self._heard(message)
        if self._window and self._received - self._acknowledged >= self._window:
            self._acknowledged = self._received
            self._say(Message(chunks.ACKNOWLEDGEMENT, (self._received & 0xFFFFFFFF).to_bytes(4)), CONTROL)

    def to_send(self) -> bytes:
        out, self._out = bytes(self._out), bytearray()
        return out

    # what is sent once it is live

    def begin(self, size: Size, record: bytes, time_ms: int) -> None:
        """Ahead of a key frame: what a decoder needs for it, and what is said of the stream."""
        self._say(Message(chunks.DATA, flv.metadata(size, FPS), self._stream, time_ms), SOUNDS)
        self._say(Message(chunks.PICTURE, flv.picture_config(record), self._stream, time_ms), PICTURES)
        self._say(Message(chunks.SOUND, flv.sound_config(), self._stream, time_ms), SOUNDS)

    def picture(self, data: bytes, time_ms: int, *, key: bool) -> None:
        self._say(Message(chunks.PICTURE, flv.picture(data, key=key), self._stream, time_ms), PICTURES)

    def sound(self, data: bytes, time_ms: int) -> None:
        self._say(Message(chunks.SOUND, flv.sound(data), self._stream, time_ms), SOUNDS)

    def end(self) -> None:
        if self._stream:
            self._command("FCUnpublish", 0, None, self._place.name)
            self._command("deleteStream", 0, None, self._stream)

    # helpers

    def _greet(self) -> bytes:
        """Section 5.2: C2 is their S1, once it is there; what comes after S2 is returned."""
        whole = 1 + 2 * HANDSHAKE_BYTES
        if self._greeting and self._greeting[0] != VERSION:
            raise MalformedPacket("no RTMP server answers")
        if len(self._greeting) < whole:
            return b""
        self._out += self._greeting[1 : 1 + HANDSHAKE_BYTES]
        self._state = State.CONNECTING
        self._say(Message(chunks.SET_CHUNK_SIZE, CHUNK_BYTES.to_bytes(4)), CONTROL, chunks.FIRST_SIZE)
        about = {
            "app": self._place.app,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (compatible; Folkmoot)",
            "tcUrl": self._place.about,
        }
        self._command("connect", CONNECT, about)
        return bytes(self._greeting[whole:])

    def _heard(self, message: Message) -> None:
        match message.kind:
            case chunks.WINDOW_SIZE:
                self._window = int.from_bytes(message.body[:4])
            case chunks.PEER_BANDWIDTH:
                self._say(Message(chunks.WINDOW_SIZE, WINDOW_BYTES.to_bytes(4)), CONTROL)
            case chunks.USER_CONTROL if int.from_bytes(message.body[:2]) == PING:
                self._say(Message(chunks.USER_CONTROL, PONG.to_bytes(2) + message.body[2:6]), CONTROL)
            case chunks.COMMAND:
                self._answered(amf.read(message.body))

    def _answered(self, values: list[Any]) -> None:
        match values:
            case ["_result", number, *_] if number == CONNECT and self._state is State.CONNECTING:
                self._command("releaseStream", RELEASE, None, self._place.name)
                self._command("FCPublish", ANNOUNCE, None, self._place.name)
                self._command("createStream", CREATE, None)
            case ["_result", number, _, float(stream), *_] if number == CREATE and self._state is State.CONNECTING:
                self._stream, self._state = int(stream), State.PUBLISHING
                self._command("publish", PUBLISH, None, self._place.name, "live", stream=self._stream)
            case ["_error", number, *rest] if number in (CONNECT, CREATE, PUBLISH):
                raise Refused(_code(rest))
            case ["onStatus", _, *rest]:
                self._told(rest)
            case ["close", *_]:
                raise Refused("closed")

    def _told(self, rest: list[Any]) -> None:
        code = _code(rest)
        if code == "NetStream.Publish.Start" and self._state is State.PUBLISHING:
            self._state = State.LIVE
        elif any(isinstance(each, dict) and each.get("level") == "error" for each in rest):
            raise Refused(code)

    def _command(self, name: str, number: int, *values: Any, stream: int = 0) -> None:
        self._say(Message(chunks.COMMAND, amf.write(name, number, *values), stream), COMMANDS)

    def _say(self, message: Message, channel: int, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._out += chunks.write(message, channel, chunk_bytes)


def _code(values: list[Any]) -> str:
    """What the server calls it, as far as it can be shown: it must not repeat to us what we told it."""
    for value in values:
        code = value.get("code") if isinstance(value, dict) else None
        if isinstance(code, str) and code.replace(".", "").isalpha() and len(code) <= 64:
            return code
    return "refused"
