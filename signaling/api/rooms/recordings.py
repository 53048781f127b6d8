"""Recordings of a meeting, by its users, and of a room, by its team. Rooms contract, section 6."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.json_schema import SkipJsonSchema

from signaling.api import Operation, json_response
from signaling.api.bodies import query
from signaling.api.rooms.bodies import checked
from signaling.api.rooms.callers import ACCESS_KEY, seat, team
from signaling.api.rooms.models import Person
from signaling.appkeys import RECORDINGS
from signaling.services.recordings import Filter
from signaling.services.room_options import Moment, Whole

_ID = {"recording_id": "From `recording_update` or the list"}
_TEAM = {403: "The API key is missing or unknown", 404: "There is no such recording"}


class ListQuery(BaseModel):
    page: Annotated[Whole, Field(ge=1, le=1_000_000)] = 1
    started_at: Moment | None = None
    since: Moment | None = None
    until: Moment | None = None


class RecordingLinks(BaseModel):
    self: str
    download: str | None


class Recording(BaseModel):
    """It runs (no duration), has been stopped (no download), or is finished."""

    model_config = ConfigDict(title="RoomRecording")

    id: str
    created_at: Annotated[int, Field(description="Unix seconds")]
    duration: Annotated[int | None, Field(description="Seconds")]
    links: RecordingLinks
    user: Person
    room: dict[str, Any]
    failed: bool | SkipJsonSchema[None] = None


class RecordingList(RootModel[list[Recording]]):
    """Newest first."""


async def start_recording(request: web.Request) -> web.Response:
    await request.app[RECORDINGS].start(await seat(request))
    return web.Response(status=201)


async def stop_recording(request: web.Request) -> web.Response:
    await request.app[RECORDINGS].stop(await seat(request))
    return web.Response(status=200)


async def fetch_recording(request: web.Request) -> web.Response:
    caller = team(request)
    return json_response(await request.app[RECORDINGS].fetch(caller.team, request.match_info["recording_id"]))


async def delete_recording(request: web.Request) -> web.Response:
    caller = team(request)
    await request.app[RECORDINGS].delete(caller.team, request.match_info["recording_id"])
    return web.Response(status=200)


async def list_recordings(request: web.Request) -> web.Response:
    caller = team(request)
    wanted = filter_of(request)
    return json_response(await request.app[RECORDINGS].list(caller.team, request.match_info["room_id"], wanted))


def filter_of(request: web.Request) -> Filter:
    wanted = checked(ListQuery, query(request))
    return Filter(wanted.page, wanted.started_at, wanted.since, wanted.until)


_USER = {404: "The access key was never issued", 410: "The meeting has ended"}
OPERATIONS = (
    Operation(
        "POST",
        "/rooms/{access_key}/recording",
        start_recording,
        summary="Begin a recording of the composite",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={201: None},
        errors=_USER | {405: "Recording is switched off", 406: "It cannot begin now: one is running"},
    ),
    Operation(
        "DELETE",
        "/rooms/{access_key}/recording",
        stop_recording,
        summary="Stop the recording",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={200: None},
        errors=_USER | {404: "The access key was never issued, or no recording is running"},
    ),
    Operation(
        "GET",
        "/recordings/{recording_id}",
        fetch_recording,
        summary="Look at a recording",
        path_parameters=_ID,
        answer=Recording,
        errors=_TEAM,
    ),
    Operation(
        "DELETE",
        "/recordings/{recording_id}",
        delete_recording,
        summary="Delete a recording; one that is running is stopped and discarded",
        path_parameters=_ID,
        answers={200: None},
        errors=_TEAM,
    ),
    Operation(
        "GET",
        "/rooms/{room_id}/recordings",
        list_recordings,
        summary="List the recordings of a room, newest first",
        path_parameters={"room_id": "What the team calls the room, percent-encoded"},
        query=ListQuery,
        answer=RecordingList,
        errors={
            400: "A parameter cannot be used",
            403: "The API key is missing or unknown",
            404: "There is no such room",
        },
    ),
)
