"""Things in the way between a client and a server: a NAT that changes its mind, and a network that is cut.

Both run in the test's own event loop on 127.0.0.1.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType

Address = tuple[str, int]
Receive = Callable[[bytes, Address], None]

CHUNK = 65536  # bytes read at once


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._receive(data, addr)


class Nat:
    """Carries datagrams between clients and a server; `rebind` makes the server see other addresses.

    As a NAT does, it keeps one socket towards the server for each client address.
    """

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._outside: dict[Address, asyncio.DatagramTransport] = {}
        self._waiting: dict[Address, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.rebound = 0
        self.blocks = False
        """Nothing passes, in no direction."""

    async def __aenter__(self) -> "Nat":
        self._inside = await _socket(self._outwards, ("127.0.0.1", 0))
        self.port: int = self._inside.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside.close()
        self._forget()

    def rebind(self) -> None:
        """Forgets every mapping: the clients' next datagrams leave from new ports."""
        self.rebound += len(self._outside)
        self._forget()

    def _forget(self) -> None:
        for transport in self._outside.values():
            transport.close()
        self._outside.clear()

    def _outwards(self, data: bytes, client: Address) -> None:
        if self.blocks:
            return
        outside = self._outside.get(client)
        if outside:
            outside.sendto(data, self._server)
            return
        waiting = self._waiting.setdefault(client, [])
        waiting.append(data)
        if len(waiting) == 1:
            task = asyncio.create_task(self._map(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _inwards(self, data: bytes, client: Address) -> None:
        if not self.blocks:
            self._inside.sendto(data, client)

    async def _map(self, client: Address) -> None:
        outside = await _socket(lambda data, _: self._inwards(data, client), ("127.0.0.1", 0))
        self._outside[client] = outside
        for data in self._waiting.pop(client):
            outside.sendto(data, self._server)


class Gate:
    """Carries TCP connections to a server until it is shut; then they break, and new ones are refused."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> "Gate":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    async def open(self) -> None:
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def shut(self) -> None:
        if self._listener:
            self._listener.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._writers |= {writer, there}
        try:
            await asyncio.gather(_copy(reader, there), _copy(there_reader, writer))
        finally:
            self._writers -= {writer, there}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _socket(receive: Receive, local: Address) -> asyncio.DatagramTransport:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(receive), local_addr=local
    )
    return transport
