"""One of a participant's connections together with what its descriptions need: session number, version, the peer.

A `Link` lives as long as its connection. When a client comes with a new connection of its own, the side that owns
the link makes a new one and closes the old; nothing of a closed link is heard any more. RFC 9429 section 5.2.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mediaserver.callbacks import weakly
from mediaserver.conference.router import Router
from mediaserver.stats import ConnectionStats
from mediaserver.transport.connection import Connection, State, TransportEvent
from mediaserver.transport.fragment import IceFragment, write_fragment
from mediaserver.transport.negotiation import LocalTransport
from mediaserver.transport.sdp import RemoteTransport
from mediaserver.transport.stun import Endpoint


class Link:
    def __init__(self, router: Router, on_event: Callable[[TransportEvent], None], *, asks: bool = False) -> None:
        """With `asks` it is for us to begin: see `call`."""
        self.cname = router.cname()
        self._router = router
        self._on_event: Callable[[TransportEvent], None] | None = on_event
        self._remote: RemoteTransport | None = None
        self._session_id = router.session_id()
        self._version = 0
        self.connection: Connection = router.connect(weakly(self._heard), asks=asks)

    @property
    def open(self) -> bool:
        """Whether media can flow."""
        return self.connection.state is State.OPEN

    @property
    def closed(self) -> bool:
        return self.connection.state is State.CLOSED

    def next_local(self) -> LocalTransport:
        """Our end as the next description of this session tells it."""
        self._version += 1
        return self._router.local(self.connection, self._session_id, self._version)

    def is_from(self, remote: RemoteTransport | None) -> bool:
        """Whether `remote` is the peer of this link (or this link has none yet): its certificate tells."""
        return remote is None or self._remote is None or set(self._remote.fingerprints) == set(remote.fingerprints)

    def restarts(self, remote: RemoteTransport | None) -> bool:
        """Whether the peer comes with new ICE credentials (RFC 8445 section 9)."""
        if remote is None or self._remote is None:
            return False
        return (self._remote.ufrag, self._remote.pwd) != (remote.ufrag, remote.pwd)

    def meet(self, remote: RemoteTransport | None) -> None:
        """Tells the connection who its peer is, if that is news; an offer that rejects every section has none."""
        if remote is not None and remote != self._remote:
            self.connection.remote(remote)
            self._remote = remote

    def call(self, remote: RemoteTransport, places: Sequence[Endpoint]) -> None:
        """Connects to a peer that waits at these places."""
        self._remote = remote
        self.connection.call(remote, places)

    def restart(self, fragment: IceFragment) -> str:
        """Follows a peer that comes with new ICE credentials and no description; returns what it needs of ours.

        The same once more gets the same answer: its first answer may have been lost.
        """
        assert self._remote is not None, "a peer that was never met has nothing to restart"
        assert fragment.credentials is not None, "a restart comes with new credentials"
        ufrag, pwd = fragment.credentials
        told = replace(self._remote, ufrag=ufrag, pwd=pwd)
        if self.restarts(told):
            self.connection.restart_ice()
            self.meet(told)
        return write_fragment(self.next_local(), fragment)

    def stats(self) -> ConnectionStats:
        return ConnectionStats(self.connection.state.value, self.connection.stats(), self.connection.native.stats())

    def close(self) -> None:
        self._on_event = None
        self.connection.close()

    def _heard(self, event: TransportEvent) -> None:
        if self._on_event:
            self._on_event(event)
