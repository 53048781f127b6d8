"""A simulated subscriber: reassembles, asks for what is lost, and knows when it could show which frame."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from mediaserver.rtp import rtcp
from mediaserver.rtp.packet import Elements, RtpPacket
from mediaserver.rtp.sequence import timestamp_diff, unwrap
from mediaserver.rtp.transport_feedback import REFERENCE_TICKS, TICK, TransportFeedback
from tests.support.rtp_peer import Plain, Srtp, Tag, read_tag


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


class NumberedArrivals:
    """Transport-wide numbers as a receiver keeps them. Its clock differs from everybody else's."""

    PART = 60  # packets that one message tells of

    def __init__(self) -> None:
        self.clock_offset = 1234.5
        self.times: dict[int, float] = {}
        """When each number came, by our clock."""
        self._next: int | None = None
        self._highest = 0
        self._count = 0

    def arrived(self, number: int, now: float) -> None:
        if self._next is None:
            self._next = self._highest = number
        number = unwrap(number, self._highest)
        self._highest = max(self._highest, number)
        self.times.setdefault(number, now)
        if number < self._next:
            self._next = number  # it was told as lost: tell again from here

    def due(self) -> list[TransportFeedback]:
        messages = []
        while self._next is not None and self._next <= self._highest:
            numbers = range(self._next, min(self._next + self.PART, self._highest + 1))
            self._next = numbers.stop
            ticks = [self._ticks(number) for number in numbers]
            known = [t for t in ticks if t is not None]
            if known:
                messages.append(self._message(numbers.start, ticks, known[0]))
        return messages

    def _message(self, base: int, ticks: list[int | None], first: int) -> TransportFeedback:
        reference = first // REFERENCE_TICKS
        arrivals = tuple(t if t is None else t - reference * REFERENCE_TICKS for t in ticks)
        self._count = (self._count + 1) & 0xFF
        return TransportFeedback(1, 2, base & 0xFFFF, self._count, reference & 0xFFFFFF, arrivals)

    def _ticks(self, number: int) -> int | None:
        at = self.times.get(number)
        return None if at is None else int((at + self.clock_offset) / TICK)


class Subscriber:
    """Receives streams, asks for what is lost, reports."""

    def __init__(self, srtp: Srtp | Plain, send: Callable[[bytes], None], ssrc: int) -> None:
        self.srtp, self.ssrc = srtp, ssrc
        self.send = send
        self.streams: list[ReceivedStream] = []
        self.unknown = 0
        self.numbered = NumberedArrivals()
        self.number_id: int | None = None  # of the transport-wide numbers, if they were agreed to

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
        for number, value in packet.extensions:
            if number == self.number_id:
                self.numbered.arrived(int.from_bytes(value), now)
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
        self.send(self.srtp.protect_rtcp([rtcp.ReceiverReport(self.ssrc, tuple(blocks[:31]))]))

    def feedback(self, now: float) -> None:
        """Tells which transport-wide numbers came since the last time, and when."""
        for message in self.numbered.due():
            self.ask([message])

    def ask(self, packets: list[rtcp.Packet]) -> None:
        self.send(self.srtp.protect_rtcp([rtcp.ReceiverReport(self.ssrc), *packets]))
