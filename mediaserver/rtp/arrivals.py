"""What a subscriber's transport-wide feedback says of what was sent to it, put together for an estimate.

The packet threads keep when each packet was sent; a feedback message together with that history becomes one `Feedback`:
few groups instead of many packets. `Gatherer` is how packets become groups, packet by packet, in Python: the meaning
of what the native core hands over, and what tests and simulations use. What follows from it is decided in
`congestion.py`. draft-ietf-rmcat-gcc-02 section 5.2; draft-holmer-rmcat-transport-wide-cc-extensions-01.

Times here are whole microseconds: sending times of our clock, arrival times of the receiver's. Sizes are of whole
datagrams.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

GROUP_SPAN_US = 10_000  # what is sent within it counts as sent at once; half of it would double the work
BURST_US = 5_000  # packets that arrive closer together than this were held up together, and join their group
MAX_BURST_US = 100_000  # a group never lasts longer
LOST = -1  # an arrival time: never received

Group = tuple[int, int, int]
"""Packets sent at about the same time: (when the last of them was sent, when the last arrived, size in bytes)."""

Packet = tuple[int, int, int, int]
"""(when it was sent, when it arrived or LOST, size in bytes, number of the probe it belongs to or 0)."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How the packets of a probe have come through, so far.

    The spans go from the first to the last packet; `sent_bytes` leaves out the last one sent, `arrived_bytes` the first
    one that arrived: what went through within the spans.
    """

    probe: int
    packets: int
    size_bytes: int
    sent_bytes: int
    sent_span_us: int
    arrived_bytes: int
    arrived_span_us: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """One message. Packets it tells of for a second time do not count again."""

    groups: tuple[Group, ...] = ()
    """Those that are complete: a group ends when a packet of the next one is told of."""
    received: int = 0
    """Packets said to have come, in open groups too."""
    lost: int = 0
    """Packets said to be lost, less those that were and came after all; may be negative."""
    received_bytes: int = 0
    lost_bytes: int = 0
    newest_sent_us: int = 0
    """When the youngest packet that is told of was sent; 0: none is."""
    probes: tuple[ProbeResult, ...] = ()
    """Of probes that packets in this message belong to."""


@dataclass(slots=True)
class _Probe:
    """Collects a probe's packets in the order of sending."""

    number: int
    packets: int = 0
    size_bytes: int = 0
    first: Packet = (0, 0, 0, 0)
    last: Packet = (0, 0, 0, 0)
    first_arrived: Packet = (0, 0, 0, 0)
    last_arrived_us: int = 0

    def add(self, packet: Packet) -> None:
        _, arrived_us, size, _ = packet
        if not self.packets or arrived_us < self.first_arrived[1]:
            self.first_arrived = packet
        if not self.packets:
            self.first = packet
        self.last = packet
        self.last_arrived_us = max(self.last_arrived_us, arrived_us)
        self.packets += 1
        self.size_bytes += size

    def result(self) -> ProbeResult:
        return ProbeResult(
            self.number,
            self.packets,
            self.size_bytes,
            self.size_bytes - self.last[2],
            self.last[0] - self.first[0],
            self.size_bytes - self.first_arrived[2],
            self.last_arrived_us - self.first_arrived[1],
        )


@dataclass(slots=True)
class Gatherer:
    """Makes groups of the packets to one subscriber."""

    _first_sent: int = 0
    _last_sent: int = 0
    _first_arrived: int = 0
    _last_arrived: int = 0
    _size: int = 0
    _probe: _Probe = field(default_factory=lambda: _Probe(0))

    def message(self, packets: Iterable[Packet], *, late: Iterable[Packet] = ()) -> Feedback:
        """What one message says: `packets` in the order of sending, each told of for the first time.

        `late`: those that an earlier message called lost and that have come after all.
        """
        groups: list[Group] = []
        probed: dict[int, _Probe] = {}
        received = lost = received_bytes = lost_bytes = newest = 0
        for packet in packets:
            sent_us, arrived_us, size, probe = packet
            newest = max(newest, sent_us)
            if arrived_us == LOST:
                lost += 1
                lost_bytes += size
                continue
            received += 1
            received_bytes += size
            if probe:
                probed[probe] = self._probed(packet)
            if group := self._add(sent_us, arrived_us, size):
                groups.append(group)
        for _, _, size, _ in late:
            received, lost = received + 1, lost - 1
            received_bytes, lost_bytes = received_bytes + size, lost_bytes - size
        results = tuple(probe.result() for probe in probed.values())
        return Feedback(tuple(groups), received, lost, received_bytes, lost_bytes, newest, results)

    def _probed(self, packet: Packet) -> _Probe:
        if self._probe.number != packet[3]:
            self._probe = _Probe(packet[3])
        self._probe.add(packet)
        return self._probe

    def _add(self, sent_us: int, arrived_us: int, size: int) -> Group | None:
        """Adds a packet; returns the group that it has ended."""
        ended = None
        if self._size and not self._belongs(sent_us, arrived_us):
            ended = self._last_sent, self._last_arrived, self._size
            self._size = 0
        if not self._size:
            self._first_sent, self._last_sent = sent_us, sent_us
            self._first_arrived, self._last_arrived = arrived_us, arrived_us
        self._last_sent = max(self._last_sent, sent_us)
        self._last_arrived = max(self._last_arrived, arrived_us)
        self._size += size
        return ended

    def _belongs(self, sent_us: int, arrived_us: int) -> bool:
        if sent_us - self._first_sent <= GROUP_SPAN_US:
            return True
        waited = (arrived_us - self._last_arrived) - (sent_us - self._last_sent)
        together = arrived_us - self._last_arrived <= BURST_US and waited < 0
        return together and arrived_us - self._first_arrived < MAX_BURST_US
