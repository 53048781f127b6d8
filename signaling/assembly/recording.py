"""Recording and composing, for every family: what makes recordings, and what keeps it going."""

from collections.abc import AsyncIterator

from aiohttp import web

from mediaserver import Clock, MediaServer
from signaling.assembly import Core, Parts
from signaling.objects import Objects
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.recording import Finishing, Ledger, Recorder, Uploads
from signaling.settings import Settings
from signaling.store.database import Database

RECORDINGS_FOLDER = "recordings"


def make_recorder(
    settings: Settings,
    clock: Clock,
    *,
    database: Database,
    media: MediaServer,
    conferences: Conferences,
    composites: Composites,
    objects: Objects,
) -> Recorder:
    uploads = Uploads(objects, clock)
    finishing = Finishing(Ledger(database), uploads, media, settings.data_dir / RECORDINGS_FOLDER)
    return Recorder(conferences, composites, finishing, clock, settings.recordings.retention_days)


def recording(core: Core) -> Parts:
    """Families enter their patrons while they are put together, and the two watches where they need them."""

    async def keeping(_: web.Application) -> AsyncIterator[None]:
        await core.recorder.start_up()
        yield
        await core.recorder.aclose()

    return Parts(hears=[core.recorder.hear], contexts=[keeping], sweeps=[core.recorder.sweep])
