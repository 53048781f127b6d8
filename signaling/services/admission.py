"""What a credential opens: the turns a join takes with the rooms' database, before anything happens at once.

Decides which endpoint a newcomer gets and when a credential has to be looked at again. Whether there is a seat is
`conferences.py`'s.
"""

from dataclasses import dataclass

from mediaserver import Clock
from signaling.services.members import Visitor
from signaling.services.realtime_rooms import Endpoint, RealtimeRoom, RealtimeRooms

CHECK_AGAIN_AFTER = 2.0  # seconds between admission and join; a credential revoked meanwhile is of no use


@dataclass(frozen=True, slots=True)
class Admitted:
    """`endpoint` is the credential, if it is one of its bearer's own."""

    room: RealtimeRoom
    endpoint: Endpoint | None


class Admission:
    def __init__(self, rooms: RealtimeRooms, clock: Clock) -> None:
        self._rooms = rooms
        self._clock = clock

    async def admit(self, token: str) -> Admitted:
        """The room that `token` opens; the services' errors say why it opens none."""
        admitted = await self._rooms.admit(token)
        if isinstance(admitted, Endpoint):
            return Admitted(await self._rooms.by_id(admitted.room_id), admitted)
        return Admitted(admitted, None)

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
