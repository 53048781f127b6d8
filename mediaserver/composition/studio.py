"""A conference's media worker as the server sees it: started when it is needed, ended when it is idle, started again
when it dies or hangs. Nothing that happens to it reaches the meeting.

Decides which tracks the worker gets, and in which layer; what it makes of them is the worker's. All calls are
synchronous; the process lives in a task of its own. What a worker had to do is told to its successor from here.
"""

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from mediaserver.composition.control import Channel, Message
from mediaserver.composition.desk import RECORD, SHOW
from mediaserver.composition.repairs import repaired
from mediaserver.composition.scene import Scene, pack
from mediaserver.conference.router import BEST_LAYER, Router, Source, Tap
from mediaserver.conference.stream import KINDS, Kind, Stream, Track
from mediaserver.conference.studio import COMPOSITE, INDIVIDUAL
from mediaserver.conference.wishes import covering_layer
from mediaserver.config import MediaConfig
from mediaserver.events import MediaEvent, RecordingClosed, RecordingStarted, SnapshotTaken, StreamInfo, WorkerFailed
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.transport.negotiation import PublishedSection

WORKER = "mediaserver.composition.worker"
WATCH_EVERY = 0.5
SILENCE = 15.0  # seconds without a sign of life: it hangs
MAX_FAILURES = 5  # within FAILURES_WITHIN; then its work is given up
FAILURES_WITHIN = 60.0
STOPPED, CONFERENCE_OVER, WORKER_LOST = "stopped", "conference over", "worker failed"
ONE_VIEW_CODECS: dict[Kind, CodecId] = {"audio": CodecId.OPUS, "video": CodecId.VP8}
SURROUNDINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Recording:
    """One that was ordered; lives until its files are finished."""

    id: str
    path: Path
    kind: str
    names: dict[str, str]
    _send: Callable[..., None]
    stopping: str | None = None
    begun: bool = False
    """A worker has been told of it."""
    told: bool = False
    """Its start was."""

    def stop(self) -> None:
        self.end(STOPPED)

    def end(self, why: str) -> None:
        if self.stopping is None:
            self.stopping = why
            self._send(do="stop", id=self.id, why=why)

    def name(self, participant_id: str, name: str) -> None:
        self.names[participant_id] = name
        self._send(do="name", participant_id=participant_id, name=name)

    def note(self, note: Mapping[str, Any]) -> None:
        self._send(do="note", note=dict(note))


@dataclass(frozen=True, slots=True)
class _Want:
    """A track that the worker gets."""

    stream: Stream
    kind: Kind
    use: str
    source: Source
    layer: int


