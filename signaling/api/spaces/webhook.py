"""The webhook of a space. Spaces contract, section 8."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object, text
from signaling.api.spaces import user
from signaling.api.spaces.spaces import BODY, HIDDEN, SPACE
from signaling.api.spaces.spaces import PATH as SPACE_PATH
from signaling.appkeys import SPACES_WEBHOOKS

PATH = f"{SPACE_PATH}/webhook"
MAX_URL = 2048  # characters

Url = text(MAX_URL)


class NewSpaceWebhook(BaseModel):
    """It replaces the one that the space has had; what that one had still to tell goes to the new URL."""

    url: Annotated[Url, Field(description="http or https")]  # type: ignore[valid-type]


class ChangedSpaceWebhook(BaseModel):
    url: Url  # type: ignore[valid-type]
    isActive: StrictBool


class SpaceWebhook(BaseModel):
    url: str
    isActive: bool


class SpaceWebhookSecret(BaseModel):
    """The secret is shown only here."""

    model_config = ConfigDict(title="SpaceWebhookWithSecret")

    url: str
    secret: str
    isActive: bool


async def create_space_webhook(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewSpaceWebhook, await json_object(request))
    made, secret = await request.app[SPACES_WEBHOOKS].register(caller, _space(request), wanted.url)
    return answer(SpaceWebhookSecret(url=made.url, secret=secret, isActive=made.active), status=201)


async def fetch_space_webhook(request: web.Request) -> web.Response:
    found = await request.app[SPACES_WEBHOOKS].fetch(user(request), _space(request))
    return answer(SpaceWebhook(url=found.url, isActive=found.active))


async def change_space_webhook(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(ChangedSpaceWebhook, await json_object(request))
    changed = await request.app[SPACES_WEBHOOKS].change(caller, _space(request), url=wanted.url, active=wanted.isActive)
    return answer(SpaceWebhook(url=changed.url, isActive=changed.active))


async def refresh_space_webhook_secret(request: web.Request) -> web.Response:
    found, secret = await request.app[SPACES_WEBHOOKS].refresh_secret(user(request), _space(request))
    return answer(SpaceWebhookSecret(url=found.url, secret=secret, isActive=found.active))


async def delete_space_webhook(request: web.Request) -> web.Response:
    await request.app[SPACES_WEBHOOKS].delete(user(request), _space(request))
    return web.Response(status=204)


def _space(request: web.Request) -> str:
    return request.match_info["spaceId"]


_NONE = {404: "There is no such space, the caller does not see it, or it has no webhook"}
WEBHOOK_OPERATIONS = (
    Operation(
        "POST",
        PATH,
        create_space_webhook,
        summary="Be told of calls and records in the space's rooms; in place of who was told before",
        path_parameters=SPACE,
        body=NewSpaceWebhook,
        answers={201: SpaceWebhookSecret},
        errors={**BODY, **HIDDEN},
    ),
    Operation(
        "GET",
        PATH,
        fetch_space_webhook,
        summary="Look at the space's webhook",
        path_parameters=SPACE,
        answer=SpaceWebhook,
        errors=_NONE,
    ),
    Operation(
        "PUT",
        PATH,
        change_space_webhook,
        summary="Change where it leads, or switch it off and on",
        path_parameters=SPACE,
        body=ChangedSpaceWebhook,
        answer=SpaceWebhook,
        errors={**BODY, **_NONE},
    ),
    Operation(
        "PUT",
        f"{PATH}/refresh-secret",
        refresh_space_webhook_secret,
        summary="Get a new secret; the old one is not used any more",
        path_parameters=SPACE,
        answer=SpaceWebhookSecret,
        errors=_NONE,
    ),
    Operation(
        "DELETE",
        PATH,
        delete_space_webhook,
        summary="Be told no more",
        path_parameters=SPACE,
        answers={204: None},
        errors=_NONE,
    ),
)
