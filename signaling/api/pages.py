"""The pages and what they load: files of the `static` directory, hardened for browsers.

In a checkout the directory stands beside the package, in an installed wheel inside it.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from aiohttp import hdrs, web

from signaling.api import json_response
from signaling.api.files import Files
from signaling.api.spaces.pages import space_pages
from signaling.appkeys import DEV_KEYS, FAMILIES, SETTINGS
from signaling.middleware import NO_CORS
from signaling.services.hls import PAGE
from signaling.version import VERSION

CONFERENCE, WATCHING = "room.html", "watch.html"
PAGES: Mapping[str, str] = {
    "/": "index.html",
    "/app": CONFERENCE,
    "/lab": "lab.html",
    "/docs": "docs.html",
    "/recordings": "team.html",
    "/team": "team.html",
    PAGE: WATCHING,
}
MISSING = "missing.html"
FRAMED = web.ResponseKey("framed", bool)
"""Set on pages: whether the sites of the settings may show them in a frame."""

_PACKAGE = Path(__file__).resolve().parent.parent
_IMAGES = "img-src 'self' data: blob:"
_CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "connect-src 'self' ws: wss:",
        _IMAGES,
        "media-src 'self' blob: mediastream:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
_SLIDES = "img-src 'self' data: blob: https:"
"""In conferences: what somebody presents may be kept elsewhere."""
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


def static_directory() -> Path:
    """Where the pages are."""
    installed = _PACKAGE / "static"
    return installed if installed.is_dir() else _PACKAGE.parent / "static"


def pages_routes(directory: Path) -> list[web.AbstractRouteDef]:
    files = Files(directory)

    async def static_file(request: web.Request) -> web.StreamResponse:
        return files.response(request, request.match_info["path"])

    pages = [web.get(path, _page(files, name)) for path, name in PAGES.items()]
    pages += space_pages(partial(page, files))
    return [*pages, web.get("/about.json", about), web.get("/static/{path:.+}", static_file)]


async def about(request: web.Request) -> web.Response:
    """What the start page has to know. The development key is for browsers on this machine, and their own pages."""
    dev_keys = request.app[DEV_KEYS]
    told: dict[str, object] = {
        "version": VERSION,
        "families": [family.name for family in request.app[FAMILIES]],
        "dev": bool(dev_keys),
        "frame_ancestors": list(request.app[SETTINGS].embed.frame_ancestors),
    }
    if dev_keys and _from_this_machine(request):
        told |= {f"{family}_key": key for family, key in dev_keys.items()}
    response = json_response(told)
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response[NO_CORS] = True
    return response


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Puts the headers on a response that keep a browser from doing more with it than it should."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    if FRAMED in response:
        ancestors = _ancestors(request) if response[FRAMED] else "'self'"
        policy = _CONTENT_POLICY.replace(_IMAGES, _SLIDES) if response[FRAMED] else _CONTENT_POLICY
        headers["Content-Security-Policy"] = f"{policy}; frame-ancestors {ancestors}"


def page(files: Files, request: web.Request, name: str, status: int = 200) -> web.Response:
    """A page of the directory. Conferences and streams may stand in frames, and what is told in their place."""
    response = files.response(request, name, status)
    response[FRAMED] = name in (CONFERENCE, WATCHING, MISSING)
    return response


def _page(files: Files, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        return page(files, request, name)

    return handler


def _ancestors(request: web.Request) -> str:
    return " ".join(request.app[SETTINGS].embed.frame_ancestors) or "'none'"


def _from_this_machine(request: web.Request) -> bool:
    """Neither through a proxy, nor under a foreign name that leads here, nor from another site's page."""
    try:
        near = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        near = False
    proxied = any(name in request.headers for name in _PROXY_HEADERS)
    own_page = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    return near and not proxied and own_page and request.url.host in _LOCAL_NAMES
