"""What a conference has recorded and composed, as the server sees it: orders go in, events come out.

What is shown, and which streams are there for it, is kept here; orders that take their time in `orders.py`; the
process that carries all of it out is `process.py`'s, and which tracks it gets `feeds.py`'s. All calls are synchronous.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from mediaserver.composition.control import Message
from mediaserver.composition.ears import Ears
from mediaserver.composition.feeds import Want, feed, wanted
from mediaserver.composition.films import Film
from mediaserver.composition.hls_orders import HlsStreams
from mediaserver.composition.orders import CONFERENCE_OVER, Orders, Recording, Recordings, Snapshots
from mediaserver.composition.playing import Films
from mediaserver.composition.process import WorkerProcess
from mediaserver.composition.pushes import Pushes
from mediaserver.composition.scene import Scene, pack
from mediaserver.composition.screens import Screens
from mediaserver.conference.router import Router
from mediaserver.conference.stream import KINDS, Kind, Stream, Track
from mediaserver.conference.studio import COMPOSITE, ONE_VIEW, PLAYBACK, RtmpTarget
from mediaserver.config import MediaConfig
from mediaserver.events import MediaEvent, StreamInfo, WorkerFailed
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.transport.negotiation import PublishedSection

ONE_VIEW_CODECS: dict[Kind, CodecId] = {"audio": CodecId.OPUS, "video": CodecId.VP8}


class Studio:
    """`streams` gives what is published now. `wall_offset`: wall clock minus monotonic clock."""

    def __init__(
        self,
        conference_id: str,
        streams: Callable[[], Iterable[Stream]],
        router: Router,
        config: MediaConfig,
        *,
        wall_offset: float,
        tell: Callable[[MediaEvent], None],
        on_task: Callable[["asyncio.Task[None]"], None],
    ) -> None:
        """`on_task` keeps the task in which the process lives, until it has ended."""
        self._id = conference_id
        self._streams = streams
        self._router = router
        self._wall_offset = wall_offset
        self._tell = tell
        self.process = WorkerProcess(conference_id, self, router, config, on_task=on_task)
        self._send = self.process.send
        self._recordings = Recordings(conference_id, self._send, tell)
        self._snapshots = Snapshots(conference_id, self._send, tell)
        self._films = Films(conference_id, self._send, tell)
        self._hls = HlsStreams(conference_id, self._send, tell)
        self._pushes = Pushes(conference_id, self._send, tell, config.broadcast_pauses)
        self._orders: tuple[Orders, ...] = (self._recordings, self._snapshots, self._films, self._hls, self._pushes)
        self._scene: Scene | None = None
        self._asked_for = False
        """Whether the scene is somebody's wish."""
        self._one_view: Stream | None = None
        self._screens = Screens(self.process, self._track)
        self._ears = Ears(self.process, lambda: self._track("audio"))
        self._ended = False
        self.counts: dict[str, int] = {}
        """What the worker told last of its streams."""

    # orders (`conference.studio.Studio`)

    def record(self, recording_id: str, path: Path, kind: str, names: Mapping[str, str]) -> Recording:
        recording = self._recordings.add(recording_id, path, kind, names)
        if kind == COMPOSITE:
            self._show_something()
        if not self.process.need():
            self._recordings.begin(recording)
            self.changed()
            self._tell_muted()
        return recording

    def compose(self, scene: Any) -> None:
        self._scene = scene
        self._asked_for = scene is not None
        if not self.process.need():
            self._tell_scene()
            self.changed()

    def one_view(self, stream: Stream | None) -> None:
        self._one_view = stream
        if stream is not None:
            for kind in ONE_VIEW_CODECS:
                stream.tracks[kind] = self._track(kind)
            self._show_something()
        else:
            self._ears.close()
        if not self.process.need():
            self._give_back()

    def listen(self, listener: str, but: tuple[str, ...]) -> Track:
        return self._ears.listen(listener, but)

    def unlisten(self, listener: str) -> None:
        self._ears.unlisten(listener)

    def snapshot(self, snapshot_id: str, path: Path) -> None:
        self._snapshots.add(snapshot_id, path)
        self._show_something()
        if not self.process.need():
            self._snapshots.begin(snapshot_id)

    def hls(self, hls_id: str, folder: Path) -> None:
        self._hls.add(hls_id, folder)
        self._show_something()
        if not self.process.need():
            self._hls.begin(hls_id)

    def stop_hls(self, hls_id: str) -> None:
        self._hls.stop(hls_id)

    def broadcast(self, broadcast_id: str, target: RtmpTarget) -> None:
        self._pushes.add(broadcast_id, target)
        self._show_something()
        if not self.process.need():
            self._pushes.begin(broadcast_id)

    def stop_broadcast(self, broadcast_id: str) -> None:
        self._pushes.stop(broadcast_id)

    def play(self, film: Film) -> None:
        self._films.add(film)
        self._show_something()
        if not self.process.need():
            self._films.begin(film)

    def stop_playing(self, play_id: str) -> None:
        self._screens.end(play_id)
        self._films.stop(play_id)

    def screen(self, play_id: str, kinds: Collection[Kind]) -> dict[Kind, Track]:
        return self._screens.show(play_id, kinds)

    def changed(self) -> None:
        if self.process.link:
            feed(self.process.link, self._wanted())

    def muted(self, stream: StreamInfo) -> None:
        for kind, muted in (("audio", stream.audio_muted), ("video", stream.video_muted)):
            self._send(do="mute", stream_id=stream.stream_id, kind=kind, muted=muted)

    def spoke(self, participant_ids: tuple[str, ...]) -> None:
        self._send(do="spoke", participant_ids=participant_ids)

    def close(self) -> None:
        """Recordings are finished by the worker; that they are is still told."""
        self._ended = True
        self._show_nothing()
        for orders in self._orders:
            orders.close()
        self._send(do="end", why=CONFERENCE_OVER)

    # of the process (`process.Owner`)

    def busy(self) -> bool:
        return self._asked_for or self._one_view is not None or any(self._orders)

    def brief(self) -> None:
        self._send(do="hello", wall_offset=self._wall_offset)
        if self._scene is not None:
            self._tell_scene()
        if self._one_view:
            self._give_back()
        if self.process.link:
            self._ears.brief(self.process.link)
        for orders in self._orders:
            orders.brief()
        self.changed()
        self._tell_muted()
        if self._ended:
            self._send(do="end", why=CONFERENCE_OVER)

    def heard(self, message: Message) -> None:
        match message:
            case {"did": "alive", "counts": dict(counts)}:
                self.counts = counts
            case _ if any(orders.heard(message) for orders in self._orders):
                self.changed()

    def failed(self, why: str, *, again: bool) -> None:
        self._tell(WorkerFailed(self._id, "", why, again))

    async def give_up(self) -> None:
        self._show_nothing()
        for orders in self._orders:
            await orders.give_up()

    # helpers

    def _show_something(self) -> None:
        """There is a composite, be it empty, without anybody having asked for one."""
        if self._scene is None:
            self._scene = Scene()
            self._tell_scene()
            self.changed()

    def _show_nothing(self) -> None:
        self._ears.close()
        self._scene = self._one_view = None
        self._asked_for = False

    def _wanted(self) -> Iterable[Want]:
        streams = () if self._ended else (each for each in self._streams() if each.label not in (ONE_VIEW, PLAYBACK))
        shown = self._scene.sizes() if self._scene is not None else None
        return wanted(streams, recorded=self._recordings.individual(), shown=shown)

    def _tell_scene(self) -> None:
        self._send(do="scene", scene=pack(self._scene) if self._scene is not None else None)

    def _track(self, kind: Kind) -> Track:
        """One that the worker feeds."""
        return Track(_one_view_section(kind, ONE_VIEW_CODECS[kind]), self._router.source(kind))

    def _give_back(self) -> None:
        """Tells the worker which SSRCs its composite goes back with."""
        link = self.process.link
        if link is None:
            return
        ssrcs: dict[str, int | None] = {"video": None, "audio": None}
        for kind, track in self._one_view.tracks.items() if self._one_view else ():
            ssrc = ssrcs[kind] = link.tap.ssrc()
            link.tap.feed(track.source, kind, track.section.codec, ssrc)
        self._send(do="one_view", video_ssrc=ssrcs["video"], audio_ssrc=ssrcs["audio"])

    def _tell_muted(self) -> None:
        """For recordings, which keep who was."""
        for stream in self._streams():
            for kind in KINDS:
                if stream.muted[kind]:
                    self._send(do="mute", stream_id=stream.stream_id, kind=kind, muted=True)


def _one_view_section(kind: Kind, codec: CodecId) -> PublishedSection:
    """As if it had been negotiated."""
    return PublishedSection(
        mid=kind, kind=kind, codec=codec, payload_type=CODECS[codec].payload_type, clock_rate=CODECS[codec].clock_rate,
        retransmissions={}, rids=(), ssrcs=(), repair_ssrcs=(), extensions={}, nack=False, transport_cc=False,
        remb=False, sending=True,
    )  # fmt: skip
