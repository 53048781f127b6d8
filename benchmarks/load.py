"""The Python face of the native load generator (native/load.h): many WebRTC clients in one thread of their own.

Signaling is its user's: a client is opened, told what it publishes and who its peer is, and then it checks, shakes
hands, sends and measures by itself. Figures are taken between `measure` and `figures`.
"""

import asyncio
import ctypes
import os
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from benchmarks.descriptions import MID_ID, TRANSPORT_CC_ID, Identity, Published, Remote
from benchmarks.native_build import HERE, build

MEDIA = Path(__file__).parent.parent / "mediaserver" / "native"
PARTS = ("load.c", "load_loop.c", "load_ice.c", "load_dtls.c", "load_send.c", "load_receive.c")
BUCKETS_PER_OCTAVE, BUCKETS = 32, 40 * 32  # of native/load.h
MAX_CLIENTS = 8192
SRTP_PROFILES = {1: "AES-CM-SHA1-80", 7: "AES-128-GCM", 8: "AES-256-GCM"}  # RFC 5764, RFC 7714
TOTALS = (
    "sent_packets",
    "sent_bytes",
    "received_packets",
    "received_bytes",
    "duplicates",
    "unauthentic",
    "keyframe_requests",
    "nacks_heard",
    "nacks_sent",
    "send_failures",
    "late_ns_max",
    "receive_calls",
    "rtcp_received",
)


class State(IntEnum):
    FREE = 0
    NEW = 1
    CHECKING = 2
    SECURING = 3
    OPEN = 4
    FAILED = 5


@dataclass(frozen=True)
class Figures:
    """What was seen since `Load.measure`."""

    totals: dict[str, int]
    lost_by_sequence: int
    """Holes in the sequence numbers that subscribers got."""
    lost_by_counter: int
    """Packets between the first and the last of a publisher that sampled subscribers got, and did not get."""
    streams: int
    """That have received anything."""
    own_drops: int
    """Datagrams that did not fit into our own sockets; since they were opened."""
    latencies: tuple[int, ...]
    cpu: float
    """Seconds of the generator's thread since it began."""

    @property
    def received(self) -> int:
        return self.totals["received_packets"]

    @property
    def sent(self) -> int:
        return self.totals["sent_packets"]

    @property
    def loss(self) -> float:
        """Of all packets that should have come; 0 to 1."""
        lost = max(self.lost_by_sequence, self.lost_by_counter)
        return lost / (self.received + lost) if self.received else 1.0

    def latency(self, share: float) -> float:
        """Seconds from a publisher's sending to the kernel's taking it in for a subscriber; `share` 0.5 for p50."""
        wanted = share * sum(self.latencies)
        seen = 0
        for bucket, count in enumerate(self.latencies):
            seen += count
            if count and seen >= wanted:
                octave, part = divmod(bucket, BUCKETS_PER_OCTAVE)
                return float(2.0**octave * (1 + (part + 0.5) / BUCKETS_PER_OCTAVE) * 1e-9)
        return float("nan")


class Load:
    """The generator. `core`: where its thread is pinned. `whole`: runs of packets are taken as one (UDP_GRO)."""

    def __init__(self, core: int | None = None, *, whole: bool = True, seed: int = 1) -> None:
        self._library = _library()
        self._load = self._library.load_new(-1 if core is None else core, int(whole), seed)
        if not self._load:
            raise OSError("the load generator cannot start")
        self._random = random.Random(seed)
        self._changed = asyncio.Event()
        self._news = self._library.load_news(self._load)
        asyncio.get_running_loop().add_reader(self._news, self._heard)
        self.fingerprint = self._library.load_fingerprint(self._load).decode()

    def open(self, ip: str = "127.0.0.1", *, sampled: bool = True) -> "Client":
        """A client that is connected to nobody yet. Not `sampled`: its packets are counted but not decrypted."""
        ufrag, pwd = secrets.token_hex(4), secrets.token_hex(16)
        number = self._library.load_open(self._load, ip.encode(), ufrag.encode(), pwd.encode(), int(sampled))
        if number < 0:
            raise OSError("no socket for another client")
        return Client(self, number, Identity(ufrag, pwd, self.fingerprint))

    def track(self, kind: str, mid: str) -> Published:
        """A track to publish, under an SSRC of its own."""
        return Published(kind, mid, self._random.randrange(1 << 16, 1 << 31) & ~1)

    def pace(self, fps: float, packets: int, size: int = 1100) -> None:
        """All publishers: pictures a second, packets a picture, bytes a packet's payload."""
        self._library.load_pace(self._load, fps, packets, size)

    def clip(self, frames: Sequence[bytes]) -> None:
        """All publishers send these VP8 frames in a loop, the first being a key frame, and silence."""
        sizes = (ctypes.c_uint32 * len(frames))(*map(len, frames))
        self._library.load_clip(self._load, b"".join(frames), sizes, len(frames))

    def pause(self, on: bool) -> None:
        """Publishers send nothing, or go on."""
        self._library.load_pause(self._load, int(on))

    def first(self) -> bool:
        """Puts the generator before everything else on its core; whether that is allowed."""
        return bool(self._library.load_first(self._load) == 0)

    def mute(self, on: bool) -> None:
        """Publishers send pictures only, or sound too."""
        self._library.load_mute(self._load, int(on))

    def sample(self, every: int) -> None:
        """Of the sampled clients' packets one in so many is decrypted and timed; losses by counter need every one."""
        self._library.load_sampling(self._load, every)

    def profiles(self, names: str) -> None:
        """The SRTP profiles that new connections offer, by OpenSSL's names, with colons between."""
        if self._library.load_profiles(self._load, names.encode()) != 0:
            raise ValueError(f"unknown SRTP profiles: {names}")

    def agreed(self) -> set[str]:
        """The SRTP profiles that open connections have agreed on."""
        numbers = {self._library.load_profile(self._load, number) for number in range(MAX_CLIENTS)} - {0}
        return {SRTP_PROFILES.get(number, f"profile {number}") for number in numbers}

    def measure(self) -> None:
        self._library.load_measure(self._load)

    def figures(self) -> Figures:
        totals = (ctypes.c_uint64 * len(TOTALS))()
        losses = (ctypes.c_int64 * 4)()
        latencies = (ctypes.c_uint64 * BUCKETS)()
        self._library.load_totals(self._load, totals)
        self._library.load_losses(self._load, losses)
        self._library.load_latencies(self._load, latencies)
        named = dict(zip(TOTALS, totals, strict=True))
        return Figures(named, losses[0], losses[1], losses[2], losses[3], tuple(latencies), self.cpu)

    @property
    def cpu(self) -> float:
        return float(self._library.load_cpu(self._load))

    async def until(self, condition: Callable[[], bool], what: str, patience: float = 15.0) -> None:
        """Waits for something that the clients' states tell."""
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"load generator: {what} did not come") from None

    def close(self) -> None:
        if self._load:
            asyncio.get_running_loop().remove_reader(self._news)
            self._library.load_stop(self._load)
            self._load = None

    def _heard(self) -> None:
        os.read(self._news, 8)
        self._changed.set()


