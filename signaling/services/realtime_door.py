"""The realtime family's door: a room's token is shared by many, an endpoint's is one participant's own."""

import re
from typing import Protocol

from signaling import tokens
from signaling.services.doors import Credential, Endpoint, Pass, Venue
from signaling.services.errors import NotFound, Refused
from signaling.services.realtime_rooms import RealtimeRoom

_TOKEN = re.compile(r"[0-9a-f]{64}")


class Rooms(Protocol):
    """What a door needs of `RealtimeRooms`."""

    async def fetch(self, key: str, room_id: str) -> RealtimeRoom: ...
    async def admit(self, token: str) -> RealtimeRoom | Endpoint: ...
    async def by_id(self, room_id: str) -> RealtimeRoom: ...
    async def new_endpoint(self, room_id: str, participant_id: str) -> Endpoint: ...
    async def upgrade_from_inside(self, room_id: str) -> RealtimeRoom: ...
    async def renew_endpoint(self, endpoint: Endpoint) -> Endpoint: ...


class RealtimeDoor:
    """`keys` are the teams' API keys, `token` how tokens look."""

    family = "realtime"

    def __init__(self, rooms: Rooms, keys: tuple[str, ...] = (), token: re.Pattern[str] = _TOKEN) -> None:
        self._rooms = rooms
        self._keys = keys
        self._token = token

    async def admit(self, credential: Credential) -> Pass | None:
        if credential.kind == "bearer" and credential.at and (key := tokens.find_key(self._keys, credential.text)):
            return Pass(venue(await self._rooms.fetch(tokens.digest(key), credential.at)))
        if credential.kind not in ("token", "bearer") or not self._token.fullmatch(credential.text):
            return None
        try:
            opened = await self._rooms.admit(credential.text)
        except Refused:
            return None  # another family's may look the same
        if isinstance(opened, RealtimeRoom):
            return Pass(venue(opened))
        room = await self._rooms.by_id(opened.room_id)
        return Pass(venue(room), opened.participant_id, own=opened.id, endpoint=opened)

    async def exists(self, conference_id: str) -> bool:
        try:
            await self._rooms.by_id(conference_id)
        except NotFound:
            return False
        return True

    async def seat(self, admitted: Pass, participant_id: str, kept: Endpoint | None) -> Endpoint:
        if kept is None:
            return await self._rooms.new_endpoint(admitted.venue.id, participant_id)
        await self._rooms.by_id(admitted.venue.id)
        return kept

    async def upgrade(self, conference_id: str) -> Venue:
        return venue(await self._rooms.upgrade_from_inside(conference_id))

    async def renew(self, endpoint: Endpoint) -> Endpoint:
        return await self._rooms.renew_endpoint(endpoint)


def venue(room: RealtimeRoom) -> Venue:
    return Venue(
        id=room.id,
        family=RealtimeDoor.family,
        name=room.name,
        mode=room.conference_type,
        max_participants=room.max_participants,
        upgrade_count=room.auto_upgrade_count if room.conference_type == "MESH" else None,
        options={"e2ee": True} if room.e2ee else {},
        e2ee=room.e2ee,
    )
