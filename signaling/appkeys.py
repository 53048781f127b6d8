"""The parts of the running server, as handlers find them. `app.py` puts them there and is alone in doing so."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from aiohttp import web

from mediaserver import Clock, ServerStats
from signaling.api import Family
from signaling.metrics import RequestCounts
from signaling.objects import Objects
from signaling.services.archives import Archives
from signaling.services.attendees import Attendees
from signaling.services.broadcasts import Broadcasts
from signaling.services.composites import Composites
from signaling.services.files import MeetingFiles
from signaling.services.forwards import Forwards
from signaling.services.hls import HlsStreams
from signaling.services.layers import Layers
from signaling.services.links import Links
from signaling.services.permalinks import Permalinks
from signaling.services.pictures import Pictures
from signaling.services.playbacks import Playbacks
from signaling.services.presentations import Presentations
from signaling.services.publishers import Publishers
from signaling.services.realtime_rooms import RealtimeRooms
from signaling.services.recordings import Recordings
from signaling.services.rooms import Rooms
from signaling.services.sessions import Sessions
from signaling.services.snapshots import Snapshots
from signaling.services.spaces.access import Accesses
from signaling.services.spaces.accounts import Accounts
from signaling.services.spaces.analytics import Analytics
from signaling.services.spaces.door import SpacesDoor
from signaling.services.spaces.hooks import SpaceWebhooks
from signaling.services.spaces.invitations import Invitations
from signaling.services.spaces.invites import Invites
from signaling.services.spaces.records import Records
from signaling.services.spaces.roles import Roles
from signaling.services.spaces.spaces import SpacesService
from signaling.services.storage_targets import StorageTargets
from signaling.services.viewers import Viewers
from signaling.services.webhooks import Webhooks
from signaling.settings import Settings
from signaling.webhooks.delivery import Deliveries


class Meetings(Protocol):
    """What operating the server needs of the running conferences."""

    def counts(self) -> Mapping[str, int]: ...

    async def end(self, conference_id: str, reason: str) -> None: ...

    async def aclose(self, reason: str = "server_shutdown") -> None: ...


class Media(Protocol):
    """What operating the server needs of the media plane."""

    def stats(self) -> ServerStats: ...


class Health:
    """Whether new conferences are welcome."""

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.draining = False


SETTINGS = web.AppKey("settings", Settings)
CLOCK = web.AppKey("clock", Clock)
FAMILIES = web.AppKey("families", Sequence[Family])
HEALTH = web.AppKey("health", Health)
MEDIA = web.AppKey("media", Media)
MEETINGS = web.AppKey("meetings", Meetings)
PUBLISHERS = web.AppKey("publishers", Publishers)
VIEWERS = web.AppKey("viewers", Viewers)
ROOMS = web.AppKey("rooms", Rooms)
RECORDINGS = web.AppKey("recordings", Recordings)
SNAPSHOTS = web.AppKey("snapshots", Snapshots)
HLS = web.AppKey("hls", HlsStreams)
COMPOSITES = web.AppKey("composites", Composites)
BROADCASTS = web.AppKey("broadcasts", Broadcasts)
PERMALINKS = web.AppKey("permalinks", Permalinks)
WEBHOOKS = web.AppKey("webhooks", Webhooks)
DELIVERIES = web.AppKey("deliveries", Deliveries)
REALTIME_ROOMS = web.AppKey("realtime_rooms", RealtimeRooms)
FILES = web.AppKey("files", MeetingFiles)
PICTURES = web.AppKey("pictures", Pictures)
FORWARDS = web.AppKey("forwards", Forwards)
LAYERS = web.AppKey("layers", Layers)
PLAYBACKS = web.AppKey("playbacks", Playbacks)
PRESENTATIONS = web.AppKey("presentations", Presentations)
SESSIONS = web.AppKey("sessions", Sessions)
ATTENDEES = web.AppKey("attendees", Attendees)
ARCHIVES = web.AppKey("archives", Archives)
STORAGE_TARGETS = web.AppKey("storage_targets", StorageTargets)
OBJECTS = web.AppKey("objects", Objects)
LINKS = web.AppKey("links", Links)
SPACES = web.AppKey("spaces", SpacesService)
SPACES_ACCOUNTS = web.AppKey("spaces_accounts", Accounts)
SPACES_ACCESSES = web.AppKey("spaces_accesses", Accesses)
SPACES_ROLES = web.AppKey("spaces_roles", Roles)
SPACES_DOOR = web.AppKey("spaces_door", SpacesDoor)
SPACES_INVITATIONS = web.AppKey("spaces_invitations", Invitations)
SPACES_INVITES = web.AppKey("spaces_invites", Invites)
SPACES_ANALYTICS = web.AppKey("spaces_analytics", Analytics)
SPACES_RECORDS = web.AppKey("spaces_records", Records)
SPACES_WEBHOOKS = web.AppKey("spaces_webhooks", SpaceWebhooks)
REQUESTS = web.AppKey("requests", RequestCounts)
DEV_KEYS = web.AppKey("dev_keys", Mapping[str, str])
"""One key per family by its name, on a development server; empty otherwise."""
