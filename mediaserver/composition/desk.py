"""What a media worker does for one conference, without its process: packets and orders in, files and reports out.

Pure of sockets and clocks: the worker (`worker.py`) hands it datagrams, orders and `now`, and takes what is to be sent.
Frames go from here to where they are wanted: to recordings of single tracks as they are (`writing.py`), and to the
composite (`program.py`) if they are shown. Whatever takes the composite is an output, which is given to it from here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from mediaserver.composition.control import Message
from mediaserver.composition.films import Film, film_source
from mediaserver.composition.outlets import MakePush, Outlets
from mediaserver.composition.scene import Scene, unpack
from mediaserver.composition.writing import Writing, key_of
from mediaserver.egress.one_view import OneView, Outgoing
from mediaserver.egress.output import EncodedFrame, Output
from mediaserver.media.depacketize import CodedFrame
from mediaserver.media.intake import Feed, Intake
from mediaserver.recording.individual import TrackLabel
from mediaserver.rtp.codecs import CodecId

FLUSH_EVERY = 1.0  # seconds: what a kill may cost
RECORD_PATIENCE = 0.5  # seconds that a recording waits for a lost packet: it is in no hurry
REPORT_PATIENCE = 1.5  # seconds that it waits for a stream's first sender report
SHOW_PATIENCE = 0.12
RECORD, SHOW = "record", "show"  # what a stream of the media socket is for


Give = Callable[[EncodedFrame], None]


class Listeners(Protocol):
    """Those of a composite who do not hear themselves (`listeners.py`)."""

    def add(self, name: str, but: frozenset[str], hear: Callable[[EncodedFrame], None]) -> None: ...
    def remove(self, name: str) -> None: ...


class Screenings(Protocol):
    """Films as streams of their own (`screenings.py`)."""

    def add(self, source: str, video: Give | None, audio: Give | None) -> None: ...
    def remove(self, source: str) -> None: ...


class Program(Protocol):
    """The composite (`program.py`), as far as it is dealt with here."""

    @property
    def listeners(self) -> Listeners: ...
    @property
    def screenings(self) -> Screenings: ...
    def show(self, scene: Scene) -> None: ...
    def frame(self, track: TrackLabel, codec: CodecId, frame: CodedFrame, at: float) -> None: ...
    def ended(self, track: TrackLabel) -> None: ...
    def muted(self, stream_id: str, kind: str, muted: bool) -> None: ...
    def need_key(self) -> None: ...
    def add(self, output: Output) -> None: ...
    def remove(self, output: Output) -> None: ...
    def play(self, film: Film, on_begun: Callable[[bool], None], on_over: Callable[[str], None]) -> None: ...
    def stop_playing(self, play_id: str) -> None: ...
    def advance(self, now: float) -> None: ...
    def snapshot(self) -> bytes: ...


MakeProgram = Callable[[Scene, float, Callable[[TrackLabel], None]], Program]


class Desk:
    """`send` takes a datagram for the media socket, `tell` a message for the server; `make_program` is asked for a
    composite when there is something to show: only then is anything decoded. `make_push` makes connections."""

    def __init__(
        self,
        wall_offset: float,
        ssrc: int,
        *,
        send: Callable[[bytes], None],
        tell: Callable[[Message], None],
        make_program: MakeProgram,
        make_push: MakePush,
    ) -> None:
        self.intake = Intake(ssrc, wall_offset, self._frame, self._key_asked)
        self._make_program = make_program
        self._program: Program | None = None
        self._wall_offset = wall_offset
        self._send = send
        self._tell = tell
        self._fed: dict[int, TrackLabel] = {}
        self._shown: set[int] = set()
        self._outputs: list[Output] = []
        self._one_view: OneView | None = None
        self.recordings = Writing(wall_offset, tell=tell, want_key=self._want_key, add=self._add, remove=self._remove)
        self.outlets = Outlets(wall_offset, tell=tell, add=self._add, remove=self._remove, make_push=make_push)
        self._flush_at = 0.0

    def datagram(self, data: bytes, now: float) -> None:
        self.recordings.now = now
        self.intake.datagram(data, now)

    def tick(self, now: float) -> None:
        """Some twenty times a second."""
        self.recordings.now = now
        for packet in self.intake.due(now):
            self._send(packet)
        if now >= self._flush_at:
            self._flush_at = now + FLUSH_EVERY
            self.recordings.flush()

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
        self.intake.open(Feed(ssrc, key_of(label), label.participant_id, patience, hold))

    def unfeed(self, message: Message) -> None:
        ssrc = int(message["ssrc"])
        self.intake.close(ssrc)
        label = self._fed.pop(ssrc, None)
        if label and ssrc in self._shown:
            self._shown.discard(ssrc)
            if self._program:
                self._program.ended(label)
        elif label:
            self.recordings.note(lambda recording: recording.end(key_of(label)))

    def stop(self, recording_id: str, now: float, why: str) -> None:
        """Finishes a recording, with all that has come."""
        self.intake.release()
        self.recordings.stop(recording_id, now, why)

    def show(self, message: Message, now: float) -> None:
        """What the composite shows from now on; without a scene there is none."""
        scene = unpack(message["scene"]) if message["scene"] is not None else None
        if scene is None:
            self._program = self._program if self._outputs else None
        elif self._program is None:
            self._program = self._make_program(scene, now, self._want_key)
        else:
            self._program.show(scene)

    def one_view(self, message: Message) -> None:
        """Sends the composite back under these SSRCs; without them no more."""
        if self._one_view:
            self._remove(self._one_view)
            self._one_view = None
        if message["video_ssrc"] is not None:
            self._one_view = OneView(message["video_ssrc"], message["audio_ssrc"], self._wall_offset, self._send)
            self._add(self._one_view)

    def listen(self, message: Message) -> None:
        """Sends the sound of the composite without these streams under this SSRC."""
        if self._program:
            ear = Outgoing(CodecId.OPUS, message["ssrc"], self._wall_offset, self._send)
            self._program.listeners.add(message["listener"], frozenset(message["but"]), ear.put)

    def unlisten(self, message: Message) -> None:
        if self._program:
            self._program.listeners.remove(message["listener"])

    def play(self, message: Message) -> None:
        """A film into the composite, which is there by then."""
        play_id = str(message["id"])
        assert self._program is not None, "there is a composite before anything plays in it"
        self._program.play(
            Film(play_id, message["path"], message["sound"], message["loops"]),
            lambda picture: self._tell({"did": "playing", "id": play_id, "picture": picture}),
            lambda why: self._played(play_id, why),
        )

    def screen(self, message: Message) -> None:
        """Sends a film that plays as a stream of its own under these SSRCs."""
        video, audio = (
            Outgoing(codec, ssrc, self._wall_offset, self._send).put if (ssrc := message[name]) is not None else None
            for name, codec in (("video_ssrc", CodecId.VP8), ("audio_ssrc", CodecId.OPUS))
        )
        if self._program:
            self._program.screenings.add(film_source(str(message["id"])), video, audio)

    def stop_playing(self, message: Message) -> None:
        if self._program:
            self._program.stop_playing(str(message["id"]))
            self._program.screenings.remove(film_source(str(message["id"])))

    def _played(self, play_id: str, why: str) -> None:
        if self._program:
            self._program.screenings.remove(film_source(play_id))
        self._tell({"did": "played", "id": play_id, "why": why})

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
        self.intake.release()
        self.recordings.stop_all(now, why)
        self.outlets.stop_all(why)

    def muted(self, message: Message, now: float) -> None:
        stream_id, kind, muted = message["stream_id"], message["kind"], bool(message["muted"])
        if self._program:
            self._program.muted(stream_id, kind, muted)
        self.recordings.note(lambda recording: recording.muted(stream_id, kind, muted, now))

    def spoke(self, participant_ids: list[str], now: float) -> None:
        self.recordings.note(lambda recording: recording.spoke(participant_ids, now))

    def named(self, participant_id: str, name: str) -> None:
        self.recordings.note(lambda recording: recording.named(participant_id, name))

    def noted(self, note: dict[str, Any], now: float) -> None:
        self.recordings.note(lambda recording: recording.noted(note, now))

    # outputs of the composite

    def _add(self, output: Output) -> None:
        """There is a composite before anybody takes it."""
        if self._program:
            self._outputs.append(output)
            self._program.add(output)

    def _remove(self, output: Output) -> None:
        if output in self._outputs:
            self._outputs.remove(output)
        if self._program:
            self._program.remove(output)
        output.close()

    # frames

    def _frame(self, feed: Feed, codec: CodecId, frame: CodedFrame, at: float) -> None:
        label = self._fed[feed.ssrc]
        if feed.ssrc not in self._shown:
            self.recordings.frame(label, codec, frame, at)
        elif self._program:
            self._program.frame(label, codec, frame, at)

    def _want_key(self, label: TrackLabel) -> None:
        self.intake.want_key(key_of(label))

    def _key_asked(self) -> None:
        if self._program:
            self._program.need_key()
