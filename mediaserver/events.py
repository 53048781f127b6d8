"""What the media plane tells, in the order in which it happens.

Plain data; `MediaServer` hands each to one callable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One publication as others see it. `label`: camera or screen; `audio`, `video`: whether it has that track."""

    stream_id: str
    participant_id: str
    label: str
    audio: bool
    video: bool
    audio_muted: bool = False
    video_muted: bool = False


@dataclass(frozen=True, slots=True)
class MediaEvent:
    conference_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class ConnectionOpened(MediaEvent):
    """One of the two connections ("publish", "subscribe") is encrypted and carries media."""

    pc: str


@dataclass(frozen=True, slots=True)
class ConnectionLost(MediaEvent):
    """Consent ran out, or the handshake failed; the participant stays, a new offer or a restart may bring it back."""

    pc: str
    why: str


@dataclass(frozen=True, slots=True)
class StreamStarted(MediaEvent):
    stream: StreamInfo


@dataclass(frozen=True, slots=True)
class StreamChanged(MediaEvent):
    """A running stream has got or lost its sound or picture, or changed its codec."""

    stream: StreamInfo


@dataclass(frozen=True, slots=True)
class StreamEnded(MediaEvent):
    stream_id: str


@dataclass(frozen=True, slots=True)
class StreamMuted(MediaEvent):
    stream: StreamInfo


@dataclass(frozen=True, slots=True)
class LayersWanted(MediaEvent):
    """Of a picture that this participant sends in several layers, somebody could want these; the rest may rest."""

    stream_id: str
    rids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubscriptionsChanged(MediaEvent):
    """What this participant receives has changed: a new offer is due (`Participant.offer`)."""


@dataclass(frozen=True, slots=True)
class CodecUnsupported(MediaEvent):
    """This participant cannot decode the codec of `stream_id`; the stream is left out of what it receives."""

    stream_id: str
    codec: str


@dataclass(frozen=True, slots=True)
class ViewerEvent(MediaEvent):
    """`participant_id` is the viewer's, who is no participant."""


@dataclass(frozen=True, slots=True)
class ViewerWaiting(ViewerEvent):
    """The stream it plays is over; it goes on if the same participant publishes again."""


@dataclass(frozen=True, slots=True)
class ViewerPlaying(ViewerEvent):
    """Its stream is there again."""


@dataclass(frozen=True, slots=True)
class ViewerEnded(ViewerEvent):
    """Its connection was lost, or the conference is over; it is closed."""

    why: str


@dataclass(frozen=True, slots=True)
class StreamLayers:
    """How a picture is received. `reason`: why it is no better: wish, bandwidth or publisher. 0: not known."""

    stream_id: str
    width: int
    height: int
    fps: float
    paused: bool
    reason: str


@dataclass(frozen=True, slots=True)
class LayersChanged(MediaEvent):
    """What this participant receives of these streams has become better or worse. At most once a second."""

    streams: tuple[StreamLayers, ...]


@dataclass(frozen=True, slots=True)
class QualityChanged(MediaEvent):
    """How well this participant is connected. Every five seconds while it changes."""

    score: float
    """1.0 is bad, 5.0 is good."""
    loss: float
    """0 to 1: of what it is sent."""
    round_trip: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class SpeakersChanged(MediaEvent):
    """Who speaks, the loudest first: (participant id, level from 0 to 1). `participant_id` is the first, or empty."""

    speakers: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class VoiceChanged(MediaEvent):
    """This participant begins to speak, or has stopped."""

    on: bool


@dataclass(frozen=True, slots=True)
class DataReceived(MediaEvent):
    """A text message came over the participant's data channel (label `events`)."""

    text: str


@dataclass(frozen=True, slots=True)
class StudioEvent(MediaEvent):
    """Of a conference's media worker; `participant_id` is empty."""


@dataclass(frozen=True, slots=True)
class RecordingStarted(StudioEvent):
    """From here on everything is kept."""

    recording_id: str


@dataclass(frozen=True, slots=True)
class RecordingClosed(StudioEvent):
    """Its files are finished. `why`: stopped, conference over, disk full, server gone, or what went wrong."""

    recording_id: str
    path: str
    """The folder."""
    why: str
    duration: float
    """Seconds."""
    index: Mapping[str, Any] | None
    """As in its `index.json`; None: its files could not be finished."""


@dataclass(frozen=True, slots=True)
class WorkerFailed(StudioEvent):
    """The media worker has died or hung. `again`: another one goes on with its work."""

    why: str
    again: bool


@dataclass(frozen=True, slots=True)
class PlaybackStarted(StudioEvent):
    """A film plays. `picture`: there is something to see."""

    play_id: str
    picture: bool


@dataclass(frozen=True, slots=True)
class PlaybackEnded(StudioEvent):
    """A film is over, without having been stopped. `why`: ended, conference over, or what went wrong."""

    play_id: str
    why: str


@dataclass(frozen=True, slots=True)
class HlsEvent(StudioEvent):
    hls_id: str


@dataclass(frozen=True, slots=True)
class HlsBegun(HlsEvent):
    """What players need before the parts that follow is in the file `path`. Another one: what follows is no
    continuation of what came before."""

    path: str


@dataclass(frozen=True, slots=True)
class HlsPart(HlsEvent):
    """A part is in the file `path`, which has a while to be read. Times in (unix) seconds."""

    path: str
    offset: int
    size: int
    at: float
    duration: float
    independent: bool
    """It begins with a key frame."""
    first: bool
    """Of its segment."""
    last: bool


@dataclass(frozen=True, slots=True)
class HlsEnded(HlsEvent):
    """Nothing comes any more. `why`: stopped, conference over, disk full, worker failed."""

    why: str


@dataclass(frozen=True, slots=True)
class BroadcastEvent(StudioEvent):
    broadcast_id: str


@dataclass(frozen=True, slots=True)
class BroadcastStarted(BroadcastEvent):
    """The target takes the program now; once more after an interruption."""


@dataclass(frozen=True, slots=True)
class BroadcastInterrupted(BroadcastEvent):
    """The target refuses or has broken; it is tried again."""

    why: str


@dataclass(frozen=True, slots=True)
class BroadcastEnded(BroadcastEvent):
    """The target has been given up."""

    why: str


@dataclass(frozen=True, slots=True)
class SnapshotTaken(StudioEvent):
    snapshot_id: str
    path: str
    failed: str | None = None
    """Why there is none."""
