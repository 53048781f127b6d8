"""A meeting as an HLS stream that anybody can watch who has its address. Beside the broadcasts of the rooms contract,
section 8, which are pushed to other servers; option and answers as there."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from signaling.api import Operation, json_response
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.appkeys import HLS


class HlsStream(BaseModel):
    """A running stream. Who has an address of it can watch, and needs nothing else."""

    model_config = ConfigDict(title="HlsStream")

    id: Annotated[str, Field(description="24 letters and digits, part of the addresses: keep it as secret as them")]
    playlist: Annotated[str, Field(description="For players: low-latency HLS, H.264 and AAC in fragmented MP4")]
    page: Annotated[str, Field(description="For people: a page that plays it")]
    started_at: str
    stored_playlist: Annotated[
        str | SkipJsonSchema[None], Field(description="The copy in the object store, where the server keeps one")
    ] = None


async def start_hls(request: web.Request) -> web.Response:
    return json_response(await request.app[HLS].start(await seat(request)), 201)


async def fetch_hls(request: web.Request) -> web.Response:
    return json_response(request.app[HLS].fetch(await seat(request)))


async def stop_hls(request: web.Request) -> web.Response:
    request.app[HLS].stop(await seat(request))
    return web.Response(status=200)


_PATH = "/rooms/{access_key}/hls"
_NONE = {404: "The access key was never issued, or the meeting is not streamed", 410: "The meeting has ended"}
OPERATIONS = (
    Operation(
        "POST",
        _PATH,
        start_hls,
        summary="Stream the composite by HLS, to whoever has the address",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={201: HlsStream},
        errors={
            404: "The access key was never issued",
            405: "Broadcasting is switched off",
            406: "The meeting is not ready, or is streamed already",
            410: "The meeting has ended",
            503: "There is no room for the stream's files",
        },
    ),
    Operation(
        "GET",
        _PATH,
        fetch_hls,
        summary="Look at the meeting's HLS stream",
        path_parameters=ACCESS_KEY,
        public=True,
        answer=HlsStream,
        errors=_NONE,
    ),
    Operation(
        "DELETE",
        _PATH,
        stop_hls,
        summary="End the HLS stream; who watches sees it to its end",
        path_parameters=ACCESS_KEY,
        public=True,
        answers={200: None},
        errors=_NONE,
    ),
)
