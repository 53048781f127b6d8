"""The media plane: conferences whose participants send and receive through one port. These are its public names."""

from mediaserver.clock import Clock, SystemClock
from mediaserver.conference.conference import Conference, Limits
from mediaserver.conference.participant import Participant, Rights
from mediaserver.conference.stream import Description, StreamDescription
from mediaserver.conference.viewer import Viewer
from mediaserver.conference.wishes import Wish
from mediaserver.config import MediaConfig
from mediaserver.errors import (
    BadCandidate,
    BadDescription,
    ConferenceClosed,
    ConferenceFull,
    MediaError,
    NoSuchConference,
    NoSuchParticipant,
    NoSuchStream,
    ParticipantExists,
    PublishForbidden,
    StreamExists,
    UnfitDescription,
)
from mediaserver.events import (
    CodecUnsupported,
    ConnectionLost,
    ConnectionOpened,
    DataReceived,
    MediaEvent,
    StreamChanged,
    StreamEnded,
    StreamInfo,
    StreamMuted,
    StreamStarted,
    SubscriptionsChanged,
    ViewerEnded,
    ViewerEvent,
    ViewerPlaying,
    ViewerWaiting,
)
from mediaserver.server import MediaServer
from mediaserver.stats import (
    ConferenceStats,
    ConnectionStats,
    ParticipantStats,
    ServerStats,
    SlotStats,
    TrackStats,
    ViewerStats,
)
from mediaserver.transport.fragment import IceFragment, read_fragment
from mediaserver.transport.one_stream import OneStream, read_one_stream

__all__ = [
    "BadCandidate",
    "BadDescription",
    "Clock",
    "CodecUnsupported",
    "Conference",
    "ConferenceClosed",
    "ConferenceFull",
    "ConferenceStats",
    "ConnectionLost",
    "ConnectionOpened",
    "ConnectionStats",
    "DataReceived",
    "Description",
    "IceFragment",
    "Limits",
    "MediaConfig",
    "MediaError",
    "MediaEvent",
    "MediaServer",
    "NoSuchConference",
    "NoSuchParticipant",
    "NoSuchStream",
    "OneStream",
    "Participant",
    "ParticipantExists",
    "ParticipantStats",
    "PublishForbidden",
    "Rights",
    "ServerStats",
    "SlotStats",
    "StreamChanged",
    "StreamDescription",
    "StreamEnded",
    "StreamExists",
    "StreamInfo",
    "StreamMuted",
    "StreamStarted",
    "SubscriptionsChanged",
    "SystemClock",
    "TrackStats",
    "UnfitDescription",
    "Viewer",
    "ViewerEnded",
    "ViewerEvent",
    "ViewerPlaying",
    "ViewerStats",
    "ViewerWaiting",
    "Wish",
    "read_fragment",
    "read_one_stream",
]
