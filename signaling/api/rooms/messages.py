"""Messages to everybody in a meeting. Rooms contract, section 5."""

from aiohttp import web

from signaling.api import Operation
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.api.rooms.models import NewMessage
from signaling.appkeys import ROOMS


async def send_message(request: web.Request) -> web.Response:
    found = await seat(request)
    message = await read(request, NewMessage)
    request.app[ROOMS].say(found, message.type, message.content)
    return web.Response(status=201)


OPERATIONS = (
    Operation(
        "POST",
        "/rooms/{access_key}/messages",
        send_message,
        summary="Tell everybody something",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewMessage,
        body_types=READ,
        answers={201: None},
        errors={
            400: "Type or content is missing or cannot be used",
            404: "The access key was never issued",
            410: "The meeting has ended",
            413: "The body is over 1 MiB",
            415: "The body is neither a form nor JSON",
        },
    ),
)
