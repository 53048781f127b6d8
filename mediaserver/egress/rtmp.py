"""The program pushed to an RTMP server: an `Output` whose connection lives in a thread of its own.

Decides nothing about the protocol (`publishing.py`) or what a slow line misses (`backlog.py`); connects to addresses
that were checked, and to nothing else: the host's name is only told, and is what a certificate must be for. A target
that refuses or breaks is tried again after pauses that grow, then given up. No text that leaves this file has the URL.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from mediaserver.egress.backlog import Backlog, Waiting
from mediaserver.egress.output import Coding, EncodedFrame
from mediaserver.egress.publishing import HANDSHAKE_BYTES, Publishing, Refused, read_place
from mediaserver.egress.tries import Tries
from mediaserver.errors import MalformedPacket
from mediaserver.media.headers import codec_private, picture_size

CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 10.0  # from the connection to the stream
STALL = 10.0  # seconds in which nothing can be sent: it is broken
LISTEN_EVERY = 0.5
READ_BYTES = 1 << 16

LIVE, BEHIND, WAITING, OVER = "live", "behind", "waiting", "over"
Report = Callable[[str, str], None]
"""Called with one of these, and why it is that, in whatever thread."""


class RtmpPush:
    coding = Coding.BROADCAST

    def __init__(
        self,
        url: str,
        addresses: Sequence[str],
        report: Report,
        *,
        pauses: Sequence[float],
        ca_file: str | None = None,
    ) -> None:
        """ValueError for a URL that leads nowhere. `pauses`: seconds before each further try. `ca_file`: whom to trust
        besides those the machine trusts."""
        self._place = read_place(url)
        self._addresses = addresses
        self._report = report
        self._tls = _trust(ca_file) if self._place.tls else None
        self._pauses = pauses
        self._backlog = Backlog()
        self._news = threading.Condition()
        self._closing = False
        threading.Thread(target=self._run, name="rtmp", daemon=True).start()

    def video(self, frame: EncodedFrame) -> None:
        self._put(frame, picture=True)

    def audio(self, frame: EncodedFrame) -> None:
        self._put(frame, picture=False)

    def close(self) -> None:
        with self._news:
            self._closing = True
            self._news.notify()

    def _put(self, frame: EncodedFrame, *, picture: bool) -> None:
        with self._news:
            behind = self._backlog.put(frame, picture=picture)
            self._news.notify()
        if behind:
            self._report(BEHIND, f"{self._backlog.dropped} frames were left out")

    # in the thread

    def _run(self) -> None:
        tries = Tries(self._pauses)
        while not self._closing:
            began = time.monotonic()
            try:
                self._push()
            except (OSError, MalformedPacket, Refused) as error:
                pause = tries.failed(time.monotonic() - began)
                if not self._closing:
                    self._report(OVER if pause is None else WAITING, _reason(error))
                if pause is None:
                    return
                self._pause(pause)

    def _push(self) -> None:
        """Returns when it is to be closed."""
        with self._connected() as line:
            talk = Publishing(self._place, os.urandom(HANDSHAKE_BYTES - 8))
            until = time.monotonic() + ANSWER_TIMEOUT
            while not talk.live:
                line.settimeout(max(0.001, until - time.monotonic()))
                line.sendall(talk.to_send())
                talk.receive(_some(line.recv(READ_BYTES)))
            self._report(LIVE, "")
            try:
                self._go_on(line, talk)
            finally:
                with self._news:
                    self._backlog.shut()

    def _go_on(self, line: socket.socket, talk: Publishing) -> None:
        sending = _Sending(talk)
        with self._news:
            self._backlog.open()
        while not self._closing:
            with self._news:
                self._news.wait_for(lambda: self._closing or self._backlog, LISTEN_EVERY)
                frames = self._backlog.take()
            for each in frames:
                sending.frame(each)
            _send(line, talk.to_send())
            _listen(line, talk)
        talk.end()
        _send(line, talk.to_send())

    def _connected(self) -> socket.socket:
        """A line to the first of the addresses that answers."""
        for number, address in enumerate(self._addresses, 1):
            try:
                line = socket.create_connection((address, self._place.port), CONNECT_TIMEOUT)
            except OSError:
                if number == len(self._addresses):
                    raise
                continue
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                return line
            try:
                return self._tls.wrap_socket(line, server_hostname=self._place.host)
            except BaseException:
                line.close()
                raise
        raise OSError("it has no address")

    def _pause(self, seconds: float) -> None:
        with self._news:
            self._news.wait_for(lambda: self._closing, seconds)


class _Sending:
    """Frames to messages: times from zero on, and what a decoder needs ahead of the first, or when that changes."""

    def __init__(self, talk: Publishing) -> None:
        self._talk = talk
        self._zero: float | None = None
        self._record = b""

    def frame(self, waiting: Waiting) -> None:
        is_picture, frame = waiting
        self._zero = frame.at if self._zero is None else self._zero
        time_ms = max(0, round((frame.at - self._zero) * 1000))
        if not is_picture:
            self._talk.sound(frame.data, time_ms)
            return
        codec = Coding.BROADCAST.codec
        if frame.key and (record := codec_private(codec, frame.data)) != self._record:
            self._record = record
            self._talk.begin(picture_size(codec, frame.data), record, time_ms)
        self._talk.picture(frame.data, time_ms, key=frame.key)


def _send(line: socket.socket, data: bytes) -> None:
    line.settimeout(STALL)
    line.sendall(data)


def _listen(line: socket.socket, talk: Publishing) -> None:
    """What the server says meanwhile, if anything."""
    line.settimeout(0.0)
    try:
        data = line.recv(READ_BYTES)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return
    talk.receive(_some(data))


def _some(data: bytes) -> bytes:
    if not data:
        raise ConnectionResetError(0, "the server has closed the connection")
    return data


def _trust(ca_file: str | None) -> ssl.SSLContext:
    trust = ssl.create_default_context()
    if ca_file:
        trust.load_verify_locations(ca_file)
    return trust


def _reason(error: Any) -> str:
    """In words that hold nothing of where it goes."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
