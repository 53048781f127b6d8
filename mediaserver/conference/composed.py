"""What is made of a conference, or put into it, by its studio: the composite, and all that comes of it.

Half of a `Conference`: it passes on what is ordered, and has the streams that the studio makes in the conference.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from mediaserver.conference.publication import Changes
from mediaserver.conference.stream import Kind, Stream
from mediaserver.conference.studio import COMPOSITE, ONE_VIEW, PLAYBACK, Recording, RtmpTarget, Studio
from mediaserver.events import MediaEvent, StreamEnded, StreamStarted


class Composed(ABC):
    """There is a studio once somebody wants one."""

    id: str
    _tell: Callable[[MediaEvent], None]
    _streams: dict[str, Stream]

    def __init__(self) -> None:
        self._studio: Studio | None = None
        self._film_numbers = count()

    @abstractmethod
    def _studio_now(self) -> Studio:
        """Raises `ConferenceClosed` once it has ended."""

    @abstractmethod
    def changed(self, participant_id: str, changes: Changes) -> None:
        """Streams have started or ended."""

    def record(
        self, recording_id: str, path: Path, kind: str = COMPOSITE, names: Mapping[str, str] | None = None
    ) -> Recording:
        """Begins a recording of the composite, or (individual) of every track, in a folder that is its own.

        What becomes of it is told as `RecordingStarted` and `RecordingClosed`. `names`: of participants, by their id.
        """
        return self._studio_now().record(recording_id, path, kind, names or {})

    def compose(self, scene: Any) -> None:
        """Shows another `Scene` from the next frame of the composite on; None: no composite is needed any more."""
        if scene is not None or self._studio:
            self._studio_now().compose(scene)

    def snapshot(self, snapshot_id: str, path: Path) -> None:
        """Puts a picture of the composite into a file; told as `SnapshotTaken`."""
        self._studio_now().snapshot(snapshot_id, path)

    def hls(self, hls_id: str, folder: Path) -> None:
        """Writes the composite into a folder as files for HLS: told as `HlsBegun`, `HlsPart` and `HlsEnded`.

        ValueError for an id that is streamed already.
        """
        self._studio_now().hls(hls_id, folder)

    def stop_hls(self, hls_id: str) -> None:
        if self._studio:
            self._studio.stop_hls(hls_id)

    def broadcast(self, broadcast_id: str, target: RtmpTarget) -> None:
        """Pushes the composite to a server; told as `BroadcastStarted`, -`Interrupted` and, given up, -`Ended`."""
        self._studio_now().broadcast(broadcast_id, target)

    def stop_broadcast(self, broadcast_id: str) -> None:
        """Ends it, without telling; also one that has ended."""
        if self._studio:
            self._studio.stop_broadcast(broadcast_id)

    def play(self, film: Any) -> None:
        """Plays a `Film`, a file on this machine, into the composite: told as `PlaybackStarted` and `PlaybackEnded`.

        ValueError for a `play_id` that plays already. Who is to see it says so with a scene.
        """
        self._studio_now().play(film)

    def screen(self, play_id: str, *, picture: bool, sound: bool) -> None:
        """Gives a film that plays to those who are not shown the composite, too: as a stream `playback` of its own."""
        wanted: dict[Kind, bool] = {"video": picture, "audio": sound}
        kinds = [kind for kind, there in wanted.items() if there]
        stream_id = f"{PLAYBACK}-{self.id}-{next(self._film_numbers)}"
        stream = Stream(stream_id, play_id, PLAYBACK, self._studio_now().screen(play_id, kinds))
        if stream.tracks:
            self.changed(play_id, Changes(started=(stream,)))
            self._tell(StreamStarted(self.id, play_id, stream.info()))

    def stop_playing(self, play_id: str) -> None:
        """It is over, with its stream; also after it has ended by itself."""
        for stream in list(self._streams.values()):
            if (stream.participant_id, stream.label) == (play_id, PLAYBACK):
                self.changed(play_id, Changes(ended=(stream,)))
                stream.close()
                self._tell(StreamEnded(self.id, play_id, stream.stream_id))
        if self._studio:
            self._studio.stop_playing(play_id)

    def one_view(self, on: bool) -> None:
        """Gives the composite back as a stream `one_view` of nobody in particular; or takes it away."""
        stream = self._streams.get(self._one_view_id)
        if on and stream is None:
            stream = Stream(self._one_view_id, ONE_VIEW, ONE_VIEW)
            self._studio_now().one_view(stream)
            self.changed(ONE_VIEW, Changes(started=(stream,)))
            self._tell(StreamStarted(self.id, ONE_VIEW, stream.info()))
        elif not on and stream is not None:
            self._studio_now().one_view(None)
            self.changed(ONE_VIEW, Changes(ended=(stream,)))
            stream.close()
            self._tell(StreamEnded(self.id, ONE_VIEW, stream.stream_id))

    @property
    def _one_view_id(self) -> str:
        return f"{ONE_VIEW}-{self.id}"
