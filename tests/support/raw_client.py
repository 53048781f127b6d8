"""A client of a running server whose every datagram the test decides: ICE, DTLS and SRTP on a socket of its own.

It joins over /rt, publishes one microphone, and receives what the others send. What arrives is decrypted and kept.
Nothing is sent by itself but what a handshake needs. Made for attacks: `raw` sends any bytes from the address that
the server knows.
"""

import asyncio
import json
import secrets
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from aiortc import RTCCertificate

from mediaserver.rtp.packet import RtpPacket, write_packet
from mediaserver.transport import sdp, stun
from tests.support import client_sdp
from tests.support.client_sdp import Section
from tests.support.dtls_peer import DtlsPeer
from tests.support.rtp_peer import Srtp
from tests.support.server import RunningServer, until

PATIENCE = 15.0  # seconds
RETRY = 0.2  # seconds: what a handshake has sent is sent again
AUDIO = 111  # payload type
KEY_LENGTHS = (16, 12)  # of AES-128-GCM: key and salt
CERTIFICATE = RTCCertificate.generateCertificate()
FINGERPRINT = CERTIFICATE.getFingerprints()[0].value

Address = tuple[str, int]


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket on 127.0.0.1 that keeps what arrives, or hands it to `on_datagram`."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.on_datagram: Callable[[bytes], None] = self.arrived.append
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.on_datagram(data)

    @classmethod
    @asynccontextmanager
    async def opened(cls, port: int) -> AsyncIterator["Datagrams"]:
        """Connected to that port of this machine."""
        loop = asyncio.get_running_loop()
        transport, datagrams = await loop.create_datagram_endpoint(cls, remote_addr=("127.0.0.1", port))
        try:
            yield datagrams
        finally:
            transport.close()


@dataclass(frozen=True)
class _Identity(client_sdp.Identity):
    def lines(self, setup: str) -> list[str]:
        return [line for line in super().lines(setup) if "fingerprint" not in line] + [
            f"a=fingerprint:sha-256 {FINGERPRINT}"
        ]


