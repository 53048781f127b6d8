"""Data channels against an SCTP of aiortc, over a way that can lose."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import (
    DataChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
    serialize_packet,
)

from mediaserver.transport.datachannel import (
    MAX_BUFFERED_BYTES,
    MAX_FAULTS,
    MAX_MESSAGE_BYTES,
    MAX_STREAMS,
    RECEIVE_WINDOW_BYTES,
    DataChannels,
)


@dataclass
class PlainWay:
    """The encryption of our side, without encrypting: hands everything to the peer in the next round of the loop."""

    client: bool = False
    sent: list[bytes] = field(default_factory=list)

    def send(self, message: bytes) -> None:
        self.sent.append(message)


class PeerTransport:
    """The DTLS of the peer's side."""

    state = "connected"
    _role = "client"

    def __init__(self):
        self.sent: list[bytes] = []

    async def _send_data(self, data):
        self.sent.append(data)

    def _register_data_receiver(self, receiver):
        pass

    def _unregister_data_receiver(self, receiver):
        pass


class Pair:
    """Our channels and a peer's SCTP, and what lies between them."""

    def __init__(self, loss: float = 0.0):
        self.heard: list[str] = []
        self.way = PlainWay()
        self.peer_way = PeerTransport()
        self.ours = DataChannels(
            self.way, lambda: None, self.heard.append, remote_port=5000, max_message_bytes=MAX_MESSAGE_BYTES
        )
        self.peer = RTCSctpTransport(self.peer_way)
        self._loss = loss
        self._random = random.Random(4)

    async def start(self) -> RTCDataChannel:
        await self.peer.start(RTCSctpCapabilities(MAX_MESSAGE_BYTES), 5000)
        return self.channel("events")

    def channel(self, label, **parameters):
        return RTCDataChannel(self.peer, RTCDataChannelParameters(label=label, **parameters))

    async def until(self, done, rounds=2000):
        for _ in range(rounds):
            await self.carry()
            if done():
                return
        raise AssertionError("it does not come to that")

    async def carry(self):
        await asyncio.sleep(0)  # the tasks of aiortc
        ours, self.way.sent = self.way.sent, []
        for packet in ours:
            await self.peer._handle_data(packet)
        theirs, self.peer_way.sent = self.peer_way.sent, []
        for packet in theirs:
            if self._random.random() >= self._loss:
                self.ours.receive(packet)

    async def close(self):
        self.ours.close()
        await self.peer.stop()


@pytest.fixture
async def pair():
    pair = Pair()
    yield pair
    await pair.close()


async def _open(pair):
    channel = await pair.start()
    await pair.until(lambda: channel.readyState == "open" and pair.ours.send_text("hello"))
    return channel


async def test_text_passes_both_ways(pair):
    channel = await _open(pair)
    received = []
    channel.on("message", received.append)
    channel.send("grüße")
    await pair.until(lambda: pair.heard == ["grüße"] and received == ["hello"])


async def test_the_largest_message_passes(pair):
    channel = await _open(pair)
    received = []
    channel.on("message", received.append)
    text = "x" * MAX_MESSAGE_BYTES
    channel.send(text)
    assert pair.ours.send_text(text)
    await pair.until(lambda: pair.heard == [text] and text in received)


async def test_there_is_nothing_to_send_on_before_the_peer_has_opened_it(pair):
    assert not pair.ours.send_text("early")
    await pair.start()
    pair.channel("other")
    assert not pair.ours.send_text("still early")


async def test_only_the_channel_events_is_listened_to(pair):
    await _open(pair)
    other = pair.channel("other")
    await pair.until(lambda: other.readyState == "open")
    other.send("not for us")
    for _ in range(50):
        await pair.carry()
    assert pair.heard == []


async def test_too_much_text_is_refused(pair):
    await _open(pair)
    assert not pair.ours.send_text("x" * (MAX_MESSAGE_BYTES + 1))
    assert not pair.ours.send_text("é" * (MAX_MESSAGE_BYTES // 2 + 1))
    taken = 0
    while pair.ours.send_text("x" * 1024):
        taken += 1
        assert taken < 10_000
    assert taken <= MAX_BUFFERED_BYTES // 1024 + 64


async def test_bytes_are_counted_not_told(pair):
    channel = await _open(pair)
    channel.send(b"\x01\x02")
    await pair.until(lambda: pair.ours.dropped == 1)
    assert pair.heard == []


async def test_after_closing_nothing_is_sent_or_heard(pair):
    channel = await _open(pair)
    pair.ours.close()
    pair.ours.close()
    pair.way.sent.clear()
    assert not pair.ours.send_text("late")
    channel.send("late")
    await pair.carry()
    assert (pair.heard, pair.way.sent) == ([], [])


async def test_a_peer_that_closes_the_channel_may_open_it_again(pair):
    channel = await _open(pair)
    channel.close()
    await pair.until(lambda: channel.readyState == "closed")
    assert not pair.ours.send_text("into the void")
    again = pair.channel("events")
    await pair.until(lambda: again.readyState == "open" and pair.ours.send_text("back"))


def _data(pair, tsn, stream=0, size=8, flags=3, kind=51, body=None):
    chunk = DataChunk(flags=flags)
    chunk.tsn = (pair.peer._local_tsn + tsn) % 2**32
    chunk.stream_id = stream
    chunk.stream_seq = 0
    chunk.protocol = kind
    chunk.user_data = bytes(size) if body is None else body
    return serialize_packet(5000, 5000, pair.peer._remote_verification_tag, chunk)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(lambda pair: b"", id="empty"),
        pytest.param(lambda pair: bytes(40), id="zeros"),
        pytest.param(lambda pair: _data(pair, 0, kind=51, body=b"\xff\xfe"), id="text that is not UTF-8"),
        pytest.param(lambda pair: _data(pair, 0, kind=50, body=b"\x03" + bytes(10)), id="short opening"),
        pytest.param(lambda pair: _data(pair, 0, kind=50, body=b"\x02"), id="consent to a channel nobody opened"),
    ],
)
async def test_nonsense_does_no_harm(pair, packet):
    channel = await _open(pair)
    pair.ours.receive(packet(pair))
    assert pair.ours.open
    pair.peer._local_tsn = (pair.peer._local_tsn + 1) % 2**32
    channel.send("next")
    await pair.carry()
    assert pair.ours.open


@pytest.mark.parametrize(
    "packets",
    [
        pytest.param(
            lambda pair: [_data(pair, n + 1, size=1100, flags=0) for n in range(RECEIVE_WINDOW_BYTES // 1000 + 80)],
            id="a message without end",
        ),
        pytest.param(lambda pair: [_data(pair, 2 * n + 2, size=1) for n in range(2000)], id="only every second piece"),
        pytest.param(lambda pair: [_data(pair, n, stream=n) for n in range(MAX_STREAMS + 8)], id="too many streams"),
        pytest.param(
            lambda pair: [_data(pair, n, kind=51, body=b"\xff") for n in range(MAX_FAULTS + 8)], id="fault upon fault"
        ),
    ],
)
async def test_a_peer_that_goes_beyond_the_bounds_loses_its_channels(pair, packets):
    await _open(pair)
    for packet in packets(pair):
        pair.ours.receive(packet)
    assert not pair.ours.open
    assert not pair.ours.send_text("late")
