"""Links for people without an account, and the embedding of rooms. Spaces contract, sections 6 and 7."""

from html import escape
from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object, query
from signaling.api.spaces import WHO, user
from signaling.api.spaces.bodies import NewAccess
from signaling.api.spaces.rooms import HIDDEN_ROOM, PATH, ROOM, place
from signaling.api.spaces.spaces import BODY
from signaling.appkeys import SETTINGS, SPACES, SPACES_ACCESSES
from signaling.services.spaces.rules import SpaceRole

_ALWAYS_ALLOWED = ("fullscreen", "autoplay", "clipboard-write", "picture-in-picture", "screen-wake-lock")
_SWITCHED = {"camera": "camera", "microphone": "microphone", "screen": "display-capture"}


class AccessMade(BaseModel):
    url: str


class EmbedQuery(BaseModel):
    participantName: str = ""
    accessToken: str = ""
    width: str = "880"
    height: str = "595"
    camera: str = "1"
    microphone: str = "1"
    screen: str = "1"


class EmbedAnswer(BaseModel):
    html: str
    src: str
    allow: str


async def generate_access(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewAccess, await json_object(request))
    room, token = await request.app[SPACES_ACCESSES].generate(
        caller,
        *place(request),
        username=wanted.username,
        role=SpaceRole(wanted.role),
        ttl=wanted.ttl,
        permanent=wanted.isPermanent,
        external_user_id=wanted.externalUserId,
        email=wanted.email,
        phone=wanted.phone,
    )
    said = urlencode({"participantName": wanted.username, "accessToken": token}, quote_via=quote)
    return answer(AccessMade(url=f"{request.app[SETTINGS].base_url}/room/{room.alias}?{said}"))


async def embed_space_room(request: web.Request) -> web.Response:
    found = await request.app[SPACES].room(request[WHO], *place(request))
    wanted = check(EmbedQuery, query(request))
    said = {name: getattr(wanted, name) for name in ("participantName", "accessToken") if getattr(wanted, name)}
    src = f"{request.app[SETTINGS].base_url}/room/{found.the_room.alias}"
    src += f"?{urlencode(said, quote_via=quote)}" if said else ""
    off = [policy for name, policy in _SWITCHED.items() if getattr(wanted, name) == "0"]
    on = [policy for policy in _SWITCHED.values() if policy not in off]
    allow = ";".join((*on, *_ALWAYS_ALLOWED, *(f"{policy} 'none'" for policy in off)))
    html = (
        f'<iframe src="{escape(src)}" width="{escape(wanted.width)}" height="{escape(wanted.height)}" '
        f'frameborder="0" allow="{escape(allow)}"></iframe>'
    )
    return answer(EmbedAnswer(html=html, src=src, allow=allow))


ACCESS_OPERATIONS = (
    Operation(
        "POST",
        f"{PATH}/generate-access",
        generate_access,
        summary="Make a link by which somebody without an account enters",
        path_parameters=ROOM,
        body=NewAccess,
        answer=AccessMade,
        errors={**BODY, **HIDDEN_ROOM},
    ),
    Operation(
        "GET",
        f"{PATH}/embed",
        embed_space_room,
        summary="The HTML with which another site shows the room",
        path_parameters=ROOM,
        query=EmbedQuery,
        answer=EmbedAnswer,
        errors={400: "A parameter cannot be used", **HIDDEN_ROOM},
    ),
)
