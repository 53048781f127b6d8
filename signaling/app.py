"""create_app(): the only place where parts are put together, and the order in which they start and stop.

Starting: data directory, database, media. Stopping: nobody gets in any more, everybody inside is told, then the same
backwards. Events of the media plane reach the conferences through the one callable made here.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import structlog
from aiohttp import web

from mediaserver import Clock, MediaConfig, MediaEvent, MediaServer
from signaling import appkeys
from signaling.api import Family
from signaling.api.bodies import MAX_BODY
from signaling.api.hls import hls_routes
from signaling.api.media import media_routes
from signaling.api.operations import operations_routes
from signaling.api.pages import harden, pages_routes, static_directory
from signaling.api.whep import whep_family
from signaling.api.whip import whip_family
from signaling.assembly import Context, Core, teams
from signaling.assembly.hls import hls
from signaling.assembly.realtime import realtime
from signaling.assembly.recording import make_recorder, make_targets, recording
from signaling.assembly.rooms import rooms
from signaling.assembly.sessions import sessions
from signaling.assembly.spaces import spaces
from signaling.assembly.viewing import viewing
from signaling.assembly.webhooks import webhooks
from signaling.fetch import Fetcher
from signaling.live.client import live_routes
from signaling.metrics import RequestCounts
from signaling.middleware import finish_headers, middlewares
from signaling.objects import Objects
from signaling.services.admission import Admission
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.entrance import Entrance
from signaling.services.links import KEPT_AS, SECRET_BYTES, Links
from signaling.services.publishers import Publishers
from signaling.services.scheduler import Cancellable
from signaling.services.viewers import Viewers
from signaling.services.webhooks import Webhooks
from signaling.settings import Media, Settings
from signaling.store.database import Database

SWEEP_EVERY = 60.0  # seconds between two looks for what is over

log = structlog.get_logger(__name__)

MediaFactory = Callable[[MediaConfig, Clock, Callable[[MediaEvent], None]], MediaServer]
Sweep = Callable[[], Awaitable[None]]

PARTS = (webhooks, realtime, sessions, rooms, spaces, recording, hls, viewing)
"""In the order in which they start, and are asked whose a path or a credential is."""


def create_app(
    settings: Settings,
    clock: Clock,
    media: MediaFactory = MediaServer,
    *,
    dev_keys: Mapping[str, str] | None = None,
) -> web.Application:
    """The whole server, not started yet. `dev_keys`, a key by family's name, make it a development server."""
    database, scheduler, links = Database(settings.database), _LoopScheduler(), Links(settings.base_url)

    def dispatch(event: MediaEvent) -> None:
        conferences.media_event(event)
        viewers.media_event(event)
        for part in parts:
            for hear in part.hears:
                hear(event)

    media_server = media(_media_config(settings.media), clock, dispatch)
    conferences = Conferences(media_server, settings, clock, scheduler)
    objects = Objects(settings.objects_url, settings.objects.options)
    dev_keys, fetcher, composites = dev_keys or {}, Fetcher(settings.fetch), Composites(clock, scheduler)
    targets = make_targets(settings, clock, database, fetcher)
    core = Core(
        settings,
        clock,
        scheduler,
        database,
        media_server,
        conferences,
        objects,
        links,
        fetcher,
        Webhooks(database, fetcher, clock, teams(settings, dev_keys)),
        composites,
        make_recorder(
            settings,
            clock,
            database=database,
            media=media_server,
            conferences=conferences,
            composites=composites,
            objects=objects,
            targets=targets,
        ),
        targets,
        dev_keys,
    )
    parts = [assemble(core) for assemble in PARTS]
    admission = Admission([door for part in parts for door in part.doors])
    entrance = Entrance(conferences, admission, clock)
    viewers = Viewers(conferences, admission, composites, settings, scheduler)
    conferences.watches.extend(watch for part in parts for watch in part.watches)
    families = [family for part in parts for family in part.families] + [whip_family(), whep_family()]

    app = web.Application(middlewares=middlewares(), client_max_size=MAX_BODY)
    app[appkeys.SETTINGS] = settings
    app[appkeys.CLOCK] = clock
    app[appkeys.FAMILIES] = families
    app[appkeys.HEALTH] = appkeys.Health(clock.monotonic())
    app[appkeys.MEDIA] = media_server
    app[appkeys.MEETINGS] = conferences
    app[appkeys.PUBLISHERS] = Publishers(entrance, admission)
    app[appkeys.VIEWERS] = viewers
    app[appkeys.OBJECTS] = objects
    app[appkeys.LINKS] = links
    app[appkeys.REQUESTS] = RequestCounts()
    app[appkeys.DEV_KEYS] = dev_keys
    for part in parts:
        for key, value in part.keys.items():
            app[key] = value

    live = live_routes(
        entrance,
        clock,
        observing=next((part.observing for part in parts if part.observing), None),
        recording=[part.recording for part in parts if part.recording],
    )
    _add_routes(app, families, live)
    app.on_shutdown.append(_drain)
    app.cleanup_ctx.append(_running_store(settings, database))
    app.cleanup_ctx.extend(context for part in parts for context in part.contexts)
    app.cleanup_ctx.append(_running_media(media_server))
    app.cleanup_ctx.append(_sweeping([sweep for part in parts for sweep in part.sweeps]))
    return app


def _add_routes(app: web.Application, families: Sequence[Family], live: Sequence[web.AbstractRouteDef]) -> None:
    for family in families:
        app.add_routes([web.route(op.method, op.path, op.handler) for op in family.operations])
    app.add_routes(live)
    app.add_routes([*operations_routes(), *media_routes(), *hls_routes()])
    app.add_routes(pages_routes(static_directory()))
    app.on_response_prepare.append(finish_headers)
    app.on_response_prepare.append(harden)


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


def _sweeping(sweeps: Sequence[Sweep]) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(_sweep(sweeps))
        yield
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)

    return context


async def _sweep(sweeps: Sequence[Sweep]) -> None:
    while True:
        for sweep in sweeps:
            try:
                await sweep()
            except Exception:  # the database may be back next time
                log.exception("sweep failed")
        await asyncio.sleep(SWEEP_EVERY)


async def _drain(app: web.Application) -> None:
    app[appkeys.HEALTH].draining = True
    await app[appkeys.MEETINGS].aclose("server_shutdown")
