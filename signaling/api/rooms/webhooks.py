"""A team's webhook, and the log of what it told. Rooms contract, section 15."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, WithJsonSchema

from signaling.api import Operation, json_response
from signaling.api.bodies import integer, query
from signaling.api.rooms.bodies import READ, checked, read
from signaling.api.rooms.callers import team
from signaling.appkeys import WEBHOOKS
from signaling.services.events import iso
from signaling.services.webhooks import MAX_PAGE, Delivery, Webhook
from signaling.webhooks.payloads import ROOM_KINDS, ROOMS
from signaling.webhooks.schedule import State

MAX_URL = 2048  # characters
_WEBHOOK_ID = {"id": "Of the webhook"}


def _split(value: Any) -> Any:
    """A list, or its items with commas between them."""
    items = value.split(",") if isinstance(value, str) else value
    return [each.strip() if isinstance(each, str) else each for each in items] if isinstance(items, list) else items


_TYPES_SCHEMA = {
    "anyOf": [
        {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(ROOM_KINDS)}},
        {"type": "string", "description": "The same with commas between them"},
    ]
}


class NewWebhook(BaseModel):
    """It replaces the one that this key has had; what that one had still to tell goes to the new URL."""

    model_config = ConfigDict(title="NewWebhook")

    url: Annotated[str, Field(strict=True, max_length=MAX_URL, description="http or https")]
    types: Annotated[list[str], BeforeValidator(_split), WithJsonSchema(_TYPES_SCHEMA)]


class WebhookAnswer(BaseModel):
    model_config = ConfigDict(title="Webhook")

    id: str
    url: str
    types: list[str]
    last_request_sent_at: str | None
    last_response_code: Annotated[str | None, Field(description="null if nobody answered")]


class NoneOrWebhook(RootModel[WebhookAnswer | None]):
    """null if this key has none."""

    model_config = ConfigDict(title="WebhookOrNull")


class DeliveryQuery(BaseModel):
    page: integer(1, MAX_PAGE) = 1  # type: ignore[valid-type]
    state: Literal["pending", "done", "failed"] | None = None


class DeliveryAnswer(BaseModel):
    """One event; its id is what the receiver gets as X-Webhook-Id."""

    model_config = ConfigDict(title="WebhookDelivery")

    id: str
    type: str
    state: Literal["pending", "done", "failed"]
    created_at: str
    attempts: int
    next_attempt_at: Annotated[str | None, Field(description="Of what is pending")]
    last_request_sent_at: str | None
    last_response_code: str | None
    error: Annotated[str | None, Field(description="Why nobody answered")]


class Replayed(BaseModel):
    model_config = ConfigDict(title="WebhookReplayed")

    replayed: int


class DeliveryPage(RootModel[list[DeliveryAnswer]]):
    """The newest first."""

    model_config = ConfigDict(title="WebhookDeliveries")


async def register_webhook(request: web.Request) -> web.Response:
    caller = team(request)
    wanted = await read(request, NewWebhook)
    webhook = await request.app[WEBHOOKS].register(
        ROOMS, caller.team, caller.key, url=wanted.url, kinds=[each for each in wanted.types if each]
    )
    return json_response(_webhook(webhook), 201)


async def fetch_webhook(request: web.Request) -> web.Response:
    webhook = await request.app[WEBHOOKS].get(ROOMS, team(request).key)
    return json_response(None if webhook is None else _webhook(webhook))


async def delete_webhook(request: web.Request) -> web.Response:
    """204; what it had still to tell is dropped, and so is its log."""
    await request.app[WEBHOOKS].delete(ROOMS, team(request).key, request.match_info["id"])
    return web.Response(status=204)


async def replay_webhook(request: web.Request) -> web.Response:
    count = await request.app[WEBHOOKS].replay_all(ROOMS, team(request).key, request.match_info["id"])
    return json_response({"replayed": count})


async def list_webhook_deliveries(request: web.Request) -> web.Response:
    key, wanted = team(request).key, checked(DeliveryQuery, query(request))
    state = None if wanted.state is None else State(wanted.state)
    found = await request.app[WEBHOOKS].deliveries(ROOMS, key, request.match_info["id"], state=state, page=wanted.page)
    return json_response([_delivery(each) for each in found])


async def replay_webhook_delivery(request: web.Request) -> web.Response:
    ids = request.match_info["id"], request.match_info["delivery_id"]
    return json_response(_delivery(await request.app[WEBHOOKS].replay(ROOMS, team(request).key, *ids)))


def _webhook(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "types": list(webhook.kinds),
        "last_request_sent_at": _time(webhook.sent_at),
        "last_response_code": _code(webhook.code),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "type": delivery.kind,
        "state": delivery.state,
        "created_at": iso(delivery.created_at),
        "attempts": delivery.attempts,
        "next_attempt_at": _time(delivery.next_at),
        "last_request_sent_at": _time(delivery.sent_at),
        "last_response_code": _code(delivery.code),
        "error": delivery.error,
    }


def _time(wall: float | None) -> str | None:
    return None if wall is None else iso(wall)


def _code(code: int | None) -> str | None:
    return None if code is None else str(code)


_FORBIDDEN = "The API key is missing or unknown"
_UNKNOWN = "This key has no such webhook"
OPERATIONS = (
    Operation(
        "POST",
        "/webhooks",
        register_webhook,
        summary="Be told of what happens in the team's rooms",
        body=NewWebhook,
        body_types=READ,
        answers={201: WebhookAnswer},
        errors={
            400: "A parameter is missing, a type is unknown, or the URL may not be used",
            403: _FORBIDDEN,
            413: "The body is over 1 MiB",
            415: "The body is neither a form nor JSON",
        },
    ),
    Operation(
        "GET",
        "/webhooks",
        fetch_webhook,
        summary="Look at this key's webhook",
        answer=NoneOrWebhook,
        errors={403: _FORBIDDEN},
    ),
    Operation(
        "DELETE",
        "/webhooks/{id}",
        delete_webhook,
        summary="Be told no more",
        path_parameters=_WEBHOOK_ID,
        answers={204: None},
        errors={403: _FORBIDDEN, 404: _UNKNOWN},
    ),
    Operation(
        "POST",
        "/webhooks/{id}/replay",
        replay_webhook,
        summary="Tell once more all that was given up, the oldest first",
        path_parameters=_WEBHOOK_ID,
        answer=Replayed,
        errors={403: _FORBIDDEN, 404: _UNKNOWN},
    ),
    Operation(
        "GET",
        "/webhooks/{id}/deliveries",
        list_webhook_deliveries,
        summary="Look at what it told, and what it has still to tell",
        path_parameters=_WEBHOOK_ID,
        query=DeliveryQuery,
        answer=DeliveryPage,
        errors={400: "A parameter cannot be used", 403: _FORBIDDEN, 404: _UNKNOWN},
    ),
    Operation(
        "POST",
        "/webhooks/{id}/deliveries/{delivery_id}/replay",
        replay_webhook_delivery,
        summary="Tell once more what was given up",
        path_parameters={**_WEBHOOK_ID, "delivery_id": "Of the delivery: a UUID"},
        answer=DeliveryAnswer,
        errors={
            403: _FORBIDDEN,
            404: "This key has no such webhook, or that has no such delivery",
            409: "The delivery has not failed",
        },
    ),
)
