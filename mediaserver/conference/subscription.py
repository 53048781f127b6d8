"""A participant's subscribe connection: offers out, answers in, and which slot carries what.

Decides what this participant receives: every track of the others that it wants and can decode, each in a slot of its
own, at the layer that fits its wish. A track that is no longer wanted is silenced in its slot without a new offer.
Media flows once the client has answered the offer that names it and the connection is open: a key frame asked for
earlier would be lost, and the next one throttled. When to make the next offer is the caller's: `needs_offer`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mediaserver.conference.downlink import Downlink, score
from mediaserver.conference.link import Link
from mediaserver.conference.router import Router, Sink
from mediaserver.conference.slots import SlotState, SlotTable, TrackKey
from mediaserver.conference.stream import KINDS, Description, Stream, StreamDescription, Track
from mediaserver.conference.wishes import BEST, Wish, fitting_layer
from mediaserver.errors import BadDescription
from mediaserver.events import StreamLayers
from mediaserver.rtp.allocation import USUAL_PRIORITY, Reason, Request
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.layers import ALL
from mediaserver.stats import ConnectionStats, SlotStats
from mediaserver.transport.connection import Opened, TransportEvent
from mediaserver.transport.negotiation import AcceptedSection, Slot, offer_subscribe, read_subscribe_answer
from mediaserver.transport.sdp import parse, write

MAX_WISHES = 1024  # streams that can be wished about; the rest follows the default


@dataclass(slots=True)
class _Outlet:
    """A slot's description and its sink."""

    slot: Slot
    sink: Sink
    accepted: AcceptedSection | None = None

    def can(self, codec: CodecId) -> bool:
        return self.accepted is not None and self.accepted.receiving and codec in self.accepted.codecs


