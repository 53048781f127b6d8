"""What does it cost to forward one packet? The native core alone, µs of CPU per outgoing packet.

One publisher's packets (VP8, 1140 bytes with all headers) arrive by loopback UDP in bursts, as a browser sends the
packets of a frame; the core unprotects, renumbers, protects and sends them to 1 to 200 subscribers, whose sockets are
read by another process. They take a run of packets whole (UDP_GRO), as a network card with the offload does; the
lines "cut in software" have receivers that make the sending kernel cut it, the worst case. CPU is the packet thread's
own (receiving included, as the kernel accounts it). Beside each figure, in the same run and in turn with it: a bare
loop of sendto calls with the same packets, receivers and pace.
"""

import ctypes
import multiprocessing
import os
import socket
import statistics
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized

import pylibsrtp

from benchmarks.native_build import datagrams
from mediaserver.native import Connection, Engine, Sink, Track, address_from
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import Extension

SUBSCRIBERS = (1, 10, 50, 200)
BURSTS = (1, 3, 8)
PROFILES = {
    "AES-128-GCM": ("SRTP_AEAD_AES_128_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "AES-CM-SHA1": ("SRTP_AES128_CM_SHA1_80", pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
PACKET = 1140
UDP_GRO = 104  # Linux; Python has no name for it
OUTGOING = 60_000  # packets in one measurement, about
REPEATS = 5
COST_NS = 6000  # assumed per outgoing packet when the pace is set: the thread is then about half busy at most


@dataclass(frozen=True)
class Case:
    cipher: str
    subscribers: int
    burst: int
    whole: bool = True

    @property
    def rounds(self) -> int:
        return max(60, OUTGOING // (self.subscribers * self.burst))

    @property
    def interval_ns(self) -> int:
        return max(1_000_000, self.subscribers * self.burst * COST_NS)


def rtp(sequence: int, frame: int, marker: bool, keyframe: bool) -> bytes:
    """A VP8 packet with picture id, transport-wide number and audio-less extensions, as Chromium sends them."""
    header = struct.pack("!BBHII", 0x90, marker << 7 | 96, sequence & 0xFFFF, frame * 3000, 111)
    extension = struct.pack("!HHBHB", 0xBEDE, 1, 3 << 4 | 1, sequence & 0xFFFF, 0)
    descriptor = struct.pack("!BBH", 0x90, 0x80, 0x8000 | frame & 0x7FFF)
    start = bytes.fromhex("1002009d012a8002e001") if keyframe else bytes.fromhex("110200") + bytes(7)
    body = header + extension + descriptor + start
    return body + bytes(PACKET - 16 - len(body))


def protected(cipher: str, key: bytes, count: int, burst: int) -> tuple[bytes, int, int]:
    """`count` protected packets, `stride` bytes apart, and their size."""
    policy = pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILES[cipher][1])
    session = pylibsrtp.Session(policy)
    packets = [session.protect(rtp(1000 + i, i // burst, i % burst == burst - 1, i < burst)) for i in range(count)]
    return b"".join(packets), len(packets[0]), len(packets[0])


def receivers(count: int, whole: bool) -> list[socket.socket]:
    sockets = []
    for _ in range(count):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_UDP, UDP_GRO, whole)
        s.bind(("127.0.0.1", 0))
        sockets.append(s)
    return sockets


def _drain(sockets: list[socket.socket], stop: "Synchronized[int]") -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    fds = (ctypes.c_int * len(sockets))(*[s.fileno() for s in sockets])
    datagrams().drain(fds, len(sockets), ctypes.byref(stop.get_obj()))


class Bench:
    """An engine with one publisher and n subscribers, and the same receivers for the bare loop."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.library = datagrams()
        self.sockets = receivers(case.subscribers, case.whole)
        self.engine = Engine(listen=[("127.0.0.1", 0)], threads=1)
        self.publisher = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.publisher.bind(("127.0.0.1", 0))
        self.publisher.connect(self.engine.sockets[0])
        self.key = os.urandom(PROFILES[case.cipher][2])
        self._connect()
        self.engine.start()

    def _connect(self) -> None:
        profile, _, size = PROFILES[self.case.cipher]
        self.source = Connection(self.engine)
        self.source.send_to(address_from(0, *self.publisher.getsockname()))
        self.source.keys(profile, self.key, os.urandom(size))
        self.track = Track(self.engine, "video")
        self.source.receive_extensions({1: Extension.MID, 3: Extension.TRANSPORT_CC})
        self.source.receive_track(
            self.track, mid="0", payloads={96: (CodecId.VP8, 90000)}, retransmissions={}, ssrcs=[111]
        )
        self.subscribers = []
        for i, s in enumerate(self.sockets):
            connection = Connection(self.engine)
            connection.send_to(address_from(0, *s.getsockname()))
            connection.keys(profile, os.urandom(size), os.urandom(size))
            sink = Sink(
                connection, "video", ssrc=1000 + i, repair_ssrc=9000 + i, sequence=1, timestamp=0, cname="bench"
            )
            sink.accept({CodecId.VP8: (96, 97)}, {Extension.ABS_SEND_TIME: 2})
            sink.attach(self.track)
            self.subscribers.append((connection, sink))

    def forward(self, data: bytes, size: int) -> float:
        """µs of the packet thread's CPU per packet that left."""
        before, sent = self.engine.cpu_seconds()[0], self.engine.load()[0]
        self.library.pump(
            self.publisher.fileno(), data, len(data) // size, size, size, self.case.burst, self.case.interval_ns
        )
        packets = self.engine.load()[0] - sent
        return (self.engine.cpu_seconds()[0] - before) * 1e6 / packets

    def bare(self) -> float:
        targets = b"".join(
            struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(ip))
            for ip, port in (s.getsockname() for s in self.sockets)
        )
        case = self.case
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rounds = case.rounds
        seconds = self.library.bare_sendto(
            out.fileno(), targets, case.subscribers, bytes(PACKET), PACKET, case.burst, rounds, case.interval_ns
        )
        out.close()
        return float(seconds) * 1e6 / (rounds * case.subscribers * case.burst)

    def close(self) -> None:
        self.engine.close()
        for s in (*self.sockets, self.publisher):
            s.close()


def measure(case: Case, repeats: int = REPEATS) -> tuple[list[float], list[float]]:
    """µs per packet: forwarded, and by the bare loop; the two in turn."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})  # the packet thread inherits this
    bench = Bench(case)
    stop = multiprocessing.Value("i", 0)
    reader = multiprocessing.get_context("fork").Process(target=_drain, args=(bench.sockets, stop))
    try:
        os.sched_setaffinity(0, set(cores))
        reader.start()
        chunk = case.rounds * case.burst
        data, size, _ = protected(case.cipher, bench.key, chunk * (repeats + 1), case.burst)
        forwarded, bare = [], []
        for i in range(repeats + 1):
            value = bench.forward(data[i * chunk * size : (i + 1) * chunk * size], size)
            os.sched_setaffinity(0, {cores[0]})
            floor = bench.bare()
            os.sched_setaffinity(0, set(cores))
            if i:  # the first is a warm-up
                forwarded.append(value)
                bare.append(floor)
        return forwarded, bare
    finally:
        os.sched_setaffinity(0, set(cores))
        stop.value = 1
        reader.join()
        bench.close()


def cases(quick: bool) -> Iterator[Case]:
    for cipher in PROFILES:
        for subscribers in (50,) if quick else SUBSCRIBERS:
            for burst in BURSTS:
                yield Case(cipher, subscribers, burst)
                if subscribers == 50:
                    yield Case(cipher, subscribers, burst, whole=False)


def run(quick: bool = False) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    print(f"forward: one VP8 publisher, {PACKET}-byte packets, loopback, 1 packet thread; µs CPU per outgoing packet")
    for case in cases(quick):
        forwarded, bare = measure(case)
        ratios = [f / b for f, b in zip(forwarded, bare, strict=True)]
        value, floor, ratio = (statistics.median(x) for x in (forwarded, bare, ratios))
        cut = "" if case.whole else ", cut in software"
        print(
            f"  {case.cipher}, {case.subscribers:3} subscribers, bursts of {case.burst}{cut}: {value:5.2f} us "
            f"({min(forwarded):.2f}-{max(forwarded):.2f}); bare sendto {floor:5.2f} us; "
            f"ratio {ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
            flush=True,
        )
        rows.append(
            {
                "cipher": case.cipher,
                "subscribers": case.subscribers,
                "burst": case.burst,
                "whole": case.whole,
                "us": round(value, 3),
                "bare_us": round(floor, 3),
                "ratio": round(ratio, 3),
                "ratio_min": round(min(ratios), 3),
                "ratio_max": round(max(ratios), 3),
            }
        )
    return rows