@dataclass(slots=True)
class _Worker:
    """A running process and both its sockets."""

    channel: Channel
    tap: Tap
    heard_at: float
    process: asyncio.subprocess.Process | None = None
    feeds: dict[tuple[int, str], tuple[int, _Want]] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.feeds = {}


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
        self._config = config
        self._wall_offset = wall_offset
        self._tell = tell
        self._on_task = on_task
        self._loop = asyncio.get_running_loop()
        self._recordings: dict[str, Recording] = {}
        self._snapshots: dict[str, Path] = {}
        self._scene: Scene | None = None
        self._asked_for = False
        """Whether the scene is somebody's wish."""
        self._one_view: Stream | None = None
        self._worker: _Worker | None = None
        self._task: asyncio.Task[None] | None = None
        self._idle_since: float | None = None
        self._ended = False
        self.counts: dict[str, int] = {}
        """What the worker told last of its streams."""
        self._failures: deque[float] = deque(maxlen=MAX_FAILURES)

    # orders (`conference.studio.Studio`)

    def record(self, recording_id: str, path: Path, kind: str, names: Mapping[str, str]) -> Recording:
        if kind not in (INDIVIDUAL, COMPOSITE) or recording_id in self._recordings:
            raise ValueError(f"a recording {recording_id} of kind {kind} cannot be begun")
        recording = Recording(recording_id, path, kind, dict(names), self._send)
        self._recordings[recording_id] = recording
        if kind == COMPOSITE:
            self._show_something()
        if not self._needed():
            self._begin(recording)
        return recording

    def compose(self, scene: Any) -> None:
        self._scene = scene
        self._asked_for = scene is not None
        if not self._needed():
            self._send(do="scene", scene=pack(scene) if scene is not None else None)
            self.changed()

    def _show_something(self) -> None:
        """There is a composite, be it empty, without anybody having asked for one."""
        if self._scene is None:
            self.compose(Scene())
            self._asked_for = False

    def _busy(self) -> bool:
        return bool(self._recordings or self._snapshots or self._one_view or self._asked_for)

    def one_view(self, stream: Stream | None) -> None:
        self._one_view = stream
        if stream is not None:
            for kind, codec in ONE_VIEW_CODECS.items():
                stream.tracks[kind] = Track(_one_view_section(kind, codec), self._router.source(kind))
            self._show_something()
        if not self._needed():
            self._give_back()

    def _give_back(self) -> None:
        """Tells the worker which SSRCs its composite goes back with."""
        worker = self._worker
        if worker is None:
            return
        ssrcs: dict[str, int | None] = {"video": None, "audio": None}
        for kind, track in self._one_view.tracks.items() if self._one_view else ():
            ssrc = ssrcs[kind] = worker.tap.ssrc()
            worker.tap.feed(track.source, kind, track.section.codec, ssrc)
        worker.channel.send(do="one_view", video_ssrc=ssrcs["video"], audio_ssrc=ssrcs["audio"])

    def snapshot(self, snapshot_id: str, path: Path) -> None:
        self._show_something()
        self._snapshots[snapshot_id] = path
        if not self._needed():
            self._send(do="snapshot", id=snapshot_id, path=str(path))

    def changed(self) -> None:
        worker = self._worker
        if worker is None:
            return
        wanted = {(want.source.id, want.use): want for want in self._wanted()}
        for key in worker.feeds.keys() - wanted.keys():
            ssrc, _ = worker.feeds.pop(key)
            worker.tap.drop(ssrc)
            worker.channel.send(do="unfeed", ssrc=ssrc)
        for key, want in wanted.items():
            self._feed(worker, key, want)

    def muted(self, stream: StreamInfo) -> None:
        for kind, muted in (("audio", stream.audio_muted), ("video", stream.video_muted)):
            self._send(do="mute", stream_id=stream.stream_id, kind=kind, muted=muted)

    def spoke(self, participant_ids: tuple[str, ...]) -> None:
        self._send(do="spoke", participant_ids=participant_ids)

    def close(self) -> None:
        """Recordings are finished by the worker; that they are is still told."""
        self._ended = True
        self._scene = self._one_view = None
        self._asked_for = False
        for recording in self._recordings.values():
            recording.stopping = recording.stopping or CONFERENCE_OVER
        self._send(do="end", why=CONFERENCE_OVER)

    # which tracks

    def _wanted(self) -> Iterable[_Want]:
        individual = any(recording.kind == INDIVIDUAL for recording in self._recordings.values())
        sizes = self._scene.sizes() if self._scene is not None else {}
        for stream in () if self._ended else self._streams():
            for kind in KINDS:
                track = stream.tracks.get(kind)
                if track is None or stream is self._one_view:
                    continue
                if individual:
                    yield _Want(stream, kind, RECORD, track.source, BEST_LAYER)
                if self._scene is not None and (kind == "audio" or stream.stream_id in sizes):
                    layer = _layer(track, sizes.get(stream.stream_id))
                    yield _Want(stream, kind, SHOW, track.source, layer)

    def _feed(self, worker: _Worker, key: tuple[int, str], want: _Want) -> None:
        if key in worker.feeds:
            ssrc, _ = worker.feeds[key]
            worker.tap.change(ssrc, want.source, want.layer)
        else:
            ssrc = worker.tap.take(want.source, want.layer)
            worker.channel.send(
                do="feed",
                ssrc=ssrc,
                use=want.use,
                participant_id=want.stream.participant_id,
                stream_id=want.stream.stream_id,
                label=want.stream.label,
                kind=want.kind,
            )
            if want.stream.muted[want.kind]:
                worker.channel.send(do="mute", stream_id=want.stream.stream_id, kind=want.kind, muted=True)
        worker.feeds[key] = ssrc, want

    # the process

    def _needed(self) -> bool:
        """There is a worker from here on; returns whether it is a new one, which has been told everything."""
        self._idle_since = None
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._live())
            self._on_task(self._task)
        if self._worker is not None:
            return False
        self._connect()
        return True

    def _connect(self) -> None:
        """Both sockets; what is sent before the process runs waits in them."""
        control, control_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        media, media_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        media.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._config.worker_socket_bytes)
        media.setblocking(False)
        tap = self._router.tap(media.detach())
        worker = _Worker(Channel(control, self._heard, self._lost), tap, self._loop.time())
        self._worker, self._theirs = worker, (control_theirs, media_theirs)
        worker.channel.send(do="hello", wall_offset=self._wall_offset)
        if self._scene is not None:
            worker.channel.send(do="scene", scene=pack(self._scene))
        if self._one_view:
            self._give_back()
        for recording in self._recordings.values():
            self._begin(recording)
        for snapshot_id, path in self._snapshots.items():
            worker.channel.send(do="snapshot", id=snapshot_id, path=str(path))
        self.changed()
        if self._ended:
            worker.channel.send(do="end", why=CONFERENCE_OVER)

    def _begin(self, recording: Recording) -> None:
        self._send(
            do="record",
            id=recording.id,
            kind=recording.kind,
            path=str(recording.path),
            names=recording.names,
            resume=recording.begun,
        )
        recording.begun = True
        self.changed()
        for stream in self._streams():
            for kind in KINDS:
                if stream.muted[kind]:
                    self._send(do="mute", stream_id=stream.stream_id, kind=kind, muted=True)
        if recording.stopping:
            self._send(do="stop", id=recording.id, why=recording.stopping)

    async def _live(self) -> None:
        """Until nothing is left to be done: a process, and another one where it has failed."""
        while self._worker is not None:
            worker = self._worker
            why = await self._run(worker)
            worker.channel.close()
            worker.tap.close()
            self._worker = None
            if why is None and not self._recordings:
                return
            again = self._may_try_again()
            log.warning("media worker failed", conference=self._id, why=why, again=again)
            self._tell(WorkerFailed(self._id, "", why or "it ended", again))
            if not again:
                await self._give_up()
                return
            self._connect()

    async def _run(self, worker: _Worker) -> str | None:
        """Lives as long as the process; why it ended, None if that was in order."""
        descriptors = [each.fileno() for each in self._theirs]
        try:
            worker.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", WORKER, *map(str, descriptors), str(self._config.worker_memory_bytes),
                pass_fds=descriptors, stdin=asyncio.subprocess.DEVNULL, env={**os.environ, **SURROUNDINGS},
            )  # fmt: skip
        except OSError as error:
            return str(error)
        finally:
            for each in self._theirs:
                each.close()
        worker.heard_at = self._loop.time()
        exited = asyncio.ensure_future(worker.process.wait())
        try:
            while not (await asyncio.wait([exited], timeout=WATCH_EVERY))[0]:
                self._watch(worker)
        except asyncio.CancelledError:
            worker.process.kill()
            raise
        code = exited.result()
        return None if code == 0 else f"it ended with {code}"

    def _watch(self, worker: _Worker) -> None:
        assert worker.process is not None
        now = self._loop.time()
        if now - worker.heard_at > SILENCE:
            worker.heard_at = now
            worker.process.kill()
        if self._busy():
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= self._config.worker_idle:
            worker.channel.send(do="end", why=STOPPED)

    def _may_try_again(self) -> bool:
        now = self._loop.time()
        recent = [at for at in self._failures if now - at < FAILURES_WITHIN]
        self._failures.append(now)
        return len(recent) < MAX_FAILURES - 1 and self._busy()

    async def _give_up(self) -> None:
        """What was written is finished by a process of its own, and told."""
        recordings, self._recordings = list(self._recordings.values()), {}
        self._snapshots.clear()
        self._scene = self._one_view = None
        self._asked_for = False
        for recording in recordings:
            found = {path: index for path, index, _ in await repaired(recording.path)}
            self._closed(recording, found.get(recording.path), recording.stopping or WORKER_LOST)

    # what the process tells

    def _heard(self, message: Message) -> None:
        if self._worker:
            self._worker.heard_at = self._loop.time()
        match message:
            case {"did": "alive", "counts": dict(counts)}:
                self.counts = counts
            case {"did": "started", "id": str(recording_id)}:
                recording = self._recordings.get(recording_id)
                if recording and not recording.told:
                    recording.told = True
                    self._tell(RecordingStarted(self._id, "", recording_id))
            case {"did": "closed", "id": str(recording_id), "index": index, "why": str(why)}:
                recording = self._recordings.pop(recording_id, None)
                if recording:
                    self._closed(recording, index if isinstance(index, dict) else None, why)
                    self.changed()
            case {"did": "snapshot", "id": str(snapshot_id), "why": why}:
                path = self._snapshots.pop(snapshot_id, None)
                if path:
                    self._tell(
                        SnapshotTaken(self._id, "", snapshot_id, str(path), why if isinstance(why, str) else None)
                    )

    def _closed(self, recording: Recording, index: dict[str, Any] | None, why: str) -> None:
        duration = float(index.get("duration", 0.0)) if index else 0.0
        self._tell(RecordingClosed(self._id, "", recording.id, str(recording.path), why, duration, index))

    def _lost(self, why: str) -> None:
        """The channel has broken: the process ends by itself, or is found to hang."""
        log.info("media worker cannot be reached", conference=self._id, why=why)

    def _send(self, **message: Any) -> None:
        if self._worker:
            self._worker.channel.send(**message)


def _one_view_section(kind: Kind, codec: CodecId) -> PublishedSection:
    """As if it had been negotiated."""
    return PublishedSection(
        mid=kind, kind=kind, codec=codec, payload_type=CODECS[codec].payload_type, clock_rate=CODECS[codec].clock_rate,
        retransmissions={}, rids=(), ssrcs=(), repair_ssrcs=(), extensions={}, nack=False, transport_cc=False,
        remb=False, sending=True,
    )  # fmt: skip


def _layer(track: Track, box: tuple[int, int] | None) -> int:
    if box is None:
        return BEST_LAYER
    return covering_layer(box, track.layer_count, track.source.sizes())