@dataclass(slots=True)
class _Session:
    """One connection with its sections; thrown away as a whole."""

    link: Link
    downlink: Downlink
    table: SlotTable = field(default_factory=SlotTable)
    outlets: dict[str, _Outlet] = field(default_factory=dict)
    ssrcs: set[int] = field(default_factory=set)
    awaiting_answer: bool = False


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
    ) -> None:
        self._router = router
        self._others = others
        self._on_event = on_event
        self._on_due = on_due
        self._on_unsupported = on_unsupported
        self._session: _Session | None = None
        self._codecs: dict[str, set[CodecId]] = {}
        """What the client has accepted, by kind; unknown before its first answer."""
        self._refused: set[tuple[str, CodecId]] = set()
        """(stream id, codec) of what was told to be unsupported."""
        self._default = Wish()
        self._wishes: dict[str, Wish] = {}
        self._requests: tuple[Request, ...] | None = None
        """What pictures are asked for; None: to be put together anew."""
        self._sound_bps = 0.0
        self._now = 0.0
        self.needs_offer = any(stream.tracks for stream in others())

    # what the client does

    def offer(self, *, restart: bool = False) -> Description:
        """The next offer; with `restart` on fresh ICE credentials. Never without a section."""
        session = self._session
        if session is None or session.link.closed:
            session = self._begin()
        elif restart:
            session.link.connection.restart_ice()
        self._lay_out(session)
        slots = [outlet.slot for outlet in session.outlets.values()]
        sdp = write(offer_subscribe(slots, session.link.next_local()))
        session.awaiting_answer = True
        self.needs_offer = False
        return Description(sdp, tuple(self._described(session)))

    def accept(self, sdp: str) -> None:
        """Takes the answer to the last offer over; a bad one changes nothing."""
        session = self._session
        if session is None or session.link.closed or not session.awaiting_answer:
            raise BadDescription("there is no offer to answer")
        answer = read_subscribe_answer(
            parse(sdp, answers_ours=True), [outlet.slot for outlet in session.outlets.values()]
        )
        if not session.link.is_from(answer.remote):
            raise BadDescription("the answer comes from another connection: ask for a new one first")
        session.awaiting_answer = False
        for section in answer.sections:
            outlet = session.outlets[section.mid]
            outlet.accepted = section
            outlet.sink.accept(section.codecs, section.extensions)
        session.table.answered()
        self._learn(answer.sections)
        agreed = any(Extension.TRANSPORT_CC in section.extensions for section in answer.sections)
        session.downlink.agree(transport_cc=agreed)
        session.link.meet(answer.remote)  # not earlier: the connection may open, or end, while it is told
        self._route_all()
        self._report(self._others())

    def reconnect(self) -> None:
        """Throws the connection away; the next offer starts a fresh one."""
        if self._session:
            self._end(self._session)
            self._session = None
            self._codecs.clear()
            self._refused.clear()
            self._due()

    def want(self, default: Wish, streams: Mapping[str, Wish]) -> None:
        self._default = default
        self._wishes = dict(list(streams.items())[:MAX_WISHES])
        self._route_all()
        offered = self._session.table.offered() if self._session else {}
        if any(key not in offered for key in self._wanted()):
            self._due()

    def close(self) -> None:
        """May be called twice."""
        if self._session:
            self._end(self._session)
            self._session = None

    # what others do

    def appeared(self, stream: Stream) -> None:
        """A stream of somebody else has started, or its tracks have changed."""
        self._route(stream)
        self._report([stream])
        self._due()

    def disappeared(self, stream: Stream) -> None:
        """A stream of somebody else is over: its slots are silent and free for the next offer."""
        self._refused -= {(stream.stream_id, codec) for codec in CODECS}
        for kind in KINDS:
            if outlet := self._outlet((stream.stream_id, kind)):
                outlet.sink.carry(None)
        self._due()

    def layer_started(self, stream: Stream) -> None:
        """Media of a layer has come for the first time: a better one may fit now."""
        self.measured()
        if not self._decide():
            self._route(stream)

    def measured(self) -> None:
        """What others' pictures cost has been measured anew."""
        self._requests = None

    # time

    def tick(self, now: float) -> tuple[StreamLayers, ...]:
        """Shares the line out anew, a few times a second; returns what the client is to be told about its pictures."""
        self._now = now
        session = self._session
        if session is None or not session.link.open:
            return ()
        self._decide()
        return session.downlink.changes(now)

    def quality(self) -> tuple[float, float, float] | None:
        """Score from 1 to 5, loss from 0 to 1, round trip in seconds; None without a connection."""
        if self._session is None or not self._session.link.open:
            return None
        downlink = self._session.downlink
        loss, round_trip = round(downlink.loss, 3), round(downlink.round_trip, 3)
        return score(loss, round_trip, downlink.held_back), loss, round_trip

    # what the connection does

    def heard(self, event: TransportEvent) -> None:
        if isinstance(event, Opened):
            self._route_all()

    def stats(self) -> tuple[ConnectionStats | None, tuple[SlotStats, ...]]:
        if self._session is None:
            return None, ()
        slots = tuple(
            SlotStats(
                slot.mid, slot.kind, slot.carried and slot.carried[0], self._session.outlets[slot.mid].sink.stats()
            )
            for slot in self._session.table.slots
        )
        return self._session.link.stats(), slots

    def line(self) -> dict[str, float]:
        """What the connection is thought to carry; empty without one."""
        return self._session.downlink.stats() if self._session else {}

    # laying out an offer

    def _begin(self) -> _Session:
        if self._session:
            self._end(self._session)
        link = Link(self._router, self._on_event)
        downlink = Downlink(link.connection.native)
        self._router.on_feedback(link.connection, downlink.feedback)
        self._session = _Session(link, downlink)
        return self._session

    def _end(self, session: _Session) -> None:
        self._router.on_feedback(session.link.connection, None)
        session.link.close()

    def _lay_out(self, session: _Session) -> None:
        session.table.plan(self._wanted(), {key for key, _ in self._decodable()})
        if not session.table.slots:
            for kind in KINDS:
                session.table.grow(kind)
        for slot in session.table.slots:
            outlet = session.outlets.get(slot.mid)
            if outlet is None:
                outlet = session.outlets[slot.mid] = self._outlet_for(session, slot)
            elif slot.offered:
                outlet.slot = _renamed(outlet.slot, slot.offered)

    def _outlet_for(self, session: _Session, state: SlotState) -> _Outlet:
        slot = Slot(
            mid=state.mid,
            kind=state.kind,
            ssrc=self._router.ssrc(session.ssrcs),
            repair_ssrc=self._router.ssrc(session.ssrcs) if state.kind == "video" else 0,
            cname=session.link.cname,
            msid=_msid(state.offered) if state.offered else f"- {state.mid}",
        )
        return _Outlet(slot, self._router.sink(session.link.connection, slot))

    def _described(self, session: _Session) -> Iterator[StreamDescription]:
        offered = session.table.offered()
        for stream in self._others():
            mids = {kind: offered.get((stream.stream_id, kind)) for kind in KINDS}
            audio, video = mids["audio"], mids["video"]
            if any(self._decodes(track) for track in stream.tracks.values()):
                yield StreamDescription(
                    stream.stream_id,
                    stream.label,
                    stream.participant_id,
                    audio.mid if audio else None,
                    video.mid if video else None,
                )

    # which tracks

    def _decodable(self) -> Iterator[tuple[TrackKey, Stream]]:
        for stream in self._others():
            for kind, track in stream.tracks.items():
                if self._decodes(track):
                    yield (stream.stream_id, kind), stream

    def _wanted(self) -> list[TrackKey]:
        """Sound first, then by priority: the order in which slots are given away."""
        wishes = [(key, self._wish(stream)) for key, stream in self._decodable()]
        wanted = [(key, wish) for key, wish in wishes if wish.includes(key[1])]
        wanted.sort(key=lambda item: (item[0][1] != "audio", -(item[1].priority or 0)))
        return [key for key, _ in wanted]

    def _wish(self, stream: Stream) -> Wish:
        return self._wishes.get(stream.stream_id, self._default)

    def _decodes(self, track: Track) -> bool:
        known = self._codecs.get(track.source.kind)
        return known is None or track.section.codec in known

    def _learn(self, sections: Iterable[AcceptedSection]) -> None:
        session = self._session
        for section in sections:
            if session and section.receiving:
                kind = session.outlets[section.mid].slot.kind
                self._codecs.setdefault(kind, set()).update(CodecId(codec) for codec in section.codecs)

    def _report(self, streams: Iterable[Stream]) -> None:
        """Tells once per stream and codec that it cannot be decoded; the next offer leaves it out."""
        for stream in list(streams):
            for track in stream.tracks.values():
                refused = (stream.stream_id, track.section.codec)
                if not self._decodes(track) and refused not in self._refused:
                    self._refused.add(refused)
                    self._on_unsupported(stream, track.section.codec)
                    self._due()

    def _due(self) -> None:
        if not self.needs_offer:
            self.needs_offer = True
            self._on_due()

    # what flows

    def _outlet(self, key: TrackKey) -> _Outlet | None:
        session = self._session
        if session is None or session.link.closed:
            return None
        slot = session.table.carrying(key)
        return session.outlets[slot.mid] if slot else None

    def _route_all(self) -> None:
        """Sets every slot to what it should carry now, parked ones included."""
        session = self._session
        if session is None or not session.link.open:
            return
        self.measured()
        self._share()
        carrying = {key for key, _ in self._decodable()}
        for slot in session.table.slots:
            if slot.carried not in carrying:
                session.outlets[slot.mid].sink.carry(None)
        for stream in self._others():
            self._route(stream)

    def _route(self, stream: Stream) -> None:
        """Sets the slots of one stream to what they should carry now."""
        if self._session is None or not self._session.link.open:
            return
        wish = self._wish(stream)
        for kind in KINDS:
            outlet = self._outlet((stream.stream_id, kind))
            if outlet is None:
                continue
            track = stream.tracks.get(kind)
            layer = self._layer(stream, track, wish) if track and self._flows(outlet, track, wish) else None
            if track and layer is not None:
                outlet.sink.carry(track.source, *layer)
            else:
                outlet.sink.carry(None)

    @staticmethod
    def _flows(outlet: _Outlet, track: Track, wish: Wish) -> bool:
        return wish.includes(track.source.kind) and outlet.can(track.section.codec)

    def _layer(self, stream: Stream, track: Track, wish: Wish) -> tuple[int, int] | None:
        """Which layer to receive, and its temporal one; None: paused. What has not come yet is taken as it comes."""
        known = track.source.kind == "video" and track.layers and self._session
        choice = self._session.downlink.choice(stream.stream_id) if known and self._session else None
        if choice is None or (choice.layer is None and choice.reason is Reason.PUBLISHER):
            return fitting_layer(wish, track.layer_count, track.source.sizes()), ALL
        if choice.layer is None:
            return None
        best = choice.reason is Reason.PUBLISHER and choice.layer.spatial == track.layers[-1].spatial
        return (BEST if best else choice.layer.spatial), choice.layer.temporal

    # what fits

    def _decide(self) -> bool:
        """Lets the line be shared out; returns whether that has changed what flows."""
        if not self._share():
            return False
        for stream in self._others():
            self._route(stream)
        return True

    def _share(self) -> bool:
        session = self._session
        if session is None or not session.link.open:
            return False
        if self._requests is None:
            self._requests = tuple(self._ask(session))
        return session.downlink.decide(self._requests, self._sound_bps, self._now)

    def _ask(self, session: _Session) -> Iterator[Request]:
        """What pictures are asked for; notes on the way what the sound costs."""
        self._sound_bps = 0.0
        for stream in self._others():
            wish = self._wish(stream)
            for kind, track in stream.tracks.items():
                outlet = self._outlet((stream.stream_id, kind))
                if outlet is None or not self._flows(outlet, track, wish):
                    continue
                if kind == "audio":
                    self._sound_bps += track.rate_bps
                else:
                    yield _request(stream, track, wish)


def _request(stream: Stream, track: Track, wish: Wish) -> Request:
    return Request(
        key=stream.stream_id,
        layers=() if stream.muted["video"] else track.layers,
        screen=stream.label == "screen",
        priority=wish.priority or USUAL_PRIORITY,
        max_width=wish.max_width,
        max_height=wish.max_height,
        max_fps=wish.max_fps,
    )


def _msid(key: TrackKey) -> str:
    stream_id, kind = key
    return f"{stream_id} {stream_id}-{kind}"


def _renamed(slot: Slot, key: TrackKey) -> Slot:
    return Slot(slot.mid, slot.kind, slot.ssrc, slot.repair_ssrc, slot.cname, _msid(key))
