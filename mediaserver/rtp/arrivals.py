"""What a subscriber's transport-wide feedback says of what was sent to it, put together for an estimate.

The packet threads keep when each packet was sent; of each feedback message they make records: packets that were sent at
about the same time, and when they arrived, or that they are lost. `Arrivals` joins records into the groups whose delays
are compared, across messages, and counts. Pure; what follows is decided in `congestion.py`.
draft-ietf-rmcat-gcc-02 section 5.2 (groups, bursts); draft-holmer-rmcat-transport-wide-cc-extensions-01.

Times here are whole microseconds: sending times of our clock, arrival times of the receiver's. Sizes are of whole
datagrams.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct

RECORD = Struct("=qqii")
GROUP_SPAN_US = 10_000  # what is sent within it counts as sent at once; half of it would double the work
BURST_US = 5_000  # packets that arrive closer together than this were held up together, and join their group
MAX_BURST_US = 100_000  # a group never lasts longer
LOST = -1  # an arrival time: never received

Record = tuple[int, int, int, int]
"""(when the last of these packets was sent, when it arrived or LOST, their bytes, how many they are).

A LOST record of less than 0 packets: so many that were told as LOST have come after all."""

Group = tuple[int, int, int]
"""(when the last of these packets was sent, when the last arrived, their bytes)."""


@dataclass(slots=True)
class Feedback:
    """One message."""

    groups: list[Group]
    """Those that are complete: a group ends when the next one begins."""
    received: int = 0
    """Packets said to have come, those of the open group too."""
    lost: int = 0
    """Packets said to be lost, less those that were said to be and came after all: may be negative."""
    size_bytes: int = 0
    """Of all packets that are told of for the first time."""
    newest_sent_us: int = 0
    """When the youngest packet that has come was sent; 0: none has."""


def read_records(data: bytes) -> list[Record]:
    """The records of one message, as the native core packs them."""
    return list(RECORD.iter_unpack(data))


@dataclass(slots=True)
class _Open:
    """A group that may still grow."""

    first_sent: int
    last_sent: int
    first_arrived: int
    last_arrived: int
    size: int

    def takes(self, sent_us: int, arrived_us: int) -> bool:
        """Whether what was sent later than within the span belongs to it all the same: both were held up together."""
        apart_us = arrived_us - self.last_arrived
        held_up = apart_us < sent_us - self.last_sent
        return held_up and apart_us <= BURST_US and arrived_us - self.first_arrived < MAX_BURST_US

    def ended(self) -> Group:
        return self.last_sent, self.last_arrived, self.size


@dataclass(slots=True)
class Arrivals:
    """Of the packets to one subscriber."""

    _group: _Open | None = None
    _newest: int = 0

    def message(self, records: Iterable[Record]) -> Feedback:
        """`records`: in the order of sending. What is older than was told before says nothing of the delay."""
        told = Feedback([])
        before, newest, group = self._newest, 0, self._group
        for sent_us, arrived_us, size, packets in records:
            if arrived_us == LOST:
                told.lost += packets
                if packets < 0:
                    told.received -= packets
                    continue
                told.size_bytes += size
                self._newest = max(self._newest, sent_us)
                continue
            told.received += packets
            told.size_bytes += size
            if sent_us < before:
                continue
            newest = sent_us
            if group is not None and (sent_us - group.first_sent < GROUP_SPAN_US or group.takes(sent_us, arrived_us)):
                group.last_sent = sent_us
                group.size += size
                if arrived_us > group.last_arrived:  # noqa: PLR1730 - half of the time here would be spent in max()
                    group.last_arrived = arrived_us
                continue
            if group is not None:
                told.groups.append(group.ended())
            group = _Open(sent_us, sent_us, arrived_us, arrived_us, size)
        self._group, told.newest_sent_us = group, newest
        self._newest = max(self._newest, newest)
        return told
