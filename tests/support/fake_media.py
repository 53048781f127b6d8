"""A media plane that moves no media: it remembers what it was told and tells the events the real one would.

A description is any text; `BAD_SDP` stands for one that cannot be used.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mediaserver import (
    BadDescription,
    BroadcastEnded,
    CodecUnsupported,
    ConferenceFull,
    ConnectionLost,
    ConnectionOpened,
    DataReceived,
    Description,
    Film,
    HlsEnded,
    IceFragment,
    Limits,
    MediaConfig,
    MediaEvent,
    NoSuchStream,
    PlaybackEnded,
    PlaybackStarted,
    RecordingClosed,
    Rights,
    RtmpTarget,
    SnapshotTaken,
    StreamDescription,
    StreamEnded,
    StreamExists,
    StreamInfo,
    StreamMuted,
    StreamStarted,
    SubscriptionsChanged,
    UnfitDescription,
    View,
    ViewerEnded,
    ViewerPlaying,
    ViewerWaiting,
    Wish,
)

BAD_SDP = "bad"


@dataclass
class FakeParticipant:
    conference: "FakeConference"
    id: str
    rights: Rights
    published: dict[str, StreamInfo] = field(default_factory=dict)
    offers: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    candidates: list[tuple[str, str | None]] = field(default_factory=list)
    wishes: list[tuple[Wish, Mapping[str, Wish]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    restarts: list[IceFragment] = field(default_factory=list)
    connections: int = 0
    due: bool = False
    gone: bool = False

    # the face of the real one

    def negotiate(self, sdp: str, streams: Sequence[StreamDescription]) -> Description:
        if sdp == BAD_SDP:
            raise BadDescription("not a description")
        if len({stream.label for stream in streams}) < len(streams):
            raise StreamExists("there is one already")
        wanted = {stream.stream_id: self._info(stream) for stream in streams}
        for stream_id in set(self.published) - set(wanted):
            self.unpublish(stream_id)
        for stream_id, info in wanted.items():
            if stream_id not in self.published:
                self.published[stream_id] = info
                self.conference.tell(StreamStarted(self.conference.id, self.id, info))
                self.conference.changed(self)
        return Description(f"answer to {sdp}", tuple(streams))

    def restart_publish(self, fragment: IceFragment) -> str:
        self.restarts.append(fragment)
        return f"restart {len(self.restarts)}"

    def offer(self, *, restart: bool = False) -> Description:
        self.connections = max(1, self.connections)
        self.due = False
        self.offers.append(f"offer {len(self.offers) + 1} connection {self.connections}{' restart' * restart}")
        streams = [
            StreamDescription(info.stream_id, info.label, info.participant_id, "0", "1")
            for info in self.conference.streams()
            if info.participant_id != self.id
        ]
        return Description(self.offers[-1], tuple(streams))

    def needs_offer(self) -> bool:
        return self.due

    def accept(self, sdp: str) -> None:
        if sdp == BAD_SDP:
            raise BadDescription("not a description")
        self.accepted.append(sdp)

    def candidate(self, pc: str, candidate: str | None) -> None:
        self.candidates.append((pc, candidate))

    def reconnect_subscribe(self) -> None:
        self.connections += 1
        self.changed()

    def unpublish(self, stream_id: str) -> None:
        if stream_id not in self.published:
            raise NoSuchStream(f"no stream {stream_id}")
        del self.published[stream_id]
        self.conference.tell(StreamEnded(self.conference.id, self.id, stream_id))
        self.conference.changed(self)

    def allow_publishing(self, allowed: bool) -> None:
        self.rights = replace(self.rights, publish=allowed)
        for stream_id in () if allowed else tuple(self.published):
            self.unpublish(stream_id)

    def mute(self, stream_id: str, *, audio: bool | None = None, video: bool | None = None) -> None:
        before = self.published[stream_id]
        after = replace(
            before,
            audio_muted=before.audio_muted if audio is None else audio,
            video_muted=before.video_muted if video is None else video,
        )
        self.published[stream_id] = after
        if after != before:
            self.conference.tell(StreamMuted(self.conference.id, self.id, after))

    def want(self, default: Wish, streams: Mapping[str, Wish]) -> None:
        self.wishes.append((default, streams))

    def send_text(self, text: str) -> bool:
        self.texts.append(text)
        return True

    def leave(self) -> None:
        if not self.gone:
            self.gone = True
            for stream_id in list(self.published):
                self.unpublish(stream_id)
            self.conference.participants.pop(self.id, None)

    # what makes things happen

    def changed(self) -> None:
        if not self.due:
            self.due = True
            self.conference.tell(SubscriptionsChanged(self.conference.id, self.id))

    def opens(self, pc: str = "subscribe") -> None:
        self.conference.tell(ConnectionOpened(self.conference.id, self.id, pc))

    def loses(self, pc: str = "subscribe") -> None:
        self.conference.tell(ConnectionLost(self.conference.id, self.id, pc, "no consent"))

    def cannot_decode(self, stream_id: str, codec: str) -> None:
        self.conference.tell(CodecUnsupported(self.conference.id, self.id, stream_id, codec))

    def says(self, text: str) -> None:
        self.conference.tell(DataReceived(self.conference.id, self.id, text))

    def _info(self, stream: StreamDescription) -> StreamInfo:
        has_audio, has_video = stream.audio_mid is not None, stream.video_mid is not None
        return StreamInfo(stream.stream_id, self.id, stream.label, has_audio, has_video)


@dataclass
class FakeViewer:
    """Watches a stream; `waits` and its like make happen what its publisher and the network would."""

    conference: "FakeConference"
    id: str
    stream_id: str
    answer: str
    restarts: list[IceFragment] = field(default_factory=list)

    def restart(self, fragment: IceFragment) -> str:
        self.restarts.append(fragment)
        return f"restart {len(self.restarts)}"

    def end(self, why: str) -> None:
        if self.conference.viewers.pop(self.id, None):
            self.conference.tell(ViewerEnded(self.conference.id, self.id, why))

    def waits(self) -> None:
        self.conference.tell(ViewerWaiting(self.conference.id, self.id))

    def plays(self) -> None:
        self.conference.tell(ViewerPlaying(self.conference.id, self.id))


@dataclass
class FakeForward:
    """Pushed elsewhere, as far as anybody can tell; `plays` and `end` make happen what the other server would."""

    conference: "FakeConference"
    id: str
    stream_id: str
    kinds: Collection[str]
    offer: str = "offer"
    accepted: str | None = None
    refuses: str | None = None
    """Why the answer cannot be used."""

    def accept(self, sdp: str, allowed: Callable[[str], bool]) -> None:
        if self.refuses or not allowed("127.0.0.1"):
            self.close()
            raise UnfitDescription(self.refuses or "no address")
        self.accepted = sdp

    def plays(self) -> None:
        self.conference.tell(ViewerPlaying(self.conference.id, self.id))

    def end(self, why: str) -> None:
        if self.conference.forwards.pop(self.id, None):
            self.conference.tell(ViewerEnded(self.conference.id, self.id, why))

    def close(self) -> None:
        self.conference.forwards.pop(self.id, None)


@dataclass
class FakeRecording:
    """Stops when it is told to; `close` is what the media plane does then."""

    conference: "FakeConference"
    id: str
    path: Path
    names: Mapping[str, str]
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True

    def close(self, why: str = "stopped", *, duration: float = 1.0, content: bytes | None = b"webm") -> None:
        """`content` None: it could not be finished."""
        index = None
        if content is not None:
            self.path.mkdir(parents=True)
            (self.path / "recording.webm").write_bytes(content)
            index = {"duration": duration}
        self.conference.tell(RecordingClosed(self.conference.id, "", self.id, str(self.path), why, duration, index))


@dataclass
class FakeConference:
    server: "FakeMediaServer"
    id: str
    limits: Limits
    participants: dict[str, FakeParticipant] = field(default_factory=dict)
    viewers: dict[str, FakeViewer] = field(default_factory=dict)
    forwards: dict[str, FakeForward] = field(default_factory=dict)
    closed: bool = False
    recordings: list[FakeRecording] = field(default_factory=list)
    scenes: list[Any] = field(default_factory=list)
    snapshots: list[tuple[str, Path]] = field(default_factory=list)
    broadcasts: dict[str, RtmpTarget] = field(default_factory=dict)
    streams_by_hls: dict[str, Path] = field(default_factory=dict)
    """Folders of the HLS streams that run, by id."""
    one_view_on: bool = False
    views: dict[str, View] = field(default_factory=dict)
    """Of those who have been given another than the usual one, by participant."""
    films: dict[str, Film] = field(default_factory=dict)
    """What plays, by play_id."""
    screens: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    """Of what plays, what is to be seen and heard as a stream of its own."""

    def record(
        self, recording_id: str, path: Path, kind: str = "composite", names: Mapping[str, str] | None = None
    ) -> FakeRecording:
        self.recordings.append(FakeRecording(self, recording_id, path, names or {}))
        return self.recordings[-1]

    def snapshot(self, snapshot_id: str, path: Path) -> None:
        self.snapshots.append((snapshot_id, path))

    def hls(self, hls_id: str, folder: Path) -> None:
        self.streams_by_hls[hls_id] = folder

    def stop_hls(self, hls_id: str) -> None:
        if self.streams_by_hls.pop(hls_id, None):
            self.tell(HlsEnded(self.id, "", hls_id, "stopped"))

    def drawn(self, failed: str | None = None) -> str:
        """The picture asked for last has been drawn, or not; its id."""
        snapshot_id, path = self.snapshots[-1]
        if failed is None:
            path.write_bytes(b"jpeg")
        self.tell(SnapshotTaken(self.id, "", snapshot_id, str(path), failed))
        return snapshot_id

    def play(self, film: Film) -> None:
        self.films[film.play_id] = film

    def screen(self, play_id: str, *, picture: bool, sound: bool) -> None:
        self.screens[play_id] = (picture, sound)

    def stop_playing(self, play_id: str) -> None:
        self.films.pop(play_id, None)
        self.screens.pop(play_id, None)

    def begins_to_play(self, play_id: str, *, picture: bool = True) -> None:
        self.tell(PlaybackStarted(self.id, "", play_id, picture))

    def has_played(self, play_id: str, why: str = "ended") -> None:
        self.films.pop(play_id)
        self.tell(PlaybackEnded(self.id, "", play_id, why))

    def one_view(self, on: bool) -> None:
        self.one_view_on = on

    def see(self, participant_id: str, view: View) -> None:
        self.views[participant_id] = view

    def compose(self, scene: Any) -> None:
        self.scenes.append(scene)

    def broadcast(self, broadcast_id: str, target: RtmpTarget) -> None:
        self.broadcasts[broadcast_id] = target

    def stop_broadcast(self, broadcast_id: str) -> None:
        self.broadcasts.pop(broadcast_id, None)

    def gives_up(self, broadcast_id: str) -> None:
        """Its target has refused or broken too often."""
        del self.broadcasts[broadcast_id]
        self.tell(BroadcastEnded(self.id, "", broadcast_id, "refused"))

    @property
    def viewer_count(self) -> int:
        return len(self.viewers)

    def view(self, viewer_id: str, sdp: str, stream_id: str) -> FakeViewer:
        viewer = self.viewers[viewer_id] = FakeViewer(self, viewer_id, stream_id, f"answer to {sdp}")
        return viewer

    def forward(self, forward_id: str, stream_id: str, kinds: Collection[str]) -> FakeForward:
        forward = self.forwards[forward_id] = FakeForward(self, forward_id, stream_id, kinds)
        return forward

    def join(self, participant_id: str, rights: Rights) -> FakeParticipant:
        if len(self.participants) >= self.limits.max_participants:
            raise ConferenceFull(self.id, self.limits.max_participants)
        participant = FakeParticipant(self, participant_id, rights, due=bool(self.streams()))
        self.participants[participant_id] = participant
        return participant

    def participant(self, participant_id: str) -> FakeParticipant:
        return self.participants[participant_id]

    def streams(self) -> list[StreamInfo]:
        composite = [StreamInfo("one_view", "one_view", "one_view", True, True)] if self.one_view_on else []
        return composite + [
            info for participant in self.participants.values() for info in participant.published.values()
        ]

    def close(self) -> None:
        self.closed = True
        for viewer in list(self.viewers.values()):
            viewer.end("the conference is over")
        for participant in list(self.participants.values()):
            participant.leave()
        self.server.conferences.pop(self.id, None)

    def changed(self, by: FakeParticipant) -> None:
        for participant in list(self.participants.values()):
            if participant is not by:
                participant.changed()

    def tell(self, event: MediaEvent) -> None:
        self.server.on_event(event)


@dataclass
class FakeMediaServer:
    on_event: Callable[[MediaEvent], None] = lambda event: None
    config: MediaConfig = field(default_factory=MediaConfig)
    conferences: dict[str, FakeConference] = field(default_factory=dict)

    async def repair_recordings(self, root: Path) -> list[RecordingClosed]:
        return []

    def open(self, conference_id: str, limits: Limits | None = None) -> FakeConference:
        if conference_id not in self.conferences:
            self.conferences[conference_id] = FakeConference(self, conference_id, limits or Limits(1000))
        return self.conferences[conference_id]

    def conference(self, conference_id: str) -> FakeConference:
        return self.conferences[conference_id]
