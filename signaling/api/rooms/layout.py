"""How people are shown in the composite. Rooms contract, section 9."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.api import Operation
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.appkeys import COMPOSITES, ROOMS
from signaling.services.composites import Layout
from signaling.services.room_options import MAX_TEXT, Flag, Position, Text

MAX_SPOTS = 10


class NewLayout(BaseModel):
    """It replaces the one before entirely."""

    model_config = ConfigDict(title="NewLayout")

    layout: Literal["auto", "custom"] | None = None
    name: Text = None
    map: Annotated[Any, Field(description="Up to 10 boxes [x, y, width, height, fit], as a list or its JSON")] = None
    users: Annotated[
        list[Annotated[str, Field(strict=True, max_length=MAX_TEXT)]],
        Field(max_length=MAX_SPOTS, description='Per spot: a user id, a play_id, or "" for a free one'),
    ] = []
    voice_activation: Flag = False
    show_names: Flag = True
    audio_insert: Literal["enabled", "disabled", "audio_only"] | None = None
    audio_insert_position: Position | None = None


async def set_layout(request: web.Request) -> web.Response:
    caller = await seat(request)
    wanted = await read(request, NewLayout)
    meeting = request.app[ROOMS].conference(caller)
    layout = Layout(
        wanted.layout,
        wanted.name,
        wanted.map,
        tuple(wanted.users),
        wanted.voice_activation,
        wanted.show_names,
        wanted.model_dump(include={"audio_insert", "audio_insert_position"}, exclude_none=True),
    )
    request.app[COMPOSITES].lay_out(caller, meeting, layout)
    return web.Response(status=200)


OPERATIONS = (
    Operation(
        "POST",
        "/rooms/{access_key}/layout",
        set_layout,
        summary="Say how people are shown in the composite",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewLayout,
        body_types=READ,
        answers={200: None},
        errors={
            400: "There is no such layout",
            404: "The access key was never issued",
            405: "The layout is switched off",
            410: "The meeting has ended",
            413: "The body is over 1 MiB",
            415: "The body is neither a form nor JSON",
        },
    ),
)
