"""The whole transport against a client that is not ours: aiortc's peer connection over real sockets."""

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from mediaserver.clock import SystemClock
from mediaserver.config import MediaConfig
from mediaserver.transport import sdp
from mediaserver.transport.connection import Lost, Opened, State, TextReceived
from mediaserver.transport.negotiation import LocalTransport, answer_publish
from mediaserver.transport.port import Port
from tests.support.webrtc_peer import OURS

PATIENCE = 10.0  # seconds until a test gives up


@pytest.fixture
async def port():
    port = Port(MediaConfig(udp_port=0, threads=1), SystemClock(), OURS)
    await port.start()
    yield port
    await port.aclose()


@pytest.fixture
async def client():
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    yield client
    await client.close()


async def _publish(port, client, events):
    connection = port.open(thread=0, on_event=events.put_nowait)
    await client.setLocalDescription(await client.createOffer())
    offer = sdp.parse(client.localDescription.sdp)
    local = LocalTransport(
        ufrag=connection.local_ufrag,
        pwd=connection.local_pwd,
        fingerprint=port.fingerprint,
        candidates=port.candidates,
        session_id=1,
        version=1,
    )
    answer = answer_publish(offer, local)
    connection.remote(answer.remote)
    if answer.sctp:
        connection.open_data_channel_transport(answer.sctp)
    await client.setRemoteDescription(RTCSessionDescription(sdp.write(answer.description), "answer"))
    return connection


async def _next(events):
    return await asyncio.wait_for(events.get(), PATIENCE)


async def test_a_peer_connection_opens_exchanges_text_and_leaves(port, client):
    events: asyncio.Queue = asyncio.Queue()
    heard: asyncio.Queue = asyncio.Queue()
    channel = client.createDataChannel("events")
    channel.on("message", heard.put_nowait)
    client.addTransceiver("audio", direction="sendonly")
    client.addTransceiver("video", direction="sendonly")
    connection = await _publish(port, client, events)
    assert await _next(events) == Opened()
    channel.on("open", lambda: channel.send("hello"))
    if channel.readyState == "open":
        channel.send("hello")
    assert await _next(events) == TextReceived("hello")
    assert connection.send_text("welcome")
    assert await _next(heard) == "welcome"
    assert client.connectionState == "connected"
    await client.close()
    assert await _next(events) == Lost("closed by the peer")
    assert connection.state is State.CLOSED


async def test_a_peer_connection_notices_that_we_close(port, client):
    events: asyncio.Queue = asyncio.Queue()
    states: asyncio.Queue = asyncio.Queue()
    client.on("connectionstatechange", lambda: states.put_nowait(client.connectionState))
    client.addTransceiver("audio", direction="sendonly")
    connection = await _publish(port, client, events)
    assert await _next(events) == Opened()
    while await _next(states) != "connected":
        pass
    connection.close()
    assert await _next(states) in ("closed", "failed")
