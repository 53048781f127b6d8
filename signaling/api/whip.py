"""Publishing by plain HTTP: POST /whip/{conference}. WHIP and WHEP contract, sections 1 to 5; RFC 9725."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.api import Family, Operation
from signaling.api.bodies import check, query, text
from signaling.api.whip_sessions import SDP, Endpoint, credential, http_media_family, opened, read_text
from signaling.appkeys import PUBLISHERS
from signaling.live.fields import MAX_ID, MAX_NAME
from signaling.services.publishers import DEFAULT_NAME

_ID = rf"^[A-Za-z0-9._:@+-]{{1,{MAX_ID}}}$"


class PublishQuery(BaseModel):
    """Who publishes, and what it is."""

    model_config = ConfigDict(title="WhipQuery")

    name: text(MAX_NAME) = DEFAULT_NAME  # type: ignore[valid-type]
    id: Annotated[str, Field(pattern=_ID, description="Of the participant; any will do if it is left out")] | None = (
        None
    )
    label: Literal["camera", "screen"] = "camera"
    token: Annotated[str, Field(description="For encoders that cannot send it as a bearer token")] = ""


def whip_family() -> Family:
    return http_media_family(_ENDPOINT)


async def publish(request: web.Request) -> web.Response:
    """201 with the answer; who publishes is online."""
    wanted = check(PublishQuery, query(request))
    found = await request.app[PUBLISHERS].publish(
        credential(request),
        request.match_info["conference"],
        await read_text(request, SDP),
        seat=wanted.id,
        name=wanted.name,
        label=wanted.label,
    )
    return opened(request, found)


_ENDPOINT = Endpoint(
    name="whip",
    title="Publishing over HTTP (WHIP)",
    sessions=lambda request: request.app[PUBLISHERS].sessions,
    open=Operation(
        "POST",
        "/whip/{conference}",
        publish,
        summary="Publish sound and picture",
        query=PublishQuery,
        body=SDP,
        answers={201: SDP},
        path_parameters={"conference": "Id of the room"},
        errors={
            400: "The body is no session description, or a parameter cannot be used",
            401: "No credential was sent",
            403: "The credential is unknown, or not for publishing here",
            409: "No seat is left, somebody with this id is online, or participants are connected directly",
            410: "The meeting has ended",
            413: "The body is over 64 KiB",
            415: "The content type is not application/sdp",
            422: "The offer cannot be agreed to as a whole",
            423: "The meeting is locked",
            503: "The server is shutting down",
        },
    ),
)
