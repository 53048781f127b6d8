"""The recordings of one conference, as its media worker writes them: begun, fed, flushed, finished.

Pure of sockets and clocks. A recording of single tracks is given coded frames as they come; one of the composite is an
`Output` of the program, which is added and removed by whoever has the program. What finds no room on the disk, or no
folder, ends the recording in files that can be read.
"""

from collections.abc import Callable
from pathlib import Path

from mediaserver.composition.control import Message
from mediaserver.egress.output import Output
from mediaserver.media.depacketize import CodedFrame
from mediaserver.recording.composite import CompositeRecording
from mediaserver.recording.individual import IndividualRecording, TrackLabel
from mediaserver.recording.recorder import DISK_FULL, Files
from mediaserver.rtp.codecs import CodecId

KEY_EVERY = 10.0  # seconds between key frames that a recording asks for, so that it can be sought in
INDIVIDUAL = "individual"  # the kind of recording that keeps tracks


class Writing:
    """`want_key` asks for a key frame of a track; `add` and `remove` are the program's."""

    def __init__(
        self,
        wall_offset: float,
        *,
        tell: Callable[[Message], None],
        want_key: Callable[[TrackLabel], None],
        add: Callable[[Output], None],
        remove: Callable[[Output], None],
    ) -> None:
        self._wall_offset = wall_offset
        self._tell = tell
        self._want_key = want_key
        self._add = add
        self._remove = remove
        self._open: dict[str, Files] = {}
        self._individual: dict[str, IndividualRecording] = {}
        self._composite: dict[str, CompositeRecording] = {}
        self._key_at: dict[str, float] = {}
        self.now = 0.0
        """What a recording ends at that ends by itself."""

    def begin(self, message: Message, now: float) -> None:
        """Begins a recording, or goes on with it."""
        recording_id, kind = message["id"], message["kind"]
        try:
            files = Files(Path(message["path"]), kind, now, now + self._wall_offset, resume=bool(message["resume"]))
        except Exception as error:  # whatever is wrong with the folder: the conference hears of it
            self._tell({"did": "closed", "id": recording_id, "index": None, "why": str(error)})
            return
        self._open[recording_id] = files
        if kind == INDIVIDUAL:
            self._individual[recording_id] = IndividualRecording(files)
        else:
            output = CompositeRecording(files, lambda: self.stop(recording_id, self.now, DISK_FULL))
            self._composite[recording_id] = output
            self._add(output)
        for participant_id, name in message["names"].items():
            self.note(lambda recording, who=participant_id, name=name: recording.named(who, name))  # type: ignore[misc]
        self._tell({"did": "started", "id": recording_id, "at": now})
        self._key_at.clear()

    def stop(self, recording_id: str, now: float, why: str) -> None:
        """Finishes a recording and tells of it."""
        files = self._open.pop(recording_id, None)
        if files is None:
            return
        self._individual.pop(recording_id, None)
        output = self._composite.pop(recording_id, None)
        if output:
            self._remove(output)
        try:
            index = files.close(now, why)
        except OSError as error:
            self._tell({"did": "closed", "id": recording_id, "index": None, "why": f"{why}: {error}"})
            return
        self._tell({"did": "closed", "id": recording_id, "index": index, "why": why})

    def stop_all(self, now: float, why: str) -> None:
        for recording_id in list(self._open):
            self.stop(recording_id, now, why)

    def flush(self) -> None:
        self.note(Files.flush)

    def frame(self, label: TrackLabel, codec: CodecId, frame: CodedFrame, at: float) -> None:
        """A frame of a track that is kept as it is."""
        kept = [
            self._keep(recording_id, recording, label, codec, frame, at)
            for recording_id, recording in list(self._individual.items())
        ]
        if label.kind == "video":
            self._ask_for_keys(label, frame.key, all(kept), at)

    def note(self, action: Callable[[Files], None]) -> None:
        """Something that all recordings keep."""
        for recording_id, recording in list(self._open.items()):
            try:
                action(recording)
            except OSError:
                self.stop(recording_id, self.now, DISK_FULL)

    def _keep(
        self,
        recording_id: str,
        recording: IndividualRecording,
        label: TrackLabel,
        *frame: *tuple[CodecId, CodedFrame, float],
    ) -> bool:
        try:
            return recording.frame(key_of(label), label, *frame)
        except OSError:
            self.stop(recording_id, self.now, DISK_FULL)
            return True

    def _ask_for_keys(self, label: TrackLabel, is_key: bool, kept: bool, at: float) -> None:
        """Now and then, and when a recording cannot begin without one."""
        key = key_of(label)
        if is_key:
            self._key_at[key] = at
        elif not kept or at - self._key_at.setdefault(key, at) >= KEY_EVERY:
            self._key_at[key] = at
            self._want_key(label)


def key_of(label: TrackLabel) -> str:
    """What a track is called in files, and by those who ask for its key frames."""
    return f"{label.stream_id}/{label.kind}"
