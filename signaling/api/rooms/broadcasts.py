"""Broadcasts of a meeting to platforms that take RTMP. Rooms contract, section 8."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from signaling.api import Operation
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.appkeys import BROADCASTS
from signaling.services.errors import Missing
from signaling.services.room_options import Address, Text

GENERIC = "generic"
PLATFORM = "^[a-z0-9_-]{1,32}$"
_ALL = "/rooms/{access_key}/broadcasts"
_ONE = f"{_ALL}/{{platform}}"
_PATH = {**ACCESS_KEY, "platform": "As it was begun with, such as `youtube`"}
_GONE = {404: "The access key was never issued", 410: "The meeting has ended"}
_NOT_LIVE = {**_GONE, 404: "The access key was never issued, or it is not live"}
_BODIES = {413: "The body is over 1 MiB", 415: "The body is neither a form nor JSON"}


class NewBroadcast(BaseModel):
    """Where it goes, and where it can be watched."""

    model_config = ConfigDict(title="NewBroadcast")

    stream_url: Annotated[Text, Field(description="`rtmp://` or `rtmps://`, with the stream's key; required")] = None
    player_url: Annotated[Address, Field(description="Where it can be watched")] = None
    platform: Annotated[
        str, BeforeValidator(lambda given: GENERIC if given in (None, "") else given), Field(pattern=PLATFORM)
    ] = GENERIC


class Player(BaseModel):
    model_config = ConfigDict(title="BroadcastPlayer")

    player_url: Annotated[Address, Field(description="Where it can be watched; required")] = None


async def start_broadcast(request: web.Request) -> web.Response:
    caller = await seat(request)
    given = await read(request, NewBroadcast)
    if not given.stream_url:
        raise Missing("stream_url")
    await request.app[BROADCASTS].start(caller, given.platform, given.stream_url, given.player_url)
    return web.Response(status=201)


async def change_broadcast(request: web.Request) -> web.Response:
    caller = await seat(request)
    given = await read(request, Player)
    if given.player_url is None:
        raise Missing("player_url")
    request.app[BROADCASTS].change(caller, request.match_info.get("platform", GENERIC), given.player_url)
    return web.Response(status=200)


async def stop_broadcast(request: web.Request) -> web.Response:
    request.app[BROADCASTS].stop(await seat(request), request.match_info["platform"])
    return web.Response(status=200)


async def stop_broadcasts(request: web.Request) -> web.Response:
    request.app[BROADCASTS].stop_all(await seat(request))
    return web.Response(status=200)


def _change(path: str, parameters: dict[str, str], summary: str) -> Operation:
    return Operation(
        "PUT",
        path,
        change_broadcast,
        summary=summary,
        path_parameters=parameters,
        public=True,
        body=Player,
        body_types=READ,
        answers={200: None},
        errors={**_NOT_LIVE, **_BODIES, 400: "There is no `player_url`, or it is no URL"},
    )


OPERATIONS = (
    Operation(
        "POST",
        _ALL,
        start_broadcast,
        summary="Broadcast the composite to a platform",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewBroadcast,
        body_types=READ,
        answers={201: None},
        errors={
            **_GONE,
            **_BODIES,
            400: "There is no `stream_url`, or it leads nowhere this server pushes to",
            405: "Broadcasting is switched off",
            406: "It cannot begin now: the platform is live already",
        },
    ),
    _change(_ONE, _PATH, "Say where a broadcast can be watched"),
    _change(_ALL, ACCESS_KEY, "Say where the broadcast `generic` can be watched"),
    Operation(
        "DELETE",
        _ONE,
        stop_broadcast,
        summary="End a broadcast",
        path_parameters=_PATH,
        public=True,
        answers={200: None},
        errors=_NOT_LIVE,
    ),
    Operation(
        "DELETE",
        _ALL,
        stop_broadcasts,
        summary="End all broadcasts",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={200: None},
        errors=_NOT_LIVE,
    ),
)
