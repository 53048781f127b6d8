"""Recording and composing, for every family: what makes recordings, and what keeps it going."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from mediaserver import Clock, MediaServer
from signaling.assembly import Core, Parts
from signaling.fetch import Fetcher
from signaling.objects import Objects
from signaling.sealing import KEY_FILE, Seal
from signaling.services.archive_views import object_key
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.recording import KIND, Finishing, Ledger, Library, Recorder, Uploads
from signaling.services.recording.uploads import ENDING, Placing
from signaling.services.storage_plans import Configured
from signaling.services.storage_targets import StorageTargets
from signaling.settings import Settings
from signaling.store.database import Database

RECORDINGS_FOLDER = "recordings"
LAST_UPLOADS = 10.0  # seconds for files that are on their way when the server stops

log = structlog.get_logger(__name__)


def make_recorder(
    settings: Settings,
    clock: Clock,
    *,
    database: Database,
    media: MediaServer,
    conferences: Conferences,
    composites: Composites,
    objects: Objects,
    targets: StorageTargets,
) -> Recorder:
    uploads = Uploads(objects, clock, Placing(targets, object_key, settings.archives.upload_pauses_seconds))
    finishing = Finishing(Ledger(database), uploads, media, settings.data_dir / RECORDINGS_FOLDER)
    return Recorder(conferences, composites, finishing, clock, settings.recordings.retention_days)


def make_targets(settings: Settings, clock: Clock, database: Database, fetcher: Fetcher) -> StorageTargets:
    given = settings.archives
    return StorageTargets(
        database,
        Seal(settings.secrets_key, settings.data_dir / KEY_FILE),
        fetcher.check,
        clock,
        configured=Configured(given.access_key, given.secret_key, given.account_key, given.container),
        pin=not settings.fetch.allow_private_addresses,
    )


def recordings_of(core: Core, family: str, link_life: float | None = None) -> Library:
    """What the family finds its recordings in."""
    limits = core.settings.recordings
    return Library(
        core.database,
        core.objects,
        core.links,
        core.clock,
        family=family,
        kind=KIND,
        ending=ENDING,
        retention_days=limits.retention_days,
        link_life=limits.link_ttl_seconds if link_life is None else link_life,
    )


def recording(core: Core) -> Parts:
    """Families enter their patrons while they are put together, and the two watches where they need them."""

    async def keeping(_: web.Application) -> AsyncIterator[None]:
        await core.recorder.start_up()
        yield
        try:
            async with asyncio.timeout(LAST_UPLOADS):
                await core.recorder.aclose()
        except TimeoutError:
            log.info("uploads go on with the next start")

    return Parts(hears=[core.recorder.hear], contexts=[keeping], sweeps=[core.recorder.sweep])
