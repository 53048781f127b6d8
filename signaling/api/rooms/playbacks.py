"""Films and music in the composite. Rooms contract, section 11."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from signaling.api import Operation
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.appkeys import PLAYBACKS
from signaling.services.errors import Missing
from signaling.services.playbacks import Wanted
from signaling.services.room_options import Address, Flag, Text, Whole

MAX_LOOPS = 1_000_000
_PATH = "/rooms/{access_key}/playbacks"
_GONE = {404: "The access key was never issued", 410: "The meeting has ended"}


class NewPlayback(BaseModel):
    """All of it may as well be nested in `playback`."""

    model_config = ConfigDict(title="NewPlayback")

    url: Annotated[Address, Field(description="WebM, MP4 or MP3; required")] = None
    play_id: Annotated[Text, Field(description="By default a random one")] = None
    replacement_id: Annotated[Text, Field(description="Of the user whose picture it takes the place of")] = None
    name: Text = None
    audio: Flag = False
    loop_count: Annotated[Whole, Field(ge=-1, le=MAX_LOOPS, description="How often again; -1 without an end")] = 0

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, values: Any) -> Any:
        inner = values.get("playback") if isinstance(values, dict) else None
        return {**values, **inner} if isinstance(inner, dict) else values


async def start_playback(request: web.Request) -> web.Response:
    """201 once it has been fetched."""
    caller = await seat(request)
    given = await read(request, NewPlayback)
    if given.url is None:
        raise Missing("url")
    wanted = Wanted(given.url, given.play_id, given.replacement_id, given.name, given.audio, given.loop_count)
    await request.app[PLAYBACKS].start(caller, wanted)
    return web.Response(status=201)


async def stop_playback(request: web.Request) -> web.Response:
    request.app[PLAYBACKS].stop(await seat(request), request.match_info["play_id"])
    return web.Response(status=200)


OPERATIONS = (
    Operation(
        "POST",
        _PATH,
        start_playback,
        summary="Play a film or music to everybody",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewPlayback,
        body_types=READ,
        answers={201: None},
        errors={
            **_GONE,
            400: "There is nothing that can be played, or nobody with the replacement's id",
            409: "This id plays already, or as many as can be do",
            413: "The body is over 1 MiB",
            415: "The body is neither a form nor JSON",
        },
    ),
    Operation(
        "DELETE",
        f"{_PATH}/{{play_id}}",
        stop_playback,
        summary="Stop playing",
        path_parameters={**ACCESS_KEY, "play_id": "From `playback_update`, or as it was chosen"},
        public=True,
        answers={200: None},
        errors={**_GONE, 404: "The access key was never issued, or nothing with this id plays"},
    ),
)
