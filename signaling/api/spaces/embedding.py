"""What another site puts into its page to show a room. Spaces contract, section 7.

Everything a caller names ends up in somebody's HTML: it is escaped here, once, for the attribute it stands in.
"""

from html import escape
from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, query
from signaling.api.spaces import WHO
from signaling.api.spaces.rooms import HIDDEN_ROOM, PATH, ROOM, place
from signaling.appkeys import SETTINGS, SPACES

ALLOWED = {
    "camera": "camera",
    "microphone": "microphone",
    "fullscreen": "",
    "autoplay": "",
    "clipboard-write": "",
    "display-capture": "screen",
    "picture-in-picture": "",
    "screen-wake-lock": "",
}
"""What the page may do where it is shown; by the parameter that switches it off, if any."""


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


async def embed_space_room(request: web.Request) -> web.Response:
    found = await request.app[SPACES].room(request[WHO], *place(request))
    wanted = check(EmbedQuery, query(request))
    said = {name: getattr(wanted, name) for name in ("participantName", "accessToken") if getattr(wanted, name)}
    src = f"{request.app[SETTINGS].base_url}/room/{found.the_room.alias}"
    src += f"?{urlencode(said, quote_via=quote)}" if said else ""
    allow = _allow({name for name in ("camera", "microphone", "screen") if _is_off(getattr(wanted, name))})
    html = (
        f'<iframe src="{escape(src)}" width="{escape(wanted.width)}" height="{escape(wanted.height)}" '
        f'frameborder="0" allow="{escape(allow)}"></iframe>'
    )
    return answer(EmbedAnswer(html=html, src=src, allow=allow))


def _is_off(switch: str) -> bool:
    return switch.lower() in ("0", "false")


def _allow(off: set[str]) -> str:
    """The value of the attribute: what is switched off is named last, with nobody who may."""
    on = [policy for policy, switch in ALLOWED.items() if switch not in off]
    return ";".join((*on, *(f"{policy} 'none'" for policy, switch in ALLOWED.items() if switch in off)))


EMBEDDING_OPERATIONS = (
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
