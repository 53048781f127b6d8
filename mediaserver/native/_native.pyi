"""The forwarding core as Python sees it: objects to create, commands to give, events to read, counters to look at.

A packet thread owns everything it works on. Each call here makes what it needs, then hands a command to the thread
(through a ring, without waiting); the packets that follow see its effect. Calls are not thread-safe among each
other: one Python thread (the event loop's) uses one `Engine`.

An `Engine(simulated=True)` has neither sockets nor threads: commands act at once, `receive` and `advance` move it
by hand, `sent` tells what it would have sent. Scenario tests run on that.

Times are float seconds of the monotonic clock.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum

ADDRESS_SIZE: int
"""Bytes in an address: an opaque, hashable key of (our socket, UDP or TCP, peer's ip and port)."""

class EventKind(IntEnum):
    STUN = 1
    """`(STUN, address, data, connection_id)`: a STUN message; `connection_id` is 0 for an unknown address."""
    DTLS = 2
    """`(DTLS, address, data, connection_id)`: a DTLS record from an address of that connection."""
    LAYER = 3
    """`(LAYER, track_id, layer, codec)`: the first authenticated packet of a layer (index as in `rids`) came."""
    STREAM_CLOSED = 4
    """`(STREAM_CLOSED, address)`: the TCP stream behind this address has ended."""
    FEEDBACK = 5
    """`(FEEDBACK, connection_id, records)`: what a peer says of the packets this connection has sent it.

    One for each transport-wide feedback message (a very long one is split). `records` are `FEEDBACK_RECORD`s: groups
    of packets that were sent within 5 ms of each other, in the order in which they were sent. Received ones: when the
    last of them left (our monotonic clock) and when it arrived (the peer's clock: only differences mean something),
    both in microseconds; their bytes together; how many they are. Lost ones of the same stretch: a record of their
    own, arrival -1. Those told as lost that came after all: one with arrival -1, no bytes, and a number below 0. Else
    no packet is told twice; one that was sent again under its number counts as lost, whatever came. Where a message was
    lost, the next may tell of packets that were sent before what was told last.
    """
    LEVELS = 6
    """`(LEVELS, records)`: how loud the audio tracks are, ten times a second while any has sound.

    `records` are `LEVEL_RECORD`s, one for each track with packets since the last time: track id, packets, how many of
    them had voice, the loudest level and the mean one, both in -dBov: 0 is the loudest, 127 is silence (RFC 6464).
    """

FEEDBACK_RECORD: str
"""For `struct`: sent, arrived (-1: lost), bytes, packets; "=qqii"."""
LEVEL_RECORD: str
"""For `struct`: track id, packets (at most 255), packets with voice, loudest, mean; "=IBBBB"."""

Event = (
    tuple[EventKind, bytes, bytes, int]
    | tuple[EventKind, int, int, int]
    | tuple[EventKind, int, bytes]
    | tuple[EventKind, bytes]
)

def address_from(socket: int, ip: str, port: int) -> bytes:
    """The address of a UDP peer as seen on our socket number `socket`. Raises ValueError for a bad ip."""

def address_text(address: bytes) -> tuple[str, int, str]:
    """(ip, port, "udp" | "tcp") of an address, for candidates and logs."""

class Engine:
    """All sockets and packet threads of one server."""

    sockets: list[tuple[str, int]]
    """What is listened on, in the order of socket numbers: (ip, port). Port 0 is replaced by the one given."""
    threads: int

    def __init__(
        self,
        *,
        listen: Sequence[tuple[str, int]] = (),
        threads: int = 1,
        simulated: bool = False,
        wall_offset: float = 0.0,
        socket_buffer_bytes: int = 4 << 20,
        segment_offload: bool = True,
        run_wait: float = 0.0,
    ) -> None:
        """Binds UDP sockets (each thread has its own on every address, SO_REUSEPORT); OSError says which failed.

        `wall_offset`: wall clock minus monotonic clock, seconds, for the NTP time in sender reports.
        `run_wait`: how long (at most 0.001) a run of packets to one subscriber may wait to grow.
        """

    def start(self) -> None:
        """Starts the threads. Until then datagrams wait in the kernel."""

    def close(self) -> None:
        """Stops the threads and closes the sockets. May be called twice. Objects made from it are dead then."""

    def fileno(self) -> int:
        """An eventfd that is readable while `poll` has something to tell."""

    def poll(self, limit: int = 256) -> list[Event]:
        """The events since the last call, at most `limit`; call again while it returns as many. Never waits."""

    def send(self, address: bytes, data: bytes) -> bool:
        """Sends one control datagram (STUN, DTLS); False if the kernel's buffer was full and it was dropped."""

    def adopt_stream(self, fd: int, thread: int, peer: tuple[str, int]) -> bytes:
        """Gives a connected, non-blocking TCP socket (RFC 4571 framing) to a thread; returns its address.

        The thread owns and closes `fd` from now on.
        """

    def adopt_local(self, fd: int, thread: int) -> bytes:
        """Gives one end of a SOCK_SEQPACKET pair, whose other end a process of ours holds, to a thread; its address.

        Packets go through it as they are, one at a time; see `Connection.trust`. How many may wait for a process that
        does not read is its SO_SNDBUF; what finds no room is dropped (`dropped_local_full`). STREAM_CLOSED tells that
        the other end was closed. The thread owns and closes `fd` from now on.
        """

    def close_stream(self, address: bytes) -> None: ...
    def feed_stream(self, address: bytes, data: bytes) -> None:
        """Hands on bytes that were read from the stream before it was adopted (whole frames or parts of one)."""

    def load(self) -> list[int]:
        """Packets sent by each thread so far; what a new conference is placed by."""

    def cpu_seconds(self) -> list[float]:
        """CPU time each thread has used so far."""

    def stats(self) -> dict[str, int]:
        """Counters of the whole engine by name; each way to drop a packet is one, `dropped_<reason>`."""

    # simulated engines only
    def receive(self, address: bytes, data: bytes, now: float) -> None: ...
    def advance(self, now: float) -> None:
        """Lets timers that are due by `now` act."""

    def next_deadline(self) -> float | None: ...
    def sent(self) -> list[tuple[bytes, bytes]]:
        """(address, datagram) of everything sent since the last call, in order."""

class Connection:
    """One encrypted transport to one participant, pinned to one thread."""

    id: int
    thread: int

    def __init__(self, engine: Engine, thread: int = 0) -> None: ...
    def allow(self, address: bytes) -> None:
        """Packets from `address` (proved by an authenticated check) belong to this connection.

        At most 8; the oldest goes.
        """

    def send_to(self, address: bytes) -> None:
        """What this connection sends goes there from now on (allows it too)."""

    def keys(self, profile: str, receive: bytes, send: bytes) -> None:
        """Starts SRTP. `profile` as in RFC 5764 and RFC 7714: SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM,
        SRTP_AES128_CM_SHA1_80. `receive` and `send` are master key and salt, one behind the other. ValueError for
        a wrong length or name."""

    def trust(self, address: bytes) -> None:
        """The peer is a process of ours behind an address of `Engine.adopt_local`: nothing is encrypted either way.

        For all else it is a connection as any: its sinks send RTP and sender reports, and take NACK and PLI; what comes
        from it feeds tracks. ValueError for an address of another kind.
        """

    def receive_extensions(self, ids: Mapping[int, int]) -> None:
        """{id on the wire: `Extension`} of what this peer sends."""

    def send_feedback(
        self, *, nack: bool = True, audio_nack: bool = False, transport_cc: bool = True, remb_bps: int = 0
    ) -> None:
        """Which feedback the peer understands; `nack` for pictures. `remb_bps` > 0: the cap that REMB tells if
        transport-cc is off.
        """

    def receive_track(
        self,
        track: Track,
        *,
        mid: str,
        payloads: Mapping[int, tuple[int, int]],
        retransmissions: Mapping[int, int],
        rids: Sequence[str] = (),
        ssrcs: Sequence[int] = (),
        repair_ssrcs: Sequence[int] = (),
    ) -> None:
        """What arrives on this section feeds `track`.

        `payloads`: {payload type: (`CodecId`, clock rate)}; `retransmissions`: {RTX payload type: payload type};
        `rids` from high to low (layer 0 is the best), at most 3; `ssrcs` and `repair_ssrcs` when the description
        names them, in the order of layers. Given again for a mid it replaces what was said; None of the packets is
        lost.
        """

    def stop_receiving(self, mid: str) -> None: ...
    def pace(self, rate_bps: float) -> None:
        """Pictures leave no faster than this, all that is sent counted; what is too much waits up to half a second.

        Sound and retransmissions do not wait. 0: everything leaves at once, as before the first call.
        """

    def probe(self, rate_bps: float, size_bytes: int) -> None:
        """Sends at `rate_bps` in steps of 5 ms until `size_bytes` have gone, what is sent anyhow counted.

        The rest are retransmissions and padding on the RTX stream of a picture: without one that has sent before
        nothing happens. A new probe ends the one before.
        """

    def stats(self) -> dict[str, int | float]:
        """packets_received, bytes_received, packets_sent, bytes_sent, unauthentic, round_trip (seconds, -1: unknown),
        remb_bps and remb_age (seconds since the peer told it, -1: never). By receiver reports, over all sinks since
        the beginning: reported (packets told of), reported_lost (of these), report_age."""
    def close(self) -> None:
        """Ends it: its tracks lose their source, its sinks are gone. May be called twice."""

class Track:
    """A participant's sound or picture as it arrives: up to three layers; fed by one connection, read by sinks."""

    id: int
    thread: int

    def __init__(self, engine: Engine, kind: str, thread: int = 0) -> None:
        """`kind` is "audio" or "video". `thread` is the one its sinks live in: the conference's."""

    def mute(self, muted: bool) -> None:
        """Muted, its packets are dropped here (and counted)."""

    def request_keyframe(self) -> None:
        """Asks the sender for a key frame of every layer that is watched; throttled."""

    def layers(self) -> list[dict[str, int | float]]:
        """Per bound layer, best first: layer, ssrc, codec (-1: nothing came yet), packets, bytes, lost, nacked,
        recovered, duplicates, jitter (seconds), rate_bps, keyframes, plis, width, height (0: unknown), age (seconds
        since the last packet, -1: none), fps, temporal_layers (0: unknown).

        A stream that holds several spatial layers (SVC) has an entry for each, with the rate of all that it needs.
        Rates and fps are those of about the last second."""

    def close(self) -> None: ...

class Sink:
    """One outgoing RTP stream of a connection: a slot. It owns SSRC, numbers and times; tracks come and go."""

    id: int

    def __init__(
        self,
        connection: Connection,
        kind: str,
        *,
        ssrc: int,
        repair_ssrc: int,
        sequence: int,
        timestamp: int,
        cname: str,
    ) -> None:
        """`sequence` is the first sequence number, below 2**15; `repair_ssrc` 0 for none. ValueError for an SSRC that
        this connection has sent from before: its numbers would begin anew under the same keys."""

    def accept(self, codecs: Mapping[int, tuple[int, int]], extensions: Mapping[int, int], redundancy: int = 0) -> None:
        """What the subscriber understands. `codecs`: {`CodecId`: (payload type, RTX payload type or -1)};
        `extensions`: {`Extension`: id}. RED goes as plain Opus to who takes no RED. To who does, plain Opus goes with
        the `redundancy` packets before it, at most 3, and is then not repeated when it is asked for."""

    def attach(self, track: Track, layer: int = -1, temporal: int = -1) -> None:
        """Carries `track` from now on: replays since its last key frame if that is short, else asks for one.

        `layer` -1 is the best that has media now, 0 the best of all: a simulcast stream, or the spatial layers of an
        SVC stream. `temporal` is the highest temporal layer that is sent, -1: all. Given again for the same track it
        changes these: to fewer layers at once, to more temporal ones at the next frame that permits it, to another
        simulcast stream or a higher spatial layer at a key frame, which is asked for."""

    def detach(self) -> None:
        """Parks the slot: nothing is sent, the numbers stay."""

    def stats(self) -> dict[str, int | float]:
        """packets, bytes, retransmitted, lost (as the receiver reports), fraction_lost, round_trip (seconds, -1:
        unknown),
        jitter (seconds), keyframes_requested, layer and temporal (what is carried now, as in `attach`; layer -1:
        nothing, temporal -1: all)."""

    def close(self) -> None: ...
