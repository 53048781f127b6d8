"""A router whose connections, sources and sinks only remember what they were told: for tests of decisions."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mediaserver.conference.router import BEST_LAYER, FeedbackListener, LayerListener, LevelListener
from mediaserver.rtp.layers import ALL
from mediaserver.transport.connection import Lost, Opened, State, TextReceived, TransportEvent
from mediaserver.transport.negotiation import LocalTransport, PublishedSection, Slot
from mediaserver.transport.sdp import Candidate, Fingerprint, RemoteTransport, SctpParameters

FINGERPRINT = Fingerprint("sha-256", ":".join(["5E"] * 32))
CANDIDATE = Candidate("1", 1, "udp", 2130706431, "192.0.2.1", 7881)


@dataclass
class FakeConnection:
    """Follows `transport.connection.Connection`; `opens` and its like make happen what a network would."""

    number: int
    on_event: Callable[[TransportEvent], None]
    state: State = State.NEW
    generation: int = 0
    remotes: list[RemoteTransport] = field(default_factory=list)
    sctp: list[SctpParameters] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    counters: dict[str, int | float] = field(default_factory=dict)
    probes: list[tuple[float, int]] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    listener: FeedbackListener | None = None
    """Hears what the peer says of the packets it is sent."""
    called: list[tuple[str, int]] = field(default_factory=list)
    """Where the peer was said to wait."""
    when_met: Callable[[], None] | None = None
    """What happens while it is told who the peer is."""

    @property
    def local_ufrag(self) -> str:
        return f"local{self.number}gen{self.generation}"

    @property
    def local_pwd(self) -> str:
        return "a-password-of-sufficient-length"

    @property
    def native(self) -> "FakeConnection":
        return self

    def remote(self, remote: RemoteTransport) -> None:
        self.remotes.append(remote)
        if self.when_met:
            self.when_met()

    def call(self, remote: RemoteTransport, places: Sequence[tuple[str, int]]) -> None:
        self.called = list(places)
        self.remote(remote)

    def restart_ice(self) -> None:
        self.generation += 1

    def open_data_channel_transport(self, sctp: SctpParameters) -> None:
        if not self.sctp:
            self.sctp.append(sctp)

    def send_text(self, text: str) -> bool:
        if not self.sctp:
            return False
        self.texts.append(text)
        return True

    def close(self) -> None:
        self.state = State.CLOSED

    def stats(self) -> dict[str, int | float]:
        return {"number": self.number, **self.counters}

    def probe(self, rate_bps: float, size_bytes: int) -> None:
        self.probes.append((rate_bps, size_bytes))

    def pace(self, rate_bps: float) -> None:
        self.paces.append(rate_bps)

    def opens(self) -> None:
        self.state = State.OPEN
        self.on_event(Opened())

    def loses(self, why: str) -> None:
        self.state = State.CLOSED
        self.on_event(Lost(why))

    def says(self, text: str) -> None:
        self.on_event(TextReceived(text))


@dataclass(eq=False)
class FakeSource:
    kind: str
    muted: bool = False
    closed: bool = False
    known_sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    counters: list[dict[str, int | float]] = field(default_factory=list)
    listener: LayerListener | None = None
    level_listener: LevelListener | None = None

    def mute(self, muted: bool) -> None:
        self.muted = muted

    def layers(self) -> list[dict[str, int | float]]:
        return self.counters

    def sizes(self) -> dict[int, tuple[int, int]]:
        return self.known_sizes

    def on_layer(self, listener: LayerListener) -> None:
        self.listener = listener

    def on_level(self, listener: LevelListener) -> None:
        self.level_listener = listener

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeIntake:
    connection: FakeConnection
    sections: Sequence[PublishedSection] = ()
    feeds: dict[str, FakeSource] = field(default_factory=dict)

    def understand(self, sections: Sequence[PublishedSection]) -> None:
        self.sections = sections

    def feed(self, feeds: Iterable[tuple[FakeSource, PublishedSection]]) -> None:
        assert self.connection.state is not State.CLOSED, "nothing can be said to a closed connection"
        self.feeds = {section.mid: source for source, section in feeds}


@dataclass
class FakeSink:
    connection: FakeConnection
    slot: Slot
    codecs: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    carried: FakeSource | None = None
    layer: int = BEST_LAYER
    temporal: int = ALL
    redundancy: int = 0

    def accept(self, codecs: Mapping[int, tuple[int, int]], extensions: Mapping[int, int], redundancy: int = 0) -> None:
        self.codecs, self.redundancy = codecs, redundancy

    def carry(self, source: FakeSource | None, layer: int = BEST_LAYER, temporal: int = ALL) -> None:
        assert self.connection.state is not State.CLOSED, "nothing can be said to a closed connection"
        self.carried, self.layer, self.temporal = source, layer, temporal

    def stats(self) -> dict[str, int | float]:
        return {"packets": 0}


@dataclass
class FakeRouter:
    """Follows `conference.router.Router`."""

    rng: random.Random = field(default_factory=lambda: random.Random(7))
    thread: int = 0
    connections: list[FakeConnection] = field(default_factory=list)
    intakes: list[FakeIntake] = field(default_factory=list)
    sources: list[FakeSource] = field(default_factory=list)
    sinks: dict[int, list[FakeSink]] = field(default_factory=dict)
    """By the number of their connection."""

    def connect(self, on_event: Callable[[TransportEvent], None], *, asks: bool = False) -> FakeConnection:
        self.connections.append(FakeConnection(len(self.connections), on_event))
        return self.connections[-1]

    def on_feedback(self, connection: FakeConnection, listener: FeedbackListener | None) -> None:
        connection.listener = listener

    def open_connections(self) -> int:
        return sum(connection.state is not State.CLOSED for connection in self.connections)

    def session_id(self) -> int:
        return self.rng.getrandbits(62) + 1

    def cname(self) -> str:
        return f"{self.rng.getrandbits(96):024x}"

    def local(self, connection: FakeConnection, session_id: int, version: int) -> LocalTransport:
        return LocalTransport(
            connection.local_ufrag, connection.local_pwd, FINGERPRINT, (CANDIDATE,), session_id, version
        )

    def intake(self, connection: FakeConnection) -> FakeIntake:
        self.intakes.append(FakeIntake(connection))
        return self.intakes[-1]

    def source(self, kind: str) -> FakeSource:
        self.sources.append(FakeSource(kind))
        return self.sources[-1]

    def sink(self, connection: FakeConnection, slot: Slot) -> FakeSink:
        sink = FakeSink(connection, slot)
        self.sinks.setdefault(connection.number, []).append(sink)
        return sink

    def ssrc(self, taken: set[int]) -> int:
        ssrc = self.rng.getrandbits(32)
        taken.add(ssrc)
        return ssrc
