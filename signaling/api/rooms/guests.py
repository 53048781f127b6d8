"""Guests: whoever has a meeting's guest token may come in. Rooms contract, section 3."""

from aiohttp import web

from signaling.api import Operation
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.models import Meeting, NewGuest
from signaling.api.rooms.rooms import told
from signaling.appkeys import ROOMS
from signaling.services.room_records import Person


async def register_guest(request: web.Request) -> web.Response:
    wanted = await read(request, NewGuest)
    guest = Person(wanted.name, wanted.id, wanted.avatar, wanted.custom_fields.locale)
    return told(request, await request.app[ROOMS].guest(request.match_info["guest_token"], guest), 201)


OPERATIONS = (
    Operation(
        "POST",
        "/guests/{guest_token}",
        register_guest,
        summary="Come in as a guest",
        path_parameters={"guest_token": "Of a meeting or a permalink: 24 letters and digits"},
        public=True,
        body=NewGuest,
        body_types=READ,
        answers={201: Meeting},
        errors={
            400: "A parameter is missing or cannot be used",
            401: "The token was never issued",
            409: "The room is full",
            410: "The meeting has ended",
            413: "The body is over 1 MiB",
            415: "The body is neither a form nor JSON",
            423: "The meeting is locked",
        },
    ),
)
