"""HLS as players fetch it: the playlist, held until it has what is asked for, and the files that it names.

The key in the path is the credential. Everything can be kept by caches and read by pages of any origin: what a name
stands for never changes, and a playlist that was waited for is the same for all who waited. RFC 8216bis, section
6.2.5 for what is held, appendix B.1 for how long caches may keep it.
"""

from aiohttp import hdrs, web

from signaling.appkeys import HLS
from signaling.middleware import MANY, NO_CORS
from signaling.services.errors import BadValue
from signaling.services.hls import PATH, PLAYLIST
from signaling.services.hls_window import Window

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
MEDIA_TYPE = "video/mp4"
MAX_DIGITS = 9
KEEP_MEDIA = 3600  # seconds: longer than any player looks back
KEEP_AWAITED = 6  # target durations


def hls_routes() -> list[web.AbstractRouteDef]:
    return [
        web.get(f"{PATH}/{{stream}}/{PLAYLIST}", playlist),
        web.get(f"{PATH}/{{stream}}/{{name}}", media),
    ]


async def playlist(request: web.Request) -> web.Response:
    """The playlist: 400 for what nobody could know of, 404 without the stream, 503 if it does not go on."""
    window = _window(request)
    number, part = _number(request, "_HLS_msn"), _number(request, "_HLS_part")
    body = await window.text(number, part)
    target = window.playlist.target
    kept = KEEP_AWAITED * target if number is not None else target // 2
    return _answer(request, body, PLAYLIST_TYPE, f"p{window.version}", kept)


async def media(request: web.Request) -> web.Response:
    """A file that the playlist names; the part that comes next when it is there."""
    name = request.match_info["name"]
    body = await _window(request).file(name)
    return _answer(request, body, MEDIA_TYPE, name, KEEP_MEDIA)


def _window(request: web.Request) -> Window:
    request[MANY] = True
    return request.app[HLS].window(request.match_info["stream"])


def _number(request: web.Request, name: str) -> int | None:
    sent = request.query.get(name)
    if sent is None:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) <= MAX_DIGITS):
        raise BadValue(name)
    return int(sent)


def _answer(request: web.Request, body: bytes, media_type: str, tag: str, kept: int) -> web.Response:
    headers = {
        hdrs.CACHE_CONTROL: f"public, max-age={kept}",
        hdrs.ETAG: f'"{tag}"',
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
        hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: "Date, ETag",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    known = any(each.value in (tag, "*") for each in request.if_none_match or ())
    response = web.Response(status=304, headers=headers)
    if not known:
        response = web.Response(body=body, content_type=media_type, headers=headers)
    response[NO_CORS] = True
    return response
