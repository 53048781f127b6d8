"""What a media worker does for one conference, without its process: packets and orders in, files and reports out.

Pure of sockets and clocks: the worker (`worker.py`) hands it datagrams, orders and `now`, and takes what is to be sent.
Recordings of single tracks are written from here as they come; what has to be decoded goes to `program.py`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from mediaserver.composition.control import Message
from mediaserver.composition.scene import Scene, unpack
from mediaserver.egress.one_view import OneView
from mediaserver.egress.output import Output
from mediaserver.media.depacketize import CodedFrame
from mediaserver.media.intake import Feed, Intake
from mediaserver.recording.composite import CompositeRecording
from mediaserver.recording.individual import IndividualRecording, TrackLabel
from mediaserver.recording.recorder import DISK_FULL, Files
from mediaserver.rtp.codecs import CodecId

FLUSH_EVERY = 1.0  # seconds: what a kill may cost
KEY_EVERY = 10.0  # seconds between key frames that a recording asks for, so that it can be sought in
RECORD_PATIENCE = 0.5  # seconds that a recording waits for a lost packet: it is in no hurry
REPORT_PATIENCE = 1.5  # seconds that it waits for a stream's first sender report
SHOW_PATIENCE = 0.12
INDIVIDUAL = "individual"  # the kind of recording that keeps tracks
RECORD, SHOW = "record", "show"  # what a stream of the media socket is for


class Program(Protocol):
    """The composite (`program.py`), as far as it is dealt with here."""

    @property
    def codec(self) -> CodecId: ...
    def show(self, scene: Scene) -> None: ...
    def frame(self, track: TrackLabel, codec: CodecId, frame: CodedFrame, at: float) -> None: ...
    def ended(self, track: TrackLabel) -> None: ...
    def muted(self, stream_id: str, kind: str, muted: bool) -> None: ...
    def need_key(self) -> None: ...
    def add(self, output: Output) -> None: ...
    def remove(self, output: Output) -> None: ...
    def advance(self, now: float) -> None: ...
    def snapshot(self) -> bytes: ...


MakeProgram = Callable[[Scene, float, Callable[[TrackLabel], None]], Program]


class Desk:
    """`send` takes a datagram for the media socket, `tell` a message for the server; `make_program` is asked for a
    composite when there is something to show: only then is anything decoded."""

    def __init__(
        self,
        wall_offset: float,
        ssrc: int,
        *,
        send: Callable[[bytes], None],
        tell: Callable[[Message], None],
        make_program: MakeProgram,
    ) -> None:
        self.intake = Intake(ssrc, wall_offset, self._frame, self._key_asked)
        self._make_program = make_program
        self._program: Program | None = None
        self._wall_offset = wall_offset
        self._send = send
        self._tell = tell
        self._fed: dict[int, TrackLabel] = {}
        self._shown: set[int] = set()
        self._recordings: dict[str, Files] = {}
        self._individual: dict[str, IndividualRecording] = {}
        self._composite: dict[str, CompositeRecording] = {}
        self._one_view: OneView | None = None
        self._flush_at = 0.0
        self._key_at: dict[str, float] = {}
        self._now = 0.0

    def datagram(self, data: bytes, now: float) -> None:
        self._now = now
        self.intake.datagram(data, now)

    def tick(self, now: float) -> None:
        """Some twenty times a second."""
        self._now = now
        for packet in self.intake.due(now):
            self._send(packet)
        if now >= self._flush_at:
            self._flush_at = now + FLUSH_EVERY
            for recording_id, recording in list(self._recordings.items()):
                self._safely(recording_id, recording.flush)

    def advance(self, now: float) -> None:
        """Lets the composite go on; some fifty times a second."""
        if self._program:
            self._program.advance(now)

    # orders

    def feed(self, message: Message) -> None:
        """A stream of the media socket, and what it is."""
        ssrc, shown = int(message["ssrc"]), message["use"] == SHOW
        label = TrackLabel(message["participant_id"], message["stream_id"], message["label"], message["kind"])
        self._fed[ssrc] = label
        if shown:
            self._shown.add(ssrc)
        patience = SHOW_PATIENCE if shown else RECORD_PATIENCE
        hold = 0.0 if shown else REPORT_PATIENCE
        self.intake.open(Feed(ssrc, _key(label), label.participant_id, patience, hold))

    def unfeed(self, message: Message) -> None:
        ssrc = int(message["ssrc"])
        self.intake.close(ssrc)
        label = self._fed.pop(ssrc, None)
        if label and ssrc in self._shown:
            self._shown.discard(ssrc)
            if self._program:
                self._program.ended(label)
        elif label:
            self._note(lambda recording: recording.end(_key(label)))

    def record(self, message: Message, now: float) -> None:
        """Begins a recording, or goes on with it."""
        recording_id, kind = message["id"], message["kind"]
        try:
            files = Files(Path(message["path"]), kind, now, now + self._wall_offset, resume=bool(message["resume"]))
        except Exception as error:  # whatever is wrong with the folder: the conference hears of it
            self._tell({"did": "closed", "id": recording_id, "index": None, "why": str(error)})
            return
        self._recordings[recording_id] = files
        if kind == INDIVIDUAL:
            self._individual[recording_id] = IndividualRecording(files)
        elif self._program:
            output = CompositeRecording(
                files, self._program.codec, lambda: self.stop(recording_id, self._now, DISK_FULL)
            )
            self._composite[recording_id] = output
            self._program.add(output)
        for participant_id, name in message["names"].items():
            self.named(participant_id, name)
        self._tell({"did": "started", "id": recording_id, "at": now})
        self._key_at.clear()

    def stop(self, recording_id: str, now: float, why: str) -> None:
        """Finishes a recording and tells of it."""
        self.intake.release()
        files = self._recordings.pop(recording_id, None)
        if files is None:
            return
        self._individual.pop(recording_id, None)
        output = self._composite.pop(recording_id, None)
        if output and self._program:
            self._program.remove(output)
        try:
            index = files.close(now, why)
        except OSError as error:
            self._tell({"did": "closed", "id": recording_id, "index": None, "why": f"{why}: {error}"})
            return
        self._tell({"did": "closed", "id": recording_id, "index": index, "why": why})

    def show(self, message: Message, now: float) -> None:
        """What the composite shows from now on; without a scene there is none."""
        scene = unpack(message["scene"]) if message["scene"] is not None else None
        if scene is None:
            self._program = self._program if self._composite or self._one_view else None
        elif self._program is None:
            self._program = self._make_program(scene, now, lambda label: self.intake.want_key(_key(label)))
        else:
            self._program.show(scene)

    def one_view(self, message: Message) -> None:
        """Sends the composite back under these SSRCs; without them no more."""
        if self._one_view and self._program:
            self._program.remove(self._one_view)
            self._one_view = None
        if message["video_ssrc"] is not None and self._program:
            self._one_view = OneView(
                self._program.codec, message["video_ssrc"], message["audio_ssrc"], self._wall_offset, self._send
            )
            self._program.add(self._one_view)

    def snapshot(self, message: Message) -> None:
        """Puts a picture of the composite into a file."""
        why = None
        try:
            assert self._program is not None, "there is a composite before there is a picture of it"
            Path(message["path"]).write_bytes(self._program.snapshot())
        except Exception as error:
            why = str(error) or type(error).__name__
        self._tell({"did": "snapshot", "id": message["id"], "why": why})

    def stop_all(self, now: float, why: str) -> None:
        for recording_id in list(self._recordings):
            self.stop(recording_id, now, why)

    def muted(self, message: Message, now: float) -> None:
        stream_id, kind, muted = message["stream_id"], message["kind"], bool(message["muted"])
        if self._program:
            self._program.muted(stream_id, kind, muted)
        self._note(lambda recording: recording.muted(stream_id, kind, muted, now))

    def spoke(self, participant_ids: list[str], now: float) -> None:
        self._note(lambda recording: recording.spoke(participant_ids, now))

    def named(self, participant_id: str, name: str) -> None:
        self._note(lambda recording: recording.named(participant_id, name))

    def noted(self, note: dict[str, Any], now: float) -> None:
        self._note(lambda recording: recording.noted(note, now))

    def _key_asked(self) -> None:
        if self._program:
            self._program.need_key()

    # frames

    def _frame(self, feed: Feed, codec: CodecId, frame: CodedFrame, at: float) -> None:
        label = self._fed[feed.ssrc]
        if feed.ssrc in self._shown:
            if self._program:
                self._program.frame(label, codec, frame, at)
            return
        kept = [
            self._keep(recording_id, recording, label, codec, frame, at)
            for recording_id, recording in list(self._individual.items())
        ]
        if label.kind == "video":
            self._ask_for_keys(feed.key, frame.key, all(kept), at)

    def _keep(
        self,
        recording_id: str,
        recording: IndividualRecording,
        label: TrackLabel,
        *frame: *tuple[CodecId, CodedFrame, float],
    ) -> bool:
        try:
            return recording.frame(_key(label), label, *frame)
        except OSError:
            self.stop(recording_id, self._now, DISK_FULL)
            return True

    def _ask_for_keys(self, key: str, is_key: bool, kept: bool, at: float) -> None:
        """Now and then, and when a recording cannot begin without one."""
        if is_key:
            self._key_at[key] = at
        elif not kept or at - self._key_at.setdefault(key, at) >= KEY_EVERY:
            self._key_at[key] = at
            self.intake.want_key(key)

    def _note(self, action: Callable[[Files], None]) -> None:
        for recording_id, recording in list(self._recordings.items()):
            self._safely(recording_id, lambda recording=recording: action(recording))  # type: ignore[misc]

    def _safely(self, recording_id: str, action: Callable[[], None]) -> None:
        """What finds no room on the disk ends the recording, in files that can be read."""
        try:
            action()
        except OSError:
            self.stop(recording_id, self._now, DISK_FULL)


def _key(label: TrackLabel) -> str:
    return f"{label.stream_id}/{label.kind}"
