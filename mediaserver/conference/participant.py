"""Somebody in a conference: what they may do, what they publish and what they receive.

Composes the two sides and tells the conference what becomes of them; decides only about rights. Not told its
conference: it is given a router, the streams of the others and two callbacks. All calls are synchronous.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mediaserver.callbacks import weakly
from mediaserver.conference.publication import Changes, PublishSide
from mediaserver.conference.router import Router
from mediaserver.conference.stream import Description, Kind, Stream, StreamDescription
from mediaserver.conference.subscription import SubscribeSide
from mediaserver.conference.wishes import Wish
from mediaserver.errors import BadCandidate, BadDescription, PublishForbidden
from mediaserver.events import (
    CodecUnsupported,
    ConnectionLost,
    ConnectionOpened,
    DataReceived,
    LayersChanged,
    MediaEvent,
    QualityChanged,
    StreamChanged,
    StreamEnded,
    StreamMuted,
    StreamStarted,
    SubscriptionsChanged,
)
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.stats import ParticipantStats
from mediaserver.transport.connection import Lost, Opened, TextReceived, TransportEvent
from mediaserver.transport.fragment import IceFragment
from mediaserver.transport.sdp import parse_candidate

QUALITY_EVERY = 5.0  # seconds, by contract
CONNECTIONS = ("publish", "subscribe")


@dataclass(frozen=True, slots=True)
class Rights:
    publish: bool = True
    subscribe: bool = True


class Surroundings(Protocol):
    """What a participant needs of its conference."""

    @property
    def encrypted(self) -> bool:
        """From end to end."""

    def others(self, participant_id: str) -> Iterable[Stream]:
        """The streams of everybody else."""

    def taken(self, participant_id: str, stream_id: str) -> bool:
        """Whether somebody else publishes a stream with this id."""

    def changed(self, participant_id: str, changes: Changes) -> None:
        """What this participant publishes has changed."""

    def left(self, participant_id: str) -> None:
        """This participant is gone."""

    def wished(self) -> None:
        """This participant wants something else."""


class Participant:
    def __init__(
        self,
        conference_id: str,
        participant_id: str,
        rights: Rights,
        router: Router,
        *,
        surroundings: Surroundings,
        tell: Callable[[MediaEvent], None],
    ) -> None:
        self.id = participant_id
        self.rights = rights
        self._conference_id = conference_id
        self._surroundings = surroundings
        self._tell = tell
        self._gone = False
        self._quality: tuple[float, float, float] | None = None
        self._quality_at: float | None = None
        self._publish = PublishSide(
            participant_id,
            router,
            taken=lambda stream_id: surroundings.taken(participant_id, stream_id),
            on_event=weakly(self._heard_publish),
        )
        self._subscribe = SubscribeSide(
            router,
            others=lambda: surroundings.others(participant_id) if rights.subscribe else (),
            on_event=weakly(self._heard_subscribe),
            on_due=weakly(self._due),
            on_unsupported=weakly(self._unsupported),
            encrypted=surroundings.encrypted,
        )

    # publishing

    def negotiate(self, sdp: str, streams: Sequence[StreamDescription]) -> Description:
        """Answers the next offer of the publish connection, whose list of streams is complete.

        `BadDescription` and `StreamExists` leave everything as it was.
        """
        self._check_present()
        if streams and not self.rights.publish:
            raise PublishForbidden(f"participant {self.id} may not publish")
        description, changes = self._publish.negotiate(sdp, streams)
        self._announce(changes)
        return description

    def restart_publish(self, fragment: IceFragment) -> str:
        """New ICE credentials of the client's for its publish connection; returns ours.

        The path stays until the client nominates another. `BadDescription` if there is nothing to restart.
        """
        self._check_present()
        return self._publish.restart(fragment)

    def unpublish(self, stream_id: str) -> None:
        self._announce(self._publish.unpublish(stream_id))

    def mute(self, stream_id: str, *, audio: bool | None = None, video: bool | None = None) -> None:
        """Stops or resumes forwarding a stream's sound or picture; None leaves it as it is."""
        stream = self._publish.stream(stream_id)
        wanted: dict[Kind, bool | None] = {"audio": audio, "video": video}
        changed = [stream.mute(kind, muted) for kind, muted in wanted.items() if muted is not None]
        if any(changed):
            self._tell(StreamMuted(self._conference_id, self.id, stream.info()))

    def allow_publishing(self, allowed: bool) -> None:
        """Gives or takes the right to publish; what is published when it is taken is over for everybody."""
        self.rights = replace(self.rights, publish=allowed)
        for stream_id in () if allowed else tuple(self._publish.streams):
            self.unpublish(stream_id)

    def send_text(self, text: str) -> bool:
        """Sends on the data channel `events`; False if it has none open."""
        return self._publish.send_text(text)

    # receiving

    def offer(self, *, restart: bool = False) -> Description:
        """The next offer of the subscribe connection; `restart` gives it fresh ICE credentials."""
        self._check_present()
        return self._subscribe.offer(restart=restart)

    def needs_offer(self) -> bool:
        """Whether something to receive has changed since the last offer. True from the start if there are streams."""
        return self._subscribe.needs_offer

    def accept(self, sdp: str) -> None:
        """The answer to the last offer. `BadDescription` leaves everything as it was."""
        self._check_present()
        self._subscribe.accept(sdp)

    def reconnect_subscribe(self) -> None:
        """Throws the subscribe connection away; the next `offer` starts a fresh one."""
        self._subscribe.reconnect()

    def want(self, default: Wish, streams: Mapping[str, Wish]) -> None:
        """What to receive, and how large: per stream id, else `default`."""
        self._subscribe.want(default, streams)
        self._surroundings.wished()

    def could_want(self, stream: Stream) -> int | None:
        """The best layer of somebody else's picture that is wished for, whatever fits; None: none is."""
        return self._subscribe.could_want(stream) if self.rights.subscribe else None

    def hold(self, stream_ids: frozenset[str]) -> None:
        """The pictures of these streams are not to be sent now: others have spoken later."""
        self._subscribe.hold(stream_ids)

    def tick(self, now: float) -> None:
        """Shares out what the line carries; to be called a few times a second."""
        if streams := self._subscribe.tick(now):
            self._tell(LayersChanged(self._conference_id, self.id, streams))
        if self._quality_at is None or now - self._quality_at >= QUALITY_EVERY:
            self._quality_at = now
            quality = self._subscribe.rating()
            if quality and quality != self._quality:
                self._quality = quality
                self._tell(QualityChanged(self._conference_id, self.id, *quality))

    # both

    def candidate(self, pc: str, candidate: str | None) -> None:
        """Checks a candidate of the client; it is not needed, since checks come from the client's side."""
        if pc not in CONNECTIONS:
            raise BadCandidate(f"there is no connection {pc[:32]!r}")
        if candidate:
            parse_candidate(candidate)

    def leave(self) -> None:
        """Ends both connections and all streams. May be called twice."""
        if self._gone:
            return
        self._gone = True
        self._announce(self._publish.close())
        self._subscribe.close()
        self._surroundings.left(self.id)

    def stats(self) -> ParticipantStats:
        publish, tracks = self._publish.stats()
        subscribe, slots = self._subscribe.stats()
        return ParticipantStats(self.id, publish, subscribe, tracks, slots, self._subscribe.line())

    # what the conference tells

    def others_changed(self, changes: Changes) -> None:
        """Somebody else's streams have changed."""
        if not self.rights.subscribe:
            return
        for stream in changes.ended:
            self._subscribe.disappeared(stream)
        for stream in changes.started + changes.changed:
            self._subscribe.appeared(stream)

    def measured(self) -> None:
        """What others' pictures cost has been measured anew."""
        self._subscribe.measured()

    def layer_started(self, stream: Stream) -> None:
        """Media of a layer of somebody else's stream has come for the first time."""
        self._subscribe.layer_started(stream)

    def rerouted(self, stream: Stream) -> None:
        """A stream of somebody else comes from elsewhere now, in the same sections."""
        self._subscribe.rerouted(stream)

    def _check_present(self) -> None:
        if self._gone:
            raise BadDescription(f"participant {self.id} has left")

    def _announce(self, changes: Changes) -> None:
        """Others first, so that whoever hears of a change finds it done."""
        self._surroundings.changed(self.id, changes)
        for stream in changes.ended:
            self._tell(StreamEnded(self._conference_id, self.id, stream.stream_id))
        for stream in changes.started:
            self._tell(StreamStarted(self._conference_id, self.id, stream.info()))
        for stream in changes.changed:
            self._tell(StreamChanged(self._conference_id, self.id, stream.info()))

    def _due(self) -> None:
        self._tell(SubscriptionsChanged(self._conference_id, self.id))

    def _unsupported(self, stream: Stream, codec: CodecId) -> None:
        self._tell(CodecUnsupported(self._conference_id, self.id, stream.stream_id, CODECS[codec].name))

    def _heard_publish(self, event: TransportEvent) -> None:
        self._heard("publish", event)

    def _heard_subscribe(self, event: TransportEvent) -> None:
        self._subscribe.heard(event)
        self._heard("subscribe", event)

    def _heard(self, pc: str, event: TransportEvent) -> None:
        match event:
            case Opened():
                self._tell(ConnectionOpened(self._conference_id, self.id, pc))
            case Lost(why):
                self._tell(ConnectionLost(self._conference_id, self.id, pc, why))
            case TextReceived(text):
                self._tell(DataReceived(self._conference_id, self.id, text))
