"""What a credential opens: the turns a join takes with the rooms' database, before anything happens at once.

Decides which endpoint a newcomer gets and when a credential has to be looked at again. Whether there is a seat is
`conferences.py`'s.
"""

from dataclasses import dataclass

from mediaserver import Clock
from signaling import tokens
from signaling.services.errors import Forbidden, NotFound
from signaling.services.members import Visitor
from signaling.services.realtime_rooms import Endpoint, RealtimeRoom, RealtimeRooms

MAX_ID = 128  # characters; no conference has a longer one
CHECK_AGAIN_AFTER = 2.0  # seconds between admission and join; a credential revoked meanwhile is of no use


@dataclass(frozen=True, slots=True)
class Admitted:
    """`endpoint` is the credential, if it is one of its bearer's own."""

    room: RealtimeRoom
    endpoint: Endpoint | None


class Admission:
    """`keys` are the teams' API keys."""

    def __init__(self, rooms: RealtimeRooms, clock: Clock, keys: tuple[str, ...] = ()) -> None:
        self._rooms = rooms
        self._clock = clock
        self._keys = keys

    async def admit(self, token: str, at: str | None = None) -> Admitted:
        """The room that `token` opens; the services' errors say why it opens none, or another than `at`."""
        admitted = await self._rooms.admit(token)
        if at not in (None, admitted.room_id if isinstance(admitted, Endpoint) else admitted.id):
            raise Forbidden("The credential is for another conference.")
        if isinstance(admitted, Endpoint):
            return Admitted(await self._rooms.by_id(admitted.room_id), admitted)
        return Admitted(admitted, None)

    async def token(self, credential: str, conference_id: str) -> str:
        """What opens the conference to the bearer: their credential, or the room's token for its team's API key."""
        key = tokens.find_key(self._keys, credential)
        if key is None:
            return credential
        return (await self._rooms.fetch(tokens.digest(key), conference_id)).token

    async def check_exists(self, conference_id: str) -> None:
        """Raises NotFound if there is no such conference, for anybody who asks."""
        if len(conference_id) > MAX_ID or not (conference_id.isascii() and conference_id.isprintable()):
            raise NotFound("conference", "with this id")
        await self._rooms.by_id(conference_id)

    async def endpoint(self, visitor: Visitor) -> Endpoint:
        """The endpoint under which the visitor joins, a new one if need be; raises if the credential opens no more."""
        if self._clock.monotonic() - visitor.admitted_at > CHECK_AGAIN_AFTER:
            await self._rooms.admit(visitor.token)
        member = visitor.meeting.members.get(visitor.participant_id)
        kept = visitor.endpoint or (member.endpoint if member else None)
        if kept is None:
            return await self._rooms.new_endpoint(visitor.meeting.id, visitor.participant_id)
        await self._rooms.by_id(visitor.meeting.id)
        return kept

    async def upgrade(self, room_id: str) -> RealtimeRoom:
        """The room as an SFU room, now and for good."""
        return await self._rooms.upgrade_from_inside(room_id)

    async def renew(self, endpoint: Endpoint) -> Endpoint:
        return await self._rooms.renew_endpoint(endpoint)
