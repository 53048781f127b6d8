"""Coded frames to a WebM file (Matroska for H.264), without transcoding, so that a kill costs a second at most.

Frames are gathered into clusters; `flush`, once a second, puts them into the file as a whole. What is in the file is
complete at any time: room for its duration and the table of contents is kept in front, so that finishing writes
nothing twice: cues behind the last cluster, a few numbers in front. A file that nobody finished is taken up where its
last whole cluster ends (`resume`): to be written on, or to be finished. Times are seconds from the file's beginning.

Blocking, for the media worker only. RFC 9559; WebM container guidelines.
"""

import errno
import mmap
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from mediaserver.media.packetize import nal_units
from mediaserver.recording import ebml
from mediaserver.rtp.codecs import CODECS, CodecId

SEEK_ROOM = 96  # bytes in front of all for the table of contents
CUE_EVERY = 2.0  # seconds between cues where every frame is a key frame
MAX_CLUSTER_BYTES = 1 << 20  # what waits for `flush`
MAX_CLUSTER = 15.0  # seconds: block times are 16 bits of milliseconds from their cluster's
TYPICAL_FRAME = {"audio": 0.02, "video": 0.033}  # seconds that the last frame is shown
APPLICATION = "folkmoot"
NAMES = {
    CodecId.OPUS: "A_OPUS",
    CodecId.VP8: "V_VP8",
    CodecId.VP9: "V_VP9",
    CodecId.AV1: "V_AV1",
    CodecId.H264_BASELINE: "V_MPEG4/ISO/AVC",
    CodecId.H264_HIGH: "V_MPEG4/ISO/AVC",
}
H264 = (CodecId.H264_BASELINE, CodecId.H264_HIGH)

_BLOCK = Struct(">BhB")


class Damaged(Exception):
    """Not a file of ours, or nothing of it is left."""


@dataclass(frozen=True, slots=True)
class TrackHeader:
    """`private`: what a decoder needs before the first frame (`media/headers.py`)."""

    codec: CodecId
    private: bytes = b""
    width: int = 0
    height: int = 0
    channels: int = 2
    delay: float = 0.0
    """Seconds that a decoder brings everything late (Opus: its pre-skip)."""

    @property
    def kind(self) -> str:
        return CODECS[self.codec].kind


@dataclass(frozen=True, slots=True)
class _Cue:
    at_ms: int
    track: int
    cluster: int
    """Position in the segment."""


@dataclass(slots=True)
class _Track:
    kind: str
    annex_b: bool = False
    delay: float = 0.0
    last_ms: int = -1
    flushed_ms: int = -1
    cued_ms: int = -(1 << 40)


def extension(codec: CodecId) -> str:
    """Of a file with this codec: browsers take H.264 in Matroska only under its own name."""
    return "mkv" if codec in H264 else "webm"


