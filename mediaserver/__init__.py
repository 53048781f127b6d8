"""The media plane: conferences whose participants send and receive through one port. These are its public names."""

from mediaserver.clock import Clock, SystemClock
from mediaserver.conference.conference import Conference, Limits
from mediaserver.conference.participant import Participant, Rights
from mediaserver.conference.stream import Description, StreamDescription
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
)
from mediaserver.server import MediaServer
from mediaserver.stats import (
    ConferenceStats,
    ConnectionStats,
    ParticipantStats,
    ServerStats,
    SlotStats,
    TrackStats,
)

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
    "Limits",
    "MediaConfig",
    "MediaError",
    "MediaEvent",
    "MediaServer",
    "NoSuchConference",
    "NoSuchParticipant",
    "NoSuchStream",
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
    "Wish",
]
