"""The floor: a loop of `sendto` that sends the same packets at the same pace to as many sockets, and does nothing else.

Nothing is received, decrypted, renumbered or encrypted. The receiving sockets are the load generator's, read by it as
those of a server's clients are, so that waking it costs the same.
"""

import asyncio
import ctypes
import os
import socket
import struct
from dataclasses import dataclass

from benchmarks.load import Load
from benchmarks.native_build import datagrams
from benchmarks.versus.cases import AUDIO_BYTES, AUDIO_FPS, PACKET_BYTES, Case, Pace

OVERHEAD = 36  # bytes of a packet: RTP header and extensions, SRTP tag
HOST = "127.0.0.1"


class _Stream(ctypes.Structure):
    """`struct stream` of native/datagrams.c."""

    _fields_ = (("size", ctypes.c_int), ("packets", ctypes.c_int), ("interval_ns", ctypes.c_int64))


class _Cost(ctypes.Structure):
    """`struct cost` of native/datagrams.c."""

    _fields_ = (
        ("cpu", ctypes.c_double),
        ("seconds", ctypes.c_double),
        ("sent", ctypes.c_int64),
        ("failed", ctypes.c_int64),
    )


@dataclass(frozen=True)
class Floor:
    us: float
    """Of CPU per packet."""
    rate: float
    """Packets a second."""


class Bare:
    """Sends as a case's server does, from the server's core."""

    def __init__(self, load: Load, case: Case, core: int) -> None:
        self._case = case
        self._core = core
        self._library = datagrams()
        self._clients = [load.open(HOST) for _ in range(case.receivers)]
        self._targets = b"".join(
            struct.pack("=HH4s8x", socket.AF_INET, socket.htons(client.port), socket.inet_aton(HOST))
            for client in self._clients
        )

    async def measure(self, pace: Pace, seconds: float) -> Floor:
        return await asyncio.to_thread(self._measure, pace, seconds)

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _measure(self, pace: Pace, seconds: float) -> Floor:
        streams = [_Stream(PACKET_BYTES + OVERHEAD, pace.packets, int(1e9 / pace.fps))]
        if self._case.sound:
            streams.append(_Stream(AUDIO_BYTES + OVERHEAD, 1, int(1e9 / AUDIO_FPS)))
        case, cost, all_cores = self._case, _Cost(), os.sched_getaffinity(0)
        packet = b"\x80" + bytes(PACKET_BYTES + OVERHEAD - 1)
        os.sched_setaffinity(0, {self._core})  # this thread's
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                kinds = (_Stream * len(streams))(*streams)
                self._library.bare_streams(
                    *(s.fileno(), self._targets, case.receivers, case.publishers, int(case.publishers > 1)),
                    *(kinds, len(streams), packet, int(seconds * 1e9), ctypes.byref(cost)),
                )
        finally:
            os.sched_setaffinity(0, all_cores)
        return Floor(cost.cpu * 1e6 / max(1, cost.sent), cost.sent / max(1e-9, cost.seconds))
