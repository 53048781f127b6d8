"""What a connection needs of whoever carries its datagrams: the port, or a test."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mediaserver.transport.connection import Connection


class Carrier(Protocol):
    """Sends, listens for names, and wakes. Addresses are the opaque keys of the forwarding core."""

    def now(self) -> float:
        """Monotonic seconds."""

    def reach(self, ip: str, port: int) -> Sequence[bytes]:
        """The addresses of a peer there, one for each of our sockets; none if the ip is of no family of ours."""

    def send(self, address: bytes, datagram: bytes) -> None:
        """Sends one control datagram; it may get lost."""

    def listen_for(self, ufrag: str, connection: "Connection") -> None:
        """Checks for this name belong to `connection` from now on."""

    def forget(self, ufrag: str) -> None:
        """Nobody answers to this name any more."""

    def wake(self, connection: "Connection", at: float) -> None:
        """Calls `connection.woken` at this time or a little later; an earlier time that was asked for stays."""

    def ended(self, connection: "Connection") -> None:
        """The connection is closed: nothing is delivered to it any more."""
