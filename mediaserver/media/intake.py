"""The packets of one media socket to frames of its streams, each with its time on our clock.

Pure: takes datagrams and `now`, calls `on_frame`, and is asked for the RTCP that is due: what to repeat (NACK) and
where a key frame is needed (PLI). RTP as the packet threads send it to a process of ours: known payload types, a sender
report at least every second. A stream whose codec changes goes on with another depacketizer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from struct import Struct

from mediaserver.errors import MalformedPacket
from mediaserver.media.depacketize import CodedFrame, Depacketizer
from mediaserver.media.jitter import Ordered, Reorder
from mediaserver.media.timeline import SenderClock, TrackClock, ntp_seconds
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import payload_length, read_header

MAX_HELD = 512  # frames of one stream that wait for a report
KEY_AGAIN = 1.0  # seconds between two requests for a key frame
PLAIN_HEADER = 0x80  # RTP version 2 without padding, extension, contributing sources
BY_PAYLOAD_TYPE = {codec.payload_type: codec.id for codec in CODECS.values()}

_FIXED = Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Feed:
    """A stream of the socket. Streams of one participant share a clock."""

    ssrc: int
    key: str
    """What it is to whoever takes its frames."""
    participant_id: str
    patience: float
    """Seconds that a packet which is missing is waited for."""
    hold: float = 0.0
    """Seconds that the first frames wait for a report to tell their time: who is in no hurry has it right from the
    beginning."""


FrameListener = Callable[[Feed, CodecId, CodedFrame, float], None]


@dataclass(slots=True)
class _Packet:
    timestamp: int
    payload_type: int
    marker: bool
    payload: bytes
    at: float


@dataclass(slots=True)
class _Stream:
    feed: Feed
    clock: TrackClock
    reorder: Reorder[_Packet]
    codec: CodecId | None = None
    depacketizer: Depacketizer | None = None
    key_asked_at: float = float("-inf")
    wants_key: bool = False
    """Somebody asked for one, besides the depacketizer."""
    reported: bool = False
    held: list[tuple[CodecId, CodedFrame, float]] = field(default_factory=list)
    holds_until: float | None = None
    """None: nothing came yet."""


@dataclass(slots=True)
class Intake:
    """`ssrc` is ours, as reports name us. `wall_offset`: wall clock minus monotonic clock, as the sender of reports has
    it."""

    ssrc: int
    wall_offset: float
    on_frame: FrameListener
    on_key_asked: Callable[[], None] = lambda: None
    """Somebody needs a key frame of what we send."""
    unknown: int = 0
    """Datagrams that nothing could be made of."""
    _streams: dict[int, _Stream] = field(default_factory=dict)
    _clocks: dict[str, SenderClock] = field(default_factory=dict)

    def open(self, feed: Feed) -> None:
        clock = self._clocks.setdefault(feed.participant_id, SenderClock())
        self._streams[feed.ssrc] = _Stream(feed, TrackClock(90000, clock), Reorder(feed.patience))

    def close(self, ssrc: int) -> Feed | None:
        """The stream is over; what waited of it still comes."""
        stream = self._streams.get(ssrc)
        if stream is None:
            return None
        self._go_on(stream, stream.reorder.flush())
        self._release(stream)
        del self._streams[ssrc]
        if not any(other.feed.participant_id == stream.feed.participant_id for other in self._streams.values()):
            self._clocks.pop(stream.feed.participant_id, None)
        return stream.feed

    def release(self) -> None:
        """What is held for a better time goes on with the one there is: somebody wants it now."""
        for stream in self._streams.values():
            self._release(stream)

    def counts(self) -> dict[str, int]:
        """For statistics: streams, how many of them have been tied to a clock, packets lost for good, and unknown."""
        streams = self._streams.values()
        return {
            "streams": len(streams),
            "reported": sum(stream.reported for stream in streams),
            "lost": sum(stream.reorder.lost for stream in streams),
            "unknown": self.unknown,
        }

    def want_key(self, key: str) -> None:
        """The stream's next request for repair asks for a key frame, too."""
        for stream in self._streams.values():
            if stream.feed.key == key:
                stream.wants_key = True

    def datagram(self, data: bytes, now: float) -> None:
        if len(data) < _FIXED.size:
            self.unknown += 1
        elif 192 <= data[1] < 224:
            self._control(data, now)
        else:
            self._media(data, now)

    def due(self, now: float) -> list[bytes]:
        """Goes on without what was waited for long enough; returns the RTCP to send. Some ten times a second."""
        out = []
        for stream in self._streams.values():
            self._go_on(stream, stream.reorder.expire(now))
            if stream.held and now >= (stream.holds_until or now):
                self._release(stream)
            asked: list[rtcp.Packet] = []
            if lost := stream.reorder.missing(now):
                asked.append(rtcp.Nack(self.ssrc, stream.feed.ssrc, lost))
            if self._key_due(stream, now):
                asked.append(rtcp.Pli(self.ssrc, stream.feed.ssrc))
            if asked:
                out.append(rtcp.write_compound([rtcp.ReceiverReport(self.ssrc), *asked]))
        return out

    def _key_due(self, stream: _Stream, now: float) -> bool:
        wanted = stream.wants_key or (stream.depacketizer is not None and stream.depacketizer.wants_key)
        if not wanted or now - stream.key_asked_at < KEY_AGAIN:
            return False
        stream.key_asked_at = now
        stream.wants_key = False
        return True

    def _control(self, data: bytes, now: float) -> None:
        try:
            packets = rtcp.read_compound(data)
        except MalformedPacket:
            self.unknown += 1
            return
        if any(isinstance(packet, rtcp.Pli | rtcp.Fir) for packet in packets):
            self.on_key_asked()
        for packet in packets:
            stream = self._streams.get(packet.ssrc) if isinstance(packet, rtcp.SenderReport) else None
            if stream and isinstance(packet, rtcp.SenderReport):
                stream.reported = True
                stream.clock.report(packet.timestamp, ntp_seconds(packet.ntp, self.wall_offset), now)
                self._release(stream)

    def _media(self, data: bytes, now: float) -> None:
        first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
        stream = self._streams.get(ssrc)
        if stream is None:
            self.unknown += 1
            return
        try:
            payload = data[_FIXED.size :] if first == PLAIN_HEADER else _payload(data)
        except MalformedPacket:
            self.unknown += 1
            return
        packet = _Packet(timestamp, second & 0x7F, second > 0x7F, payload, now)
        self._go_on(stream, stream.reorder.push(sequence, packet, now))

    def _go_on(self, stream: _Stream, packets: Iterable[Ordered[_Packet]]) -> None:
        for packet, lost in packets:
            codec = BY_PAYLOAD_TYPE.get(packet.payload_type)
            if codec is None:
                self.unknown += 1
                continue
            if codec is not stream.codec:
                stream.codec, stream.depacketizer = codec, Depacketizer(codec)
                stream.clock.rate = CODECS[codec].clock_rate
            assert stream.depacketizer is not None
            for frame in stream.depacketizer.push(packet.payload, packet.timestamp, packet.marker, lost):
                self._frame(stream, codec, frame, packet.at)

    def _frame(self, stream: _Stream, codec: CodecId, frame: CodedFrame, at: float) -> None:
        if stream.holds_until is None:
            stream.holds_until = at + stream.feed.hold
        if not stream.reported and at < stream.holds_until and len(stream.held) < MAX_HELD:
            stream.held.append((codec, frame, at))
            return
        self._release(stream)
        self.on_frame(stream.feed, codec, frame, stream.clock.time(frame.timestamp, at))

    def _release(self, stream: _Stream) -> None:
        """What was held has a time now, as good as it gets."""
        held, stream.held = stream.held, []
        for codec, frame, at in held:
            self.on_frame(stream.feed, codec, frame, stream.clock.time(frame.timestamp, at))


def _payload(data: bytes) -> bytes:
    header = read_header(data)
    return data[header.length : header.length + payload_length(data, header)]
