"""The attendee list, and the webhook that feeds it from outside. Sessions contract, sections 7 and 8."""

import hmac
import json

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation
from signaling.api.bodies import json_object
from signaling.api.sessions import CLAIMS, WEBHOOK, permitted
from signaling.api.sessions.bodies import Attendee, WebhookBody, read, rendered_attendee
from signaling.api.sessions.errors import WebhookFailed
from signaling.appkeys import ATTENDEES, SETTINGS
from signaling.services.errors import Refused
from signaling.services.session_rules import Happening

SIGNATURE = "X-Webhook-Signature"


class AttendeeQuery(BaseModel):
    active: str = ""


async def list_attendees(request: web.Request) -> web.Response:
    link, active = request.match_info["meetingLinkId"], request.query.get("active") == "true"
    found = await request.app[ATTENDEES].list(request[CLAIMS], link, active=active)
    text = json.dumps([rendered_attendee(record) for record in found])
    return web.Response(text=text, content_type="application/json")


async def session_webhook(request: web.Request) -> web.Response:
    values = await json_object(request)
    _check_signature(request, await request.read())
    said = read(WebhookBody, values)
    if said.connection is None:
        raise WebhookFailed("connection is missing")
    happening = Happening(said.sessionId, said.event, said.reason, said.connection.data or "", values)
    await request.app[ATTENDEES].happened(happening)
    return web.Response(status=204)


def _check_signature(request: web.Request, body: bytes) -> None:
    secret = request.app[SETTINGS].sessions.webhook_secret
    if not secret:
        return
    sent = request.headers.get(SIGNATURE, "")
    expected = hmac.digest(secret.encode(), body, "sha256").hex()
    if not hmac.compare_digest(sent.lower().encode("utf-8", "surrogatepass"), expected.encode()):
        raise Refused(sent, "The signature is missing or wrong.")


ATTENDEE_OPERATIONS = (
    Operation(
        "GET",
        "/session/{meetingLinkId}/attendees",
        permitted("GetMeetingAttendees", list_attendees),
        summary="List who is or was there, by id; with active=true only who is",
        path_parameters={"meetingLinkId": "The session's meeting link"},
        query=AttendeeQuery,
        answer=Attendee,
        many=True,
        errors={404: "There is no such session"},
    ),
    Operation(
        "POST",
        WEBHOOK,
        session_webhook,
        summary="Tell of somebody who has come to, or left, a session elsewhere",
        body=WebhookBody,
        answers={204: None},
        public=True,
        errors={
            400: "The body is no JSON object",
            413: "The body is over 1 MiB",
            422: "A field is of the wrong type",
            500: "It is said of no connection",
        },
    ),
)
