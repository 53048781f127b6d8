"""The sounds of those who are shown the composite and must not hear themselves, as the server sees them.

Each is a track of the conference that the media worker feeds; what is left out of it is the worker's to leave out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mediaserver.composition.process import Link, WorkerProcess
from mediaserver.conference.stream import Track

MID = "ear"


@dataclass(frozen=True, slots=True)
class _Ear:
    mid: str
    track: Track
    but: tuple[str, ...]


class Ears:
    """`make_track` makes a track of sound."""

    def __init__(self, process: WorkerProcess, make_track: Callable[[], Track]) -> None:
        self._process = process
        self._make_track = make_track
        self._ears: dict[str, _Ear] = {}

    def listen(self, listener: str, but: Iterable[str]) -> Track:
        """What this listener hears from now on: everything but these streams."""
        mid = next(mid for n in range(len(self._ears) + 1) if (mid := f"{MID}{n}") not in self._mids())
        ear = self._ears[listener] = _Ear(mid, self._make_track(), tuple(but))
        if self._process.link:
            self._begin(self._process.link, listener, ear)
        return ear.track

    def unlisten(self, listener: str) -> None:
        """They hear what all others do. Nothing happens to somebody who does already."""
        ear = self._ears.pop(listener, None)
        if ear is None:
            return
        if self._process.link:
            self._process.link.tap.unfeed(ear.mid)
            self._process.send(do="unlisten", listener=listener)
        ear.track.source.close()

    def brief(self, link: Link) -> None:
        """Tells a new worker."""
        for listener, ear in self._ears.items():
            self._begin(link, listener, ear)

    def close(self) -> None:
        for listener in list(self._ears):
            self.unlisten(listener)

    def _begin(self, link: Link, listener: str, ear: _Ear) -> None:
        ssrc = link.tap.ssrc()
        link.tap.feed(ear.track.source, ear.mid, ear.track.section.codec, ssrc)
        self._process.send(do="listen", listener=listener, ssrc=ssrc, but=ear.but)

    def _mids(self) -> set[str]:
        return {ear.mid for ear in self._ears.values()}
