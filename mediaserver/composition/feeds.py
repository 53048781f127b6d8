"""Which tracks of a conference its media worker gets, and in which layer; what it makes of them is the worker's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mediaserver.composition.desk import RECORD, SHOW
from mediaserver.composition.process import Link
from mediaserver.conference.router import BEST_LAYER, Source
from mediaserver.conference.stream import KINDS, Kind, Stream, Track
from mediaserver.conference.wishes import covering_layer

Sizes = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Want:
    """A track that the worker gets."""

    stream: Stream
    kind: Kind
    use: str
    source: Source
    layer: int


def wanted(streams: Iterable[Stream], *, recorded: bool, shown: Sizes | None) -> Iterator[Want]:
    """`recorded`: every track is kept as it is. `shown`: the size of each source in the composite, if there is one;
    everybody is heard in it."""
    for stream in streams:
        for kind in KINDS:
            track = stream.tracks.get(kind)
            if track is None:
                continue
            if recorded:
                yield Want(stream, kind, RECORD, track.source, BEST_LAYER)
            if shown is not None and (kind == "audio" or stream.stream_id in shown):
                yield Want(stream, kind, SHOW, track.source, _layer(track, shown.get(stream.stream_id)))


def feed(link: Link, wants: Iterable[Want]) -> None:
    """Gives the worker these tracks and no others."""
    found = {(want.source.id, want.use): want for want in wants}
    for key in link.feeds.keys() - found.keys():
        ssrc, _ = link.feeds.pop(key)
        link.tap.drop(ssrc)
        link.channel.send(do="unfeed", ssrc=ssrc)
    for key, want in found.items():
        if key in link.feeds:
            ssrc, _ = link.feeds[key]
            link.tap.change(ssrc, want.source, want.layer)
        else:
            ssrc = _begin(link, want)
        link.feeds[key] = ssrc, want


def _begin(link: Link, want: Want) -> int:
    ssrc = link.tap.take(want.source, want.layer)
    link.channel.send(
        do="feed",
        ssrc=ssrc,
        use=want.use,
        participant_id=want.stream.participant_id,
        stream_id=want.stream.stream_id,
        label=want.stream.label,
        kind=want.kind,
    )
    if want.stream.muted[want.kind]:
        link.channel.send(do="mute", stream_id=want.stream.stream_id, kind=want.kind, muted=True)
    return ssrc


def _layer(track: Track, box: tuple[int, int] | None) -> int:
    if box is None:
        return BEST_LAYER
    return covering_layer(box, track.layer_count, track.source.sizes())
