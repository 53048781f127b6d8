"""Who calls the rooms family: a team by its API key, or somebody by the access key in the path. Section 1.

A key that is missing and one that is unknown are the same, and matter only where a team is needed.
"""

from collections.abc import Mapping

from aiohttp import web

from signaling import tokens
from signaling.api import CALLER, Caller
from signaling.appkeys import ROOMS
from signaling.services.errors import Refused, Unauthorized
from signaling.services.room_records import Seat

ACCESS_KEY = {"access_key": "Of a user in a meeting: 24 letters and digits"}
NOBODY = Caller("")
_SCHEME = "bearer"


def read_key(request: web.Request) -> str:
    """The API key that was sent, raw or as a bearer's; empty if there is none."""
    sent = request.headers.get("Authorization", "").strip()
    scheme, _, rest = sent.partition(" ")
    return rest.strip() if scheme.lower() == _SCHEME and rest else sent


def caller_with(teams: Mapping[str, str], key: str) -> Caller:
    """The team, if the key is one of a team's."""
    found = tokens.find_key(tuple(teams), key)
    return NOBODY if found is None else Caller(tokens.digest(found), teams[found])


def team(request: web.Request) -> Caller:
    """The team that calls, where 403 is the answer to anybody else."""
    caller = request[CALLER]
    if caller is NOBODY:
        raise Refused
    return caller


def team_or_unauthorized(request: web.Request) -> Caller:
    """The team that calls, where 401 is the answer to anybody else."""
    caller = request[CALLER]
    if caller is NOBODY:
        raise Unauthorized
    return caller


async def seat(request: web.Request) -> Seat:
    """What the access key in the path stands for: NotFound if nothing, Gone if the meeting is over."""
    return await request.app[ROOMS].seat(request.match_info["access_key"])
