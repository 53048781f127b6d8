"""Rooms that hold meetings: the family of teams' servers and their users. Rooms contract.

One file for each kind of thing, each with its operations; this one puts them together.
"""

from collections.abc import Mapping

from aiohttp import web

from signaling.api import Caller, Credential, Family
from signaling.api.rooms import (
    broadcasts,
    files,
    forwards,
    guests,
    hls,
    layers,
    layout,
    messages,
    permalinks,
    playbacks,
    presentation,
    recordings,
    rooms,
    snapshots,
    users,
    webhooks,
)
from signaling.api.rooms.callers import caller_with, read_key
from signaling.api.rooms.errors import RoomsProblem, rooms_problem

PREFIXES = ("/rooms", "/guests", "/recordings", "/snapshots", "/webhooks", "/permalink")
_MEETINGS = (rooms, users, guests, messages, recordings, snapshots, layout, layers, files, presentation, playbacks)
_KINDS = (*_MEETINGS, forwards, broadcasts, hls, permalinks, webhooks)


def rooms_family(teams: Mapping[str, str]) -> Family:
    """`teams` are the names of teams by their API keys."""

    async def authenticate(request: web.Request) -> Caller:
        return caller_with(teams, read_key(request))

    return Family(
        name="rooms",
        title="Rooms of teams",
        prefixes=PREFIXES,
        authenticate=authenticate,
        problem=rooms_problem,
        problem_model=RoomsProblem,
        credential=Credential("apiKey", {"type": "apiKey", "in": "header", "name": "Authorization"}),
        errors={},
        operations=[operation for kind in _KINDS for operation in kind.OPERATIONS],
        configured=bool(teams),
    )
