"""Films as streams of the conference, as the server sees them: tracks that the media worker feeds."""

from collections.abc import Callable, Collection
from itertools import count

from mediaserver.composition.process import WorkerProcess
from mediaserver.conference.stream import Kind, Track

MAX_SCREENS = 2  # at once: a worker's connection has few sections


class Screens:
    """`make_track` makes a track of a kind. A new worker plays no film of the one before: their streams end."""

    def __init__(self, process: WorkerProcess, make_track: Callable[[Kind], Track]) -> None:
        self._process = process
        self._make_track = make_track
        self._numbers = count()
        self._mids: dict[str, list[str]] = {}

    def show(self, play_id: str, kinds: Collection[Kind]) -> dict[Kind, Track]:
        """The tracks of a film that plays; none where there are too many already."""
        link = self._process.link
        if link is None or play_id in self._mids or len(self._mids) >= MAX_SCREENS:
            return {}
        number, tracks = next(self._numbers), {kind: self._make_track(kind) for kind in kinds}
        ssrcs: dict[str, int | None] = {"video": None, "audio": None}
        self._mids[play_id] = [f"{kind}{number}" for kind in tracks]
        for kind, track in tracks.items():
            ssrc = ssrcs[kind] = link.tap.ssrc()
            link.tap.feed(track.source, f"{kind}{number}", track.section.codec, ssrc)
        self._process.send(do="screen", id=play_id, video_ssrc=ssrcs["video"], audio_ssrc=ssrcs["audio"])
        return tracks

    def end(self, play_id: str) -> None:
        """Whoever has the tracks closes them. Nothing happens to what is not shown."""
        for mid in self._mids.pop(play_id, ()):
            if self._process.link:
                self._process.link.tap.unfeed(mid)
