"""Pushing a live stream of a meeting to a WHIP server. Rooms contract, section 14."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from signaling.api import Operation
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.callers import team_or_unauthorized
from signaling.appkeys import FORWARDS, ROOMS
from signaling.services.errors import Missing, NotFound
from signaling.services.forwards import Kind, Wanted, read_media
from signaling.services.meeting import Meeting
from signaling.services.room_options import MAX_URL, Address, Text

_ROOM = {"room_id": "What the team calls the room, percent-encoded"}
_MEDIA = {
    "anyOf": [
        {"type": "string", "enum": ["audio", "video", "audio,video"]},
        {"type": "array", "minItems": 1, "items": {"type": "string", "enum": ["audio", "video"]}},
    ]
}


class _NewForward(BaseModel):
    forward_id: Annotated[Text, Field(description="Chosen by the team; required")] = None
    type: Annotated[Any, WithJsonSchema(_MEDIA)] = None
    url: Annotated[Address, Field(description="Of a WHIP endpoint; required")] = None
    token: Annotated[str | None, Field(strict=True, max_length=MAX_URL, pattern=r"^[!-~]*$")] = None


class NewSourceForward(_NewForward):
    """What one user publishes, as it comes."""

    model_config = ConfigDict(title="NewSourceForward")

    user_id: Text = None


class NewMcuForward(_NewForward):
    """The composite."""

    model_config = ConfigDict(title="NewMcuForward")


class NewPlaybackForward(_NewForward):
    """What is played."""

    model_config = ConfigDict(title="NewPlaybackForward")

    play_id: Text = None


async def forward_source(request: web.Request) -> web.Response:
    meeting = await _meeting(request)
    given = await read(request, NewSourceForward)
    return await _start(request, meeting, given, "source", _needed("user_id", given.user_id))


async def forward_mcu(request: web.Request) -> web.Response:
    meeting = await _meeting(request)
    return await _start(request, meeting, await read(request, NewMcuForward), "mcu")


async def forward_playback(request: web.Request) -> web.Response:
    meeting = await _meeting(request)
    given = await read(request, NewPlaybackForward)
    return await _start(request, meeting, given, "playback", _needed("play_id", given.play_id))


async def stop_forward(request: web.Request) -> web.Response:
    request.app[FORWARDS].stop(await _meeting(request), request.match_info["forward_id"])
    return web.Response(status=200)


async def _start(request: web.Request, meeting: Meeting, given: _NewForward, kind: Kind, of: str = "") -> web.Response:
    """201: it is on its way; observers are told what becomes of it."""
    wanted = Wanted(
        forward_id=_needed("forward_id", given.forward_id),
        kind=kind,
        media=read_media(_needed("type", given.type)),
        url=_needed("url", given.url),
        token=given.token or None,
        of=of,
    )
    await request.app[FORWARDS].start(meeting, wanted)
    return web.Response(status=201)


async def _meeting(request: web.Request) -> Meeting:
    """The running meeting of the caller's room."""
    rooms, room_id = request.app[ROOMS], request.match_info["room_id"]
    running = await rooms.running_room(team_or_unauthorized(request).team, room_id)
    meeting = rooms.conferences.conference(running.id)
    if meeting is None:
        raise NotFound("running room", room_id)
    return meeting


def _needed(name: str, value: Any) -> Any:
    if not value:
        raise Missing(name)
    return value


_ERRORS = {
    400: "A parameter is missing or cannot be used, or the forward_id is in use",
    401: "The API key is missing or unknown",
    404: "There is no such running room, or nothing live to push",
    413: "The body is over 1 MiB",
    415: "The body is neither a form nor JSON",
}


def _begin(kind: str, handler: Any, body: type[BaseModel], summary: str) -> Operation:
    return Operation(
        "POST",
        f"/rooms/{{room_id}}/forward/{kind}",
        handler,
        summary=summary,
        path_parameters=_ROOM,
        body=body,
        body_types=READ,
        answers={201: None},
        errors=_ERRORS,
    )


OPERATIONS = (
    _begin("source", forward_source, NewSourceForward, "Push what a user publishes to a WHIP server"),
    _begin("mcu", forward_mcu, NewMcuForward, "Push the composite to a WHIP server"),
    _begin("playback", forward_playback, NewPlaybackForward, "Push a playback to a WHIP server"),
    Operation(
        "DELETE",
        "/rooms/{room_id}/forward/{forward_id}",
        stop_forward,
        summary="Stop pushing",
        path_parameters={**_ROOM, "forward_id": "As it was begun with"},
        answers={200: None},
        errors={401: _ERRORS[401], 404: "There is no such running room, or no such forward"},
    ),
)
