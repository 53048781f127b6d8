"""Simulated participants in plain Python: a publisher and a subscriber who speak SRTP by libsrtp.

They share no code with the native core but the readers of `mediaserver.rtp`. A publisher makes frames by codec and
answers what it is asked for; a subscriber reassembles, asks again, and knows when it could show which frame. Neither
has a clock: whoever owns them tells the time and carries their datagrams (`simulation.py`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from struct import Struct
from typing import NamedTuple

from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.packet import Elements, RtpPacket, read_packet, write_packet
from mediaserver.rtp.sequence import timestamp_diff, unwrap
from mediaserver.rtp.transport_feedback import TransportFeedback
from tests.support import payloads

NTP_EPOCH = 2208988800.0  # seconds from 1900 to 1970
PROFILES = {
    "SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "SRTP_AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    "SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
PUBLISHED_IDS = {
    Extension.MID: 1,
    Extension.RID: 2,
    Extension.REPAIRED_RID: 3,
    Extension.TRANSPORT_CC: 4,
    Extension.AUDIO_LEVEL: 6,
    Extension.DEPENDENCY_DESCRIPTOR: 13,
}
HISTORY = 2000  # packets a publisher keeps for retransmission

_OSN = Struct("!H")
_TAG = Struct("!4sHIHHBd")
_MAGIC = b"tag:"


class Tag(NamedTuple):
    """At the end of every payload: what the packet is, whatever the codec."""

    source: int
    frame: int
    part: int
    parts: int
    key: bool
    captured: float


def read_tag(payload: bytes) -> Tag:
    magic, source, frame, part, parts, key, captured = _TAG.unpack(payload[-_TAG.size :])
    assert magic == _MAGIC, "a payload of no publisher of ours"
    return Tag(source, frame, part, parts, bool(key), captured)


class Srtp:
    """Both directions of one encrypted connection, the peer's end."""

    def __init__(self, profile: str, send: bytes, receive: bytes) -> None:
        self._tx = self._session(profile, send, Policy.SSRC_ANY_OUTBOUND)
        self._rx = self._session(profile, receive, Policy.SSRC_ANY_INBOUND)
        self.refused = self.replayed = 0

    @staticmethod
    def _session(profile: str, key: bytes, kind: int) -> Session:
        policy = Policy(key=key, ssrc_type=kind, srtp_profile=PROFILES[profile][0])
        policy.window_size = 1024
        policy.allow_repeat_tx = True
        return Session(policy)

    def protect(self, packet: bytes) -> bytes:
        return self._tx.protect(packet)

    def protect_rtcp(self, packets: list[rtcp.Packet]) -> bytes:
        return self._tx.protect_rtcp(rtcp.write_compound(packets))

    def open(self, data: bytes) -> RtpPacket | list[rtcp.Packet] | None:
        """A packet, or the packets of a compound one; None (and counted) if libsrtp refuses it."""
        try:
            if 192 <= data[1] < 224:
                return rtcp.read_compound(self._rx.unprotect_rtcp(data))
            return read_packet(self._rx.unprotect(data))
        except SrtpError as error:
            if "replay" in str(error):
                self.replayed += 1
            else:
                self.refused += 1
            return None


# ---- the sending end ----


@dataclass(slots=True)
class SenderClock:
    """A publisher's own idea of time: an offset, and a drift in parts of one."""

    offset: float = 0.0
    drift: float = 0.0

    def read(self, now: float) -> float:
        return now * (1 + self.drift) + self.offset

    def ntp(self, now: float) -> int:
        return int((self.read(now) + NTP_EPOCH) * 2**32) & (2**64 - 1)