class WebmFile:
    """One file that is being written. After an `OSError` of a write there is but one thing to do: `close`."""

    def __init__(self, path: Path, pwrite: Callable[[int, bytes, int], int] = os.pwrite, *, flags: int = 0) -> None:
        self.path = path
        self._pwrite = pwrite
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o640)
        self._tracks: list[_Track] = []
        self._segment = self._end = self._duration_at = 0
        self._places: dict[int, int] = {}
        """Where in the segment what stands before the clusters is."""
        self._clusters: list[int] = []
        self._cues: list[_Cue] = []
        self._waiting: list[tuple[int, int, bool, bytes]] = []
        self._waiting_bytes = 0

    @classmethod
    def create(
        cls, path: Path, tracks: Sequence[TrackHeader], pwrite: Callable[[int, bytes, int], int] = os.pwrite
    ) -> "WebmFile":
        """FileExistsError if there is such a file already."""
        self = cls(path, pwrite, flags=os.O_CREAT | os.O_EXCL)
        try:
            self._begin(tracks)
        except BaseException:
            os.close(self._fd)
            raise
        return self

    @classmethod
    def resume(cls, path: Path, pwrite: Callable[[int, bytes, int], int] = os.pwrite) -> "WebmFile":
        """Takes up a file that was not finished (or was), where its last whole cluster ends. `Damaged`."""
        self = cls(path, pwrite)
        try:
            self._scan()
        except BaseException:
            os.close(self._fd)
            raise
        return self

    @property
    def duration(self) -> float:
        """Of what has been written, flushed or not."""
        ends = (track.last_ms / 1000 + TYPICAL_FRAME[track.kind] for track in self._tracks if track.last_ms >= 0)
        return max(ends, default=0.0)

    @property
    def size_bytes(self) -> int:
        return self._end

    def write(self, track: int, at: float, data: bytes, *, key: bool) -> None:
        """One frame; its time is moved behind the frame before it, if need be."""
        state = self._tracks[track]
        at_ms = max(round((at + state.delay) * 1000), state.last_ms, 0)
        first_ms = self._waiting[0][0] if self._waiting else at_ms
        if self._waiting_bytes > MAX_CLUSTER_BYTES or abs(at_ms - first_ms) > MAX_CLUSTER * 1000:
            self.flush()
        state.last_ms = at_ms
        if state.annex_b:
            data = b"".join(len(unit).to_bytes(4) + unit for unit in nal_units(data))
        self._waiting.append((at_ms, track, key, data))
        self._waiting_bytes += len(data)

    def flush(self) -> None:
        """Everything that waits goes into the file as one cluster."""
        if not self._waiting:
            return
        waiting = sorted(self._waiting, key=lambda block: block[0])
        start_ms = waiting[0][0]
        blocks: list[bytes] = []
        for at_ms, number, key, data in waiting:
            head = _BLOCK.pack(0x80 | number + 1, at_ms - start_ms, 0x80 if key else 0)
            blocks += (b"\xa3", ebml.size(len(head) + len(data)), head, data)
        cluster = ebml.element(ebml.CLUSTER, ebml.number(ebml.TIMESTAMP, start_ms), *blocks)
        position = self._end - self._segment
        self._append(cluster)
        self._waiting, self._waiting_bytes = [], 0
        self._clusters.append(position)
        for track in self._tracks:
            track.flushed_ms = track.last_ms
        for at_ms, number, key, _ in waiting:
            self._cue(at_ms, number, key, position)

    def close(self) -> float:
        """Finishes the file and returns its duration. On a full disk the end is given up for the table of contents."""
        try:
            try:
                self.flush()
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise
                for track in self._tracks:
                    track.last_ms = track.flushed_ms
            self._finish()
        finally:
            self._waiting = []
            os.close(self._fd)
        return self.duration

    def abandon(self) -> None:
        """Lets go of the file as it is."""
        os.close(self._fd)

    # beginning

    def _begin(self, tracks: Sequence[TrackHeader]) -> None:
        self._tracks = [_Track(track.kind, track.codec in H264, track.delay) for track in tracks]
        document = "matroska" if any(track.codec in H264 for track in tracks) else "webm"
        head = _ebml_header(document) + ebml.identifier(ebml.SEGMENT)
        self._segment = len(head) + 8
        info = ebml.element(
            ebml.INFO,
            ebml.number(ebml.TIMESTAMP_SCALE, 1_000_000),
            ebml.text(ebml.MUXING_APP, APPLICATION),
            ebml.text(ebml.WRITING_APP, APPLICATION),
            ebml.real(ebml.DURATION, 0.0),
        )
        self._places = {ebml.INFO: SEEK_ROOM, ebml.TRACKS: SEEK_ROOM + len(info)}
        self._duration_at = self._segment + SEEK_ROOM + len(info) - 8
        entries = (_track_entry(i + 1, track) for i, track in enumerate(tracks))
        self._append(
            b"".join((head, ebml.UNKNOWN_SIZE, ebml.void(SEEK_ROOM), info, ebml.element(ebml.TRACKS, *entries)))
        )

    # going on

    def _append(self, data: bytes) -> None:
        """All of it, or nothing."""
        at = self._end
        view = memoryview(data)
        try:
            while view:
                written = self._pwrite(self._fd, bytes(view), at)
                at += written
                view = view[written:]
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end = at

    def _cue(self, at_ms: int, track: int, key: bool, cluster: int) -> None:
        state = self._tracks[track]
        pictures = any(other.kind == "video" for other in self._tracks)
        if not key or (pictures and state.kind == "audio"):
            return
        if state.kind == "audio" and at_ms - state.cued_ms < CUE_EVERY * 1000:
            return
        state.cued_ms = at_ms
        self._cues.append(_Cue(at_ms, track + 1, cluster))

    # the end

    def _finish(self) -> None:
        cues_at = self._end - self._segment
        while True:
            try:
                self._append(_cues(self._cues))
                break
            except OSError:
                if not self._clusters:
                    raise
                self._drop_last_cluster()
                cues_at = self._end - self._segment
        self._overwrite(self._segment - 8, ebml.size(self._end - self._segment, 8))
        self._overwrite(self._duration_at, ebml.real(ebml.DURATION, self.duration * 1000)[-8:])
        self._overwrite(self._segment, _seek_head({**self._places, ebml.CUES: cues_at}))

    def _drop_last_cluster(self) -> None:
        position = self._clusters.pop()
        self._cues = [cue for cue in self._cues if cue.cluster != position]
        self._end = self._segment + position
        os.ftruncate(self._fd, self._end)
        with mmap.mmap(self._fd, self._end, access=mmap.ACCESS_READ) as file:
            data = memoryview(file)
            for track in self._tracks:
                track.last_ms = -1
            for start in self._clusters[-8:]:
                _, begin, end = next(ebml.elements(data, self._segment + start, self._end))
                self._note_cluster(data, begin, end, None)
            data.release()

    def _overwrite(self, at: int, data: bytes) -> None:
        self._pwrite(self._fd, data, at)

    # taking up again

    def _scan(self) -> None:
        length = os.fstat(self._fd).st_size
        if length < SEEK_ROOM:
            raise Damaged(f"{self.path} holds nothing")
        with mmap.mmap(self._fd, length, access=mmap.ACCESS_READ) as file:
            data = memoryview(file)
            try:
                self._scan_segment(data)
            finally:
                data.release()
        for track in self._tracks:
            track.flushed_ms = track.last_ms
        os.ftruncate(self._fd, self._end)
        self._overwrite(self._segment - 8, ebml.UNKNOWN_SIZE)
        self._overwrite(self._segment, ebml.void(SEEK_ROOM))

    def _scan_segment(self, data: memoryview) -> None:
        head = next(ebml.elements(data, 0, len(data)), None)
        if head is None or head[0] != ebml.EBML or data[head[2] : head[2] + 4] != ebml.identifier(ebml.SEGMENT):
            raise Damaged(f"{self.path} is no file of ours")
        self._segment = self._end = head[2] + 4 + 8
        for name, start, end in ebml.elements(data, self._segment, len(data)):
            if name == ebml.CLUSTER:
                position = self._end - self._segment
                self._clusters.append(position)
                self._note_cluster(data, start, end, position)
            elif name == ebml.CUES:
                break
            elif name == ebml.INFO:
                self._places[name] = self._end - self._segment
                self._duration_at = end - 8
            elif name == ebml.TRACKS:
                self._places[name] = self._end - self._segment
                self._tracks = [_read_track(data, *entry[1:]) for entry in ebml.elements(data, start, end)]
            self._end = end
        if not self._tracks or not self._duration_at:
            raise Damaged(f"{self.path} has no header")

    def _note_cluster(self, data: memoryview, start: int, end: int, position: int | None) -> None:
        cluster_ms = 0
        for name, begin, stop in ebml.elements(data, start, end):
            if name == ebml.TIMESTAMP:
                cluster_ms = int.from_bytes(data[begin:stop])
            elif name == ebml.SIMPLE_BLOCK and stop - begin >= _BLOCK.size:
                number, ahead, flags = _BLOCK.unpack_from(data, begin)
                track = (number & 0x7F) - 1
                if not 0 <= track < len(self._tracks):
                    continue
                at_ms = cluster_ms + ahead
                self._tracks[track].last_ms = max(self._tracks[track].last_ms, at_ms)
                if position is not None:
                    self._cue(at_ms, track, bool(flags & 0x80), position)


