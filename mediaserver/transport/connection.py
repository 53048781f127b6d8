"""One encrypted transport to one participant: from the first check to open media, and its end.

Puts the parts together and keeps their order: checks prove addresses (`ice_lite`), the first path begins the handshake
(`dtls`), its keys go to the forwarding core, then data channels may start. Reading sockets and timers is the carrier's
(`port.py`). What happens is told by one callback, which may be called from within `remote`.

    NEW        nothing known of the peer
    CHECKING   waiting for an authenticated check
    SECURING   there is a path; the handshake runs, or its certificate waits for the peer's description
    OPEN       encrypted media flows
    CLOSED     for good: by `close`, or told as Lost
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import structlog

from mediaserver.callbacks import weakly
from mediaserver.config import MediaConfig
from mediaserver.transport import dtls
from mediaserver.transport.budget import Budget
from mediaserver.transport.channels import Channels
from mediaserver.transport.dtls import Certificate, Dtls
from mediaserver.transport.ice_full import Asker
from mediaserver.transport.ice_lite import Agent, Credentials, Verdict
from mediaserver.transport.path import Carrier
from mediaserver.transport.sdp import RemoteTransport, SctpParameters
from mediaserver.transport.stun import Endpoint, Message

if TYPE_CHECKING:
    from mediaserver import native

MESSAGE_RATE = 500.0  # encrypted datagrams per second a peer may send for long; SCTP slows down over what is dropped
MESSAGE_BURST = 1000.0  # and at once: some messages of the largest size

log = structlog.get_logger()


class State(Enum):
    NEW = "new"
    CHECKING = "checking"
    SECURING = "securing"
    OPEN = "open"
    CLOSED = "closed"


_MOVES = {
    State.NEW: {State.CHECKING, State.CLOSED},
    State.CHECKING: {State.SECURING, State.CLOSED},
    State.SECURING: {State.OPEN, State.CLOSED},
    State.OPEN: {State.CLOSED},
    State.CLOSED: set(),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """Media is encrypted and may flow."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection has ended without our wish; it is CLOSED."""

    why: str


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A message on the data channel `events`."""

    text: str


TransportEvent = Opened | Lost | TextReceived


class Connection:
    """Made by `Port.open`; its owner closes it."""

    def __init__(
        self,
        native: "native.Connection",
        carrier: Carrier,
        *,
        certificate: Certificate,
        config: MediaConfig,
        new_credentials: Callable[[], Credentials],
        on_event: Callable[[TransportEvent], None],
        asks: bool = False,
    ) -> None:
        """With `asks` the peer waits to be called, see `call`; else it calls us."""
        self.id = native.id
        self.native = native
        self.state = State.NEW
        self._carrier = carrier
        self._certificate = certificate
        self._config = config
        self._new_credentials = new_credentials
        self._on_event = on_event
        self._agent = Asker(new_credentials(), secrets.token_bytes) if asks else Agent(new_credentials())
        self._remote: RemoteTransport | None = None
        self._dtls: Dtls | None = None
        self._channels = Channels(weakly(self._flush), weakly(self._text_received))
        self._handshake_due = float("inf")
        self._consent_from = float("inf")  # the last time consent was given, or first hoped for
        self._messages = Budget(MESSAGE_RATE, MESSAGE_BURST)
        self._counters = dict.fromkeys(("checks", "path_changes", "handshake_datagrams", "messages_dropped"), 0)
        self._path_text = ""
        carrier.listen_for(self.local_ufrag, self)

    @property
    def local_ufrag(self) -> str:
        return self._agent.credentials.ufrag

    @property
    def local_pwd(self) -> str:
        return self._agent.credentials.pwd

    @property
    def path(self) -> bytes | None:
        """The address we send to."""
        return self._agent.path

    # what the owner asks for

    def remote(self, remote: RemoteTransport) -> None:
        """Says who the peer is. Given again it renews the wait for consent (an ICE restart); the certificate has to
        stay the same: for another one a new connection is needed."""
        if self.state is State.CLOSED:
            return
        self._remote = remote
        self._consent_from = self._carrier.now()
        if self.state is State.NEW:
            self._enter(State.CHECKING, "the peer is known")
        if self.state is State.SECURING:
            self._begin_as_client()
        if self._dtls is not None:
            self._dtls.expect(remote.fingerprints)
            self._after_dtls()
        self._rearm()

    def call(self, remote: RemoteTransport, places: Sequence[Endpoint]) -> None:
        """Says who the peer is, and where it waits for our checks."""
        if self.state is State.CLOSED:
            return
        assert isinstance(self._agent, Asker), "it was opened to wait"
        addresses = [address for place in places for address in self._carrier.reach(*place)]
        self._agent.ask(Credentials(remote.ufrag, remote.pwd), addresses, self._carrier.now())
        self.remote(remote)
        self._ask()

    def restart_ice(self) -> None:
        """Makes new local credentials. The path stays until the peer nominates with them."""
        if self.state is State.CLOSED:
            return
        for ufrag in self._agent.restart(self._new_credentials()):
            self._carrier.forget(ufrag)
        self._carrier.listen_for(self.local_ufrag, self)
        if self._remote is not None:
            self._consent_from = self._carrier.now()
            self._rearm()

    def open_data_channel_transport(self, sctp: SctpParameters) -> None:
        """Data channels start as soon as the connection is open; a second call changes nothing."""
        self._channels.agree(sctp)

    def send_text(self, text: str) -> bool:
        """Sends on the data channel `events`; False if there is none open or its reader is too slow."""
        return self._channels.send_text(text)

    def close(self) -> None:
        """Says goodbye to the peer. May be called twice; nothing is told any more."""
        if self.state is not State.CLOSED:
            self._end("closed by us")

    def fail(self, why: str) -> None:
        """Ends it and tells the owner; for the carrier, when something of ours went wrong."""
        if self.state is not State.CLOSED:
            self._lose(why)

    def stats(self) -> dict[str, int | float | str]:
        """Counters and what the connection runs over."""
        found: dict[str, int | float | str] = dict(self._counters)
        found["messages_dropped"] = self._counters["messages_dropped"] + self._channels.unheard
        found["state"] = self.state.value
        found["path"] = self._path_text
        found["handshake_ignored"] = self._dtls.ignored if self._dtls else 0
        found["srtp_profile"] = self._dtls.keys.profile if self._dtls and self._dtls.keys else ""
        found["channel_messages_dropped"] = self._channels.dropped
        return found

    # what the carrier brings

    def trusts(self, message: Message) -> bool:
        """Whether the check comes from our peer; changes nothing."""
        return self.state is not State.CLOSED and self._agent.authentic(message)

    def check_received(self, message: Message, address: bytes, source: Endpoint, transport: str) -> Verdict:
        """A STUN message for one of our names."""
        if self.state is State.CLOSED:
            return Verdict(dropped="stun_unknown_ufrag")
        now = self._carrier.now()
        verdict = self._agent.receive(message, address, source, now, stream=transport == "tcp")
        if verdict.proved:  # before the answer, upon which the peer may say hello at once
            self._allow(address)
        if verdict.answer is not None:
            self._carrier.send(address, verdict.answer)
        if verdict.moved:
            self._move(address, f"{source[0]}:{source[1]}/{transport}")
        if self._agent.last_check == now:
            self._counters["checks"] += 1
            self._consent_from = now
        self._ask()
        return verdict

    def dtls_received(self, datagram: bytes) -> None:
        """A DTLS datagram from an address that a check has proved."""
        if self.state not in (State.SECURING, State.OPEN):
            return
        if not self._messages.take(self._carrier.now()):
            self._counters["messages_dropped"] += 1
            return
        if self._dtls is None:
            self._dtls = self._new_dtls(client=False)
        if self.state is State.SECURING:
            self._counters["handshake_datagrams"] += 1
        self._dtls.receive(datagram)
        self._after_dtls()

    def stream_closed(self, address: bytes) -> None:
        """The TCP stream behind `address` is gone; the peer will check from elsewhere, or consent runs out."""
        self._agent.path_closed(address)

    def woken(self, now: float) -> None:
        """Looks at what is due."""
        if self.state is State.CLOSED:
            return
        if now >= self._handshake_due:
            self._lose("the handshake took too long" if self._remote else "the peer was never described")
            return
        if now >= self._consent_from + self._config.consent_timeout:
            self._lose("no check came" if self._agent.last_check is None else "consent has expired")
            return
        if self._dtls is not None and self._dtls.timeout() == 0:
            self._dtls.expired()
            self._after_dtls()
        self._ask()
        self._rearm()

    # the steps in between

    def _ask(self) -> None:
        """Sends the checks that are due, if it is for us to ask."""
        if self.state is State.CLOSED:
            return
        for address, check in self._agent.due(self._carrier.now()):
            self._carrier.send(address, check)
        if self._agent.deadline() != float("inf"):
            self._rearm()

    def _allow(self, address: bytes) -> None:
        self.native.allow(address)
        if self._agent.path not in (None, address):
            self.native.send_to(self._agent.path or address)  # so that the path is not among those pushed out

    def _move(self, address: bytes, text: str) -> None:
        self.native.send_to(address)
        self._path_text = text
        self._counters["path_changes"] += 1
        log.info("path chosen", connection=self.id, path=text, state=self.state.value)
        if self.state in (State.NEW, State.CHECKING):
            self._secure()

    def _secure(self) -> None:
        """There is a path: the handshake may begin."""
        if self.state is State.NEW:
            self._enter(State.CHECKING, "a check came before the description")
        self._enter(State.SECURING, "a check was authenticated")
        self._handshake_due = self._carrier.now() + self._config.handshake_timeout
        self._begin_as_client()
        self._rearm()

    def _begin_as_client(self) -> None:
        """Takes the first step if the peer wants to be the server."""
        if self._dtls is None and self._remote is not None and self._remote.setup == "passive":
            self._dtls = self._new_dtls(client=True)
            self._dtls.start()
            self._after_dtls()

    def _new_dtls(self, *, client: bool) -> Dtls:
        made = Dtls(self._certificate, client=client)
        if self._remote is not None:
            made.expect(self._remote.fingerprints)
        return made

    def _after_dtls(self) -> None:
        """Sends what DTLS has written and follows its state."""
        association = self._dtls
        assert association is not None
        if self.state is State.SECURING and association.keys is not None:
            keys = association.keys
            self.native.keys(keys.profile, keys.receive, keys.send)
            self._flush()
            self._handshake_due = float("inf")
            self._enter(State.OPEN, keys.profile)
            self._on_event(Opened())
            self._channels.carry(association)
        self._flush()
        if association.state is dtls.State.CLOSED and self.state is not State.CLOSED:
            self._lose(association.why)
        elif self.state is State.SECURING:
            self._rearm()
        if self.state is State.OPEN:
            self._channels.receive(association.messages())

    def _text_received(self, text: str) -> None:
        if self.state is State.OPEN:
            self._on_event(TextReceived(text))

    def _flush(self) -> None:
        if self._dtls is None or self._agent.path is None:
            return
        for datagram in self._dtls.datagrams():
            self._carrier.send(self._agent.path, datagram)

    def _rearm(self) -> None:
        if self.state is State.CLOSED:
            return
        due = min(self._handshake_due, self._consent_from + self._config.consent_timeout, self._agent.deadline())
        timeout = self._dtls.timeout() if self._dtls is not None else None
        if timeout is not None:
            due = min(due, self._carrier.now() + timeout)
        if due != float("inf"):
            self._carrier.wake(self, due)

    def _lose(self, why: str) -> None:
        self._end(why)
        self._on_event(Lost(why))

    def _end(self, why: str) -> None:
        self._channels.close()
        if self._dtls is not None:
            self._dtls.close(why)
            self._flush()
        self._enter(State.CLOSED, why)
        for ufrag in self._agent.ufrags:
            self._carrier.forget(ufrag)
        self.native.close()
        self._carrier.ended(self)

    def _enter(self, state: State, why: str) -> None:
        assert state in _MOVES[self.state], f"{self.state} -> {state}"
        self.state = state
        log.info("connection moved", connection=self.id, state=state.value, why=why)
