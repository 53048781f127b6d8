"""A participant's publish connection: offers in, answers out, and the streams that come of it.

Decides what an offer changes: which streams start, end, take another's place or move to other sections, and whether
the client has come with a new connection of its own. An offer that cannot be used changes nothing. What a list of
streams may say is `claims.py`'s; telling others is `participant.py`'s. RFC 9429, RFC 8839 (restart).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mediaserver.conference.claims import check_claims
from mediaserver.conference.link import Link
from mediaserver.conference.router import Intake, Router
from mediaserver.conference.stream import KINDS, Description, Kind, Stream, StreamDescription, Track
from mediaserver.errors import BadDescription, MediaError, NoSuchStream
from mediaserver.rtp.codecs import CODECS
from mediaserver.stats import ConnectionStats, TrackStats
from mediaserver.transport.connection import TransportEvent
from mediaserver.transport.fragment import IceFragment
from mediaserver.transport.negotiation import PublishAnswer, PublishedSection, answer_publish
from mediaserver.transport.sdp import SessionDescription, parse, write


@dataclass(frozen=True, slots=True)
class Changes:
    """What others have to know. `changed`: a stream has got or lost a track, or a track its codec."""

    ended: tuple[Stream, ...] = ()
    started: tuple[Stream, ...] = ()
    changed: tuple[Stream, ...] = ()


class PublishSide:
    """Owns the connection and the streams. `taken` tells whether a stream id belongs to somebody else."""

    def __init__(
        self,
        participant_id: str,
        router: Router,
        *,
        taken: Callable[[str], bool],
        on_event: Callable[[TransportEvent], None],
    ) -> None:
        self.streams: dict[str, Stream] = {}
        self._participant_id = participant_id
        self._router = router
        self._taken = taken
        self._on_event = on_event
        self._link: Link | None = None
        self._intake: Intake | None = None

    def negotiate(self, sdp: str, claims: Sequence[StreamDescription]) -> tuple[Description, Changes]:
        """Answers an offer whose sections mean `claims`; `BadDescription` or `StreamExists` leave all as it was."""
        offer = parse(sdp)
        link, answer = self._match(offer)
        try:
            accepted = self._accept(claims, offer, answer)
        except MediaError:
            if link is not self._link:
                link.close()
            raise
        if link.restarts(answer.remote):
            link.connection.restart_ice()
            answer = answer_publish(offer, link.next_local())
        self._take_over(link, answer)
        changes = self._publish(accepted, {section.mid: section for section in answer.sections})
        link.meet(answer.remote)  # last: the connection may open, or end, while it is told
        return Description(write(answer.description), accepted), changes

    def restart(self, fragment: IceFragment) -> str:
        """Follows new ICE credentials of the client's; returns ours."""
        if self._link is None or self._link.closed:
            raise BadDescription("there is no connection to restart")
        return self._link.restart(fragment)

    def unpublish(self, stream_id: str) -> Changes:
        stream = self.stream(stream_id)
        del self.streams[stream_id]
        self._feed()
        stream.close()
        return Changes(ended=(stream,))

    def stream(self, stream_id: str) -> Stream:
        if stream_id not in self.streams:
            raise NoSuchStream(f"participant {self._participant_id} publishes no stream {stream_id}")
        return self.streams[stream_id]

    def send_text(self, text: str) -> bool:
        """Sends on the data channel `events`; False if none is open."""
        return self._link is not None and self._link.connection.send_text(text)

    def close(self) -> Changes:
        """Ends everything; may be called twice."""
        ended = tuple(self.streams.values())
        self.streams.clear()
        for stream in ended:
            stream.close()
        if self._link:
            self._link.close()
            self._link = None
        return Changes(ended=ended)

    def stats(self) -> tuple[ConnectionStats | None, tuple[TrackStats, ...]]:
        tracks = tuple(
            TrackStats(
                stream.stream_id,
                kind,
                CODECS[track.section.codec].name,
                stream.muted[kind],
                tuple(track.source.layers()),
            )
            for stream in self.streams.values()
            for kind, track in stream.tracks.items()
        )
        return self._link.stats() if self._link else None, tracks

    def _match(self, offer: SessionDescription) -> tuple[Link, PublishAnswer]:
        """The link this offer is for: the present one, or a fresh one if it comes from another certificate."""
        if self._link and not self._link.closed:
            answer = answer_publish(offer, self._link.next_local())
            if self._link.is_from(answer.remote):
                return self._link, answer
        link = Link(self._router, self._on_event)
        try:
            return link, answer_publish(offer, link.next_local())
        except MediaError:
            link.close()
            raise

    def _accept(
        self, claims: Sequence[StreamDescription], offer: SessionDescription, answer: PublishAnswer
    ) -> tuple[StreamDescription, ...]:
        taken = next((claim.stream_id for claim in claims if self._taken(claim.stream_id)), None)
        if taken is not None:
            raise BadDescription(f"stream {taken} is somebody else's")
        labels = {stream.stream_id: stream.label for stream in self.streams.values()}
        return check_claims(claims, offer, answer.sections, labels, self._participant_id)

    def _take_over(self, link: Link, answer: PublishAnswer) -> None:
        """From here on `link` is the connection; streams that go on are fed by it."""
        if link is not self._link:
            if self._link:
                self._link.close()
            self._link = link
            self._intake = self._router.intake(link.connection)
        if answer.sctp:
            link.connection.open_data_channel_transport(answer.sctp)
        if self._intake:
            self._intake.understand(answer.sections)

    def _publish(self, accepted: Sequence[StreamDescription], sections: Mapping[str, PublishedSection]) -> Changes:
        before = self.streams
        self.streams = {claim.stream_id: before.get(claim.stream_id) or self._stream(claim) for claim in accepted}
        dropped: list[Track] = []
        changed = []
        for claim in accepted:
            lost, differs = self._update(self.streams[claim.stream_id], claim, sections)
            dropped += lost
            if differs and claim.stream_id in before:
                changed.append(self.streams[claim.stream_id])
        self._feed()
        ended = tuple(stream for stream_id, stream in before.items() if stream_id not in self.streams)
        for track in dropped:
            track.source.close()
        for stream in ended:
            stream.close()
        started = tuple(stream for stream_id, stream in self.streams.items() if stream_id not in before)
        return Changes(ended, started, tuple(changed))

    def _stream(self, claim: StreamDescription) -> Stream:
        return Stream(claim.stream_id, self._participant_id, claim.label)

    def _update(
        self, stream: Stream, claim: StreamDescription, sections: Mapping[str, PublishedSection]
    ) -> tuple[list[Track], bool]:
        """Gives a stream the tracks it is said to have; returns those it has lost, and whether others must know."""
        lost: list[Track] = []
        differs = False
        for kind in KINDS:
            mid, track = claim.mid(kind), stream.tracks.get(kind)
            if mid is None:
                if track:
                    lost.append(stream.tracks.pop(kind))
                    differs = True
            elif track is None:
                stream.tracks[kind] = self._track(stream, kind, sections[mid])
                differs = True
            else:
                differs |= track.section.codec != sections[mid].codec
                track.section = sections[mid]
        return lost, differs

    def _track(self, stream: Stream, kind: Kind, section: PublishedSection) -> Track:
        source = self._router.source(kind)
        if stream.muted[kind]:
            source.mute(True)
        return Track(section, source)

    def _feed(self) -> None:
        if self._intake and self._link and not self._link.closed:
            self._intake.feed(
                (track.source, track.section) for stream in self.streams.values() for track in stream.tracks.values()
            )
