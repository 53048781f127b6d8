"""What a participant wants to receive of others and can decode.

Decides which tracks are worth a slot, and in which order. What a client can decode is learnt from its answers; as
long as nothing is known of a kind, everything is thought to be fine. Which slot a track gets is `slots.py`'s.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mediaserver.conference.slots import TrackKey
from mediaserver.conference.stream import Stream, Track
from mediaserver.conference.wishes import Wish
from mediaserver.rtp.codecs import CODECS, CodecId

MAX_WISHES = 1024  # streams that can be wished about; the rest follows the default


@dataclass(slots=True)
class Tastes:
    _default: Wish = field(default_factory=Wish)
    _wishes: dict[str, Wish] = field(default_factory=dict)
    _codecs: dict[str, set[CodecId]] = field(default_factory=dict)
    """What the client has accepted, by kind; unknown before its first answer."""
    _refused: set[tuple[str, CodecId]] = field(default_factory=set)
    """(stream id, codec) of what was told to be unsupported."""

    def want(self, default: Wish, streams: Mapping[str, Wish]) -> None:
        self._default = default
        self._wishes = dict(list(streams.items())[:MAX_WISHES])

    def wish(self, stream: Stream) -> Wish:
        return self._wishes.get(stream.stream_id, self._default)

    def learn(self, kind: str, codecs: Iterable[int]) -> None:
        """The client has accepted these in a section of this kind."""
        self._codecs.setdefault(kind, set()).update(CodecId(codec) for codec in codecs)

    def decodes(self, track: Track) -> bool:
        known = self._codecs.get(track.source.kind)
        return known is None or track.section.codec in known

    def running(self, streams: Iterable[Stream]) -> Iterator[tuple[TrackKey, Stream]]:
        """The tracks that can be decoded, wanted or not."""
        for stream in streams:
            for kind, track in stream.tracks.items():
                if self.decodes(track):
                    yield (stream.stream_id, kind), stream

    def wanted(self, streams: Iterable[Stream]) -> list[TrackKey]:
        """Sound first, then by priority: the order in which slots are given away."""
        wishes = [(key, self.wish(stream)) for key, stream in self.running(streams)]
        wanted = [(key, wish) for key, wish in wishes if wish.includes(key[1])]
        wanted.sort(key=lambda item: (item[0][1] != "audio", -(item[1].priority or 0)))
        return [key for key, _ in wanted]

    def refusals(self, streams: Iterable[Stream]) -> Iterator[tuple[Stream, CodecId]]:
        """What cannot be decoded, once per stream and codec."""
        for stream in list(streams):
            for track in stream.tracks.values():
                refused = (stream.stream_id, track.section.codec)
                if not self.decodes(track) and refused not in self._refused:
                    self._refused.add(refused)
                    yield stream, track.section.codec

    def gone(self, stream: Stream) -> None:
        """The stream is over."""
        self._refused -= {(stream.stream_id, codec) for codec in CODECS}

    def unlearn(self) -> None:
        """The client may be another one from now on; its wishes stay."""
        self._codecs.clear()
        self._refused.clear()
