"""Somebody who watches one stream and is no participant: nobody hears of them, they have one connection and no say.

Answers the viewer's offer and carries the stream's sound and picture in its sections, each by a sink like any
subscriber's. When the stream is over the viewer waits, and goes on as soon as the same participant publishes under
the same label again. How long it may wait is the caller's. Media flows once the connection is open: a key frame asked
for earlier would be lost. Of a picture with several layers the best that fits the line is sent, and never none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mediaserver.conference.downlink import Downlink
from mediaserver.conference.link import Link
from mediaserver.conference.publication import Changes
from mediaserver.conference.router import BEST_LAYER, Router, Sink
from mediaserver.conference.stream import KINDS, Kind, Stream, Track
from mediaserver.errors import MediaError, UnfitDescription
from mediaserver.events import MediaEvent, ViewerEnded, ViewerPlaying, ViewerWaiting
from mediaserver.rtp.allocation import Reason, Request
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.layers import ALL
from mediaserver.stats import SlotStats, ViewerStats
from mediaserver.transport.connection import Lost, Opened, TransportEvent
from mediaserver.transport.fragment import IceFragment
from mediaserver.transport.negotiation import AcceptedSection, Slot
from mediaserver.transport.one_stream import OneStream, check_one_stream
from mediaserver.transport.play_answer import PlayAnswer, answer_play
from mediaserver.transport.sdp import parse, write


@dataclass(slots=True)
class _Outlet:
    """One section of the viewer's with its sink."""

    slot: Slot
    sink: Sink
    accepted: AcceptedSection

    def can(self, codec: CodecId) -> bool:
        return codec in self.accepted.codecs


class Viewer:
    """`answer` is for the viewer's offer. `on_closed` is called once, when it is over, whoever has ended it."""

    def __init__(
        self,
        conference_id: str,
        viewer_id: str,
        stream: Stream,
        router: Router,
        sdp: str,
        *,
        tell: Callable[[MediaEvent], None],
        on_closed: Callable[[str], None],
    ) -> None:
        self.id = viewer_id
        self._conference_id = conference_id
        self._tell = tell
        self._on_closed = on_closed
        self._publisher = (stream.participant_id, stream.label)
        self._stream: Stream | None = stream
        self._closed = False
        self._router = router
        self._link = Link(router, self._heard)
        self._downlink = Downlink(self._link.connection.native)
        try:
            answer = self._open(sdp, stream)
        except MediaError:
            self._link.close()
            raise
        self.answer = write(answer.description)
        if agreed := any(Extension.TRANSPORT_CC in section.extensions for section in answer.sections):
            router.on_feedback(self._link.connection, self._downlink.feedback)
        self._downlink.agree(transport_cc=agreed)
        self._link.meet(answer.remote)  # last: the connection may open, or end, while it is told

    def restart(self, fragment: IceFragment) -> str:
        """New ICE credentials of the viewer's; returns ours. The path stays until the viewer nominates another."""
        return self._link.restart(fragment)

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
            self._tell(ViewerWaiting(self._conference_id, self.id))
        for stream in changes.started:
            if self._stream is None and (stream.participant_id, stream.label) == self._publisher:
                self._stream = stream
                self._route()
                self._tell(ViewerPlaying(self._conference_id, self.id))
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

    def _open(self, sdp: str, stream: Stream) -> PlayAnswer:
        offer = parse(sdp)
        found = check_one_stream(offer, "play")
        slots = self._slots(found, stream)
        sent: dict[str, CodecId] = {kind: track.section.codec for kind, track in stream.tracks.items()}
        layered = any(track.layer_count > 1 for track in stream.tracks.values())
        local, by_mid = self._link.next_local(), {slot.mid: slot for slot in slots.values()}
        answer = answer_play(offer, by_mid, local, sent, feedback=layered)
        accepted = {section.mid: section for section in answer.sections}
        _check_codecs(stream, {kind: accepted[slot.mid] for kind, slot in slots.items()})
        self._outlets = {
            kind: _Outlet(slot, self._router.sink(self._link.connection, slot), accepted[slot.mid])
            for kind, slot in slots.items()
        }
        for outlet in self._outlets.values():
            outlet.sink.accept(outlet.accepted.codecs, outlet.accepted.extensions)
        return answer

    def _slots(self, found: OneStream, stream: Stream) -> dict[Kind, Slot]:
        router = self._router
        ssrcs: set[int] = set()
        mids: dict[Kind, str | None] = {"audio": found.audio_mid, "video": found.video_mid}
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
            if mid is not None
        }

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
            case Lost(why):
                self.end(why)


def _check_codecs(stream: Stream, accepted: Mapping[Kind, AcceptedSection]) -> None:
    """Raises if the viewer could not play what it asks for."""
    wanted = [kind for kind in KINDS if kind in accepted and kind in stream.tracks]
    if not wanted:
        raise UnfitDescription(f"stream {stream.stream_id} has nothing that the offer asks for")
    for kind in wanted:
        codec = stream.tracks[kind].section.codec
        if codec not in accepted[kind].codecs:
            raise UnfitDescription(f"stream {stream.stream_id} comes in {CODECS[codec].name}, which is not offered")
