"""A simulated publisher: makes frames by codec, reports, and answers what it is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.packet import RtpPacket, write_packet
from mediaserver.rtp.transport_feedback import TransportFeedback
from tests.support import payloads
from tests.support.rtp_peer import Plain, Srtp, Tag, write_tag

NTP_EPOCH = 2208988800.0  # seconds from 1900 to 1970
HISTORY = 2000  # packets that are kept for retransmission
PUBLISHED_IDS = {
    Extension.MID: 1,
    Extension.RID: 2,
    Extension.REPAIRED_RID: 3,
    Extension.TRANSPORT_CC: 4,
    Extension.AUDIO_LEVEL: 6,
    Extension.DEPENDENCY_DESCRIPTOR: 13,
}


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

    def __init__(
        self, srtp: Srtp | Plain, layers: list[Layer], send: Callable[[bytes], None], clock: SenderClock
    ) -> None:
        self.srtp, self.layers, self.clock = srtp, layers, clock
        self.send = send
        self.transport_sequence = 0
        self.transport_times: dict[int, float] = {}
        """When each packet left, by its transport-wide number."""
        self.feedback: list[tuple[float, TransportFeedback]] = []
        self.rembs: list[rtcp.Remb] = []
        self.reports: list[tuple[float, rtcp.ReportBlock]] = []
        self.identify = True  # mid and rid in every packet
        self.use_repair = True
        self.use_plain_repair = False  # sound is repeated as it was, without RTX
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
        if not layer.repair_ssrc:
            if self.use_plain_repair:
                self._put(original, layer, now, repair=False)
            return
        content = original.payload if payload is None else payload
        repair = RtpPacket(
            CODECS[layer.codec].rtx_payload_type or 0, layer.repair_sequence, original.timestamp, layer.repair_ssrc,
            sequence.to_bytes(2) + content, original.marker,
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
                self.send(self.srtp.protect_rtcp([sr, rtcp.Description(((layer.ssrc, "publisher"),))]))

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
        self.send(self.srtp.protect(write_packet(replace(packet, extensions=extensions))))

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


def _payload(layer: Layer, tag: Tag) -> bytes:
    end = write_tag(tag)
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
