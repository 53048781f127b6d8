"""Rooms and the meetings in them: begun, joined, looked at, locked, ended. Rooms contract, sections 2 and 4."""

from aiohttp import web

from signaling import tokens
from signaling.api import CALLER, Operation, json_response
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.callers import ACCESS_KEY, NOBODY, read_key, seat, team
from signaling.api.rooms.models import Meeting, MeetingOrRoom, NewMeeting, NewUser, RunningRooms
from signaling.appkeys import CLOCK, ROOMS, SETTINGS
from signaling.services import room_views as views
from signaling.services.errors import Forbidden, NotFound, Refused
from signaling.services.ice_servers import ice_servers
from signaling.services.room_records import Person, Seat
from signaling.services.room_register import Opening

ROOM_ID = {"room_id": "What the team calls the room, percent-encoded"}
_EITHER = {"id": "An access key; or with an API key, what the team calls the room"}


def person(user: NewUser) -> Person:
    return Person(name=user.name, id=user.id, avatar=user.avatar)


def told(request: web.Request, seat: Seat, status: int = 200) -> web.Response:
    """The meeting as the bearer of this access key sees it."""
    servers = ice_servers(request.app[SETTINGS], seat.user.id, request.app[CLOCK].wall())
    return json_response(request.app[ROOMS].everything(seat, servers), status)


async def start_meeting(request: web.Request) -> web.Response:
    """201: a meeting has begun, or the user is registered in the running one."""
    caller = team(request)
    wanted = await read(request, NewMeeting)
    opening = Opening(wanted.options, wanted.name)
    return told(request, await request.app[ROOMS].enter(caller.team, wanted.id, person(wanted.user), opening), 201)


async def list_rooms(request: web.Request) -> web.Response:
    caller = team(request)
    running = await request.app[ROOMS].running_rooms(caller.team)
    return json_response([views.listed_room(meeting, ready=True) for meeting in running])


async def fetch_meeting(request: web.Request) -> web.Response:
    """By access key; a team's key makes it a room's id."""
    rooms, wanted, caller = request.app[ROOMS], request.match_info["id"], request[CALLER]
    if caller is not NOBODY:
        return json_response(views.listed_room(await rooms.running_room(caller.team, wanted), ready=True))
    try:
        return told(request, await rooms.seat(wanted))
    except NotFound:
        _check_is_access_key(request, wanted)
        raise


async def end_meeting(request: web.Request) -> web.Response:
    """204: it is over for all. A team may, and a user who is no guest."""
    rooms, wanted, caller = request.app[ROOMS], request.match_info["id"], request[CALLER]
    if caller is not NOBODY:
        await rooms.end(await rooms.running_room(caller.team, wanted))
        return web.Response(status=204)
    try:
        found = await rooms.seat(wanted)
    except NotFound:
        _check_is_access_key(request, wanted)
        raise
    if found.user.guest:
        raise Forbidden("Guests cannot end a meeting.")
    await rooms.end(found.meeting)
    return web.Response(status=204)


async def lock_meeting(request: web.Request) -> web.Response:
    await request.app[ROOMS].lock(await seat(request))
    return web.Response(status=201)


def _check_is_access_key(request: web.Request, wanted: str) -> None:
    """Raises Refused for what is none by its looks: an API key is missing, whether such a room exists or not."""
    if read_key(request) or not tokens.looks_like_key(wanted):
        raise Refused


OPERATIONS = (
    Operation(
        "POST",
        "/rooms",
        start_meeting,
        summary="Begin a meeting in a room, or join the one that runs there",
        body=NewMeeting,
        body_types=READ,
        answers={201: Meeting},
        errors={
            400: "A parameter is missing or cannot be used",
            403: "The API key is missing or unknown",
            409: "The room is full",
            413: "The body is over 1 MiB",
            415: "The body is neither a form nor JSON",
            423: "The meeting is locked",
        },
    ),
    Operation(
        "GET",
        "/rooms",
        list_rooms,
        summary="List running rooms",
        answer=RunningRooms,
        errors={403: "The API key is missing or unknown"},
    ),
    Operation(
        "GET",
        "/rooms/{id}",
        fetch_meeting,
        summary="Look at a meeting by access key, or at a running room",
        path_parameters=_EITHER,
        answer=MeetingOrRoom,
        errors={
            403: "The API key is missing or unknown",
            404: "The access key was never issued, or no such room is running",
            410: "The meeting has ended",
        },
    ),
    Operation(
        "DELETE",
        "/rooms/{id}",
        end_meeting,
        summary="End a meeting for all",
        path_parameters=_EITHER,
        answers={204: None},
        errors={
            403: "The API key is missing or unknown, or the access key is a guest's",
            404: "The access key was never issued, or no such room is running",
            410: "The meeting has ended",
        },
    ),
    Operation(
        "POST",
        "/rooms/{access_key}/lock",
        lock_meeting,
        summary="Lock a meeting for good",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={201: None},
        errors={
            403: "Locking is not available, or not to guests",
            404: "The access key was never issued",
            410: "The meeting has ended",
        },
    ),
)
