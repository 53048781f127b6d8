"""A simulated engine with simulated participants around it, in a time that only events move.

Everything happens in the order of its time, seeded, so a run repeats exactly. What the engine sends is watched for the
one thing that must never happen: two different packets under one SRTP index.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from mediaserver.native import Connection, Engine, Sink, Track, address_from
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.sequence import unwrap
from tests.support.link import Link, Weather
from tests.support.rtp_peer import PROFILES, Plain, Srtp
from tests.support.rtp_publisher import PUBLISHED_IDS, Layer, Publisher, SenderClock
from tests.support.rtp_subscriber import ReceivedStream, Subscriber

TICK = 0.005  # of the engine's timers
SUBSCRIBER_TICK = 0.005
REPORT_EVERY = 1.0
FEEDBACK_EVERY = 0.1
FRAME_RATE = {"video": 30.0, "audio": 50.0}
GCM = "SRTP_AEAD_AES_128_GCM"
PLAIN = "none"
ACCEPTED: dict[int, tuple[int, int]] = {
    codec: (c.payload_type, -1 if c.rtx_payload_type is None else c.rtx_payload_type) for codec, c in CODECS.items()
}
SUBSCRIBED_IDS: dict[int, int] = {
    Extension.ABS_SEND_TIME: 2,
    Extension.AUDIO_LEVEL: 3,
    Extension.TRANSPORT_CC: 5,
    Extension.DEPENDENCY_DESCRIPTOR: 14,
}


class NonceWatch:
    """Asserts that all that leaves under one SRTP index is the same, to the byte."""

    def __init__(self) -> None:
        self._packets: dict[tuple[bytes, int], dict[int, bytes]] = {}
        self._highest: dict[tuple[bytes, int], int] = {}
        self._rtcp: dict[bytes, set[int]] = {}
        self.repeats = 0

    def sent(self, to: bytes, data: bytes, *, tag_first: bool) -> None:
        if 192 <= data[1] < 224:
            index = int.from_bytes(data[-4:] if tag_first else data[-14:-10])
            indexes = self._rtcp.setdefault(to, set())
            assert index not in indexes, "an SRTCP index was used twice"
            indexes.add(index)
            return
        stream = to, int.from_bytes(data[8:12])
        number = int.from_bytes(data[2:4])
        index = unwrap(number, self._highest.get(stream, number))
        self._highest[stream] = max(index, self._highest.get(stream, index))
        digest = blake2b(data, digest_size=8).digest()
        before = self._packets.setdefault(stream, {}).setdefault(index, digest)
        assert before == digest, f"SRTP index {index} of SSRC {stream[1]} was used for two different packets"
        self.repeats += before is not digest


@dataclass(slots=True)
class Line:
    """One connection between a peer and the engine."""

    address: bytes
    native: Connection
    up: Link
    down: Link
    receive: Callable[[bytes, float], None]
    profile: str


@dataclass(slots=True)
class Seat:
    """A subscriber with its sinks, and what it received by each."""

    peer: Subscriber
    line: Line
    sinks: list[Sink]

    @property
    def stream(self) -> ReceivedStream:
        return self.peer.streams[0]


@dataclass(slots=True)
class Stage:
    """A publisher with its tracks by mid."""

    peer: Publisher
    line: Line
    tracks: dict[str, Track]


class Simulation:
    def __init__(self, *, seed: int = 1, profile: str = GCM, wall_offset: float = 1_700_000_000.0) -> None:
        self.engine = Engine(simulated=True, wall_offset=wall_offset)
        self.wall_offset = wall_offset
        self.now = 100.0
        self.profile = profile
        self.random = Random(seed)
        self.watch = NonceWatch()
        self.on_arrival: Callable[[Line, bytes], None] | None = None
        self.on_sent: Callable[[Line, bytes], None] | None = None
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._lines: dict[bytes, Line] = {}
        self._hosts = count(1)
        self.every(TICK, self._tick)

    # -- time --

    def at(self, time: float, action: Callable[[], None]) -> None:
        heappush(self._queue, (time, next(self._order), action))

    def every(self, period: float, action: Callable[[], None], *, start: float | None = None) -> None:
        """From `start` (else from now) on. Times are multiples: they do not drift."""
        first = self.now if start is None else start
        steps = count()

        def again() -> None:
            action()
            self.at(first + next(steps) * period, again)

        next(steps)
        self.at(first, again)

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self._queue and self._queue[0][0] <= until:
            time, _, action = heappop(self._queue)
            self.now = max(self.now, time)
            action()
            self.flush()
        self.now = until

    def _tick(self) -> None:
        self.engine.advance(self.now)

    def flush(self) -> None:
        """Puts what the engine has sent on its way."""
        for address, data in self.engine.sent():
            line = self._lines[address]
            if line.profile != PLAIN:
                self.watch.sent(address, data, tag_first="GCM" in line.profile)
            if self.on_sent:
                self.on_sent(line, data)
            for arrival in line.down.arrivals(len(data), self.now):
                self.at(arrival, lambda line=line, data=data: line.receive(data, self.now))  # type: ignore[misc]

    # -- lines --

    def line(self, up: Weather, down: Weather, *, path: bool = True) -> tuple[Line, Srtp]:
        """A connection with keys and, if `path`, somewhere to send to; `receive` is still to be set."""
        size = PROFILES[self.profile][1]
        to_engine, from_engine = self.random.randbytes(size), self.random.randbytes(size)
        host = next(self._hosts)
        address = address_from(0, f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}", 5000)
        native = Connection(self.engine)
        if path:
            native.send_to(address)
        native.keys(self.profile, to_engine, from_engine)
        seeds = self.random.getrandbits(32), self.random.getrandbits(32)
        line = Line(address, native, Link(up, seeds[0]), Link(down, seeds[1]), lambda _data, _now: None, self.profile)
        self._lines[address] = line
        return line, Srtp(self.profile, to_engine, from_engine)

    def local_line(self) -> tuple[Line, Plain]:
        """A connection to a process of ours: nothing is encrypted, nothing is lost or late."""
        address = self.engine.adopt_local(-1, 0)
        native = Connection(self.engine)
        native.trust(address)
        line = Line(address, native, Link(Weather(delay=0.0), 1), Link(Weather(delay=0.0), 2), lambda *_: None, PLAIN)
        self._lines[address] = line
        return line, Plain()

    def send(self, line: Line, data: bytes) -> None:
        """From the peer towards the engine."""
        for arrival in line.up.arrivals(len(data), self.now):
            self.at(arrival, lambda: self.arrive(line, data))

    def arrive(self, line: Line, data: bytes) -> None:
        if self.on_arrival:
            self.on_arrival(line, data)
        self.engine.receive(line.address, data, self.now)

    # -- participants --

    def publish(
        self,
        layers: Sequence[Layer],
        *,
        up: Weather | None = None,
        down: Weather | None = None,
        clock: SenderClock | None = None,
        declare: bool = True,
        start: bool = True,
        **feedback: Any,
    ) -> Stage:
        """A publisher whose layers, grouped by mid, are tracks. `declare`: their SSRCs stand in the description."""
        line, srtp = self.line(up or Weather(), down or Weather())
        line.native.receive_extensions({number: kind for kind, number in PUBLISHED_IDS.items()})
        line.native.send_feedback(**feedback)
        peer = Publisher(srtp, list(layers), lambda data: self.send(line, data), clock or SenderClock())
        peer.transport_cc = feedback.get("transport_cc", True)
        line.receive = peer.receive
        tracks = {}
        for mid in dict.fromkeys(layer.mid for layer in layers):
            kind = CODECS[next(layer.codec for layer in layers if layer.mid == mid)].kind
            tracks[mid] = Track(self.engine, kind)
        stage = Stage(peer, line, tracks)
        for mid in tracks:
            self.describe(stage, mid, declare=declare)
        self.every(REPORT_EVERY, lambda: peer.report(self.now), start=self.now + 0.1)
        for layer in layers if start else ():
            self.start(stage, layer)
        return stage

    def describe(self, stage: Stage, mid: str, *, declare: bool = True) -> None:
        layers = [layer for layer in stage.peer.layers if layer.mid == mid]
        codecs = {layer.codec for layer in layers}
        named = declare and not any(layer.rid for layer in layers)
        stage.line.native.receive_track(
            stage.tracks[mid],
            mid=mid,
            payloads={CODECS[c].payload_type: (c, CODECS[c].clock_rate) for c in codecs},
            retransmissions={rtx: CODECS[c].payload_type for c in codecs if (rtx := CODECS[c].rtx_payload_type)},
            rids=[layer.rid for layer in layers if layer.rid],
            ssrcs=[layer.ssrc for layer in layers] if named else (),
            repair_ssrcs=[layer.repair_ssrc for layer in layers] if named else (),
        )

    def start(self, stage: Stage, layer: Layer) -> None:
        rate = FRAME_RATE[CODECS[layer.codec].kind]
        self.every(1 / rate, lambda: stage.peer.send_frame(layer, self.now))

    def subscribe(
        self,
        tracks: Sequence[Track],
        *,
        kinds: Sequence[str] = ("video",),
        layer: int = -1,
        temporal: int = -1,
        up: Weather | None = None,
        down: Weather | None = None,
        codecs: Mapping[int, tuple[int, int]] | None = None,
        extensions: Mapping[int, int] | None = None,
        repair: bool = True,
        sequence: int | None = None,
        path: bool = True,
    ) -> Seat:
        """A subscriber with a slot for each of `tracks`."""
        line, srtp = self.line(up or Weather(), down or Weather(), path=path)
        peer = Subscriber(srtp, lambda data: self.send(line, data), self.random.getrandbits(32))
        line.receive = peer.receive
        seat = Seat(peer, line, [])
        for i, track in enumerate(tracks):
            video = kinds[i % len(kinds)] == "video"
            ssrc, repair_ssrc = self.random.getrandbits(32), self.random.getrandbits(32) if video and repair else 0
            sink = Sink(
                line.native, "video" if video else "audio", ssrc=ssrc, repair_ssrc=repair_ssrc, cname="publisher",
                sequence=self.random.getrandbits(15) if sequence is None else sequence,
                timestamp=self.random.getrandbits(32),
            )  # fmt: skip
            sink.accept(ACCEPTED if codecs is None else codecs, SUBSCRIBED_IDS if extensions is None else extensions)
            seat.sinks.append(sink)
            peer.streams.append(ReceivedStream(ssrc, repair_ssrc, video=video))
            sink.attach(track, layer, temporal)
        peer.number_id = (SUBSCRIBED_IDS if extensions is None else extensions).get(Extension.TRANSPORT_CC)
        self.every(SUBSCRIBER_TICK, lambda: peer.tick(self.now))
        self.every(FEEDBACK_EVERY, lambda: peer.feedback(self.now), start=self.now + 0.05)
        self.every(REPORT_EVERY, lambda: peer.report(self.now), start=self.now + 0.5)
        self.flush()
        return seat


def camera(codec: CodecId = CodecId.VP8, *, source: int = 1, mid: str = "v", **options: Any) -> Layer:
    """One layer of video with SSRCs of its own."""
    return Layer(source, codec, 1000 + source, 2000 + source, mid, **options)


def microphone(*, source: int = 9, mid: str = "a", **options: Any) -> Layer:
    return Layer(source, CodecId.OPUS, 1000 + source, 0, mid, packets_per_frame=1, size=120, **options)


def simulcast(codec: CodecId = CodecId.VP8, *, source: int = 1, mid: str = "v") -> list[Layer]:
    """Three layers, best first."""
    sizes = {"f": (4, 1280, 720), "h": (2, 640, 360), "q": (1, 320, 180)}
    return [
        camera(
            codec, source=source + i, mid=mid, rid=rid, packets_per_frame=packets, width=width, height=height,
            sequence=1000 * (i + 1), timestamp=77777 * (i + 1), picture_id=100 * i,
        )
        for i, (rid, (packets, width, height)) in enumerate(sizes.items())
    ]  # fmt: skip