def _ebml_header(document: str) -> bytes:
    return ebml.element(
        ebml.EBML,
        ebml.number(0x4286, 1),
        ebml.number(0x42F7, 1),
        ebml.number(0x42F2, 4),
        ebml.number(0x42F3, 8),
        ebml.text(0x4282, document),
        ebml.number(0x4287, 4),
        ebml.number(0x4285, 2),
    )


def _track_entry(number: int, track: TrackHeader) -> bytes:
    if track.kind == "video":
        kind = ebml.element(
            ebml.VIDEO, ebml.number(ebml.PIXEL_WIDTH, track.width), ebml.number(ebml.PIXEL_HEIGHT, track.height)
        )
    else:
        delay = ebml.number(ebml.CODEC_DELAY, round(track.delay * 1e9)) if track.delay else b""
        kind = (
            delay
            + ebml.number(ebml.SEEK_PRE_ROLL, 80_000_000)
            + ebml.element(ebml.AUDIO, ebml.real(ebml.FREQUENCY, 48000.0), ebml.number(ebml.CHANNELS, track.channels))
        )
    return ebml.element(
        ebml.TRACK_ENTRY,
        ebml.number(ebml.TRACK_NUMBER, number),
        ebml.number(ebml.TRACK_UID, number),
        ebml.number(ebml.TRACK_TYPE, 1 if track.kind == "video" else 2),
        ebml.number(ebml.LACING, 0),
        ebml.text(ebml.CODEC_ID, NAMES[track.codec]),
        ebml.element(ebml.CODEC_PRIVATE, track.private) if track.private else b"",
        kind,
    )


