"""The sections of one subscribe connection: offers out, answers in, and the sink of each slot.

Lives and ends with its connection and keeps slots (`slots.py`), descriptions (`negotiation.py`) and native sinks in
step. Which tracks are to get a slot, and what flows in it, is `subscription.py`'s.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from mediaserver.conference.link import Link
from mediaserver.conference.router import Router, Sink
from mediaserver.conference.slots import SlotState, SlotTable, TrackKey
from mediaserver.conference.stream import KINDS
from mediaserver.errors import BadDescription
from mediaserver.rtp.codecs import CodecId
from mediaserver.stats import SlotStats
from mediaserver.transport.connection import TransportEvent
from mediaserver.transport.negotiation import (
    AcceptedSection,
    Slot,
    SubscribeAnswer,
    described,
    offer_sections,
    read_subscribe_answer,
)
from mediaserver.transport.sdp import MediaSection, parse, write


@dataclass(slots=True)
class Outlet:
    """A slot, its section and its sink."""

    slot: Slot
    section: MediaSection
    sink: Sink
    accepted: AcceptedSection | None = None

    def can(self, codec: CodecId) -> bool:
        return self.accepted is not None and self.accepted.receiving and codec in self.accepted.codecs


class Sections:
    """Owns the connection; thrown away as a whole."""

    def __init__(self, router: Router, on_event: Callable[[TransportEvent], None]) -> None:
        self.link = Link(router, on_event)
        self._router = router
        self._table = SlotTable()
        self._outlets: dict[str, Outlet] = {}
        self._ssrcs: set[int] = set()
        self._awaiting_answer = False
        self._redundancy = 0

    def lay_out(self, wanted: Iterable[TrackKey], running: Collection[TrackKey]) -> None:
        """Gives each wanted track a slot; see `SlotTable.plan`. There is always a section."""
        self._table.plan(wanted, running)
        if not self._table.slots:
            for kind in KINDS:
                self._table.grow(kind)
        for slot in self._table.slots:
            outlet = self._outlets.get(slot.mid)
            if outlet is None:
                self._outlets[slot.mid] = self._new_outlet(slot)
            elif slot.offered and outlet.slot.msid != _msid(slot.offered):
                outlet.slot = replace(outlet.slot, msid=_msid(slot.offered))
                outlet.section = described(outlet.slot)

    def offer(self) -> str:
        """Describes what was laid out."""
        offer = offer_sections([outlet.section for outlet in self._outlets.values()], self.link.next_local())
        self._awaiting_answer = True
        return write(offer)

    def accept(self, sdp: str) -> SubscribeAnswer:
        """Takes the answer to the last offer over; a bad one changes nothing.

        Telling the connection of its peer (`link.meet`) is left to the caller, as the last thing.
        """
        if self.link.closed or not self._awaiting_answer:
            raise BadDescription("there is no offer to answer")
        slots = [outlet.slot for outlet in self._outlets.values()]
        answer = read_subscribe_answer(parse(sdp, answers_ours=True), slots)
        if not self.link.is_from(answer.remote):
            raise BadDescription("the answer comes from another connection: ask for a new one first")
        self._awaiting_answer = False
        for section in answer.sections:
            outlet = self._outlets[section.mid]
            outlet.accepted = section
            self._take_over(outlet)
        self._table.answered()
        return answer

    def accompany(self, packets: int) -> None:
        """So many packets of sound go along with the next."""
        if packets == self._redundancy:
            return
        self._redundancy = packets
        for outlet in self._outlets.values():
            if outlet.slot.kind == "audio":
                self._take_over(outlet)

    def _take_over(self, outlet: Outlet) -> None:
        if accepted := outlet.accepted:
            redundancy = self._redundancy if outlet.slot.kind == "audio" else 0
            outlet.sink.accept(accepted.codecs, accepted.extensions, redundancy)

    def kind(self, mid: str) -> str:
        return self._outlets[mid].slot.kind

    def offered(self) -> dict[TrackKey, str]:
        """The section in which the last offer has put each track."""
        return {key: slot.mid for key, slot in self._table.offered().items()}

    def outlet(self, key: TrackKey) -> Outlet | None:
        """Where the client knows this track to be; None too if the connection is over."""
        slot = None if self.link.closed else self._table.carrying(key)
        return self._outlets[slot.mid] if slot else None

    def silence(self, running: Collection[TrackKey]) -> None:
        """Sends nothing in the slots whose track is not running; parked ones included."""
        for slot in self._table.slots:
            if slot.carried not in running:
                self._outlets[slot.mid].sink.carry(None)

    def stats(self) -> Iterator[SlotStats]:
        for slot in self._table.slots:
            sink = self._outlets[slot.mid].sink
            yield SlotStats(slot.mid, slot.kind, slot.carried and slot.carried[0], sink.stats())

    def _new_outlet(self, state: SlotState) -> Outlet:
        slot = Slot(
            mid=state.mid,
            kind=state.kind,
            ssrc=self._router.ssrc(self._ssrcs),
            repair_ssrc=self._router.ssrc(self._ssrcs) if state.kind == "video" else 0,
            cname=self.link.cname,
            msid=_msid(state.offered) if state.offered else f"- {state.mid}",
        )
        return Outlet(slot, described(slot), self._router.sink(self.link.connection, slot))


def _msid(key: TrackKey) -> str:
    stream_id, kind = key
    return f"{stream_id} {stream_id}-{kind}"
