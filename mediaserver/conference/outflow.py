"""One stream on its way to somebody outside: a connection of its own with a sink for the sound and one for the picture.

Who it is, and what is agreed with them, is `viewer.py`'s (they come to us) and `forward.py`'s (we call them). Media
flows once the connection is open: a key frame asked for earlier would be lost. Of a picture with several layers the
best that fits the line is sent, and never none.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mediaserver.conference.downlink import Downlink
from mediaserver.conference.link import Link
from mediaserver.conference.publication import Changes
from mediaserver.conference.router import BEST_LAYER, Router, Sink
from mediaserver.conference.stream import KINDS, Kind, Stream, Track
from mediaserver.errors import UnfitDescription
from mediaserver.events import MediaEvent, ViewerEnded
from mediaserver.rtp.allocation import Reason, Request
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.layers import ALL
from mediaserver.stats import SlotStats, ViewerStats
from mediaserver.transport.connection import Lost, Opened, TransportEvent
from mediaserver.transport.negotiation import AcceptedSection, Slot


@dataclass(slots=True)
class Outlet:
    """One section with its sink."""

    slot: Slot
    sink: Sink
    accepted: AcceptedSection

    def can(self, codec: CodecId) -> bool:
        return codec in self.accepted.codecs


class Outflow:
    """`on_closed` is called once, when it is over, whoever has ended it."""

    def __init__(
        self,
        conference_id: str,
        outflow_id: str,
        stream: Stream,
        router: Router,
        *,
        tell: Callable[[MediaEvent], None],
        on_closed: Callable[[str], None],
        asks: bool = False,
    ) -> None:
        self.id = outflow_id
        self._conference_id = conference_id
        self._tell = tell
        self._on_closed = on_closed
        self._stream: Stream | None = stream
        self._closed = False
        self._router = router
        self._link = Link(router, self._heard, asks=asks)
        self._downlink = Downlink(self._link.connection.native)
        self._outlets: dict[Kind, Outlet] = {}

    def close(self) -> None:
        """May be called twice; nothing is told any more."""
        if not self._closed:
            self._closed = True
            self._router.on_feedback(self._link.connection, None)
            self._link.close()
            self._on_closed(self.id)

    def end(self, why: str) -> None:
        """Closes, and tells so."""
        if not self._closed:
            self.close()
            self._tell(ViewerEnded(self._conference_id, self.id, why))

    def stats(self) -> ViewerStats:
        slots = tuple(
            SlotStats(outlet.slot.mid, kind, self._stream.stream_id if self._stream else None, outlet.sink.stats())
            for kind, outlet in self._outlets.items()
        )
        return ViewerStats(self.id, self._link.stats(), slots)

    def others_changed(self, changes: Changes) -> None:
        """What participants publish has changed."""
        if self._stream in changes.ended:
            self._stream = None
            self._route()
            self._over()
        if self._stream in changes.changed:
            self._route()

    def tick(self, now: float) -> None:
        """Sees which layer fits the line, where there is a choice; to be called a few times a second."""
        picture = self._stream.tracks.get("video") if self._stream else None
        if self._stream is None or picture is None or len(picture.layers) < 2 or not self._link.open:
            return
        sound = self._stream.tracks.get("audio")
        request = Request(self._stream.stream_id, () if self._stream.muted["video"] else picture.layers)
        if self._downlink.decide((request,), sound.rate_bps if sound else 0.0, now):
            self._route()

    # what differs

    def _over(self) -> None:
        """The stream has ended."""

    def _opened(self) -> None:
        """Media flows."""

    # what both need

    def _slots(self, mids: Mapping[Kind, str], stream: Stream) -> dict[Kind, Slot]:
        router, ssrcs = self._router, set[int]()
        return {
            kind: Slot(
                mid=mid,
                kind=kind,
                ssrc=router.ssrc(ssrcs),
                repair_ssrc=router.ssrc(ssrcs) if kind == "video" else 0,
                cname=self._link.cname,
                msid=f"{stream.stream_id} {stream.stream_id}-{kind}",
            )
            for kind, mid in mids.items()
        }

    def _agree(self, stream: Stream, slots: Mapping[Kind, Slot], sections: Iterable[AcceptedSection]) -> None:
        """Takes what the other side understands; `UnfitDescription` if that is not what the stream comes in."""
        accepted = {section.mid: section for section in sections}
        _check_codecs(stream, {kind: accepted[slot.mid] for kind, slot in slots.items()})
        for kind, slot in slots.items():
            outlet = Outlet(slot, self._router.sink(self._link.connection, slot), accepted[slot.mid])
            outlet.sink.accept(outlet.accepted.codecs, outlet.accepted.extensions)
            self._outlets[kind] = outlet
        if agreed := any(Extension.TRANSPORT_CC in section.extensions for section in accepted.values()):
            self._router.on_feedback(self._link.connection, self._downlink.feedback)
        self._downlink.agree(transport_cc=agreed)

    def _route(self) -> None:
        """Sets the sinks to what they should carry now."""
        if not self._link.open:
            return
        for kind, outlet in self._outlets.items():
            track = self._stream.tracks.get(kind) if self._stream else None
            if track and outlet.can(track.section.codec):
                outlet.sink.carry(track.source, *self._layer(track))
            else:
                outlet.sink.carry(None)

    def _layer(self, track: Track) -> tuple[int, int]:
        """The best layer that fits, and its temporal one; where none does the smallest: nothing else is to be sent."""
        choice = self._downlink.choice(self._stream.stream_id) if self._stream else None
        if choice is None or len(track.layers) < 2 or (choice.layer is None and choice.reason is Reason.PUBLISHER):
            return BEST_LAYER, ALL
        layer = choice.layer or track.layers[0]
        best = choice.reason is Reason.PUBLISHER and layer.spatial == track.layers[-1].spatial
        return (BEST_LAYER if best else layer.spatial), layer.temporal

    def _heard(self, event: TransportEvent) -> None:
        match event:
            case Opened():
                self._route()
                self._opened()
            case Lost(why):
                self.end(why)


def _check_codecs(stream: Stream, accepted: Mapping[Kind, AcceptedSection]) -> None:
    """Raises if the other side could not play what it is to get."""
    wanted = [kind for kind in KINDS if kind in accepted and kind in stream.tracks]
    if not wanted:
        raise UnfitDescription(f"stream {stream.stream_id} has nothing that the offer asks for")
    for kind in wanted:
        codec = stream.tracks[kind].section.codec
        if codec not in accepted[kind].codecs:
            raise UnfitDescription(f"stream {stream.stream_id} comes in {CODECS[codec].name}, which is not offered")
