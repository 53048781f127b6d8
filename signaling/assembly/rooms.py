"""The rooms family: rooms of teams, and what is shown in them and made of them."""

from collections.abc import AsyncIterator

from aiohttp import web

from signaling.api.rooms import rooms_family
from signaling.appkeys import (
    BROADCASTS,
    COMPOSITES,
    FILES,
    FORWARDS,
    LAYERS,
    PERMALINKS,
    PICTURES,
    PLAYBACKS,
    PRESENTATIONS,
    RECORDINGS,
    ROOMS,
    SNAPSHOTS,
)
from signaling.assembly import Context, Core, Parts, teams
from signaling.services.broadcasts import Broadcasts
from signaling.services.documents import Documents
from signaling.services.file_views import FileViews
from signaling.services.files import MeetingFiles
from signaling.services.forwards import Forwards
from signaling.services.layers import Layers
from signaling.services.permalinks import Permalinks
from signaling.services.pictures import Pictures
from signaling.services.playbacks import Playbacks
from signaling.services.presentations import Presentations
from signaling.services.recording import KIND, Library
from signaling.services.recordings import FAMILY, Recordings
from signaling.services.room_door import RoomConferences, RoomsDoor
from signaling.services.rooms import Rooms
from signaling.services.snapshots import KIND as SNAPSHOT
from signaling.services.snapshots import Snapshots

UPLOADS_FOLDER = "uploads"
PICTURES_FOLDER = "pictures"
SNAPSHOTS_FOLDER = "snapshots"
PLAYBACKS_FOLDER = "playbacks"
SNAPSHOT_LINK_LIFE = 3600.0  # seconds


def rooms(core: Core) -> Parts:
    known = teams(core.settings, core.dev_keys)
    service = Rooms(core.database, core.settings, core.clock)
    service.register.herald = core.webhooks
    service.conferences = RoomConferences(service, core.conferences)
    files, presentations, pictures = _shown(core, service)
    recordings, snapshots = _made(core, service)
    presentations.watches.append(core.composites.presented)
    layers = Layers(pictures, conference=service.conference, show=core.composites.layered)
    playbacks = _played(core, service)
    broadcasts = _broadcast(core, service)
    forwards = Forwards(core.fetcher, core.composites, private=core.settings.fetch.allow_private_addresses)
    files.herald = broadcasts.herald = presentations.herald = recordings.herald = snapshots.herald = core.webhooks
    door = RoomsDoor(service, core.conferences, core.settings, core.clock, known)
    return Parts(
        families=[rooms_family(known)],
        doors=[door],
        observing=door,
        recording=recordings,
        watches=[
            *(presentations, recordings, core.recorder, broadcasts, core.composites, layers, playbacks, forwards),
            *(service.conferences, files),
        ],
        hears=[snapshots.hear],
        keys={
            ROOMS: service,
            PERMALINKS: Permalinks(core.database, service, core.clock),
            FILES: files,
            FORWARDS: forwards,
            BROADCASTS: broadcasts,
            COMPOSITES: core.composites,
            LAYERS: layers,
            RECORDINGS: recordings,
            SNAPSHOTS: snapshots,
            PRESENTATIONS: presentations,
            PLAYBACKS: playbacks,
            PICTURES: pictures,
        },
        contexts=[
            _running(service),
            _showing(files, presentations, layers, pictures),
            _keeping(recordings, snapshots),
            _broadcasting(broadcasts),
            _playing(playbacks),
            _forwarding(forwards),
        ],
        sweeps=[service.sweep, files.sweep, snapshots.sweep],
    )


def _shown(core: Core, service: Rooms) -> tuple[MeetingFiles, Presentations, Pictures]:
    """What is kept in the object store and shown in meetings."""
    documents, tell = Documents(), service.conferences.tell
    pictures = Pictures(documents, core.fetcher, core.settings.data_dir / PICTURES_FOLDER)
    files = MeetingFiles(
        core.database,
        core.objects,
        documents,
        FileViews(core.settings.base_url, core.links),
        folder=core.settings.data_dir / UPLOADS_FOLDER,
        limits=core.settings.files,
        clock=core.clock,
        tell=tell,
    )
    presentations = Presentations(
        core.database,
        files,
        core.objects,
        pictures,
        place=service.place,
        clock=core.clock,
        tell=tell,
        happening=service.happening,
    )
    return files, presentations, pictures


def _made(core: Core, service: Rooms) -> tuple[Recordings, Snapshots]:
    """What is made of the composite of each meeting."""
    core.composites.options, core.composites.changed = service.shown_options, service.change_options
    limits = core.settings.recordings
    recordings = Recordings(
        core.recorder,
        _library(core, KIND, "webm", limits.retention_days, limits.link_ttl_seconds),
        core.conferences,
        service,
    )
    core.recorder.enter(recordings)
    snapshots = Snapshots(
        _library(core, SNAPSHOT, "jpg", core.settings.snapshots.retention_days, SNAPSHOT_LINK_LIFE),
        core.conferences,
        service,
        core.composites,
        folder=core.settings.data_dir / SNAPSHOTS_FOLDER,
    )
    return recordings, snapshots


def _library(core: Core, kind: str, ending: str, retention_days: int, link_life: float) -> Library:
    return Library(
        core.database,
        core.objects,
        core.links,
        core.clock,
        family=FAMILY,
        kind=kind,
        ending=ending,
        retention_days=retention_days,
        link_life=link_life,
    )


def _played(core: Core, service: Rooms) -> Playbacks:
    """What plays in meetings."""
    return Playbacks(
        core.fetcher,
        core.composites,
        core.settings.data_dir / PLAYBACKS_FOLDER,
        conference=service.conference,
        user=service.user,
        happening=service.happening,
    )


def _playing(playbacks: Playbacks) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await playbacks.start_up()
        yield
        await playbacks.aclose()

    return context


def _keeping(recordings: Recordings, snapshots: Snapshots) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await snapshots.start_up()
        yield
        await recordings.aclose()
        await snapshots.aclose()

    return context


def _broadcast(core: Core, service: Rooms) -> Broadcasts:
    ca_file = core.settings.broadcasts.ca_file
    return Broadcasts(
        core.database,
        core.fetcher,
        core.composites,
        place=service.place,
        clock=core.clock,
        conference=core.conferences.meeting,
        happening=service.happening,
        ca_file=str(ca_file) if ca_file else None,
    )


def _broadcasting(broadcasts: Broadcasts) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        await broadcasts.aclose()

    return context


def _running(service: Rooms) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.aclose()

    return context


def _forwarding(forwards: Forwards) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        yield
        await forwards.aclose()

    return context


def _showing(files: MeetingFiles, presentations: Presentations, layers: Layers, pictures: Pictures) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await pictures.start()
        await files.start()
        yield
        await presentations.aclose()
        await layers.aclose()
        await files.aclose()

    return context
