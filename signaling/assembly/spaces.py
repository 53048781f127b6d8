"""The spaces family: organisations' users, spaces, rooms, roles, invites and access tokens."""

from collections.abc import AsyncIterator

from aiohttp import web

from signaling import dev_keys
from signaling.api.spaces import spaces_family
from signaling.appkeys import (
    SPACES,
    SPACES_ACCESSES,
    SPACES_ACCOUNTS,
    SPACES_ANALYTICS,
    SPACES_DOOR,
    SPACES_INVITATIONS,
    SPACES_INVITES,
    SPACES_RECORDS,
    SPACES_ROLES,
    SPACES_WEBHOOKS,
)
from signaling.assembly import Core, Parts
from signaling.services.in_order import InOrder
from signaling.services.recording import KIND, Library
from signaling.services.spaces.access import Accesses
from signaling.services.spaces.accounts import Accounts
from signaling.services.spaces.analytics import Analytics
from signaling.services.spaces.calls import Calls
from signaling.services.spaces.door import FAMILY, RunningCalls, SpacesDoor
from signaling.services.spaces.hooks import SpaceWebhooks
from signaling.services.spaces.invitations import Invitations
from signaling.services.spaces.invites import Invites
from signaling.services.spaces.records import LINK_LIFE, Records
from signaling.services.spaces.roles import Roles
from signaling.services.spaces.spaces import SpacesService
from signaling.settings import Spaces, SpacesClient


def spaces(core: Core) -> Parts:
    settings = _settings(core)
    accounts = Accounts(core.database, settings, core.clock)
    service = SpacesService(core.database, core.clock, RunningCalls(core.conferences))
    accesses = Accesses(core.database, service)
    roles = Roles(core.database, service)
    door = SpacesDoor(core.database, accounts, accesses, core.conferences, clock=core.clock)
    hooks = SpaceWebhooks(core.database, service, core.webhooks)
    records = Records(core.recorder, _library(core), service, hooks)
    core.recorder.enter(records)
    calls = Calls(core.database, hooks, core.clock, core.scheduler, InOrder())

    async def running(_: web.Application) -> AsyncIterator[None]:
        await accounts.start()
        await calls.start_up()
        yield
        await calls.aclose()
        accounts.close()

    return Parts(
        families=[spaces_family(configured=bool(settings.clients))],
        doors=[door],
        recording=records,
        keys={
            SPACES: service,
            SPACES_ACCOUNTS: accounts,
            SPACES_ACCESSES: accesses,
            SPACES_DOOR: door,
            SPACES_INVITATIONS: Invitations(core.database, accounts, service),
            SPACES_ROLES: roles,
            SPACES_INVITES: Invites(core.database, service, roles),
            SPACES_RECORDS: records,
            SPACES_WEBHOOKS: hooks,
            SPACES_ANALYTICS: Analytics(core.database, service, calls),
        },
        contexts=[running],
        sweeps=[accounts.sweep, hooks.sweep],
        watches=[calls],
    )


def _library(core: Core) -> Library:
    return Library(
        core.database,
        core.objects,
        core.links,
        core.clock,
        family=FAMILY,
        kind=KIND,
        ending="webm",
        retention_days=core.settings.recordings.retention_days,
        link_life=LINK_LIFE,
    )


def _settings(core: Core) -> Spaces:
    """With a client of its own on a development server; its secret is the key."""
    configured = core.settings.spaces
    if "spaces" not in core.dev_keys:
        return configured
    client = SpacesClient(client_id=dev_keys.CLIENT, client_secret=core.dev_keys["spaces"])
    return configured.model_copy(update={"clients": (client, *configured.clients)})
