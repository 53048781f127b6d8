"""What the pictures of a meeting cost, which of their layers anybody could want, and who speaks.

Looked at a few times a second, and told: participants of what has changed, publishers of what they may rest, the
server of who speaks. What each receives because of it is `subscription.py`'s.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from mediaserver.conference.participant import Participant
from mediaserver.conference.stream import Stream
from mediaserver.events import LayersWanted, MediaEvent, SpeakersChanged, VoiceChanged
from mediaserver.rtp.speakers import Speakers

MEASURE_EVERY = 1.0  # seconds


class Attention:
    """Looks at the streams and participants of a conference as they are at the time."""

    def __init__(
        self,
        conference_id: str,
        streams: Mapping[str, Stream],
        participants: Mapping[str, Participant],
        *,
        sounds: Callable[[], Iterable[Stream]],
        best_is_taken: Callable[[], bool],
        spoke: Callable[[tuple[str, ...]], None],
        tell: Callable[[MediaEvent], None],
    ) -> None:
        """`sounds`: streams of the server's own that are heard; `best_is_taken`: whether somebody takes every picture
        at its best, whatever participants want; `spoke` gets who speaks, the loudest first."""
        self._id = conference_id
        self._streams = streams
        self._participants = participants
        self._sounds = sounds
        self._best_is_taken = best_is_taken
        self._spoke = spoke
        self._tell = tell
        self._speakers = Speakers()
        self._measured_at: float | None = None
        self._costs: list[tuple[object, ...]] = []
        """What there is, and what it cost when it was last measured."""
        self._heard: tuple[object, ...] = ()
        """Who is there and in which order they spoke, when that was last acted upon."""

    def look(self, now: float, last_speakers: int | None) -> None:
        """At what everything costs and who is to be seen: with `last_speakers`, only so many who spoke last."""
        if self._measured_at is None or now - self._measured_at >= MEASURE_EVERY:
            self._measured_at = now
            self._measure(now)
            self.tell_demand(now)
        self._hold_silent(last_speakers)

    def listen(self, stream: Stream) -> None:
        if track := stream.tracks.get("audio"):
            track.source.on_level(partial(self._speakers.heard, stream.participant_id))

    def left(self, participant_id: str) -> None:
        """Nothing is heard of this participant any more."""
        self._speakers.left(participant_id)

    def tell_speakers(self, now: float) -> None:
        speakers = self._speakers.update(now)
        if speakers is not None:
            first = speakers[0].id if speakers else ""
            self._spoke(tuple(each.id for each in speakers))
            self._tell(SpeakersChanged(self._id, first, tuple((each.id, each.level) for each in speakers)))
        for participant_id, on in self._speakers.voices(now):
            self._tell(VoiceChanged(self._id, participant_id, on))

    def tell_demand(self, now: float) -> None:
        """Lets publishers rest what nobody could want, and wakes it up."""
        for stream in self._streams.values():
            track = stream.tracks.get("video")
            rids = track.section.rids if track else ()
            if track and len(rids) > 1 and track.demand.follow(self._best_wanted(stream, len(rids)), now):
                wanted = rids[track.demand.best :]
                self._tell(LayersWanted(self._id, stream.participant_id, stream.stream_id, wanted))

    def _measure(self, now: float) -> None:
        """Looks at what everything costs; whoever receives it has work with that only if it has changed."""
        costs: list[tuple[object, ...]] = []
        for stream in self._sounds():
            stream.tracks["audio"].measure(now)
        for stream in self._streams.values():
            for kind, track in stream.tracks.items():
                track.measure(now)
                muted = stream.muted[kind]
                costs.append((stream.stream_id, kind, muted, track.section.codec, track.layers, track.rate_bps))
        if costs != self._costs:
            self._costs = costs
            for participant in self._participants.values():
                participant.measured()

    def _best_wanted(self, stream: Stream, count: int) -> int:
        """Of so many layers."""
        if self._best_is_taken():
            return 0
        others = (each for each in self._participants.values() if each.id != stream.participant_id)
        wanted = (best for each in others if (best := each.could_want(stream)) is not None)
        return min(wanted, default=count - 1)

    def _hold_silent(self, number: int | None) -> None:
        """Lets only those be seen who spoke last, where that is wished."""
        cameras = {each.participant_id: each.stream_id for each in self._streams.values() if _is_seen(each)}
        order = self._speakers.last(len(cameras), list(cameras)) if number is not None else []
        heard = (number, tuple(order), tuple(cameras.values()), tuple(self._participants))
        if heard == self._heard or (number is None and not self._heard):
            return
        self._heard = heard if number is not None else ()
        for participant in list(self._participants.values()):
            silent = [each for each in order if each != participant.id][number:]
            participant.hold(frozenset(cameras[each] for each in silent))


def _is_seen(stream: Stream) -> bool:
    return stream.label == "camera" and "video" in stream.tracks
