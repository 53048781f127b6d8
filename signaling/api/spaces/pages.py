"""The pages behind the links of spaces: a room's conference, and what an invite asks of whoever has it.

Looking at a page changes nothing: an invite is used up by a POST, a one-time link by joining. Spaces contract, sections
5 and 7.
"""

from collections.abc import Callable

from aiohttp import web

from signaling.appkeys import SPACES_DOOR, SPACES_INVITATIONS

ROOM_PAGE = "/room/{alias}"
INVITE_PAGE = "/invite/{token}"

Shown = Callable[[web.Request, str, int], web.Response]
"""Makes the response: of a request, a page's name and a status."""


def space_pages(shown: Shown) -> list[web.RouteDef]:
    async def room(request: web.Request) -> web.Response:
        known = await request.app[SPACES_DOOR].knows(request.match_info["alias"])
        return shown(request, "room.html", 200) if known else shown(request, "missing.html", 404)

    async def invite(request: web.Request) -> web.Response:
        known = await request.app[SPACES_INVITATIONS].knows(request.match_info["token"])
        return shown(request, "invite.html", 200) if known else shown(request, "missing.html", 404)

    return [web.get(ROOM_PAGE, room), web.get(INVITE_PAGE, invite)]
