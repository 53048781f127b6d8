"""Simulated subscribers behind one narrow line: an estimate and an allocation that decide what is really sent.

Nothing of the native core takes part: a sender paces frames of the chosen layers onto a `Link`, a receiver answers with
transport-wide feedback, and the records of it are made as `native` documents them. Seeded; time moves in ticks.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random

from mediaserver.rtp.allocation import Allocator, Request
from mediaserver.rtp.arrivals import LOST, Record
from mediaserver.rtp.congestion import Estimate
from mediaserver.rtp.layers import Layer
from tests.support.link import Link, Weather

TICK = 0.005
FRAME = 1 / 30
SOUND_FRAME = 0.02
SOUND_BYTES = 120
PACKET_BYTES = 1200
FEEDBACK_EVERY = 0.1
DECIDE_EVERY = 0.2
SPAN_US = 5_000  # packets sent within it are told of together
KEY_FRAME = 5  # times a frame's size
MAX_REPAIRS = 0.3  # of the packets: where more is lost, sending it again makes it worse
RECEIVER_CLOCK = 7_000_000_000  # us ahead of ours
DRIFT = 1 + 50e-6


def simulcast(scale: float = 1.0) -> tuple[Layer, ...]:
    """Three qualities of a camera, the cheapest first: 150, 500 and 1,500 kbit/s."""
    sizes = ((2, 320, 180, 150_000.0), (1, 640, 360, 500_000.0), (0, 1280, 720, 1_500_000.0))
    return tuple(Layer(n, width, height, 30.0, rate * scale) for n, width, height, rate in sizes)


def cameras(number: int) -> tuple[Request, ...]:
    return tuple(Request(f"camera {n}", simulcast()) for n in range(number))


@dataclass(slots=True)
class _Out:
    sent_us: int
    size: int
    arrived_us: int = LOST


@dataclass(slots=True)
class Seen:
    """One look at a sender. `sent_bps`, `came_bps`: since the look before."""

    at: float
    estimate_bps: float
    sent_bps: float
    came_bps: float
    queue: float
    layers: tuple[int | None, ...]


class Receiver:
    """Tells what came of a sender's packets, as often as browsers do."""

    def __init__(self, packets: list[_Out]) -> None:
        self._packets = packets
        self._told = 0
        self._came: list[int] = []

    def arrived(self, number: int, at: float) -> None:
        self._packets[number].arrived_us = RECEIVER_CLOCK + round(at * DRIFT * 1e6)
        self._came.append(number)

    def feedback(self) -> list[Record]:
        if not self._came:
            return []
        late = sorted(number for number in self._came if number < self._told)
        records = [self._record([self._packets[number]]) for number in late]
        fresh = self._packets[self._told : max(*self._came, self._told - 1) + 1]
        self._told += len(fresh)
        self._came = []
        return records + records_of(fresh)

    @staticmethod
    def _record(packets: Sequence[_Out]) -> Record:
        return packets[-1].sent_us, packets[-1].arrived_us, sum(p.size for p in packets), len(packets)


def records_of(packets: Sequence[_Out]) -> list[Record]:
    """What the native core makes of packets that are told of for the first time."""
    records: list[Record] = []
    at = 0
    while at < len(packets):
        end = at
        while end < len(packets) and packets[end].sent_us - packets[at].sent_us < SPAN_US:
            end += 1
        for came in (True, False):
            part = [p for p in packets[at:end] if (p.arrived_us != LOST) is came]
            if part:
                arrived = max(p.arrived_us for p in part) if came else LOST
                records.append((part[-1].sent_us, arrived, sum(p.size for p in part), len(part)))
        at = end
    return records


