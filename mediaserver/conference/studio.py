"""What a conference needs of whoever records and composes it; who that is, is not the conference's affair.

A studio is told of every change at once, and asks the conference for its streams. `mediaserver/composition/studio.py`
is the one there is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mediaserver.conference.stream import Kind, Stream, Track
from mediaserver.events import StreamInfo

ONE_VIEW = "one_view"  # the label of the stream that is the composite, and the id of who it is said to be from
PLAYBACK = "playback"  # the label of a film's stream
INDIVIDUAL, COMPOSITE = "individual", "composite"  # kinds of recordings


@dataclass(frozen=True, slots=True)
class RtmpTarget:
    """Where a program is pushed to. Only to `addresses`, which the URL's host has; whoever gives them has checked them.

    `ca_file`: certificates that are trusted besides those the machine trusts.
    """

    url: str = field(repr=False)
    addresses: tuple[str, ...] = ()
    ca_file: str | None = None


class Recording(Protocol):
    """A recording that was ordered; what becomes of it is told as `RecordingStarted` and `RecordingClosed`."""

    @property
    def id(self) -> str: ...

    def stop(self) -> None:
        """Ends it; may be called twice."""

    def name(self, participant_id: str, name: str) -> None:
        """What somebody is called, for the index."""

    def note(self, note: Mapping[str, Any]) -> None:
        """Something that happened now, for the index, such as a line of the chat."""


class Studio(Protocol):
    def record(self, recording_id: str, path: Path, kind: str, names: Mapping[str, str]) -> Recording:
        """Begins a recording in a folder of its own; ValueError for an id or a kind that cannot be."""

    def compose(self, scene: Any) -> None:
        """What the composite shows from now on (`composition.scene.Scene`); None: there is none any more."""

    def one_view(self, stream: Stream | None) -> None:
        """The composite is this stream's sound and picture from now on, whose tracks are made here; None: no more."""

    def listen(self, listener: str, but: tuple[str, ...]) -> Track:
        """The composite's sound without these streams, made for this listener as long as they need it."""

    def unlisten(self, listener: str) -> None:
        """They hear what all others do; their track is closed."""

    def snapshot(self, snapshot_id: str, path: Path) -> None:
        """A picture of the composite, told as `SnapshotTaken`."""

    def hls(self, hls_id: str, folder: Path) -> None:
        """Files for HLS; told as `HlsBegun`, `HlsPart` and `HlsEnded`."""

    def stop_hls(self, hls_id: str) -> None:
        """May be called for what has ended."""

    def broadcast(self, broadcast_id: str, target: RtmpTarget) -> None:
        """A push of the composite; told as `BroadcastStarted`, -`Interrupted` and -`Ended`."""

    def stop_broadcast(self, broadcast_id: str) -> None:
        """Nothing is told of it any more. May be called for what has ended."""

    def play(self, film: Any) -> None:
        """A film (`composition.films.Film`) as a source of the composite; told as `PlaybackStarted` and -`Ended`."""

    def stop_playing(self, play_id: str) -> None:
        """May be called for what does not play."""

    def screen(self, play_id: str, kinds: Collection[Kind]) -> dict[Kind, Track]:
        """The tracks of a film that plays, as a stream of its own; none where that cannot be."""

    def changed(self) -> None:
        """Streams have started, ended or changed."""

    def muted(self, stream: StreamInfo) -> None: ...

    def spoke(self, participant_ids: tuple[str, ...]) -> None:
        """Who speaks now."""

    def close(self) -> None:
        """The conference is over."""
