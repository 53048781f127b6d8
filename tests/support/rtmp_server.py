"""The other side of RTMP: takes what is published, in bytes, and says what a test has it say.

`Taking` is one connection without a socket; `Server` is a thread with a port, for those who connect.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Queue
from typing import Any, Self

from mediaserver.egress import amf, chunks
from mediaserver.egress.chunks import Message

START = {"level": "status", "code": "NetStream.Publish.Start"}
BAD_NAME = {"level": "error", "code": "NetStream.Publish.BadName", "description": "not with this secret-key"}
PATIENCE = 20.0  # seconds


@dataclass
class Taking:
    """`answer`: what publishing is answered. `chunk_bytes`: of what is said after connecting."""

    answer: dict[str, Any] = field(default_factory=lambda: START)
    chunk_bytes: int = 128
    commands: list[list[Any]] = field(default_factory=list)
    media: list[Message] = field(default_factory=list)
    control: list[Message] = field(default_factory=list)
    _greeting: bytearray = field(default_factory=bytearray)
    _reader: chunks.Reader = field(default_factory=chunks.Reader)
    _greeted: bool = False

    def receive(self, data: bytes) -> bytes:
        """What is answered to that."""
        out = b""
        if not self._greeted:
            before = len(self._greeting)
            self._greeting += data
            if before < 1537 <= len(self._greeting):
                out = bytes([3]) + bytes(1536) + bytes(self._greeting[1:1537])
            if len(self._greeting) < 1 + 2 * 1536:
                return out
            assert self._greeting[1537:3073] == bytes(1536), "C2 repeats S1"
            self._greeted, data = True, bytes(self._greeting[3073:])
        for message in self._reader.feed(data):
            out += self._heard(message)
        return out

    def say(self, *values: Any, stream: int = 0) -> bytes:
        return chunks.write(Message(chunks.COMMAND, amf.write(*values), stream), 3, self.chunk_bytes)

    def _heard(self, message: Message) -> bytes:
        if message.kind in (chunks.SOUND, chunks.PICTURE, chunks.DATA):
            self.media.append(message)
            return b""
        if message.kind != chunks.COMMAND:
            self.control.append(message)
            return b""
        command = amf.read(message.body)
        self.commands.append(command)
        match command:
            case ["connect", number, *_]:
                size = chunks.write(Message(chunks.SET_CHUNK_SIZE, self.chunk_bytes.to_bytes(4)), 2, 128)
                return size + self.say(
                    "_result", number, {"fmsVer": "FMS/3"}, {"code": "NetConnection.Connect.Success"}
                )
            case ["createStream", number, *_]:
                return self.say("_result", number, None, 1)
            case ["publish", *_]:
                return self.say("onStatus", 0, None, self.answer, stream=1)
        return b""


class Server:
    """Each connection is a `Taking`, which `come` gives once it is there. `refuse` closes connections at once."""

    def __init__(
        self, make: Callable[[], Taking] = Taking, tls: ssl.SSLContext | None = None, *, refuse: bool = False
    ) -> None:
        self._make = make
        self._tls = tls
        self._refuse = refuse
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.come: Queue[Taking] = Queue()
        self.lines: list[socket.socket] = []
        self.count = 0
        self.news = threading.Condition()

    def url(self, key: str = "secret-key", scheme: str = "rtmp", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}/live/{key}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self.hang_up()

    def hang_up(self) -> None:
        """On everybody."""
        for line in self.lines:
            line.close() if line.fileno() < 0 else line.shutdown(socket.SHUT_RDWR)
        self.lines.clear()

    def until(self, true: Callable[[], object]) -> None:
        """Looks whenever something has come."""
        with self.news:
            assert self.news.wait_for(true, PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with self.news:
                self.count += 1
                self.news.notify_all()
            if self._refuse:
                line.close()
                continue
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        taking = self._make()
        try:
            if self._tls:
                line = self._tls.wrap_socket(line, server_side=True)
            self.lines.append(line)
            self.come.put(taking)
            while data := line.recv(1 << 16):
                line.sendall(taking.receive(data))
                with self.news:
                    self.news.notify_all()
        except OSError:
            pass  # whoever published has gone
        finally:
            line.close()