def _read_track(data: memoryview, start: int, end: int) -> _Track:
    fields = {name: bytes(data[begin:stop]) for name, begin, stop in ebml.elements(data, start, end)}
    kind = "video" if fields.get(ebml.TRACK_TYPE) == b"\1" else "audio"
    delay = int.from_bytes(fields.get(ebml.CODEC_DELAY, b"")) / 1e9
    return _Track(kind, fields.get(ebml.CODEC_ID) == NAMES[CodecId.H264_BASELINE].encode(), delay)


def _seek_head(places: dict[int, int]) -> bytes:
    entries = [
        ebml.element(
            ebml.SEEK,
            ebml.element(ebml.SEEK_ID, ebml.identifier(name)),
            ebml.element(ebml.SEEK_POSITION, position.to_bytes(8)),
        )
        for name, position in places.items()
    ]
    head = ebml.element(ebml.SEEK_HEAD, *entries)
    return head + ebml.void(SEEK_ROOM - len(head))


def _cues(cues: Sequence[_Cue]) -> bytes:
    return ebml.element(
        ebml.CUES,
        *(
            ebml.element(
                ebml.CUE_POINT,
                ebml.number(ebml.CUE_TIME, cue.at_ms),
                ebml.element(
                    ebml.CUE_POSITIONS,
                    ebml.number(ebml.CUE_TRACK, cue.track),
                    ebml.number(ebml.CUE_CLUSTER, cue.cluster),
                ),
            )
            for cue in sorted(cues, key=lambda cue: cue.at_ms)
        ),
    )