@dataclass(slots=True)
class Layer:
    """One stream of numbers that a publisher sends."""

    source: int
    codec: CodecId
    ssrc: int
    repair_ssrc: int
    mid: str
    rid: str | None = None
    sequence: int = 1000
    timestamp: int = 5000
    packets_per_frame: int = 4
    size: int = 1000
    picture_id: int = 0
    picture_id_bits: int = 15
    width: int = 640
    height: int = 360
    descriptor: bytes | None = None
    level: int | None = None
    asleep: bool = False
    wants_key: bool = True
    frame: int = 0
    repair_sequence: int = 100
    sent_packets: int = 0
    sent_octets: int = 0
    plis: list[float] = field(default_factory=list)
    nacked: int = 0
    history: dict[int, RtpPacket] = field(default_factory=dict)

    @property
    def clock_rate(self) -> int:
        return CODECS[self.codec].clock_rate

    @property
    def payload_type(self) -> int:
        return CODECS[self.codec].payload_type


class Publisher:
    """Sends frames of its layers, reports of them, and again what it is asked for."""

    def __init__(self, srtp: Srtp, layers: list[Layer], send: Callable[[bytes], None], clock: SenderClock) -> None:
        self.srtp, self.layers, self.clock = srtp, layers, clock
        self._send = send
        self.transport_sequence = 0
        self.transport_times: dict[int, float] = {}
        """When each packet left, by its transport-wide number."""
        self.feedback: list[tuple[float, TransportFeedback]] = []
        self.rembs: list[rtcp.Remb] = []
        self.reports: list[tuple[float, rtcp.ReportBlock]] = []
        self.identify = True  # mid and rid in every packet
        self.use_repair = True
        self.transport_cc = True

    def layer(self, source: int) -> Layer:
        return next(layer for layer in self.layers if layer.source == source)

    def send_frame(self, layer: Layer, now: float) -> None:
        if layer.asleep:
            return
        key, layer.wants_key = layer.wants_key, False
        timestamp = self._timestamp(layer, now)
        for index in range(layer.packets_per_frame):
            tag = Tag(layer.source, layer.frame, index, layer.packets_per_frame, key, now)
            self.send_packet(layer, _payload(layer, tag), timestamp, now, marker=index == layer.packets_per_frame - 1)
        layer.frame += 1
        layer.picture_id = (layer.picture_id + 1) % (1 << layer.picture_id_bits)

    def send_packet(
        self, layer: Layer, payload: bytes, timestamp: int, now: float, *, marker: bool = False, padding: int = 0
    ) -> None:
        packet = RtpPacket(layer.payload_type, layer.sequence, timestamp, layer.ssrc, payload, marker, (), (), padding)
        layer.history[layer.sequence] = packet
        layer.history.pop((layer.sequence - HISTORY) & 0xFFFF, None)
        layer.sequence = (layer.sequence + 1) & 0xFFFF
        layer.sent_packets += 1
        layer.sent_octets += len(payload)
        self._put(packet, layer, now, repair=False)

    def send_padding(self, layer: Layer, now: float) -> None:
        self.send_packet(layer, b"", self._timestamp(layer, now), now, padding=200)

    def repair(self, layer: Layer, sequence: int, now: float, payload: bytes | None = None) -> None:
        """Sends a packet of the past by RTX; `payload` instead of the true one."""
        original = layer.history.get(sequence)
        if original is None:
            return
        content = original.payload if payload is None else payload
        repair = RtpPacket(
            CODECS[layer.codec].rtx_payload_type or 0, layer.repair_sequence, original.timestamp, layer.repair_ssrc,
            _OSN.pack(sequence) + content, original.marker,
        )  # fmt: skip
        layer.repair_sequence = (layer.repair_sequence + 1) & 0xFFFF
        self._put(repair, layer, now, repair=True)

    def report(self, now: float) -> None:
        """A sender report of every layer that has sent something."""
        for layer in self.layers:
            if layer.sent_packets and not layer.asleep:
                sr = rtcp.SenderReport(
                    layer.ssrc, self.clock.ntp(now), self._timestamp(layer, now), layer.sent_packets, layer.sent_octets
                )
                self._send(self.srtp.protect_rtcp([sr, rtcp.Description(((layer.ssrc, "publisher"),))]))

    def receive(self, data: bytes, now: float) -> None:
        packets = self.srtp.open(data)
        for packet in packets if isinstance(packets, list) else ():
            self._told(packet, now)

    def _told(self, packet: rtcp.Packet, now: float) -> None:
        match packet:
            case rtcp.Nack(_, media, lost):
                for layer in self._by_ssrc(media):
                    layer.nacked += len(lost)
                    for sequence in lost if self.use_repair else ():
                        self.repair(layer, sequence, now)
            case rtcp.Pli(_, media):
                for layer in self._by_ssrc(media):
                    layer.plis.append(now)
                    layer.wants_key = True
            case rtcp.Remb():
                self.rembs.append(packet)
            case TransportFeedback():
                self.feedback.append((now, packet))
            case rtcp.ReceiverReport(_, blocks):
                self.reports += [(now, block) for block in blocks]

    def _by_ssrc(self, ssrc: int) -> list[Layer]:
        return [layer for layer in self.layers if layer.ssrc == ssrc]

    def _timestamp(self, layer: Layer, now: float) -> int:
        return (layer.timestamp + round(self.clock.read(now) * layer.clock_rate)) & 0xFFFFFFFF

    def _put(self, packet: RtpPacket, layer: Layer, now: float, *, repair: bool) -> None:
        extensions = tuple(self._extensions(layer, repair, now))
        self._send(self.srtp.protect(write_packet(_with_extensions(packet, extensions))))

    def _extensions(self, layer: Layer, repair: bool, now: float) -> Iterator[tuple[int, bytes]]:
        if self.identify:
            yield PUBLISHED_IDS[Extension.MID], layer.mid.encode()
            if layer.rid:
                kind = Extension.REPAIRED_RID if repair else Extension.RID
                yield PUBLISHED_IDS[kind], layer.rid.encode()
        if self.transport_cc:
            yield PUBLISHED_IDS[Extension.TRANSPORT_CC], self.transport_sequence.to_bytes(2)
            self.transport_times[self.transport_sequence] = now
            self.transport_sequence = (self.transport_sequence + 1) & 0xFFFF
        if layer.level is not None:
            yield PUBLISHED_IDS[Extension.AUDIO_LEVEL], bytes([layer.level])
        if layer.descriptor is not None:
            yield PUBLISHED_IDS[Extension.DEPENDENCY_DESCRIPTOR], layer.descriptor