@dataclass
class Line:
    """One connection: `datagrams` is its socket. Checks, then DTLS, then SRTP."""

    datagrams: Datagrams
    ufrag: str
    pwd: str
    packets: list[RtpPacket] = field(default_factory=list)
    """What was forwarded to us, in the order it came."""
    heard: set[bytes] = field(default_factory=set)
    """The payloads of all of them."""
    raw: list[bytes] = field(default_factory=list)
    """The same, still encrypted; reports among it."""
    srtp: Srtp | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    answered: bool = False
    """A check has been."""
    _begun: bool = False

    def __post_init__(self) -> None:
        self._dtls = DtlsPeer(CERTIFICATE._cert, CERTIFICATE._key)
        self.datagrams.on_datagram = self._arrived

    def check(self) -> None:
        """Sends a check that nominates this address."""
        username = f"{self.ufrag}:remoteA"
        transaction = secrets.token_bytes(12)
        check = stun.request(transaction, username, self.pwd.encode(), priority=1, controlling=7, use_candidate=True)
        self.send(check)

    async def checked(self) -> None:
        await self._repeat(self.check, lambda: self.answered)

    def begin(self) -> None:
        """Sends the first datagram of the handshake."""
        self._begun = True
        self.send(*self._dtls.step())

    async def secured(self) -> None:
        """The handshake; returns when SRTP can be sent."""
        if not self._begun:
            self.begin()
        await self._repeat(lambda: self.send(*self._dtls.resend()), lambda: self.srtp is not None)

    def hello(self) -> bytes:
        """The first datagram of a handshake that never goes on."""
        return DtlsPeer(CERTIFICATE._cert, CERTIFICATE._key).step()[0]

    async def connect(self) -> None:
        await self.checked()
        await self.secured()

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.datagrams.transport.sendto(datagram)

    def protected(self, packet: RtpPacket) -> bytes:
        assert self.srtp is not None, "not connected"
        return self.srtp.protect(write_packet(packet))

    @property
    def socket(self) -> socket.socket:
        """For others to send from the same address."""
        found: socket.socket = self.datagrams.transport.get_extra_info("socket")._sock
        return found

    async def until(self, seen: Callable[[], bool]) -> None:
        """Waits until something that has arrived makes this true."""
        while not seen():
            self._news.clear()
            await self._news.wait()

    def _arrived(self, data: bytes) -> None:
        if data[0] < 4:
            self.answered = True
        elif data[0] < 64:
            self.send(*self._dtls.step(data))
            if self._dtls.connected and self.srtp is None:
                sending, receiving = self._dtls.keys(*KEY_LENGTHS)
                self.srtp = Srtp("SRTP_AEAD_AES_128_GCM", sending, receiving)
        elif self.srtp is not None:
            self.raw.append(data)
            packet = self.srtp.open(data)
            if isinstance(packet, RtpPacket):
                self.packets.append(packet)
                self.heard.add(packet.payload)
        self._news.set()

    async def _repeat(self, act: Callable[[], None], done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            act()
            while not done():
                self._news.clear()
                try:
                    await asyncio.wait_for(self._news.wait(), RETRY)
                except TimeoutError:
                    act()


class RawClient:
    """A participant. `publishing` and `receiving` are its two connections, once described."""

    def __init__(self, server: RunningServer, room: dict[str, Any]) -> None:
        self.publishing: Line | None = None
        self.receiving: Line | None = None
        self.ssrc = secrets.randbits(31)
        self.id = ""
        self.heard: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._server = server
        self._room = room
        self._sequence = 1000
        self._sockets: list[asyncio.DatagramTransport] = []
        self._offer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._session = ClientSession()
        self._socket: ClientWebSocketResponse
        self._reader: asyncio.Task[None]

    async def __aenter__(self) -> "RawClient":
        address = f"{self._server.url}/rt"
        self._socket = await self._session.ws_connect(address, params={"token": self._room["token"]}, max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        joined = await self.ask("join", name="raw")
        self.id = joined["participant"]["id"]
        return self

    async def __aexit__(self, *error: object) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"type": "leave"})
        for transport in self._sockets:
            transport.close()
        await self._socket.close()
        await self._reader
        await self._session.close()

    async def describe(self) -> Line:
        """Offers a microphone; the line is known to the server, and nothing was sent on it yet."""
        offer = client_sdp.publish_offer(Section("0", "opus"), identity=_Identity(), data=False)
        offer = offer.replace("a=mid:0\r\n", f"a=mid:0\r\na=ssrc:{self.ssrc} cname:raw\r\n")
        camera = {"stream_id": str(uuid.uuid4()), "label": "camera", "audio_mid": "0", "video_mid": None}
        answer = await self.ask("offer", pc="publish", seq=1, sdp=offer, streams=[camera])
        self.publishing = await self._line(answer["sdp"])
        return self.publishing

    async def publish(self) -> Line:
        line = await self.describe()
        await line.connect()
        return line

    async def subscribe(self) -> Line:
        """Waits for an offer, answers it and connects."""
        offer = await asyncio.wait_for(self._offer, PATIENCE)
        answer = client_sdp.subscribe_answer(offer["sdp"], identity=_Identity())
        await self.say("answer", pc="subscribe", seq=offer["seq"], sdp=answer)
        self.receiving = await self._line(offer["sdp"])
        await self.receiving.connect()
        return self.receiving

    def sound(self, payload: bytes) -> RtpPacket:
        """The next packet of the microphone."""
        self._sequence += 1
        return RtpPacket(AUDIO, self._sequence, self._sequence * 960, self.ssrc, payload)

    async def say(self, type: str, **fields: Any) -> None:
        await self._socket.send_str(json.dumps({"type": type, **fields}))

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """The reply, an error among them."""
        name = secrets.token_hex(8)
        reply = self._replies[name] = asyncio.get_running_loop().create_future()
        await self.say(type, **fields, request_id=name)
        try:
            return await asyncio.wait_for(reply, PATIENCE)
        finally:
            del self._replies[name]

    async def closed(self) -> int | None:
        """Waits for the server's close; returns its code."""
        await asyncio.wait_for(asyncio.shield(self._reader), PATIENCE)
        return self._socket.close_code

    async def until_heard(self, type: str) -> None:
        await until(lambda: any(each["type"] == type for each in self.heard), PATIENCE, type)

    async def _line(self, description: str) -> Line:
        section = sdp.parse(description).sections[0].transport
        loop = asyncio.get_running_loop()
        transport, datagrams = await loop.create_datagram_endpoint(
            Datagrams, remote_addr=("127.0.0.1", self._server.udp_port)
        )
        self._sockets.append(transport)
        assert section.ufrag
        assert section.pwd
        return Line(datagrams, section.ufrag, section.pwd)

    async def _read(self) -> None:
        async for frame in self._socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            message = json.loads(frame.data)
            waiting = self._replies.get(message.get("request_id", ""))
            if waiting and not waiting.done():
                waiting.set_result(message)
            elif message["type"] == "offer" and not self._offer.done() and message["streams"]:
                self._offer.set_result(message)
            else:
                self.heard.append(message)
