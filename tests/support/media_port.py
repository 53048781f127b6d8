"""What passes the media port of a running server, by its own counters: in a MESH meeting nothing may."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.server import RunningServer

_COUNTERS = (
    "datagrams_received",
    "datagrams_sent",
    "bytes_received",
    "bytes_sent",
    "packets_received",
    "rtcp_received",
)
_GAUGES = ("connections", "tcp_streams")


@asynccontextmanager
async def nothing_at_the_media_port(server: RunningServer) -> AsyncIterator[None]:
    """Fails if a single datagram or connection comes to the media port meanwhile, or leaves it."""
    before = await _port_counts(server)
    yield
    assert await _port_counts(server) == before


async def _port_counts(server: RunningServer) -> dict[str, float]:
    metrics = await server.metrics()
    names = (
        "datagrams_received",
        "datagrams_sent",
        "bytes_received",
        "bytes_sent",
        "packets_received",
        "rtcp_received",
    )
    counted = {name: metrics[f"folkmoot_media_{name}_total"] for name in names}
    return counted | {name: metrics[f"folkmoot_port_{name}"] for name in ("connections", "tcp_streams")}
