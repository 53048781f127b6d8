"""Which section of a subscriber's connection carries which track. Pure.

A section, once offered, stays: when its track has gone it is parked (still described as before, nothing is sent)
and given to a later track of the same kind; no section is ever closed, because browsers and other clients each
break on some way of doing that. So the table only grows, up to `MAX_SLOTS`.

A slot counts for a track in two steps: `offered` is what the last offer says, `carried` what the client has
answered. Media of a track may only flow once the client knows whose it is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from mediaserver.conference.stream import Kind

MAX_SLOTS = 256  # sections in a session description, by contract

TrackKey = tuple[str, Kind]
"""(stream id, kind)"""


@dataclass(slots=True, eq=False)
class SlotState:
    mid: str
    kind: Kind
    offered: TrackKey | None = None
    carried: TrackKey | None = None


@dataclass(slots=True)
class SlotTable:
    """The sections of one connection in their order."""

    slots: list[SlotState] = field(default_factory=list)
    _carrying: dict[TrackKey, SlotState] = field(default_factory=dict)

    def plan(self, wanted: Iterable[TrackKey], running: Collection[TrackKey]) -> None:
        """Lays out the next offer: each wanted track gets a slot as long as there are any.

        A track that is `running` but not wanted keeps the slot it has, unless a wanted one needs it.
        """
        for slot in self.slots:
            if slot.offered not in running:
                slot.offered = None
        wishes = dict.fromkeys(wanted)
        placed = self.offered()
        for key in wishes:
            if key not in placed and (free := self._free(key[1], wishes)):
                free.offered = key

    def grow(self, kind: Kind) -> SlotState:
        """Adds a parked slot."""
        assert len(self.slots) < MAX_SLOTS, "no section is left"
        slot = SlotState(str(len(self.slots)), kind)
        self.slots.append(slot)
        return slot

    def offered(self) -> dict[TrackKey, SlotState]:
        """Where the last offer has put each track."""
        return {slot.offered: slot for slot in self.slots if slot.offered}

    def carrying(self, key: TrackKey) -> SlotState | None:
        """The slot in which the client knows this track to be."""
        return self._carrying.get(key)

    def answered(self) -> None:
        """The client has taken the last offer over."""
        for slot in self.slots:
            slot.carried = slot.offered
        self._carrying = self.offered()

    def _free(self, kind: Kind, wanted: Collection[TrackKey]) -> SlotState | None:
        for slot in self.slots:
            if slot.kind == kind and slot.offered is None:
                return slot
        if len(self.slots) < MAX_SLOTS:
            return self.grow(kind)
        return next((s for s in self.slots if s.kind == kind and s.offered not in wanted), None)
