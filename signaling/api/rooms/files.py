"""Files that participants show, and the slides made of them. Rooms contract, section 12."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from signaling.api import Operation, json_response
from signaling.api.rooms.bodies import PARTS
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.api.rooms.uploads import received
from signaling.appkeys import FILES, SETTINGS
from signaling.services.errors import Missing
from signaling.services.files import StoredFile
from signaling.services.room_records import Seat

_FILE = {**ACCESS_KEY, "file_id": "Of a file in the same meeting"}


class NewFile(BaseModel):
    """PDF, PNG, JPEG or WebP."""

    model_config = ConfigDict(title="NewFile")

    file: Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]


class FileLinks(BaseModel):
    """Links are good as long as the meeting goes on. In page order; empty until the file is converted."""

    model_config = ConfigDict(title="FileLinks")

    self: Annotated[str | None, Field(description="null in events: it holds the access key of who asks")]
    slides: list[str]
    thumbnails: list[str]
    download: str


class File(BaseModel):
    model_config = ConfigDict(title="File")

    id: str
    name: str
    type: Annotated[str, Field(description="Media type")]
    converted: bool
    conversion_progress: Annotated[float, Field(ge=0, le=1)]
    failed: bool
    links: FileLinks


class FileList(BaseModel):
    """Oldest first."""

    model_config = ConfigDict(title="FileList")

    files: list[File]


async def list_files(request: web.Request) -> web.Response:
    caller = await seat(request)
    return json_response(
        {"files": [_view(request, caller, row) for row in await request.app[FILES].list(caller.meeting.id)]}
    )


async def upload_file(request: web.Request) -> web.Response:
    """A picture is converted when this answers, a document some time later."""
    caller = await seat(request)
    files, limit = request.app[FILES], request.app[SETTINGS].files.max_bytes
    async with received(request, files.folder, limit) as body:
        if body.upload is None:
            raise Missing("file")
        return json_response(_view(request, caller, await files.add(caller.meeting, body.upload)), 201)


async def fetch_file(request: web.Request) -> web.Response:
    caller = await seat(request)
    return json_response(
        _view(request, caller, await request.app[FILES].get(caller.meeting.id, request.match_info["file_id"]))
    )


async def delete_file(request: web.Request) -> web.Response:
    caller = await seat(request)
    await request.app[FILES].delete(caller.meeting, request.match_info["file_id"])
    return web.Response(status=200)


def _view(request: web.Request, caller: Seat, row: StoredFile) -> dict[str, Any]:
    return request.app[FILES].view(row, caller.user.access_key)


_GONE = {404: "The access key was never issued", 410: "The meeting has ended"}
_NO_FILE = {**_GONE, 404: "The access key was never issued, or there is no such file in the meeting"}
OPERATIONS = (
    Operation(
        "GET",
        "/rooms/{access_key}/files",
        list_files,
        summary="List the meeting's files",
        path_parameters=ACCESS_KEY,
        public=True,
        answer=FileList,
        errors=_GONE,
    ),
    Operation(
        "POST",
        "/rooms/{access_key}/files",
        upload_file,
        summary="Bring a file to show",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewFile,
        body_types=(PARTS,),
        answers={201: File},
        errors={
            **_GONE,
            400: "There is no file, or none that can be shown",
            413: "The file is too large, or the meeting has too many",
            503: "Files cannot be kept at the moment",
        },
    ),
    Operation(
        "GET",
        "/rooms/{access_key}/files/{file_id}",
        fetch_file,
        summary="Look at a file",
        path_parameters=_FILE,
        public=True,
        answer=File,
        errors=_NO_FILE,
    ),
    Operation(
        "DELETE",
        "/rooms/{access_key}/files/{file_id}",
        delete_file,
        summary="Delete a file and its slides",
        path_parameters=_FILE,
        public=True,
        answers={200: None},
        errors=_NO_FILE,
    ),
)
