"""The media port: one UDP port (and one for passive ICE over TCP) for all participants.

The shell around the rules: takes checks and handshakes from the forwarding core, gives each to the connection it
belongs to, and arms one timer for all of them. A check finds its connection by our ufrag (`names.py`), a DTLS datagram
by its address, which the core knows; TCP streams are kept by `tcp_streams.py`. It decides nothing; what strangers send
is counted and forgotten. RFC 7983.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from mediaserver import native
from mediaserver.clock import Clock
from mediaserver.config import MediaConfig
from mediaserver.errors import MalformedPacket
from mediaserver.native import EventKind
from mediaserver.transport import sockets, stun
from mediaserver.transport.addresses import candidates, interface_ips, listened
from mediaserver.transport.connection import Connection, State, TransportEvent
from mediaserver.transport.deadlines import Deadlines
from mediaserver.transport.dtls import Certificate
from mediaserver.transport.loads import Loads
from mediaserver.transport.names import Names
from mediaserver.transport.sdp import Candidate
from mediaserver.transport.tcp import TcpListener
from mediaserver.transport.tcp_streams import TcpStreams

EVENTS_PER_WAKE = 64  # then others in the event loop have their turn: some milliseconds of checks
SIMULATED_IP = "192.0.2.1"  # what a simulated port tells to be reached at

_T = TypeVar("_T")
log = structlog.get_logger()


class Port:
    """Owns the forwarding core, reads its events in the event loop, feeds connections, arms timers.

    With a simulated `engine` there is no loop, no socket and no timer: `pump` and `wake_due` are called by hand.
    """

    def __init__(
        self, config: MediaConfig, clock: Clock, certificate: Certificate, *, engine: native.Engine | None = None
    ) -> None:
        self.fingerprint = certificate.fingerprint
        self.candidates: tuple[Candidate, ...] = ()
        """Where we can be reached, for our descriptions; known once started."""
        self.on_layer: Callable[[int, int, int], None] | None = None
        """Called with track id, layer and codec when the first packet of a layer has come."""
        self.on_feedback: Callable[[int, bytes], None] | None = None
        """Called with connection id and records of each transport-wide feedback message (`EventKind.FEEDBACK`)."""
        self.on_levels: Callable[[bytes], None] | None = None
        """Called with the levels of a thread's audio tracks (`EventKind.LEVELS`)."""
        self._config = config
        self._clock = clock
        self._certificate = certificate
        self._engine = engine
        self._connections: dict[int, Connection] = {}
        self._names = Names()
        self._streams = TcpStreams(self._names, lambda: self.engine, most=config.max_tcp_streams)
        self._deadlines = Deadlines()
        self._counters: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tcp: TcpListener | None = None
        self._loads = Loads()
        if engine is not None:
            self.candidates = candidates(config.announced_ips or (SIMULATED_IP,), config.udp_port, 0)

    @property
    def engine(self) -> native.Engine:
        assert self._engine is not None, "the port is started before it is used"
        return self._engine

    async def start(self) -> None:
        """Binds everything and starts the packet threads; OSError or ValueError says what cannot be listened on."""
        if self._engine is not None:
            return
        config = self._config
        ips = listened(config.listen_ips, [ip for ip in interface_ips() if sockets.bindable(ip)])
        udp_port, tcp_sockets = sockets.bind(ips, config.udp_port, config.tcp_port)
        try:
            self._engine = self._make_engine(ips, udp_port)
        except BaseException:
            for each in tcp_sockets:
                each.close()
            raise
        tcp_port = tcp_sockets[0].getsockname()[1] if tcp_sockets else 0
        self.candidates = candidates(config.announced_ips or ips, udp_port, tcp_port)
        self._tcp = TcpListener(
            tcp_sockets, self._streams, self._counters, first_frame_timeout=config.tcp_first_frame_timeout
        )
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._engine.fileno(), self.pump)
        self._engine.start()
        self._tcp.start()
        log.info("media port open", ips=ips, udp_port=udp_port, tcp_port=tcp_port, threads=self._engine.threads)

    async def aclose(self) -> None:
        """Closes all connections and stops the packet threads. May be called twice."""
        for connection in list(self._connections.values()):
            connection.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._tcp is not None:
            await self._tcp.aclose()
        if self._engine is not None:
            if self._loop is not None and self._engine.fileno() >= 0:
                self._loop.remove_reader(self._engine.fileno())
            self._engine.close()

    def pick_thread(self) -> int:
        """The packet thread that has the least to do; for a new conference."""
        connections = (each.native.thread for each in self._connections.values())
        return self._loads.pick(self.engine.load(), connections, self._clock.monotonic())

    def open(self, *, thread: int, on_event: Callable[[TransportEvent], None], asks: bool = False) -> Connection:
        """A new connection on that thread, known to nobody yet; with `asks` it is ours to begin."""
        connection = Connection(
            native.Connection(self.engine, thread),
            self,
            certificate=self._certificate,
            config=self._config,
            new_credentials=self._names.new_credentials,
            on_event=on_event,
            asks=asks,
        )
        self._connections[connection.id] = connection
        return connection

    def stats(self) -> dict[str, int]:
        """Counters of what was dropped and why, and how much there is."""
        sizes = {"connections": len(self._connections), "ufrags": len(self._names), "tcp_streams": len(self._streams)}
        return {**self._counters, **sizes}

    # events and timers: called by the event loop, or by hand in a simulation

    def pump(self) -> None:
        """Reads some of the core's events; the loop calls again while there are more."""
        for event in self.engine.poll(EVENTS_PER_WAKE):
            match event:
                case (EventKind.STUN, bytes(address), bytes(data), _):
                    self._stun_arrived(address, data)
                case (EventKind.DTLS, _, bytes(data), int(connection_id)):
                    self._dtls_arrived(connection_id, data)
                case (EventKind.LAYER, int(track), int(layer), int(codec)):
                    if self.on_layer is not None:
                        self.on_layer(track, layer, codec)
                case (EventKind.FEEDBACK, int(connection_id), bytes(records)):
                    if self.on_feedback is not None:
                        self.on_feedback(connection_id, records)
                case (EventKind.LEVELS, bytes(records)):
                    if self.on_levels is not None:
                        self.on_levels(records)
                case (EventKind.STREAM_CLOSED, bytes(address)):
                    self._streams.ended(address)

    def wake_due(self) -> None:
        """Wakes the connections whose time has come."""
        now = self._clock.monotonic()
        for number in self._deadlines.due(now):
            connection = self._connections.get(number)
            if connection is not None:
                self._guarded(connection, connection.woken, now)
        self._arm()

    def next_deadline(self) -> float | None:
        """When `wake_due` has something to do."""
        return self._deadlines.next()

    # what connections need (path.Carrier)

    def now(self) -> float:
        return self._clock.monotonic()

    def reach(self, ip: str, port: int) -> list[bytes]:
        sockets = [number for number, (ours, _) in enumerate(self.engine.sockets) if (":" in ours) == (":" in ip)]
        return [native.address_from(number, ip, port) for number in sockets]

    def send(self, address: bytes, datagram: bytes) -> None:
        if not self.engine.send(address, datagram):
            self._counters["control_not_sent"] += 1

    def listen_for(self, ufrag: str, connection: Connection) -> None:
        self._names.add(ufrag, connection)

    def forget(self, ufrag: str) -> None:
        self._names.drop(ufrag)

    def wake(self, connection: Connection, at: float) -> None:
        self._deadlines.set(connection.id, at)
        self._arm()

    def ended(self, connection: Connection) -> None:
        self._connections.pop(connection.id, None)
        self._deadlines.drop(connection.id)
        self._streams.close_of(connection)

    # the steps in between

    def _stun_arrived(self, address: bytes, data: bytes) -> None:
        try:
            message = stun.parse(data)
        except MalformedPacket:
            self._counters["stun_malformed"] += 1
            return
        connection = self._names.addressed(message)
        if connection is None:
            self._counters["stun_unknown_ufrag"] += 1
            return
        ip, port, transport = native.address_text(address)
        verdict = self._guarded(connection, connection.check_received, message, address, (ip, port), transport)
        self._counters[verdict.dropped if verdict and verdict.dropped else "stun_checks"] += 1

    def _dtls_arrived(self, connection_id: int, data: bytes) -> None:
        connection = self._connections.get(connection_id)
        if connection is None:
            self._counters["dtls_unknown_connection"] += 1
            return
        self._guarded(connection, connection.dtls_received, data)

    def _guarded(self, connection: Connection, act: Callable[..., _T], *arguments: Any) -> _T | None:
        """A mistake of ours ends the connection it happened in, and no other."""
        try:
            return act(*arguments)
        except Exception:
            self._counters["internal_errors"] += 1
            log.exception("a connection has failed", connection=connection.id, state=connection.state.value)
            if connection.state is not State.CLOSED:
                connection.fail("internal error")
            return None

    def _arm(self) -> None:
        """Sees to it that the loop's timer is the earliest deadline."""
        at = self._deadlines.next()
        if self._loop is None or at is None:
            return
        when = self._loop.time() + max(0.0, at - self._clock.monotonic())
        if self._timer is not None and not self._timer.cancelled() and self._timer.when() <= when:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self.wake_due()

    def _make_engine(self, ips: list[str], udp_port: int) -> native.Engine:
        return native.Engine(
            listen=[(ip, udp_port) for ip in ips],
            threads=self._config.threads or os.cpu_count() or 1,
            wall_offset=self._clock.wall() - self._clock.monotonic(),
            socket_buffer_bytes=self._config.socket_buffer_bytes,
            run_wait=self._config.run_wait,
        )
