"""The names that connections answer to: our ICE user fragments, which tell whose a check is. RFC 8445 section 5.3."""

import secrets

from mediaserver.transport.connection import Connection
from mediaserver.transport.ice_lite import Credentials
from mediaserver.transport.stun import REQUEST, Message

UFRAG_BYTES = 4  # of chance: more than the 24 bits that are asked for
PASSWORD_BYTES = 16


class Names:
    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, ufrag: str, connection: Connection) -> None:
        """Checks for this name belong to `connection` from now on."""
        self._connections[ufrag] = connection

    def drop(self, ufrag: str) -> None:
        """Nobody answers to this name any more."""
        self._connections.pop(ufrag, None)

    def addressed(self, message: Message) -> Connection | None:
        """The connection that one of its names is addressed to by, or whose check is answered."""
        if message.kind == REQUEST:
            return self._connections.get((message.username or "").partition(":")[0])
        return self._connections.get(message.transaction[:UFRAG_BYTES].hex())

    def new_credentials(self) -> Credentials:
        """Under a name that nobody has."""
        ufrag = secrets.token_hex(UFRAG_BYTES)
        while ufrag in self._connections:
            ufrag = secrets.token_hex(UFRAG_BYTES)
        return Credentials(ufrag, secrets.token_hex(PASSWORD_BYTES))
