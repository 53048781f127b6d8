"""Permalinks: rooms defined ahead of time, with lasting links for hosts and guests. Rooms contract, section 16."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.api import CALLER, Operation, json_response
from signaling.api.bodies import query
from signaling.api.rooms.bodies import READ, checked, read
from signaling.api.rooms.callers import NOBODY, read_key, team_or_unauthorized
from signaling.api.rooms.models import Meeting, NewUser, Person, Team
from signaling.api.rooms.rooms import person, told
from signaling.appkeys import PERMALINKS, ROOMS
from signaling.services import permalink_views as views
from signaling.services.errors import NotFound, Unauthorized
from signaling.services.permalinks import Changes
from signaling.services.room_options import Flag, Moment, RoomOptions, Text, Whole
from signaling.services.room_register import Opening

_ID = {"permalink_id": "Of the permalink: 24 hex digits"}
_EITHER = {"id": "A host's or a guest's token; or with an API key, the permalink's id"}
_BAD_KEY = {401: "The API key is missing or unknown"}
_UNKNOWN = {404: "There is no such permalink"}
_BODY = {
    400: "A parameter is missing or cannot be used",
    413: "The body is over 1 MiB",
    415: "The body is neither a form nor JSON",
}


class NewPermalink(BaseModel):
    name: Text = None
    user: NewUser
    options: RoomOptions = RoomOptions()
    expires_at: Moment | None = None


class ChangedPermalink(BaseModel):
    """What is left out stays as it is."""

    name: Text = None
    options: RoomOptions | None = None
    expires_at: Moment | None = None


class NewHost(BaseModel):
    user: NewUser


class PageQuery(BaseModel):
    page: Annotated[Whole, Field(ge=1, le=1_000_000)] = 1
    limit: Annotated[Whole, Field(ge=1, le=100)] = 25
    expired: Flag | None = None


class Permalink(BaseModel):
    """Rooms and people by links that last."""

    model_config = ConfigDict(title="PermalinkAnswer")

    permalink: dict[str, Any]
    room: dict[str, Any]
    team: Team
    user: Person | None = None
    options: dict[str, Any]
    links: dict[str, Any]


class Permalinks(BaseModel):
    """Newest first."""

    page: int
    limit: int
    total: int
    items: list[Permalink]


async def create_permalink(request: web.Request) -> web.Response:
    caller = team_or_unauthorized(request)
    wanted = await read(request, NewPermalink)
    opening = Opening(wanted.options, wanted.name)
    made = await request.app[PERMALINKS].create(caller.team, opening, person(wanted.user), wanted.expires_at)
    return json_response(views.permalink(request.app[ROOMS].place, made), 201)


async def list_permalinks(request: web.Request) -> web.Response:
    caller = team_or_unauthorized(request)
    wanted = checked(PageQuery, query(request))
    found = await request.app[PERMALINKS].list(caller.team, wanted.page, wanted.limit, wanted.expired)
    items = [views.permalink(request.app[ROOMS].place, each) for each in found.items]
    return json_response({"page": wanted.page, "limit": wanted.limit, "total": found.total, "items": items})


async def fetch_permalink(request: web.Request) -> web.Response:
    """By its id for its team; by a token for whoever has one, who learns no more than that token is for."""
    permalinks, place, wanted = request.app[PERMALINKS], request.app[ROOMS].place, request.match_info["id"]
    caller = request[CALLER]
    if caller is not NOBODY:
        return json_response(views.permalink(place, await permalinks.fetch(caller.team, wanted)))
    try:
        found, hosts = await permalinks.by_token(wanted)
    except NotFound:
        if read_key(request):
            raise Unauthorized from None
        raise
    return json_response(views.link(place, found, wanted, hosts=hosts))


async def enter_permalink(request: web.Request) -> web.Response:
    """201: the meeting has begun, or the host is registered in the running one."""
    return told(request, await request.app[PERMALINKS].enter(request.match_info["id"]), 201)


async def change_permalink(request: web.Request) -> web.Response:
    """200; counts from the next meeting on."""
    caller = team_or_unauthorized(request)
    wanted = await read(request, ChangedPermalink)
    changes = Changes(wanted.name, wanted.options, wanted.expires_at)
    changed = await request.app[PERMALINKS].change(caller.team, request.match_info["permalink_id"], changes)
    return json_response(views.permalink(request.app[ROOMS].place, changed))


async def delete_permalink(request: web.Request) -> web.Response:
    caller = team_or_unauthorized(request)
    await request.app[PERMALINKS].delete(caller.team, request.match_info["permalink_id"])
    return web.Response(status=200)


async def add_host(request: web.Request) -> web.Response:
    caller = team_or_unauthorized(request)
    wanted = await read(request, NewHost)
    permalink_id = request.match_info["permalink_id"]
    added = await request.app[PERMALINKS].add_host(caller.team, permalink_id, person(wanted.user))
    return json_response(views.permalink(request.app[ROOMS].place, added), 201)


async def remove_host(request: web.Request) -> web.Response:
    caller = team_or_unauthorized(request)
    where = request.match_info
    await request.app[PERMALINKS].remove_host(caller.team, where["permalink_id"], where["user_token"])
    return web.Response(status=200)


OPERATIONS = (
    Operation(
        "POST",
        "/permalink",
        create_permalink,
        summary="Define a room with lasting links",
        body=NewPermalink,
        body_types=READ,
        answers={201: Permalink},
        errors=_BAD_KEY | _BODY,
    ),
    Operation(
        "GET",
        "/permalink",
        list_permalinks,
        summary="List permalinks, newest first",
        query=PageQuery,
        answer=Permalinks,
        errors={400: "A parameter cannot be used"} | _BAD_KEY,
    ),
    Operation(
        "GET",
        "/permalink/{id}",
        fetch_permalink,
        summary="Look at a permalink",
        path_parameters=_EITHER,
        answer=Permalink,
        errors=_BAD_KEY | _UNKNOWN,
    ),
    Operation(
        "POST",
        "/permalink/{id}",
        enter_permalink,
        summary="Begin or join the meeting as a host",
        path_parameters={"id": "A host's token"},
        public=True,
        answers={201: Meeting},
        errors={
            404: "The token was never issued, or is dead",
            409: "The room is full",
            410: "The link has expired",
            423: "The meeting is locked",
        },
    ),
    Operation(
        "PUT",
        "/permalink/{permalink_id}",
        change_permalink,
        summary="Change a permalink, from the next meeting on",
        path_parameters=_ID,
        body=ChangedPermalink,
        body_types=READ,
        answer=Permalink,
        errors=_BAD_KEY | _BODY | _UNKNOWN,
    ),
    Operation(
        "DELETE",
        "/permalink/{permalink_id}",
        delete_permalink,
        summary="Delete a permalink; a running meeting goes on",
        path_parameters=_ID,
        answers={200: None},
        errors=_BAD_KEY | _UNKNOWN,
    ),
    Operation(
        "POST",
        "/permalink/{permalink_id}/users",
        add_host,
        summary="Add a host, with a token of their own",
        path_parameters=_ID,
        body=NewHost,
        body_types=READ,
        answers={201: Permalink},
        errors=_BAD_KEY | _BODY | _UNKNOWN,
    ),
    Operation(
        "DELETE",
        "/permalink/{permalink_id}/users/{user_token}",
        remove_host,
        summary="Remove a host",
        path_parameters={**_ID, "user_token": "The host's"},
        answers={200: None},
        errors=_BAD_KEY | {404: "There is no such permalink, or no such host"},
    ),
)
