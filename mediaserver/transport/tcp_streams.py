"""Whose TCP streams are open: each belongs to one connection, from its first check to the end of either.

Takes over what `tcp.py` has accepted and gives it to the forwarding core. A connection has a bounded number of them:
one more than that closes the oldest, which may be dead without our knowing. RFC 6544.
"""

from collections.abc import Callable

from mediaserver import native
from mediaserver.transport.connection import Connection
from mediaserver.transport.names import Names
from mediaserver.transport.stun import Endpoint, Message

MAX_STREAMS_OF_CONNECTION = 16  # a browser opens one per candidate of ours and interface of its own


class TcpStreams:
    """Of all connections, at most `most`; a `tcp.StreamOwner`. `engine` gives the core, once there is one."""

    def __init__(self, names: Names, engine: Callable[[], native.Engine], *, most: int) -> None:
        self._names = names
        self._engine = engine
        self._most = most
        self._owners: dict[bytes, Connection] = {}  # by address; oldest first

    def __len__(self) -> int:
        return len(self._owners)

    def trusting(self, message: Message) -> Connection | None:
        """The connection whose peer has sent this check."""
        connection = self._names.addressed(message)
        return connection if connection is not None and connection.trusts(message) else None

    def room_for_stream(self) -> bool:
        """Whether one more stream may be opened."""
        return len(self._owners) < self._most

    def adopt(self, connection: Connection, fd: int, peer: Endpoint, data: bytes) -> None:
        """Takes the stream over, with all that was read from it."""
        mine = self._of(connection)
        if len(mine) >= MAX_STREAMS_OF_CONNECTION:
            oldest = next(each for each in mine if each != connection.path)
            self._engine().close_stream(oldest)
            self.ended(oldest)
        address = self._engine().adopt_stream(fd, connection.native.thread, peer)
        self._owners[address] = connection
        self._engine().feed_stream(address, data)

    def ended(self, address: bytes) -> None:
        """The stream is gone."""
        connection = self._owners.pop(address, None)
        if connection is not None:
            connection.stream_closed(address)

    def close_of(self, connection: Connection) -> None:
        """The connection is gone, and its streams with it."""
        for address in self._of(connection):
            del self._owners[address]
            self._engine().close_stream(address)

    def _of(self, connection: Connection) -> list[bytes]:
        return [address for address, each in self._owners.items() if each is connection]
