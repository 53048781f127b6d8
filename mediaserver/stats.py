"""Snapshots of what is going on: plain data, made when asked for. Counters only grow; names are the native core's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Values = Mapping[str, int | float | str]
Numbers = Mapping[str, int | float]


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """`transport`: state of ICE and DTLS; `packets`: what the packet thread counted."""

    state: str
    transport: Values
    packets: Numbers


@dataclass(frozen=True, slots=True)
class TrackStats:
    """A published track; `layers` best first."""

    stream_id: str
    kind: str
    codec: str
    muted: bool
    layers: tuple[Numbers, ...]


@dataclass(frozen=True, slots=True)
class SlotStats:
    """A section of what a participant receives; `stream_id` None: it is parked."""

    mid: str
    kind: str
    stream_id: str | None
    packets: Numbers


@dataclass(frozen=True, slots=True)
class ParticipantStats:
    participant_id: str
    publish: ConnectionStats | None = None
    subscribe: ConnectionStats | None = None
    tracks: tuple[TrackStats, ...] = ()
    slots: tuple[SlotStats, ...] = ()
    line: Numbers = field(default_factory=dict)
    """What its subscribe connection is thought to carry: estimate_bps, cost_bps, loss, round_trip, held_back."""


@dataclass(frozen=True, slots=True)
class ViewerStats:
    """Somebody who watches one stream without being a participant."""

    viewer_id: str
    play: ConnectionStats
    slots: tuple[SlotStats, ...] = ()


@dataclass(frozen=True, slots=True)
class ConferenceStats:
    conference_id: str
    thread: int
    participants: tuple[ParticipantStats, ...] = ()
    viewers: tuple[ViewerStats, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerStats:
    """`engine`: counters of all threads together, each reason to drop a packet among them (`dropped_...`).

    `port`: what ICE, DTLS and TCP dropped and why, and how many connections, names and TCP streams there are.
    """

    engine: Mapping[str, int]
    port: Mapping[str, int]
    conferences: tuple[ConferenceStats, ...] = field(default=())