class Client:
    """One endpoint: a socket, ICE, DTLS, and what it sends or receives."""

    def __init__(self, load: Load, number: int, identity: Identity) -> None:
        self.load = load
        self.identity = identity
        self._number = number

    def publish(self, track: Published) -> None:
        """To be sent as soon as the connection is open."""
        self.load._library.load_publish(
            self.load._load,
            self._number,
            int(track.kind == "video"),
            track.ssrc,
            track.payload_type,
            track.mid.encode(),
            MID_ID,
            TRANSPORT_CC_ID,
        )

    def connect(self, remote: Remote) -> None:
        """Starts, if it has not started yet."""
        name, pwd, ip = remote.ufrag.encode(), remote.pwd.encode(), remote.ip.encode()
        if self.load._library.load_connect(self.load._load, self._number, name, pwd, ip, remote.port) != 0:
            raise OSError(f"cannot connect to {remote.ip}")

    @property
    def state(self) -> State:
        return State(self.load._library.load_state(self.load._load, self._number))

    @property
    def port(self) -> int:
        """Of its UDP socket."""
        return int(self.load._library.load_port(self.load._load, self._number))

    @property
    def receiving(self) -> int:
        """Streams that have brought anything since `measure`."""
        return int(self.load._library.load_receiving(self.load._load, self._number))

    def times(self) -> tuple[float, float, float, float]:
        """When it was opened, connected, secured and got its first media: monotonic seconds, 0.0 for not yet."""
        out = (ctypes.c_int64 * 4)()
        self.load._library.load_times(self.load._load, self._number, out)
        return out[0] / 1e9, out[1] / 1e9, out[2] / 1e9, out[3] / 1e9

    async def opened(self) -> None:
        await self.load.until(lambda: self.state in (State.OPEN, State.FAILED), "a connection")
        if self.state is State.FAILED:
            raise OSError("the handshake has failed")

    async def fed(self) -> None:
        """Waits for the first media."""
        await self.load.until(lambda: self.times()[3] > 0, "media")

    def close(self) -> None:
        if self.load._load:
            self.load._library.load_close(self.load._load, self._number)


def _library() -> ctypes.CDLL:
    sources = [*(HERE / "native" / part for part in PARTS), MEDIA / "srtp.c", MEDIA / "header.c"]
    library = ctypes.CDLL(str(build("load", sources, shared=True, libraries=("ssl", "crypto"))))
    load, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    faces: dict[str, tuple[object, list[object]]] = {
        "load_new": (load, [number, number, ctypes.c_uint64]),
        "load_fingerprint": (text, [load]),
        "load_news": (number, [load]),
        "load_pace": (None, [load, ctypes.c_double, number, number]),
        "load_pause": (None, [load, number]),
        "load_first": (number, [load]),
        "load_mute": (None, [load, number]),
        "load_sampling": (None, [load, number]),
        "load_profiles": (number, [load, text]),
        "load_profile": (number, [load, number]),
        "load_port": (number, [load, number]),
        "load_clip": (None, [load, text, ctypes.c_void_p, number]),
        "load_nack": (None, [load, number]),
        "load_open": (number, [load, text, text, text, number]),
        "load_publish": (None, [load, number, number, ctypes.c_uint32, number, text, number, number]),
        "load_connect": (number, [load, number, text, text, text, number]),
        "load_close": (None, [load, number]),
        "load_state": (number, [load, number]),
        "load_receiving": (number, [load, number]),
        "load_times": (None, [load, number, ctypes.c_void_p]),
        "load_measure": (None, [load]),
        "load_totals": (None, [load, ctypes.c_void_p]),
        "load_losses": (None, [load, ctypes.c_void_p]),
        "load_latencies": (None, [load, ctypes.c_void_p]),
        "load_cpu": (ctypes.c_double, [load]),
        "load_stop": (None, [load]),
    }
    for name, (result, arguments) in faces.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
