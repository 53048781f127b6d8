"""A media server with conferences whose people are sockets of the test: real packet threads, real media workers.

People's packets enter as those of a process of ours do, so no handshake stands between a test and the content. Time
runs in the timestamps: what a test sends at once may be minutes long.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

from mediaserver import Conference, MediaConfig, MediaEvent, MediaServer, SystemClock
from mediaserver.conference.publication import Changes
from mediaserver.conference.stream import Kind, Stream, Track
from mediaserver.media.packetize import Packetizer
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import RtpPacket, write_packet
from mediaserver.transport.negotiation import PublishedSection
from tests.support.coded import clock_rate, parts

LOOK_AGAIN = 0.005
PATIENCE = 30.0  # seconds: what has not happened by then will not happen


class Person:
    """Somebody who publishes one stream, from this process."""

    _ssrcs = count(1000)

    def __init__(
        self, server: MediaServer, conference: Conference, name: str, codec: CodecId | None, *, sound: bool
    ) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)
        self.name = name
        self.server = server
        self.conference = conference
        self.socket = ours
        self.stream = Stream(f"{name}-camera", name, "camera")
        self.codec = codec
        self.began = 0.0
        router = conference._router
        self.tap = router.tap(theirs.detach())
        self.ssrcs: dict[Kind, int] = {}
        self.sequence = {"audio": 100, "video": 100}
        kinds: dict[Kind, CodecId] = {}
        if sound:
            kinds["audio"] = CodecId.OPUS
        if codec is not None:
            kinds["video"] = codec
        for kind, each in kinds.items():
            source = router.source(kind)
            self.ssrcs[kind] = next(self._ssrcs)
            self.tap.feed(source, kind, each, self.ssrcs[kind])
            self.stream.tracks[kind] = Track(_section(kind, each), source)
        self.sound = Packetizer(CodecId.OPUS, self.ssrcs.get("audio", 0))
        conference.changed(name, Changes(started=(self.stream,)))

    def report(self) -> None:
        """Ties both tracks to one clock: their time 0 was when the first packet was sent."""
        at = SystemClock().wall() - self.began
        if "audio" in self.ssrcs:
            self.socket.send(self.sound.report(at, self.began + at, self.name))
        if self.codec is not None:
            picture = Packetizer(self.codec, self.ssrcs["video"])
            self.socket.send(picture.report(at, self.began + at, self.name))

    def send(self, packet: bytes) -> None:
        self.began = self.began or SystemClock().wall()
        self.socket.send(packet)

    def speak(self, data: bytes, at: float) -> None:
        for packet in self.sound.packets(data, at):
            self.send(packet)

    def show(
        self, data: bytes, at: float, *, key: bool, spoil: Callable[[bytes], bytes] = lambda payload: payload
    ) -> None:
        """One coded picture; `spoil` is done to each of its payloads."""
        assert self.codec is not None
        payload_type = CODECS[self.codec].payload_type
        timestamp = round(at * clock_rate(self.codec)) & 0xFFFFFFFF
        for payload, marker in parts(self.codec, data, key=key):
            packet = RtpPacket(
                payload_type, self.sequence["video"] & 0xFFFF, timestamp, self.ssrcs["video"], spoil(payload), marker
            )
            self.send(write_packet(packet))
            self.sequence["video"] += 1

    def leave(self) -> None:
        self.conference.changed(self.name, Changes(ended=(self.stream,)))
        self.stream.close()
        self.tap.close()
        self.socket.close()


def _section(kind: Kind, codec: CodecId) -> PublishedSection:
    return PublishedSection(
        mid=kind, kind=kind, codec=codec, payload_type=96, clock_rate=clock_rate(codec), retransmissions={}, rids=(),
        ssrcs=(), repair_ssrcs=(), extensions={}, nack=True, transport_cc=False, remb=False, sending=True,
    )  # fmt: skip


class Watcher:
    """Takes one track of a conference into this process, as plain packets."""

    def __init__(self, conference: Conference, source: Any) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)
        self.socket.setblocking(False)
        self.tap = conference._router.tap(theirs.detach())
        self.ssrc = self.tap.take(source)

    async def packet(self) -> bytes:
        """The next packet of the track."""
        async with asyncio.timeout(PATIENCE):
            while True:
                data = await asyncio.get_running_loop().sock_recv(self.socket, 2048)
                if not 192 <= data[1] < 224:
                    return data

    def ask_for_key(self) -> None:
        self.socket.send(rtcp.write_compound([rtcp.ReceiverReport(1), rtcp.Pli(1, self.ssrc)]))

    def close(self) -> None:
        self.tap.close()
        self.socket.close()


class Venue:
    def __init__(self, server: MediaServer, events: list[MediaEvent], heard: asyncio.Event) -> None:
        self.server = server
        self.events = events
        self._heard = heard
        self.conference = server.open("c")

    def person(self, name: str, codec: CodecId | None = CodecId.VP8, *, sound: bool = True) -> Person:
        return Person(self.server, self.conference, name, codec, sound=sound)

    async def event(self, kind: type[Any], which: Callable[[Any], bool] = lambda _event: True) -> Any:
        """The first event of a kind (that is like that), past or to come."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and which(event):
                        return event
                self._heard.clear()
                await self._heard.wait()

    async def until(self, done: Callable[[], bool]) -> None:
        """Looks again whenever the loop has nothing else to do."""
        async with asyncio.timeout(PATIENCE):
            while not done():  # noqa: ASYNC110 - counters of a packet thread have no event
                await asyncio.sleep(LOOK_AGAIN)

    async def forwarded(self, packets: int) -> None:
        """Until so many packets have left the packet threads since the beginning."""
        await self.until(lambda: self.server.port.engine.stats()["packets_forwarded"] >= packets)

    async def settled(self, *people: Person) -> None:
        """Until the worker has been told by reports what time it is for these people, who have begun to send."""
        studio: Any = self.conference._studio
        await self.until(lambda: studio.counts.get("reported", 0) >= sum(len(person.ssrcs) for person in people))

    def worker_pid(self) -> int | None:
        """Of the media worker, if one runs."""
        link = self.conference._studio.process.link if self.conference._studio else None  # type: ignore[attr-defined]
        return link.process.pid if link and link.process else None


@asynccontextmanager
async def venue(**config: Any) -> AsyncIterator[Venue]:
    events: list[MediaEvent] = []
    heard = asyncio.Event()

    def tell(event: MediaEvent) -> None:
        events.append(event)
        heard.set()

    settings = replace(MediaConfig(udp_port=0, tcp_port=0, listen_ips=("127.0.0.1",), threads=1), **config)
    server = MediaServer(settings, SystemClock(), tell)
    await server.start()
    try:
        yield Venue(server, events, heard)
    finally:
        await server.aclose()
