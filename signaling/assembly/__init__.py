"""What the server is put together from: for each API family, and each service with a life of its own, a function.

Each is given the `Core` and returns its `Parts`; `app.py` calls them and joins the parts. To add a family, write
`assembly/<name>.py` and name it in `app.py`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from mediaserver import Clock, MediaEvent, MediaServer
from signaling.api import Family
from signaling.fetch import Fetcher
from signaling.live.observer import Observing
from signaling.live.recording import MembersRecording
from signaling.objects import Objects
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences, Watch
from signaling.services.doors import Door
from signaling.services.links import Links
from signaling.services.recording import Recorder
from signaling.services.scheduler import Scheduler
from signaling.services.storage_targets import StorageTargets
from signaling.services.webhooks import Webhooks
from signaling.settings import Settings
from signaling.store.database import Database

DEV_TEAM = "Development"

Context = Callable[[web.Application], AsyncIterator[None]]


def teams(settings: Settings, dev_keys: Mapping[str, str]) -> Mapping[str, str]:
    """The names of teams by their API keys, the development one among them."""
    configured = {each.key: each.team for each in settings.api_keys}
    return configured | {dev_keys["rooms"]: DEV_TEAM} if "rooms" in dev_keys else configured


@dataclass(frozen=True, slots=True)
class Core:
    """What every part may use; nothing of it runs yet."""

    settings: Settings
    clock: Clock
    scheduler: Scheduler
    database: Database
    media: MediaServer
    conferences: Conferences
    objects: Objects
    links: Links
    fetcher: Fetcher
    webhooks: Webhooks
    composites: Composites
    recorder: Recorder
    storage_targets: StorageTargets
    dev_keys: Mapping[str, str]
    """One key per family by its name, on a development server; empty otherwise."""

    def keys(self, family: str, configured: tuple[str, ...]) -> tuple[str, ...]:
        """The family's keys, the development one among them."""
        return (self.dev_keys[family], *configured) if family in self.dev_keys else configured


@dataclass(frozen=True, slots=True)
class Parts:
    """What one function adds to the server."""

    families: Sequence[Family] = ()
    doors: Sequence[Door] = ()
    watches: Sequence[Watch] = ()
    hears: Sequence[Callable[[MediaEvent], None]] = ()
    """Called with every event of the media plane, those of conferences that have ended, too."""
    observing: Observing | None = None
    """Lets teams listen to their meetings over /rt."""
    recording: MembersRecording | None = None
    """Lets members of the family's conferences record them over /rt."""
    keys: Mapping[web.AppKey[Any], Any] = field(default_factory=dict)
    """Where handlers find it."""
    contexts: Sequence[Context] = ()
    """What runs while the server does: started after the store and before media, ended in the reverse order."""
    sweeps: Sequence[Callable[[], Awaitable[None]]] = ()
    """What has to be looked at once a minute."""
