"""A participant's subscribe connection: who is received, when an offer is due, and what flows in which slot.

Decides what this participant receives: every track of the others that it wants and can decode (`tastes.py`), each in
a slot of its own (`sections.py`), at the layer that fits its wish and its line (`quality.py`). A track that is no
longer wanted is silenced in its slot without a new offer. Media flows once the client has answered the offer that
names it and the connection is open: a key frame asked for earlier would be lost, and the next one throttled. When to
make the next offer is the caller's: `needs_offer`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mediaserver.callbacks import weakly
from mediaserver.conference.downlink import Downlink
from mediaserver.conference.quality import Quality
from mediaserver.conference.router import Router
from mediaserver.conference.sections import Outlet, Sections
from mediaserver.conference.stream import KINDS, Description, Stream, StreamDescription, Track
from mediaserver.conference.tastes import Tastes
from mediaserver.conference.wishes import Wish, fitting_layer
from mediaserver.errors import BadDescription
from mediaserver.events import StreamLayers
from mediaserver.rtp.arrivals import Record
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.stats import ConnectionStats, SlotStats
from mediaserver.transport.connection import Opened, TransportEvent
from mediaserver.transport.negotiation import AcceptedSection


@dataclass(frozen=True, slots=True)
class _Session:
    """What lives as long as one connection."""

    sections: Sections
    quality: Quality

    @property
    def open(self) -> bool:
        return self.sections.link.open


class SubscribeSide:
    """Owns the connection. `others` gives the streams of everybody else.

    `on_due` is called when an offer has become due, `on_unsupported` with a stream and a codec that cannot be decoded.
    """

    def __init__(
        self,
        router: Router,
        *,
        others: Callable[[], Iterable[Stream]],
        on_event: Callable[[TransportEvent], None],
        on_due: Callable[[], None],
        on_unsupported: Callable[[Stream, CodecId], None],
        encrypted: bool,
    ) -> None:
        self._router = router
        self._others = others
        self._on_event = on_event
        self._on_due = on_due
        self._on_unsupported = on_unsupported
        self._encrypted = encrypted
        self._session: _Session | None = None
        self._tastes = Tastes()
        self._now = 0.0
        self._held: frozenset[str] = frozenset()
        self.needs_offer = any(stream.tracks for stream in others())

    # what the client does

    def offer(self, *, restart: bool = False) -> Description:
        """The next offer; with `restart` on fresh ICE credentials. Never without a section."""
        session = self._session
        if session is None or session.sections.link.closed:
            session = self._begin()
        elif restart:
            session.sections.link.connection.restart_ice()
        running = {key for key, _ in self._tastes.running(self._others())}
        session.sections.lay_out(self._tastes.wanted(self._others()), running)
        sdp = session.sections.offer()
        self.needs_offer = False
        return Description(sdp, tuple(self._described(session.sections)))

    def accept(self, sdp: str) -> None:
        """Takes the answer to the last offer over; a bad one changes nothing."""
        if self._session is None:
            raise BadDescription("there is no offer to answer")
        sections = self._session.sections
        answer = sections.accept(sdp)
        self._learn(sections, answer.sections)
        agreed = any(Extension.TRANSPORT_CC in section.extensions for section in answer.sections)
        self._session.quality.agree(transport_cc=agreed)
        sections.link.meet(answer.remote)  # not earlier: the connection may open, or end, while it is told
        self._route_all()
        self._report(self._others())

    def reconnect(self) -> None:
        """Throws the connection away; the next offer starts a fresh one."""
        if self._session:
            self.close()
            self._tastes.unlearn()
            self._due()

    def want(self, default: Wish, streams: Mapping[str, Wish]) -> None:
        self._tastes.want(default, streams)
        self._route_all()
        offered = self._session.sections.offered() if self._session else {}
        if any(key not in offered for key in self._tastes.wanted(self._others())):
            self._due()

    def hold(self, stream_ids: frozenset[str]) -> None:
        """The pictures of these streams are not to be sent now, those of all others are."""
        if stream_ids == self._held:
            return
        self._held = stream_ids
        if self._session:
            self._session.quality.hold(stream_ids)
            self._route_all()

    def could_want(self, stream: Stream) -> int | None:
        """The best layer of a stream's picture that is wished for, whatever the line carries; None: none is."""
        wish, track = self._tastes.wish(stream), stream.tracks["video"]
        if not wish.video or not self._tastes.decodes(track) or stream.stream_id in self._held:
            return None
        return max(fitting_layer(wish, track.layer_count, track.source.sizes()), 0)

    def close(self) -> None:
        """May be called twice."""
        if self._session:
            link = self._session.sections.link
            self._router.on_feedback(link.connection, None)
            link.close()
            self._session = None

    # what others do

    def appeared(self, stream: Stream) -> None:
        """A stream of somebody else has started, or its tracks have changed."""
        self._route(stream)
        self._report([stream])
        self._due()

    def disappeared(self, stream: Stream) -> None:
        """A stream of somebody else is over: its slots are silent and free for the next offer."""
        self._tastes.gone(stream)
        for kind in KINDS:
            outlet = self._session.sections.outlet((stream.stream_id, kind)) if self._session else None
            if outlet:
                outlet.sink.carry(None)
        self._due()

    def rerouted(self, stream: Stream) -> None:
        """A track of a stream is another one, in the same codec."""
        self.measured()
        self._route(stream)

    def layer_started(self, stream: Stream) -> None:
        """Media of a layer has come for the first time: a better one may fit now."""
        self.measured()
        if not self._share():
            self._route(stream)

    def measured(self) -> None:
        """What others' pictures cost has been measured anew."""
        if self._session:
            self._session.quality.measured()

    # time

    def tick(self, now: float) -> tuple[StreamLayers, ...]:
        """Shares the line out anew, a few times a second; returns what the client is to be told about its pictures."""
        self._now = now
        session = self._session
        if session is None or not session.open:
            return ()
        self._share()
        return session.quality.changes(now)

    # what the connection does

    def _line_told(self, records: Sequence[Record], now: float) -> None:
        """Transport-wide feedback has come."""
        if self._session and self._session.quality.told(records, now):
            self._now = now
            self._share()

    def heard(self, event: TransportEvent) -> None:
        if isinstance(event, Opened):
            self._route_all()

    def rating(self) -> tuple[float, float, float] | None:
        """Score from 1 to 5, loss from 0 to 1, round trip in seconds; None without a connection."""
        return self._session.quality.rating() if self._session and self._session.open else None

    def stats(self) -> tuple[ConnectionStats | None, tuple[SlotStats, ...]]:
        if self._session is None:
            return None, ()
        sections = self._session.sections
        return sections.link.stats(), tuple(sections.stats())

    def line(self) -> dict[str, float]:
        """What the connection is thought to carry; empty without one."""
        return self._session.quality.stats() if self._session else {}

    # offers

    def _begin(self) -> _Session:
        self.close()
        sections = Sections(self._router, self._on_event)
        connection = sections.link.connection
        self._router.on_feedback(connection, weakly(self._line_told))
        self._session = _Session(
            sections, Quality(Downlink(connection.native), payloads_may_change=not self._encrypted)
        )
        self._session.quality.hold(self._held)
        return self._session

    def _described(self, sections: Sections) -> Iterator[StreamDescription]:
        offered = sections.offered()
        for stream in self._others():
            if any(self._tastes.decodes(track) for track in stream.tracks.values()):
                yield StreamDescription(
                    stream.stream_id,
                    stream.label,
                    stream.participant_id,
                    offered.get((stream.stream_id, "audio")),
                    offered.get((stream.stream_id, "video")),
                )

    def _learn(self, sections: Sections, answered: Iterable[AcceptedSection]) -> None:
        for section in answered:
            if section.receiving:
                self._tastes.learn(sections.kind(section.mid), section.codecs)

    def _report(self, streams: Iterable[Stream]) -> None:
        """Tells once per stream and codec that it cannot be decoded; the next offer leaves it out."""
        for stream, codec in self._tastes.refusals(streams):
            self._on_unsupported(stream, codec)
            self._due()

    def _due(self) -> None:
        if not self.needs_offer:
            self.needs_offer = True
            self._on_due()

    # what flows

    def _route_all(self) -> None:
        """Sets every slot to what it should carry now, parked ones included."""
        if self._session is None or not self._session.open:
            return
        self.measured()
        self._session.quality.share(self._flowing(self._session.sections), self._now)
        self._session.sections.silence({key for key, _ in self._tastes.running(self._others())})
        for stream in self._others():
            self._route(stream)

    def _share(self) -> bool:
        """Lets the line be shared out; returns whether that has changed what flows."""
        session = self._session
        if session is None or not session.open:
            return False
        changed = session.quality.share(self._flowing(session.sections), self._now)
        session.sections.accompany(session.quality.redundancy)
        if not changed:
            return False
        for stream in self._others():
            self._route(stream)
        return True

    def _route(self, stream: Stream) -> None:
        """Sets the slots of one stream to what they should carry now."""
        session = self._session
        if session is None or not session.open:
            return
        wish = self._tastes.wish(stream)
        for kind in KINDS:
            outlet = session.sections.outlet((stream.stream_id, kind))
            if outlet is None:
                continue
            track = stream.tracks.get(kind)
            layer = session.quality.layer(stream, track, wish) if track and _flows(outlet, track, wish) else None
            if track and layer is not None:
                outlet.sink.carry(track.source, *layer)
            else:
                outlet.sink.carry(None)

    def _flowing(self, sections: Sections) -> Iterator[tuple[Stream, Track, Wish]]:
        """What the client wants, knows of and takes."""
        for stream in self._others():
            wish = self._tastes.wish(stream)
            for kind, track in stream.tracks.items():
                outlet = sections.outlet((stream.stream_id, kind))
                if outlet and _flows(outlet, track, wish):
                    yield stream, track, wish


def _flows(outlet: Outlet, track: Track, wish: Wish) -> bool:
    return wish.includes(track.source.kind) and outlet.can(track.section.codec)
