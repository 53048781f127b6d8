"""The sessions family: scheduled meetings, tokens by role, attendee lists, archives."""

from collections.abc import AsyncIterator

from aiohttp import web

from signaling import dev_keys
from signaling.api.sessions import sessions_family
from signaling.appkeys import ARCHIVES, ATTENDEES, SESSIONS, STORAGE_TARGETS
from signaling.assembly import Core, Parts
from signaling.assembly.recording import recordings_of
from signaling.services.archives import FAMILY, Archives
from signaling.services.attendees import Attendees
from signaling.services.in_order import InOrder
from signaling.services.session_door import SessionDoor
from signaling.services.sessions import Sessions
from signaling.settings import Jwt


def sessions(core: Core) -> Parts:
    conferences = core.conferences
    service = Sessions(
        core.database, core.settings, core.clock, on_ended=lambda session_id: conferences.end(session_id, "ended")
    )
    attendees = Attendees(core.database, core.clock, InOrder())
    archives = _archives(core)
    core.recorder.enter(archives)

    async def settled(_: web.Application) -> AsyncIterator[None]:
        yield
        await attendees.entered()
        await archives.settled()

    return Parts(
        families=[sessions_family(_jwt(core))],
        doors=[SessionDoor(service, core.settings)],
        recording=archives,
        watches=[attendees, archives],
        keys={SESSIONS: service, ATTENDEES: attendees, ARCHIVES: archives, STORAGE_TARGETS: core.storage_targets},
        contexts=[settled],
    )


def _archives(core: Core) -> Archives:
    return Archives(
        core.recorder,
        recordings_of(core, FAMILY),
        core.scheduler,
        InOrder(),
        base_url=core.settings.base_url,
        idle=core.settings.archives.idle_seconds,
    )


def _jwt(core: Core) -> Jwt:
    """Whose tokens are taken: on a development server without any, those signed with its own key."""
    configured = core.settings.jwt
    if "sessions" in core.dev_keys and not configured.secret:
        return Jwt(secret=core.dev_keys["sessions"], issuer=dev_keys.ISSUER)
    return configured
