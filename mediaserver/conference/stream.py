"""What a participant publishes: streams (camera or screen), each with at most one track of sound and one of picture.

Holds what is known about them and how they are described to others. Which section of which connection feeds a
track is `publication.py`'s, who receives it `subscription.py`'s. Follows the "streams" of the offers and answers
that go beside each session description.
"""

from dataclasses import dataclass, field
from typing import Literal

from mediaserver.conference.demand import Demand
from mediaserver.conference.router import Source
from mediaserver.events import StreamInfo
from mediaserver.rtp.layers import NOTABLE, Layer, TrackLayers
from mediaserver.transport.negotiation import PublishedSection

Kind = Literal["audio", "video"]
KINDS: tuple[Kind, Kind] = ("audio", "video")
LABELS = frozenset({"camera", "screen"})
SOUND_OVERHEAD_BPS = 18_000.0  # headers and tags of 50 packets a second: more than quiet sound itself


@dataclass(frozen=True, slots=True)
class StreamDescription:
    """Which sections of a session description belong to a stream; None where it has no such track there.

    `replace` names the stream of the same participant that this one takes over.
    """

    stream_id: str
    label: str
    user_id: str
    audio_mid: str | None = None
    video_mid: str | None = None
    replace: str | None = None

    def mid(self, kind: Kind) -> str | None:
        return self.audio_mid if kind == "audio" else self.video_mid


@dataclass(frozen=True, slots=True)
class Description:
    """A session description and what its sections mean."""

    sdp: str
    streams: tuple[StreamDescription, ...]


@dataclass(slots=True, eq=False)
class Track:
    """The sound or the picture of a stream: where it comes in (`section`) and where others get it from (`source`)."""

    section: PublishedSection
    source: Source
    layers: tuple[Layer, ...] = ()
    """Of a picture, as measured last: the cheapest first."""
    rate_bps: float = 0.0
    """Of a sound, as measured last."""
    demand: Demand = field(default_factory=Demand)
    """Of a picture."""
    _measuring: TrackLayers = field(default_factory=TrackLayers)

    def measure(self, now: float) -> None:
        """Looks at what comes in."""
        counters = self.source.layers()
        if self.source.kind == "video":
            self.layers = self._measuring.measured(counters, now)
        else:
            rate_bps = max((float(each["rate_bps"]) for each in counters), default=0.0)
            cost_bps = rate_bps + SOUND_OVERHEAD_BPS if rate_bps else 0.0
            if abs(cost_bps - self.rate_bps) > NOTABLE * self.rate_bps:
                self.rate_bps = cost_bps

    @property
    def layer_count(self) -> int:
        return max(len(self.section.rids), len(self.section.ssrcs), 1)


@dataclass(slots=True, eq=False)
class Stream:
    """A camera or a screen of a participant."""

    stream_id: str
    participant_id: str
    label: str
    tracks: dict[Kind, Track] = field(default_factory=dict)
    muted: dict[Kind, bool] = field(default_factory=lambda: dict.fromkeys(KINDS, False))

    def info(self) -> StreamInfo:
        return StreamInfo(
            stream_id=self.stream_id,
            participant_id=self.participant_id,
            label=self.label,
            audio="audio" in self.tracks,
            video="video" in self.tracks,
            audio_muted=self.muted["audio"],
            video_muted=self.muted["video"],
        )

    def mute(self, kind: Kind, muted: bool) -> bool:
        """Lets nothing of this kind through, or everything again; returns whether that changes anything."""
        if self.muted[kind] == muted:
            return False
        self.muted[kind] = muted
        if track := self.tracks.get(kind):
            track.source.mute(muted)
        return True

    def close(self) -> None:
        """Ends its tracks for everybody who receives them."""
        for track in self.tracks.values():
            track.source.close()
        self.tracks.clear()