@dataclass(slots=True)
class Sender:
    """A subscriber's connection at our end."""

    requests: tuple[Request, ...]
    link: Link
    random: Random
    voices: int = 1
    padding: bool = True
    """Whether probes can be sent."""
    estimate: Estimate = field(default_factory=Estimate)
    allocator: Allocator = field(default_factory=Allocator)
    packets: list[_Out] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    queues: list[tuple[float, float]] = field(default_factory=list)
    """(when, how long a packet waited on the line)"""
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    changes: int = 0
    lost_sound: int = 0
    _receiver: Receiver = field(init=False)
    _frames: deque[int] = field(default_factory=deque)
    _padding: float = 0.0
    _padding_bps: float = 0.0
    _credit: float = 0.0
    _due: dict[object, float] = field(default_factory=dict)
    _bytes: int = 0
    _came: int = 0

    def __post_init__(self) -> None:
        self._receiver = Receiver(self.packets)

    @property
    def sound_bps(self) -> float:
        return self.voices * SOUND_BYTES * 8 / SOUND_FRAME

    def begin(self, now: float) -> None:
        self.allocator.request(self.requests, self.sound_bps, self.estimate.rate_bps, now)
        self.estimate.wanted_bps = self.allocator.wanted_bps

    def decide(self, now: float) -> None:
        before = self.levels()
        if not self.padding and (wished := self.allocator.next_bps):
            self.estimate.stretch(wished, now)
        self.allocator.update(self.estimate.rate_bps, now)
        self.changes += self.levels() != before
        for request, was, level in zip(self.requests, before, self.levels(), strict=True):
            if level != was:
                self._frames.clear()  # of no use to anybody, now that another picture follows
            if level is not None and level != was:
                self._frame(request, KEY_FRAME)

    def levels(self) -> tuple[int | None, ...]:
        chosen = [self.allocator.allocation[request.key].layer for request in self.requests]
        return tuple(None if layer is None else layer.spatial for layer in chosen)

    def frames(self, now: float) -> None:
        """Sound goes out at once, pictures are queued."""
        for voice in range(self.voices):
            while self._due.setdefault(voice, now) <= now:
                self._due[voice] += SOUND_FRAME
                self.lost_sound += not self.send(SOUND_BYTES, now)
        for n, request in enumerate(self.requests):
            while self._due.setdefault(request.key, now + FRAME * n / len(self.requests)) <= now:
                self._due[request.key] += FRAME
                self._frame(request, self.random.uniform(0.8, 1.2))

    def _frame(self, request: Request, factor: float) -> None:
        left = int(self.allocator.allocation[request.key].rate_bps * FRAME / 8 * factor)
        while left > 0:
            self._frames.append(min(left, PACKET_BYTES))
            left -= PACKET_BYTES

    def pace(self, now: float) -> None:
        self._credit = min(self._credit, 0.0) + self.estimate.pace_bps(now) * TICK / 8
        while self._frames and self._credit > 0:
            size = self._frames.popleft()
            self._credit -= size
            self.send(size, now)
        if self.padding and (wish := self.estimate.probe(now)):
            self._padding, self._padding_bps = float(wish.size_bytes), wish.rate_bps
        burst = min(self._padding_bps * TICK / 8, self._padding)
        self._padding -= max(burst, 0.0)
        while burst > 0:
            self.send(int(min(burst, PACKET_BYTES)), now)
            burst -= PACKET_BYTES

    def send(self, size: int, now: float) -> bool:
        self.packets.append(_Out(round(now * 1e6), size))
        self._bytes += size
        number = len(self.packets) - 1
        times = self.link.arrivals(size, now)
        for at in times:
            heappush(self.arrivals, (at, number))
            self._came += size
            self.queues.append((now, at - now - self.link.weather.delay))
        return bool(times)

    def receiver_says(self) -> list[Record]:
        return self._receiver.feedback()

    def receive(self, now: float) -> None:
        while self.arrivals and self.arrivals[0][0] <= now:
            at, number = heappop(self.arrivals)
            self._receiver.arrived(number, at)

    def hear(self, records: Sequence[Record], now: float) -> None:
        self.estimate.feedback(records, now)
        lost = [size // packets for _, arrived, size, packets in records if arrived == LOST for _ in range(packets)]
        if len(lost) < MAX_REPAIRS * sum(record[3] for record in records):
            self._frames.extendleft(lost)

    def look(self, now: float, span: float) -> None:
        waited = [queue for at, queue in self.queues if at > now - span]
        self.seen.append(
            Seen(
                now,
                self.estimate.rate_bps,
                self._bytes * 8 / span,
                self._came * 8 / span,
                max(waited, default=0.0),
                self.levels(),
            )
        )
        self._bytes = self._came = 0
        self.queues = self.queues[-2000:]


class Narrow:
    """Senders that share one line to their subscribers. `weather.delay` is one way; feedback takes as long back."""

    def __init__(self, weather: Weather, *, seed: int = 1, feedback_every: float = FEEDBACK_EVERY) -> None:
        self.link = Link(weather, seed)
        self.now = 100.0
        self.senders: list[Sender] = []
        self._random = Random(seed)
        self._every = feedback_every
        self._back: list[tuple[float, int, Sender, list[Record]]] = []
        self._order = count()
        self._ticks = 0

    def add(self, requests: tuple[Request, ...], *, voices: int = 1, padding: bool = True) -> Sender:
        sender = Sender(requests, self.link, Random(self._random.random()), voices, padding)
        sender.begin(self.now)
        self.senders.append(sender)
        return sender

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self._tick()

    def _tick(self) -> None:
        self._ticks += 1
        self.now += TICK
        while self._back and self._back[0][0] <= self.now:
            _, _, sender, records = heappop(self._back)
            sender.hear(records, self.now)
        for sender in self.senders:
            sender.frames(self.now)
            sender.pace(self.now)
            sender.receive(self.now)
            if self._ticks % round(self._every / TICK) == 0 and (records := sender.receiver_says()):
                heappush(self._back, (self.now + self.link.weather.delay, next(self._order), sender, records))
            if self._ticks % round(DECIDE_EVERY / TICK) == 0:
                sender.estimate.silence(self.now)
                sender.decide(self.now)
            if self._ticks % round(1 / TICK) == 0:
                sender.look(self.now, 1.0)
