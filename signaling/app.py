"""create_app(): the only place where parts are put together, and the order in which they start and stop.

Starting: data directory, database, media. Stopping: nobody gets in any more, everybody inside is told, then the same
backwards. Events of the media plane reach the conferences through the one callable made here.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

import structlog
from aiohttp import web

from mediaserver import Clock, MediaConfig, MediaEvent, MediaServer
from signaling import appkeys
from signaling.api import Family
from signaling.api.bodies import MAX_BODY
from signaling.api.media import media_routes
from signaling.api.operations import operations_routes
from signaling.api.pages import harden, pages_routes, static_directory
from signaling.api.realtime import realtime_family
from signaling.api.rooms import rooms_family
from signaling.api.whep import whep_family
from signaling.api.whip import whip_family
from signaling.fetch import Fetcher
from signaling.live.client import live_routes
from signaling.live.observer import Observing
from signaling.metrics import RequestCounts
from signaling.middleware import finish_headers, middlewares
from signaling.objects import Objects
from signaling.services.admission import Admission
from signaling.services.conferences import Conferences
from signaling.services.documents import Documents
from signaling.services.entrance import Entrance
from signaling.services.file_views import FileViews
from signaling.services.files import MeetingFiles
from signaling.services.links import KEPT_AS, SECRET_BYTES, Links
from signaling.services.permalinks import Permalinks
from signaling.services.presentations import Presentations
from signaling.services.publishers import Publishers
from signaling.services.realtime_door import RealtimeDoor, venue
from signaling.services.realtime_rooms import RealtimeRooms
from signaling.services.room_door import RoomConferences, RoomsDoor
from signaling.services.rooms import Rooms
from signaling.services.scheduler import Cancellable
from signaling.services.viewers import Viewers
from signaling.services.webhooks import Webhooks
from signaling.settings import Media, Settings
from signaling.store.database import Database
from signaling.webhooks.delivery import Deliveries

SWEEP_EVERY = 60.0  # seconds between two looks for what is over
UPLOADS_FOLDER = "uploads"
DEV_TEAM = "Development"
LAST_WORDS = 2.0  # seconds for webhooks to tell what is due when the server stops

log = structlog.get_logger(__name__)

MediaFactory = Callable[[MediaConfig, Clock, Callable[[MediaEvent], None]], MediaServer]
Context = Callable[[web.Application], AsyncIterator[None]]


def create_app(
    settings: Settings,
    clock: Clock,
    media: MediaFactory = MediaServer,
    *,
    dev_keys: Mapping[str, str] | None = None,
) -> web.Application:
    """The whole server, not started yet. `dev_keys`, a key by family's name, make it a development server."""
    database = Database(settings.database)
    rooms = RealtimeRooms(database, settings, clock)
    team_rooms = Rooms(database, settings, clock)

    def dispatch(event: MediaEvent) -> None:
        conferences.media_event(event)
        viewers.media_event(event)

    media_server = media(_media_config(settings.media), clock, dispatch)
    keys = _with_dev_key(settings.realtime_keys, (dev_keys or {}).get("realtime"))
    scheduler = _LoopScheduler()
    conferences = Conferences(media_server, settings, clock, scheduler)
    fetcher = Fetcher(settings.fetch)
    webhooks = Webhooks(database, fetcher, clock, teams_of(settings, dev_keys or {}))
    deliveries = _deliveries(webhooks, database, fetcher, settings, clock)
    team_rooms.register.herald = webhooks
    rooms_door = RoomsDoor(team_rooms, conferences, settings, clock, teams_of(settings, dev_keys or {}))
    admission = Admission([RealtimeDoor(rooms, keys), rooms_door])
    entrance = Entrance(conferences, admission, clock)
    viewers = Viewers(conferences, admission, settings, scheduler)
    team_rooms.conferences = RoomConferences(team_rooms, conferences)
    rooms.presence = conferences
    rooms.on_deleted = lambda room_id: conferences.end(room_id, "room_deleted")
    rooms.on_upgraded = lambda room: conferences.upgraded(venue(room))
    families = families_of(settings, dev_keys or {})

    app = web.Application(middlewares=middlewares(), client_max_size=MAX_BODY)
    app[appkeys.SETTINGS] = settings
    app[appkeys.CLOCK] = clock
    app[appkeys.FAMILIES] = families
    app[appkeys.HEALTH] = appkeys.Health(clock.monotonic())
    app[appkeys.MEDIA] = media_server
    app[appkeys.MEETINGS] = conferences
    app[appkeys.PUBLISHERS] = Publishers(entrance, admission)
    app[appkeys.VIEWERS] = viewers
    app[appkeys.REALTIME_ROOMS] = rooms
    app[appkeys.ROOMS] = team_rooms
    app[appkeys.PERMALINKS] = Permalinks(database, team_rooms, clock)
    app[appkeys.WEBHOOKS] = webhooks
    app[appkeys.DELIVERIES] = deliveries
    app[appkeys.REQUESTS] = RequestCounts()
    app[appkeys.DEV_KEYS] = dev_keys or {}
    _add_files(app, database, fetcher)
    files, presentations = app[appkeys.FILES], app[appkeys.PRESENTATIONS]
    files.herald = presentations.herald = webhooks
    conferences.watches += [presentations, team_rooms.conferences, files]

    _add_routes(app, families, entrance, rooms_door)
    app.on_shutdown.append(_drain)
    app.cleanup_ctx.extend([_running_store(settings, database), _delivering(deliveries, fetcher)])
    app.cleanup_ctx.extend(
        [_running_rooms(team_rooms), _running_files(files, presentations), _running_media(media_server)]
    )
    app.cleanup_ctx.extend([_sweeping(each) for each in (rooms, team_rooms, deliveries, files)])
    return app


