"""What lies behind and over everything in the composite. Rooms contract, section 10."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from mediaserver import Insert
from signaling.api import Operation
from signaling.api.rooms.bodies import PARTS, READ, checked, parameters
from signaling.api.rooms.callers import ACCESS_KEY, seat
from signaling.api.rooms.uploads import received
from signaling.appkeys import FILES, LAYERS
from signaling.services.errors import BadValue, Invalid, Missing, NotFound
from signaling.services.files import Upload
from signaling.services.layers import BACKGROUND, FOREGROUND, Wanted
from signaling.services.room_options import Address, Text, Whole

MAX_FILE_BYTES = 20 << 20
MAX_ID = 64  # characters
MAX_CONTENT = 500  # characters
_INDEXES = {str(each): each for each in (BACKGROUND, FOREGROUND)}


def _short(value: str | None) -> str | None:
    if value is not None and len(value) > MAX_ID:
        raise ValueError(f"is longer than {MAX_ID} characters")
    return value


class NewInsert(BaseModel):
    """A panel of text: at least a title or a content."""

    model_config = ConfigDict(title="NewInsert")

    icon: Address = None
    title: Text = None
    content: Annotated[str, Field(strict=True, max_length=MAX_CONTENT)] = ""


class NewLayer(BaseModel):
    """Exactly one of file, url and insert. The file comes as a part: PNG, WebP, JPEG or SVG; by URL all but SVG."""

    model_config = ConfigDict(title="NewLayer")

    file: Annotated[None, WithJsonSchema({"type": "string", "format": "binary"})] = None
    url: Address = None
    insert: NewInsert | None = None
    z_index: Annotated[Whole, Field(alias="z-index", description="-1 behind everything, 1 over it")] = FOREGROUND
    id: Annotated[Text, AfterValidator(_short)] = None
    layout: Literal["fixed", "auto"] = "auto"


async def put_layer(request: web.Request) -> web.Response:
    caller = await seat(request)
    async with received(request, request.app[FILES].folder, MAX_FILE_BYTES) as body:
        values = body.parameters if request.content_type == PARTS else await parameters(request)
        await request.app[LAYERS].put(caller, _wanted(checked(NewLayer, values), body.upload))
    return web.Response(status=201)


async def remove_layer(request: web.Request) -> web.Response:
    caller = await seat(request)
    index = request.match_info["index"]
    if index not in _INDEXES:
        raise NotFound("layer", index)
    request.app[LAYERS].remove(caller, _INDEXES[index])
    return web.Response(status=200)


def _wanted(given: NewLayer, upload: Upload | None) -> Wanted:
    if given.z_index not in _INDEXES.values():
        raise BadValue("z-index")
    if [upload, given.url, given.insert].count(None) != 2:
        raise Invalid("A layer is exactly one of file, url and insert.")
    place: dict[str, Any] = {"z_index": given.z_index, "id": given.id}
    if upload is not None:
        return Wanted(**place, file=upload.path)
    if given.insert is None:
        return Wanted(**place, url=given.url)
    title, content = given.insert.title or "", given.insert.content.strip()
    if not title and not content:
        raise Missing("insert[title]")
    return Wanted(**place, insert=Insert(title, content, fixed=given.layout == "fixed"), icon=given.insert.icon)


_GONE = {404: "The access key was never issued", 410: "The meeting has ended"}
OPERATIONS = (
    Operation(
        "POST",
        "/rooms/{access_key}/layers",
        put_layer,
        summary="Put a picture or a text over or behind the composite",
        path_parameters=ACCESS_KEY,
        public=True,
        body=NewLayer,
        body_types=READ,
        answers={201: None},
        errors={
            **_GONE,
            400: "There is no layer, or none that can be shown",
            413: "The file is over 20 MiB, or the body without it over 64 KiB as parts, 1 MiB else",
            415: "The body is neither a form nor JSON",
        },
    ),
    Operation(
        "DELETE",
        "/rooms/{access_key}/layers/{index}",
        remove_layer,
        summary="Remove the layer",
        path_parameters={**ACCESS_KEY, "index": "-1 for the background, 1 for the foreground"},
        public=True,
        answers={200: None},
        errors={**_GONE, 404: "The access key was never issued, or there is no such layer"},
    ),
)
