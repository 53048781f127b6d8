"""Playing by plain HTTP: POST /whep/{conference}. WHIP and WHEP contract, section 6; the WHEP draft."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.api import Family, Operation
from signaling.api.bodies import check, query
from signaling.api.whip_sessions import SDP, Endpoint, credential, http_media_family, opened, read_text
from signaling.appkeys import VIEWERS
from signaling.live.fields import MAX_ID
from signaling.services.viewers import Wanted

_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID)]


class PlayQuery(BaseModel):
    """What to play: a stream, else somebody's camera, else the view."""

    model_config = ConfigDict(title="WhepQuery")

    view: Literal["one_view"] = "one_view"
    stream: _Id | None = None
    user: _Id | None = None
    token: Annotated[str, Field(description="For players that cannot send it as a bearer token")] = ""


def whep_family() -> Family:
    return http_media_family(_ENDPOINT)


async def play(request: web.Request) -> web.Response:
    """201 with the answer; media flows as soon as the player is connected."""
    wanted = check(PlayQuery, query(request))
    found = await request.app[VIEWERS].play(
        credential(request),
        request.match_info["conference"],
        await read_text(request, SDP),
        Wanted(stream_id=wanted.stream, user_id=wanted.user),
    )
    return opened(request, found)


_ENDPOINT = Endpoint(
    name="whep",
    title="Playing over HTTP (WHEP)",
    sessions=lambda request: request.app[VIEWERS].sessions,
    recognised=SDP,
    open=Operation(
        "POST",
        "/whep/{conference}",
        play,
        summary="Play a stream",
        query=PlayQuery,
        body=SDP,
        answers={201: SDP},
        path_parameters={"conference": "Id of the room"},
        errors={
            400: "The body is no session description, or a parameter cannot be used",
            401: "No credential was sent",
            403: "The credential is unknown, or for another conference",
            409: "Nothing is live to play, or participants are connected directly",
            413: "The body is over 64 KiB",
            415: "The content type is not application/sdp",
            422: "The offer cannot be agreed to as a whole",
            503: "The server is shutting down, or there are as many viewers as may be",
        },
    ),
)