def _add_routes(app: web.Application, families: Sequence[Family], entrance: Entrance, observing: Observing) -> None:
    for family in families:
        app.add_routes([web.route(op.method, op.path, op.handler) for op in family.operations])
    app.add_routes(live_routes(entrance, app[appkeys.CLOCK], observing=observing))
    app.add_routes([*operations_routes(), *media_routes()])
    app.add_routes(pages_routes(static_directory()))
    app.on_response_prepare.append(finish_headers)
    app.on_response_prepare.append(harden)


def families_of(settings: Settings, dev_keys: Mapping[str, str]) -> Sequence[Family]:
    """The API families, each with the credentials it accepts."""
    keys = _with_dev_key(settings.realtime_keys, dev_keys.get("realtime"))
    return realtime_family(keys), rooms_family(teams_of(settings, dev_keys)), whip_family(), whep_family()


def teams_of(settings: Settings, dev_keys: Mapping[str, str]) -> Mapping[str, str]:
    """The names of teams by their API keys."""
    teams = {each.key: each.team for each in settings.api_keys}
    return teams | {dev_keys["rooms"]: DEV_TEAM} if "rooms" in dev_keys else teams


class Sweeps(Protocol):
    """Has things that are over, and looks for them now and then."""

    async def sweep(self) -> None: ...


def _deliveries(
    webhooks: Webhooks, database: Database, fetcher: Fetcher, settings: Settings, clock: Clock
) -> Deliveries:
    deliveries = Deliveries(
        database,
        fetcher,
        settings=settings.webhooks,
        clock=clock,
        scheduler=_LoopScheduler(),
        secret_of=webhooks.secret_of,
    )
    webhooks.wake = deliveries.wake
    return deliveries


def _add_files(app: web.Application, database: Database, fetcher: Fetcher) -> None:
    """What is kept in the object store, shown in meetings and opened by links."""
    settings, clock, rooms = app[appkeys.SETTINGS], app[appkeys.CLOCK], app[appkeys.ROOMS]
    objects, links = Objects(settings.objects_url, settings.objects.options), Links(settings.base_url)
    documents = Documents()
    files = MeetingFiles(
        database,
        objects,
        documents,
        FileViews(settings.base_url, links),
        folder=settings.data_dir / UPLOADS_FOLDER,
        limits=settings.files,
        clock=clock,
        tell=rooms.conferences.tell,
    )
    presentations = Presentations(
        database,
        files,
        objects,
        documents,
        fetcher,
        place=rooms.place,
        clock=clock,
        tell=rooms.conferences.tell,
        happening=rooms.happening,
    )
    app[appkeys.OBJECTS], app[appkeys.LINKS] = objects, links
    app[appkeys.FILES], app[appkeys.PRESENTATIONS] = files, presentations


def _with_dev_key(keys: tuple[str, ...], dev_key: str | None) -> tuple[str, ...]:
    return keys if dev_key is None else (dev_key, *keys)


class _LoopScheduler:
    """Timers of whichever event loop is running when they are set."""

    def call_later(self, delay: float, callback: Callable[[], object]) -> Cancellable:
        return asyncio.get_running_loop().call_later(delay, callback)


def _media_config(media: Media) -> MediaConfig:
    return MediaConfig(
        udp_port=media.udp_port,
        tcp_port=media.tcp_port,
        listen_ips=media.listen_ips,
        announced_ips=media.announced_ips,
        threads=media.threads,
        socket_buffer_bytes=media.socket_buffer_bytes,
        run_wait=media.run_wait_seconds,
        certificate_file=str(media.certificate_file) if media.certificate_file else None,
        private_key_file=str(media.private_key_file) if media.private_key_file else None,
    )


def _running_store(settings: Settings, database: Database) -> Context:
    async def context(app: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(settings.data_dir.mkdir, mode=0o700, parents=True, exist_ok=True)
        await database.start()
        app[appkeys.LINKS].open(await database.secret(KEPT_AS, secrets.token_bytes(SECRET_BYTES)))
        for family in app[appkeys.FAMILIES]:
            if not family.configured:
                log.warning("no credential configured: every request is refused", family=family.name)
        yield
        await database.aclose()

    return context


def _running_media(media: MediaServer) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await media.start()
        yield
        await media.aclose()

    return context


def _delivering(deliveries: Deliveries, fetcher: Fetcher) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await deliveries.start()
        yield
        await deliveries.aclose(LAST_WORDS)
        await fetcher.aclose()

    return context


def _running_rooms(rooms: Rooms) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await rooms.start()
        yield
        await rooms.aclose()

    return context


def _running_files(files: MeetingFiles, presentations: Presentations) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await files.start()
        yield
        await presentations.aclose()
        await files.aclose()

    return context


def _sweeping(rooms: Sweeps) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(_sweep(rooms))
        yield
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)

    return context


async def _sweep(rooms: Sweeps) -> None:
    while True:
        try:
            await rooms.sweep()
        except Exception:  # the database may be back next time
            log.exception("sweep failed")
        await asyncio.sleep(SWEEP_EVERY)


async def _drain(app: web.Application) -> None:
    app[appkeys.HEALTH].draining = True
    await app[appkeys.MEETINGS].aclose("server_shutdown")
