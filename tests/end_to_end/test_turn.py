"""The TURN credentials that participants are told, at a real coturn that shares the secret."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from aioice import stun
from aioice.turn import create_turn_endpoint

from signaling.tokens import turn_credential
from tests.support.server import running, until
from tests.support.turn import TurnServer, turn_server

SECRET = "a secret of both"
UNAUTHORIZED = 401

pytestmark = pytest.mark.slow


@pytest.fixture
async def turn(tmp_path: Path) -> AsyncIterator[TurnServer]:
    async with turn_server(tmp_path, SECRET) as server:
        yield server


class Received(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.datagrams: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.datagrams.put_nowait((data, addr))


@asynccontextmanager
async def allocation(turn: TurnServer, username: str, credential: str) -> AsyncIterator[tuple[Any, Received]]:
    """A relay address as a participant gets one; TransactionFailed if it is refused."""
    transport, received = await create_turn_endpoint(Received, turn.address, username=username, password=credential)
    try:
        yield transport, received
    finally:
        transport.close()


async def told(url: str, token: str, who: str) -> list[dict[str, Any]]:
    """The ICE servers of `joined`."""
    async with ClientSession() as session, session.ws_connect(f"{url}/rt?token={token}&id={quote(who)}") as socket:
        await socket.send_str(json.dumps({"type": "join"}))
        while (message := json.loads((await socket.receive()).data))["type"] != "joined":
            pass
        servers: list[dict[str, Any]] = message["ice_servers"]
        return servers


async def test_two_participants_reach_each_other_through_the_relay_with_what_they_are_told(
    tmp_path: Path, turn: TurnServer
):
    servers = [{"urls": ["stun:127.0.0.1:1"]}, {"urls": [turn.url]}]
    async with running(tmp_path, ice_servers=servers, turn__shared_secret=SECRET) as server:
        room = await server.create(conferenceType="MESH")
        anna, bert = [await told(server.url, room["token"], who) for who in ("anna", "bert:with@odd+letters")]
    assert anna[0] == {"urls": ["stun:127.0.0.1:1"]}
    assert set(anna[1]) == {"urls", "username", "credential"}
    assert anna[1]["urls"] == [turn.url]
    assert anna[1]["username"].endswith(":anna")
    assert abs(int(anna[1]["username"].split(":")[0]) - time.time() - 86400) < 60
    async with (
        allocation(turn, anna[1]["username"], anna[1]["credential"]) as (one, _),
        allocation(turn, bert[1]["username"], bert[1]["credential"]) as (other, received),
    ):
        one_address, other_address = one.get_extra_info("sockname"), other.get_extra_info("sockname")
        other.sendto(b"lets the relay let the other's in", one_address)

        def arrived() -> bool:
            one.sendto(b"hello", other_address)
            return not received.datagrams.empty()

        await until(arrived, 10, "a datagram through both relays")
        assert await received.datagrams.get() == (b"hello", one_address)


@pytest.mark.parametrize(
    ("secret", "life", "spoil"),
    [
        pytest.param(SECRET, -1, "", id="expired"),
        pytest.param("another secret", 600, "", id="made with another secret"),
        pytest.param(SECRET, 600, "x", id="for another user"),
    ],
)
async def test_credentials_that_are_expired_or_made_up_get_no_relay(
    turn: TurnServer, secret: str, life: float, spoil: str
):
    username, credential = turn_credential(secret, "anna", time.time() + life)
    with pytest.raises(stun.TransactionFailed) as failure:
        async with allocation(turn, username + spoil, credential):
            pass
    assert failure.value.response.attributes["ERROR-CODE"][0] == UNAUTHORIZED


async def test_a_credential_is_good_until_it_expires(turn: TurnServer):
    async with allocation(turn, *turn_credential(SECRET, "anna", time.time() + 5)) as (transport, _):
        assert transport.get_extra_info("sockname")[0] == "127.0.0.1"
