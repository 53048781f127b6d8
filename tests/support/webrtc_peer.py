"""A peer on simulated time: a controlling ICE agent and a DTLS client, against a `Port` over a simulated engine."""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiortc import RTCCertificate

from mediaserver import native
from mediaserver.config import MediaConfig
from mediaserver.transport import stun
from mediaserver.transport.connection import Connection, TransportEvent
from mediaserver.transport.dtls import Certificate
from mediaserver.transport.port import Port
from mediaserver.transport.sdp import Fingerprint, RemoteTransport
from tests.support.clock import MovableClock
from tests.support.dtls_peer import DtlsPeer

OURS = Certificate.generate()
THEIRS = RTCCertificate.generateCertificate()
FINGERPRINT = Fingerprint("sha-256", THEIRS.getFingerprints()[0].value)
WIFI = native.address_from(0, "198.51.100.1", 5001)
MOBILE = native.address_from(0, "203.0.113.9", 6001)


class World:
    """A port, a clock and nothing that runs by itself."""

    def __init__(self, **config) -> None:
        self.clock = MovableClock()
        self.engine = native.Engine(simulated=True)
        self.port = Port(MediaConfig(**config), self.clock, OURS, engine=self.engine)

    def receive(self, address: bytes, *datagrams: bytes) -> list[tuple[bytes, bytes]]:
        """Lets datagrams arrive; returns what was sent upon them."""
        for datagram in datagrams:
            self.engine.receive(address, datagram, self.clock.now)
        self.port.pump()
        return self.engine.sent()

    def advance(self, seconds: float) -> list[tuple[bytes, bytes]]:
        """Moves the clock, stopping at every deadline on the way; returns what was sent."""
        end = self.clock.now + seconds
        while (at := self.port.next_deadline()) is not None and at <= end:
            self.clock.advance(max(0.0, at - self.clock.now))
            self.port.wake_due()
        self.clock.advance(end - self.clock.now)
        self.engine.advance(self.clock.now)
        return self.engine.sent()


@dataclass
class Peer:
    """One participant's end of one connection."""

    world: World
    address: bytes = WIFI
    events: list[TransportEvent] = field(default_factory=list)
    on_event: Callable[[TransportEvent], None] | None = None
    connection: Connection = field(init=False)
    dtls: DtlsPeer = field(init=False)
    _transactions: int = 0

    def __post_init__(self) -> None:
        self.connection = self.world.port.open(thread=0, on_event=self.on_event or self.events.append)
        self.dtls = DtlsPeer(THEIRS._cert, THEIRS._key)

    def described(self, **changes) -> RemoteTransport:
        told = {"ufrag": "peer", "pwd": "p" * 24, "fingerprints": (FINGERPRINT,), "setup": "active"} | changes
        return RemoteTransport(**told)

    def describe(self, **changes) -> None:
        self.connection.remote(self.described(**changes))

    def check(self, *, nominate: bool = True, ufrag: str = "", pwd: str = "", **attributes) -> stun.Message | None:
        """Sends a check; returns the answer."""
        self._transactions += 1
        ufrag, pwd = ufrag or self.connection.local_ufrag, pwd or self.connection.local_pwd
        attributes = {"priority": 1, "controlling": 7, "use_candidate": nominate} | attributes
        transaction = self._transactions.to_bytes(12, "big")
        request = stun.request(transaction, f"{ufrag}:peer", pwd.encode(), **attributes)
        answers = [stun.parse(data) for to, data in self.world.receive(self.address, request) if data[0] < 4]
        return answers[0] if answers else None

    def handshake(self) -> None:
        """Everything between the first hello and the last answer."""
        self.exchange(self.dtls.step())

    def exchange(self, to_server: list[bytes]) -> None:
        """Delivers, and what comes of it, until both are silent."""
        while to_server:
            answers = self.world.receive(self.address, *to_server)
            to_server = [datagram for _, answer in answers for datagram in self.dtls.step(answer)]

    def connect(self) -> None:
        self.describe()
        self.check()
        self.handshake()