def _with_extensions(packet: RtpPacket, extensions: Elements) -> RtpPacket:
    return RtpPacket(
        packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc, packet.payload, packet.marker, (),
        extensions, packet.padding,
    )  # fmt: skip


def _payload(layer: Layer, tag: Tag) -> bytes:
    end = _TAG.pack(_MAGIC, *tag)
    rest = bytes(max(0, layer.size - len(end) - 30)) + end
    start = tag.part == 0
    match layer.codec:
        case CodecId.VP8:
            frame = payloads.vp8_frame(keyframe=tag.key, width=layer.width, height=layer.height) if start else b"\xff"
            return payloads.vp8_payload(
                frame + rest, start=start, picture_id=layer.picture_id, picture_id_bits=layer.picture_id_bits,
                tl0=layer.frame & 0xFF, temporal_id=0,
            )  # fmt: skip
        case CodecId.VP9:
            sizes = [(layer.width, layer.height)] if start and tag.key else None
            last = tag.part == tag.parts - 1
            return payloads.vp9_payload(
                rest, start=start, end=last, inter=not tag.key, picture_id=layer.picture_id, sizes=sizes
            )
        case CodecId.H264_BASELINE | CodecId.H264_HIGH:
            if start and tag.key:
                return payloads.sps(layer.width // 16, layer.height // 16) + rest
            return payloads.nal(payloads.SLICE, body=(b"\x88" if start else b"\x08") + rest)
        case CodecId.AV1:
            frame = payloads.obu(payloads.FRAME, rest)
            if not start or not tag.key:
                return payloads.av1_payload(frame)
            header = payloads.obu(payloads.SEQUENCE_HEADER, payloads.sequence_header(layer.width, layer.height))
            return payloads.av1_payload(header, frame, new_sequence=True)
        case _:
            return rest


# ---- the receiving end ----


@dataclass(frozen=True, slots=True)
class Received:
    """A media packet as it was taken in."""

    at: float
    sequence: int  # unwrapped
    timestamp: int
    payload_type: int
    payload: bytes
    extensions: Elements
    repaired: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame that could be decoded."""

    at: float
    source: int
    frame: int
    key: bool
    timestamp: int
    captured: float
    sequence: int


@dataclass(slots=True)
class _Frame:
    tag: Tag
    timestamp: int
    sequence: int
    parts: set[int] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        return len(self.parts) == self.tag.parts


@dataclass(slots=True)
class _Hole:
    since: float
    ask_at: float
    tries: int = 0


NACK_AFTER = 0.005  # seconds
NACK_AGAIN = 0.06
NACK_TRIES = 10
PATIENCE = 0.25  # without a frame that can be shown, while packets come
PLI_AGAIN = 0.3


class ReceivedStream:
    """One stream as a subscriber takes it: numbers, holes, frames."""

    def __init__(self, ssrc: int, repair_ssrc: int, *, video: bool = True) -> None:
        self.ssrc, self.repair_ssrc, self.video = ssrc, repair_ssrc, video
        self.packets: dict[int, Received] = {}
        self.shown: list[Shown] = []
        self.plis: list[float] = []
        self.given_up: list[int] = []
        self.reports: list[tuple[float, rtcp.SenderReport]] = []
        self.repairs = 0
        self.duplicates = 0
        self.nacks = True
        self.patience = PATIENCE
        self.highest: int | None = None
        self._holes: dict[int, _Hole] = {}
        self._frames: dict[tuple[int, int], _Frame] = {}
        self._progress_at: float | None = None
        self._expected_prior = self._received_prior = 0
        self._count = 0

    def take(self, packet: RtpPacket, now: float, *, repaired: bool) -> None:
        sequence = packet.sequence if self.highest is None else unwrap(packet.sequence, self.highest)
        if sequence in self.packets:
            self.duplicates += 1
            return
        self._count += not repaired
        self._number(sequence, now)
        self.packets[sequence] = Received(
            now, sequence, packet.timestamp, packet.payload_type, packet.payload, packet.extensions, repaired
        )
        self._progress_at = now if self._progress_at is None else self._progress_at
        if packet.payload and self.video:
            self._frame(packet, sequence, now)

    def _number(self, sequence: int, now: float) -> None:
        if self.highest is None or sequence > self.highest:
            for lost in range((self.highest if self.highest is not None else sequence - 1) + 1, sequence):
                self._holes[lost] = _Hole(now, now + NACK_AFTER)
            self.highest = sequence
        self._holes.pop(sequence, None)

    def _frame(self, packet: RtpPacket, sequence: int, now: float) -> None:
        tag = read_tag(packet.payload)
        frame = self._frames.setdefault((tag.source, tag.frame), _Frame(tag, packet.timestamp, sequence - tag.part))
        frame.parts.add(tag.part)
        while frame.complete and self._decodable(frame):
            self._show(frame, now)
            following = self._frames.get((frame.tag.source, frame.tag.frame + 1))
            if following is None:
                return
            frame = following

    def _decodable(self, frame: _Frame) -> bool:
        last = self.shown[-1] if self.shown else None
        if last is None:
            return frame.tag.key
        if frame.tag.key:
            return frame.sequence > last.sequence
        return last.source == frame.tag.source and last.frame + 1 == frame.tag.frame

    def _show(self, frame: _Frame, now: float) -> None:
        tag = frame.tag
        self.shown.append(Shown(now, tag.source, tag.frame, tag.key, frame.timestamp, tag.captured, frame.sequence))
        self._progress_at = now

    def nacks_due(self, now: float) -> tuple[int, ...]:
        due = [s for s, hole in self._holes.items() if hole.ask_at <= now] if self.nacks else []
        for sequence in due:
            hole = self._holes[sequence]
            hole.tries += 1
            hole.ask_at = now + NACK_AGAIN
            if hole.tries > NACK_TRIES:
                del self._holes[sequence]
                self.given_up.append(sequence)
        return tuple(s & 0xFFFF for s in due)

    def pli_due(self, now: float) -> bool:
        if not self.video or self._progress_at is None or now - self._progress_at < self.patience:
            return False
        heard = self.highest is not None and now - self.packets[self.highest].at < self.patience
        if not heard or (self.plis and now - self.plis[-1] < PLI_AGAIN):
            return False
        self.plis.append(now)
        return True

    def report(self, now: float) -> rtcp.ReportBlock | None:
        if self.highest is None:
            return None
        expected = self.highest - min(self.packets) + 1
        wanted, got = expected - self._expected_prior, self._count - self._received_prior
        self._expected_prior, self._received_prior = expected, self._count
        fraction = min(255, max(0, wanted - got) * 256 // max(wanted, 1))
        last, delay = 0, 0
        if self.reports:
            at, report = self.reports[-1]
            last, delay = report.ntp >> 16 & 0xFFFFFFFF, int((now - at) * 65536)
        return rtcp.ReportBlock(self.ssrc, fraction, expected - self._count, self.highest & 0xFFFFFFFF, 0, last, delay)

    def freezes(self, until: float) -> list[tuple[float, float]]:
        """(when, how long) of pauses between frames, the one from the last until `until` included."""
        times = [shown.at for shown in self.shown] + [until]
        return [(a, b - a) for a, b in pairwise(times)]

    def longest_freeze(self, until: float) -> float:
        return max((length for _, length in self.freezes(until)), default=until)

    def in_order(self) -> list[Received]:
        return [self.packets[s] for s in sorted(self.packets)]

    def ntp_of(self, timestamp: int, clock_rate: int) -> float:
        """Seconds of the sender's wall clock at an RTP time, by the last report."""
        _, report = self.reports[-1]
        return report.ntp / 2**32 + timestamp_diff(timestamp, report.timestamp) / clock_rate


class Subscriber:
    """Receives streams, asks for what is lost, reports."""

    def __init__(self, srtp: Srtp, send: Callable[[bytes], None], ssrc: int) -> None:
        self.srtp, self.ssrc = srtp, ssrc
        self._send = send
        self.streams: list[ReceivedStream] = []
        self.unknown = 0

    def receive(self, data: bytes, now: float) -> None:
        opened = self.srtp.open(data)
        if isinstance(opened, RtpPacket):
            self._take(opened, now)
        for packet in opened if isinstance(opened, list) else ():
            if isinstance(packet, rtcp.SenderReport):
                for stream in self.streams:
                    if stream.ssrc == packet.ssrc:
                        stream.reports.append((now, packet))

    def _take(self, packet: RtpPacket, now: float) -> None:
        for stream in self.streams:
            if packet.ssrc == stream.ssrc:
                stream.take(packet, now, repaired=False)
                return
            if packet.ssrc == stream.repair_ssrc:
                stream.repairs += 1
                original = RtpPacket(
                    packet.payload_type, int.from_bytes(packet.payload[:2]), packet.timestamp, stream.ssrc,
                    packet.payload[2:], packet.marker, (), packet.extensions,
                )  # fmt: skip
                stream.take(original, now, repaired=True)
                return
        self.unknown += 1

    def tick(self, now: float) -> None:
        for stream in self.streams:
            if lost := stream.nacks_due(now):
                self.ask([rtcp.Nack(self.ssrc, stream.ssrc, lost)])
            if stream.pli_due(now):
                self.ask([rtcp.Pli(self.ssrc, stream.ssrc)])

    def report(self, now: float) -> None:
        blocks = [block for stream in self.streams if (block := stream.report(now))]
        self._send(self.srtp.protect_rtcp([rtcp.ReceiverReport(self.ssrc, tuple(blocks[:31]))]))

    def ask(self, packets: list[rtcp.Packet]) -> None:
        self._send(self.srtp.protect_rtcp([rtcp.ReceiverReport(self.ssrc), *packets]))
