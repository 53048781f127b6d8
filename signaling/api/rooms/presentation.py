"""Showing slides or a screen to everybody. Rooms contract, section 13."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.api import Operation, json_response
from signaling.api.rooms.bodies import READ, read
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.api.rooms.models import Person, Room
from signaling.appkeys import PRESENTATIONS
from signaling.services.room_options import Address

_PATH = "/rooms/{access_key}/presentation"


class NewSlide(BaseModel):
    """Without a slide the user's screen is shown."""

    model_config = ConfigDict(title="NewSlide")

    slide: Address = None


class Presentation(BaseModel):
    model_config = ConfigDict(title="Presentation")

    slide: Annotated[str | None, Field(description="Its URL; null while a screen is shown")]
    room: Room
    user: Person


async def start_presentation(request: web.Request) -> web.Response:
    caller = await seat(request)
    wanted = await read(request, NewSlide)
    return json_response(await request.app[PRESENTATIONS].start(caller, wanted.slide), 201)


async def change_presentation(request: web.Request) -> web.Response:
    caller = await seat(request)
    wanted = await read(request, NewSlide)
    return json_response(await request.app[PRESENTATIONS].change(caller, wanted.slide))


async def stop_presentation(request: web.Request) -> web.Response:
    """200, whoever presents, and when nobody does."""
    await request.app[PRESENTATIONS].stop(await seat(request))
    return web.Response(status=200)


_GONE = {404: "The access key was never issued", 410: "The meeting has ended"}
_BODY = {
    400: "The slide cannot be shown",
    413: "The body is over 1 MiB",
    415: "The body is neither a form nor JSON",
}
OPERATIONS = (
    Operation(
        "POST",
        _PATH,
        start_presentation,
        summary="Show a slide, or the screen",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewSlide,
        body_types=READ,
        answers={201: Presentation},
        errors={**_GONE, **_BODY, 409: "Somebody else presents"},
    ),
    Operation(
        "PUT",
        _PATH,
        change_presentation,
        summary="Show another slide",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewSlide,
        body_types=READ,
        answer=Presentation,
        errors={
            **_GONE,
            **_BODY,
            404: "The access key was never issued, or nothing is presented",
            409: "Somebody else presents",
        },
    ),
    Operation(
        "DELETE",
        _PATH,
        stop_presentation,
        summary="Stop showing",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={200: None},
        errors=_GONE,
    ),
)
