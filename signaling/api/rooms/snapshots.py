"""Pictures of a meeting, by its users and its team. Rooms contract, section 7."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, RootModel

from signaling.api import Operation, json_response
from signaling.api.rooms.callers import ACCESS_KEY, seat, team
from signaling.api.rooms.models import Person
from signaling.api.rooms.recordings import ListQuery, filter_of
from signaling.appkeys import SNAPSHOTS

_ID = {"snapshot_id": "From `snapshot_update` or the list"}
_TEAM = {403: "The API key is missing or unknown", 404: "There is no such picture"}


class SnapshotLinks(BaseModel):
    download: str


class Snapshot(BaseModel):
    """A picture of the composite."""

    model_config = ConfigDict(title="RoomSnapshot")

    id: str
    name: str
    links: SnapshotLinks
    creator: Person
    created_at: str
    room: dict[str, Any]


class SnapshotList(RootModel[list[Snapshot]]):
    """Newest first."""


async def take_snapshot(request: web.Request) -> web.Response:
    """201: the picture follows."""
    request.app[SNAPSHOTS].take(await seat(request))
    return web.Response(status=201)


async def fetch_snapshot_inside(request: web.Request) -> web.Response:
    found = await request.app[SNAPSHOTS].fetch_inside(await seat(request), request.match_info["snapshot_id"])
    return json_response(found)


async def fetch_snapshot(request: web.Request) -> web.Response:
    caller = team(request)
    return json_response(await request.app[SNAPSHOTS].fetch(caller.team, request.match_info["snapshot_id"]))


async def delete_snapshot(request: web.Request) -> web.Response:
    caller = team(request)
    await request.app[SNAPSHOTS].delete(caller.team, request.match_info["snapshot_id"])
    return web.Response(status=200)


async def list_snapshots(request: web.Request) -> web.Response:
    caller = team(request)
    wanted = filter_of(request)
    return json_response(await request.app[SNAPSHOTS].list(caller.team, request.match_info["room_id"], wanted))


_USER = {404: "The access key was never issued, or there is no such picture", 410: "The meeting has ended"}
OPERATIONS = (
    Operation(
        "POST",
        "/rooms/{access_key}/snapshot",
        take_snapshot,
        summary="Take a picture of the composite",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={201: None},
        errors=_USER | {406: "The meeting is not ready"},
    ),
    Operation(
        "GET",
        "/rooms/{access_key}/snapshots/{snapshot_id}",
        fetch_snapshot_inside,
        summary="Look at a picture of the meeting",
        path_parameters=ACCESS_KEY | _ID,
        public=True,
        answer=Snapshot,
        errors=_USER,
    ),
    Operation(
        "GET",
        "/snapshots/{snapshot_id}",
        fetch_snapshot,
        summary="Look at a picture",
        path_parameters=_ID,
        answer=Snapshot,
        errors=_TEAM,
    ),
    Operation(
        "DELETE",
        "/snapshots/{snapshot_id}",
        delete_snapshot,
        summary="Delete a picture",
        path_parameters=_ID,
        answers={200: None},
        errors=_TEAM,
    ),
    Operation(
        "GET",
        "/rooms/{room_id}/snapshots",
        list_snapshots,
        summary="List the pictures of a room, newest first",
        path_parameters={"room_id": "What the team calls the room, percent-encoded"},
        query=ListQuery,
        answer=SnapshotList,
        errors={
            400: "A parameter cannot be used",
            403: "The API key is missing or unknown",
            404: "There is no such room",
        },
    ),
)
