"""A live meeting: its participants, their streams, and who hears of what.

Owns its participants and stands between them; everything of it lives on one packet thread. What a participant may
do and receives is `participant.py`'s and `subscription.py`'s, what is measured and who speaks `attention.py`'s. Who
watches from outside is `audience.py`'s.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from mediaserver.conference.attention import Attention
from mediaserver.conference.audience import Audience
from mediaserver.conference.composed import Composed
from mediaserver.conference.forward import Forward
from mediaserver.conference.participant import Participant, Rights
from mediaserver.conference.publication import Changes
from mediaserver.conference.router import Router
from mediaserver.conference.stream import Kind, Stream
from mediaserver.conference.studio import Studio
from mediaserver.conference.viewer import Viewer
from mediaserver.conference.views import View, Views
from mediaserver.errors import ConferenceClosed, ConferenceFull, NoSuchParticipant, ParticipantExists
from mediaserver.events import MediaEvent, StreamInfo, StreamMuted
from mediaserver.stats import ConferenceStats


@dataclass(frozen=True, slots=True)
class Limits:
    """`last_speakers`: each receives the cameras of so many others, who spoke last; None: of everybody.

    `encrypted`: from end to end, so that a payload must reach its reader just as it came.
    """

    max_participants: int
    last_speakers: int | None = None
    encrypted: bool = False


class Conference(Composed):
    """`on_closed` is called once, when it has ended."""

    def __init__(
        self,
        conference_id: str,
        limits: Limits,
        router: Router,
        *,
        tell: Callable[[MediaEvent], None],
        on_closed: Callable[[str], None],
        studio: Callable[["Conference", Router], Studio] | None = None,
    ) -> None:
        """`studio` makes the one that records and composes, once somebody wants that."""
        self.id = conference_id
        self.limits = limits
        self._router = router
        self._tell = tell
        self._on_closed = on_closed
        self._participants: dict[str, Participant] = {}
        self._streams: dict[str, Stream] = {}
        self._audience = Audience(conference_id, self._streams, router, tell)
        self._now = 0.0
        self._closed = False
        self._make_studio = studio
        super().__init__()
        self._views = Views(self._streams, lambda: self._studio)
        self._attention = Attention(
            conference_id,
            self._streams,
            self._participants,
            sounds=self._views.sounds,
            best_is_taken=lambda: bool(self._studio or self._audience),
            spoke=self._spoke,
            tell=tell,
        )

    def join(self, participant_id: str, rights: Rights) -> Participant:
        if self._closed:
            raise ConferenceClosed(f"conference {self.id} has ended")
        if participant_id in self._participants:
            raise ParticipantExists(f"participant {participant_id} is in conference {self.id} already")
        if len(self._participants) >= self.limits.max_participants:
            raise ConferenceFull(self.id, self.limits.max_participants)
        participant = Participant(self.id, participant_id, rights, self._router, surroundings=self, tell=self._told)
        self._participants[participant_id] = participant
        return participant

    def participant(self, participant_id: str) -> Participant:
        if participant_id not in self._participants:
            raise NoSuchParticipant(f"nobody with the id {participant_id} is in conference {self.id}")
        return self._participants[participant_id]

    def view(self, viewer_id: str, sdp: str, stream_id: str) -> Viewer:
        """Answers the offer of somebody who wants to watch a stream; what becomes of them is told as `ViewerEvent`s.

        `BadDescription` and `NoSuchStream` leave everything as it was.
        """
        if self._closed:
            raise ConferenceClosed(f"conference {self.id} has ended")
        return self._audience.view(viewer_id, sdp, stream_id)

    def forward(self, forward_id: str, stream_id: str, kinds: Collection[Kind]) -> Forward:
        """Begins to push a stream's sound, picture or both to another server: its `offer` has to be brought there.

        What becomes of it is told as `ViewerEvent`s; `NoSuchStream` where there is nothing of that kind.
        """
        if self._closed:
            raise ConferenceClosed(f"conference {self.id} has ended")
        return self._audience.forward(forward_id, stream_id, kinds)

    def see(self, participant_id: str, view: View) -> None:
        """What this participant is given from the next offer on; who joins has `View.STREAMS`."""
        self.participant(participant_id).others_changed(self._views.see(participant_id, view))
        self._hear()

    def published(self) -> list[Stream]:
        """The streams themselves, for whoever takes their tracks."""
        return list(self._streams.values())

    @property
    def viewer_count(self) -> int:
        """Servers to which something is pushed among them."""
        return len(self._audience)

    def streams(self) -> list[StreamInfo]:
        """What is published now, in the order in which it began."""
        return [stream.info() for stream in self._streams.values()]

    def close(self) -> None:
        """Everybody leaves, and nobody watches any more. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._audience.end("the conference is over")
        for participant in list(self._participants.values()):
            participant.leave()
        if self._studio:
            self._studio.close()
        for stream in self._streams.values():  # the server's own
            stream.close()
        self._streams.clear()
        self._on_closed(self.id)

    def tick(self, now: float) -> None:
        """Sees who speaks and what fits whose line; to be called a few times a second."""
        self._now = now
        self._attention.look(now, self.limits.last_speakers)
        for participant in list(self._participants.values()):
            participant.tick(now)
        self._audience.tick(now)
        self._attention.tell_speakers(now)

    def stats(self) -> ConferenceStats:
        return ConferenceStats(
            self.id,
            self._router.thread,
            tuple(participant.stats() for participant in self._participants.values()),
            self._audience.stats(),
        )

    # what a participant needs (`participant.Surroundings`)

    def others(self, participant_id: str) -> Iterator[Stream]:
        return self._views.given(participant_id)

    @property
    def encrypted(self) -> bool:
        return self.limits.encrypted

    def taken(self, participant_id: str, stream_id: str) -> bool:
        stream = self._streams.get(stream_id)
        return stream is not None and stream.participant_id != participant_id

    def changed(self, participant_id: str, changes: Changes) -> None:
        for stream in changes.ended:
            del self._streams[stream.stream_id]
            if stream.label == "camera":
                self._attention.left(participant_id)
        for stream in changes.started:
            self._streams[stream.stream_id] = stream
        for stream in changes.started + changes.changed:
            self._listen(stream)
        for other in list(self._participants.values()):
            if other.id != participant_id:
                other.others_changed(self._views.part_of(changes, other.id))
        self._hear()
        self._audience.changed(changes)
        if self._studio:
            self._studio.changed()

    def left(self, participant_id: str) -> None:
        self._participants.pop(participant_id, None)
        self._views.left(participant_id)

    def _hear(self) -> None:
        """Everybody who sees the composite hears it without themselves."""
        for participant_id, stream in self._views.hear():
            self._participants[participant_id].rerouted(stream)

    def _studio_now(self) -> Studio:
        if self._closed or self._make_studio is None:
            raise ConferenceClosed(f"conference {self.id} has ended")
        if self._studio is None:
            self._studio = self._make_studio(self, self._router)
        return self._studio

    def _told(self, event: MediaEvent) -> None:
        if self._studio and isinstance(event, StreamMuted):
            self._studio.muted(event.stream)
            self._hear()
        self._tell(event)

    def wished(self) -> None:
        self._attention.tell_demand(self._now)

    def _listen(self, stream: Stream) -> None:
        """Lets everybody choose again when a layer of the stream's picture comes up, and hears who speaks."""
        if track := stream.tracks.get("video"):
            track.source.on_layer(lambda _layer: self._layer_started(stream))
        self._attention.listen(stream)

    def _spoke(self, participant_ids: tuple[str, ...]) -> None:
        if self._studio:
            self._studio.spoke(participant_ids)

    def _layer_started(self, stream: Stream) -> None:
        stream.tracks["video"].measure(self._now)
        if self._studio:
            self._studio.changed()
        for participant in self._participants.values():
            if participant.id != stream.participant_id:
                participant.layer_started(stream)
