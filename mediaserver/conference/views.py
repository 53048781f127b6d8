"""What each participant is given of a conference: everybody's streams, or all in one picture without their own sound.

Decides who is given which stream. The picture is the same for all who see it, and so is its sound, except for those who
can be heard in it themselves: each of them is given a sound of their own, which the studio makes.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum

from mediaserver.conference.publication import Changes
from mediaserver.conference.stream import Stream
from mediaserver.conference.studio import ONE_VIEW, Studio

MAX_OWN_SOUNDS = 10  # in one conference, as many as a worker has sections for; who speaks beside them hears themselves


class View(Enum):
    STREAMS = "streams"
    """Everybody's, each by itself."""
    COMPOSITE = "composite"
    """All in one picture, and nothing else."""
    WITH_SCREENS = "with screens"
    """Beside it the screens that are shown."""

    def shows(self, stream: Stream) -> bool:
        if self is View.STREAMS:
            return stream.label != ONE_VIEW
        return stream.label == ONE_VIEW or (self is View.WITH_SCREENS and stream.label == "screen")


class Views:
    """Of one conference, whose `streams` these are; `studio` gives what makes its picture, if there is any."""

    def __init__(self, streams: Mapping[str, Stream], studio: Callable[[], Studio | None]) -> None:
        self._streams = streams
        self._studio = studio
        self._views: dict[str, View] = {}
        """Of those who have another than the usual one."""
        self._own: dict[str, tuple[tuple[str, ...], Stream]] = {}
        """By participant: what is left out of their sound, and the picture with that sound."""

    def given(self, participant_id: str) -> Iterator[Stream]:
        """What others send, as far as this participant is to get it."""
        for stream in self._streams.values():
            if stream.participant_id != participant_id and self._of(participant_id).shows(stream):
                yield self._mine(participant_id, stream)

    def part_of(self, changes: Changes, participant_id: str) -> Changes:
        """What this participant has to know of."""
        shows = self._of(participant_id).shows
        ended, started, changed = (
            tuple(self._mine(participant_id, stream) for stream in streams if shows(stream))
            for streams in (changes.ended, changes.started, changes.changed)
        )
        return Changes(ended, started, changed)

    def see(self, participant_id: str, view: View) -> Changes:
        """From now on they are given that; returns what this changes for them."""
        before = {stream.stream_id: stream for stream in self.given(participant_id)}
        if view is View.STREAMS:
            self._views.pop(participant_id, None)
        else:
            self._views[participant_id] = view
        after = {stream.stream_id: stream for stream in self.given(participant_id)}
        ended = tuple(stream for stream_id, stream in before.items() if stream_id not in after)
        return Changes(ended, tuple(stream for stream_id, stream in after.items() if stream_id not in before))

    def left(self, participant_id: str) -> None:
        self._views.pop(participant_id, None)
        self._share(participant_id)

    def hear(self) -> list[tuple[str, Stream]]:
        """Gives a sound of their own to those who need one now; returns who sees a stream with another sound."""
        if not self._views and not self._own:
            return []
        composite = next((each for each in self._streams.values() if each.label == ONE_VIEW), None)
        wanted = self._wanted() if composite else {}
        changed = [each for each, (out, _) in self._own.items() if wanted.get(each) != out]
        for participant_id in changed:
            self._share(participant_id)
        if composite is None:
            return []
        fresh = [each for each in wanted if each not in self._own][: MAX_OWN_SOUNDS - len(self._own)]
        for participant_id in fresh:
            self._part(participant_id, wanted[participant_id], composite)
        seeing = (each for each in dict.fromkeys((*changed, *fresh)) if each in self._views)
        return [(each, self._mine(each, composite)) for each in seeing]

    def sounds(self) -> list[Stream]:
        """The streams with sounds of their own."""
        return [stream for _, stream in self._own.values()]

    def _of(self, participant_id: str) -> View:
        return self._views.get(participant_id, View.STREAMS)

    def _mine(self, participant_id: str, stream: Stream) -> Stream:
        if stream.label != ONE_VIEW or participant_id not in self._own:
            return stream
        return self._own[participant_id][1]

    def _wanted(self) -> dict[str, tuple[str, ...]]:
        """Who can be heard in what they see, and by which streams."""
        wanted = {}
        for participant_id in self._views:
            mine = [each for each in self._streams.values() if each.participant_id == participant_id]
            if any("audio" in each.tracks and not each.muted["audio"] for each in mine):
                wanted[participant_id] = tuple(sorted(each.stream_id for each in mine if "audio" in each.tracks))
        return wanted

    def _part(self, participant_id: str, out: tuple[str, ...], composite: Stream) -> None:
        """They hear all but what is theirs."""
        if studio := self._studio():
            stream = Stream(composite.stream_id, composite.participant_id, composite.label, dict(composite.tracks))
            stream.tracks["audio"] = studio.listen(participant_id, out)
            self._own[participant_id] = out, stream

    def _share(self, participant_id: str) -> None:
        """They hear what all others do."""
        studio = self._studio()
        if self._own.pop(participant_id, None) and studio:
            studio.unlisten(participant_id)
