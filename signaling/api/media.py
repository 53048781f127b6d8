"""Stored files by signed links: recordings, pictures, slides. No header is needed, a link is the credential.

Parts of a file are given by `Range`, so that players can seek. What a browser would run instead of show is handed out
as a download, and nothing here may be taken for another type than it says. Rooms contract, sections 6, 7 and 12.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web

from signaling.appkeys import CLOCK, LINKS, OBJECTS
from signaling.objects import NoSuchObject
from signaling.services.errors import NotFound
from signaling.services.links import PATH

SHOWN: Mapping[str, str] = {
    "webm": "video/webm",
    "weba": "audio/webm",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
"""Types by the name's ending that a browser shows and cannot be made to run."""
DOWNLOADED: Mapping[str, str] = {"pdf": "application/pdf", "json": "application/json", "zip": "application/zip"}
UNKNOWN = "application/octet-stream"
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
_RANGE = re.compile(r"bytes=(?P<first>[0-9]{1,18})?-(?P<last>[0-9]{1,18})?")


class Unsatisfiable(Exception):
    """A range that begins behind the end."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` to before `stop`."""

    start: int
    stop: int


def media_routes() -> list[web.AbstractRouteDef]:
    return [web.get(f"{PATH}/{{name}}", stored_file)]


async def stored_file(request: web.Request) -> web.StreamResponse:
    """The file, or the part of it that is asked for; 403 unless the link is good, 404 once the file has gone."""
    name, sent = request.match_info["name"], request.query
    request.app[LINKS].check(name, sent.get("expires", ""), sent.get("signature", ""), request.app[CLOCK].wall())
    size = await _size(request, name)
    headers = _headers(name)
    if any(tag.value in (name, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    try:
        part = part_of(_range(request, name), size)
    except Unsatisfiable:
        return web.Response(status=416, headers={**headers, hdrs.CONTENT_RANGE: f"bytes */{size}"})
    return await _send(request, name, part, size)


def part_of(wanted: str, size: int) -> Part | None:
    """What a Range header asks for; None where it is to be ignored, several ranges included. RFC 9110, section 14.2."""
    match = _RANGE.fullmatch(wanted)
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        length = min(int(match["last"]), size)
        start, stop = size - length, size
    else:
        start, last = int(match["first"]), int(match["last"] or size)
        if match["last"] and last < start:
            return None
        stop = min(last + 1, size)
    if start >= stop:
        raise Unsatisfiable
    return Part(start, stop)


async def _send(request: web.Request, name: str, part: Part | None, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers=_headers(name))
    if part is not None:
        response.set_status(206)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{size}"
    part = part or Part(0, size)
    response.content_length = part.stop - part.start
    await response.prepare(request)
    if request.method != hdrs.METH_HEAD:
        async for piece in request.app[OBJECTS].get(name, part.start, part.stop):
            await response.write(piece)
    await response.write_eof()
    return response


async def _size(request: web.Request, name: str) -> int:
    try:
        return await request.app[OBJECTS].size(name)
    except NoSuchObject:
        raise NotFound("file", name) from None


def _range(request: web.Request, name: str) -> str:
    """The Range header, unless it is about another version of the file."""
    condition = request.headers.get(hdrs.IF_RANGE)
    return request.headers.get(hdrs.RANGE, "") if condition in (None, f'"{name}"') else ""


def _headers(name: str) -> dict[str, str]:
    """A stored file never changes under its name, so that is its version; but it may go, so caches must ask."""
    ending = name.rpartition(".")[2]
    disposition = "inline" if ending in SHOWN else "attachment"
    return {
        hdrs.CONTENT_TYPE: SHOWN.get(ending) or DOWNLOADED.get(ending, UNKNOWN),
        hdrs.CONTENT_DISPOSITION: f'{disposition}; filename="{name}"',
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.ETAG: f'"{name}"',
        hdrs.CACHE_CONTROL: "private, no-cache",
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
