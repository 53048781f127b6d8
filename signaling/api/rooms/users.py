"""Who is registered in a meeting, and sending somebody away. Rooms contract, section 3."""

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, json_response
from signaling.api.bodies import query
from signaling.api.rooms.bodies import checked
from signaling.api.rooms.callers import ACCESS_KEY, seat, team
from signaling.api.rooms.models import ListedUsers, Person
from signaling.appkeys import ROOMS
from signaling.services import room_views as views
from signaling.services.room_options import Flag

_USER = {**ACCESS_KEY, "user_id": "Of somebody in the same meeting"}


class UsersQuery(BaseModel):
    online: Flag | None = None


async def fetch_user(request: web.Request) -> web.Response:
    found = await request.app[ROOMS].user(await seat(request), request.match_info["user_id"])
    return json_response(views.person(found))


async def kick_user(request: web.Request) -> web.Response:
    """200; they may come back, unless the meeting is locked."""
    await request.app[ROOMS].kick(await seat(request), request.match_info["user_id"])
    return web.Response(status=200)


async def list_users(request: web.Request) -> web.Response:
    caller = team(request)
    wanted = checked(UsersQuery, query(request))
    meeting, users = await request.app[ROOMS].users(caller.team, request.match_info["room_id"])
    return json_response(
        [
            views.listed_user(meeting, each.user, online=each.online)
            for each in users
            if wanted.online in (None, each.online)
        ]
    )


OPERATIONS = (
    Operation(
        "GET",
        "/rooms/{access_key}/users/{user_id}",
        fetch_user,
        summary="Look at a user of the meeting",
        path_parameters=_USER,
        public=True,
        answer=Person,
        errors={
            404: "The access key was never issued, or there is no such user in the meeting",
            410: "The meeting has ended",
        },
    ),
    Operation(
        "DELETE",
        "/rooms/{access_key}/users/{user_id}",
        kick_user,
        summary="Send a user away",
        path_parameters=_USER,
        public=True,
        answers={200: None},
        errors={
            403: "Sending others away is not available, or not to guests",
            404: "The access key was never issued, or there is no such user in the meeting",
            410: "The meeting has ended",
        },
    ),
    Operation(
        "GET",
        "/rooms/{room_id}/users",
        list_users,
        summary="List the users of a room's running, or else latest, meeting",
        path_parameters={"room_id": "What the team calls the room, percent-encoded"},
        query=UsersQuery,
        answer=ListedUsers,
        errors={
            400: "A parameter cannot be used",
            403: "The API key is missing or unknown",
            404: "There is no such room",
        },
    ),
)
