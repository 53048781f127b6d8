"""Calls in the rooms of spaces as they happen: who comes and goes, speaks and writes, remembered for the analytics.

A watch of the conferences. A call begins with the first who is online and is over with its conference; the space's
webhook is told of both in the transaction that remembers it. Every few seconds it is noted who is still there: what a
server leaves behind when it is killed is ended at the next start, at the time when it was last known to be true.
Spaces contract, sections 8 and 10.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from mediaserver import Clock, MediaEvent, VoiceChanged
from signaling.services.doors import Role
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.scheduler import Alarm, Scheduler
from signaling.services.spaces.door import FAMILY
from signaling.services.spaces.hooks import SpaceWebhooks
from signaling.services.spaces.rules import SpaceRole
from signaling.store import space_calls as store
from signaling.store import spaces
from signaling.store.database import Connection, Database
from signaling.store.space_calls import CallRow, Did, PresenceRow
from signaling.store.spaces import AccessRecord, RoomRecord, UserRecord

BEAT = 10.0  # seconds between two notes of who is there; a killed server is wrong by no more than that

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Stay:
    """Times are monotonic seconds."""

    member: Member
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    spoken: float = 0.0
    speaking_since: float | None = None

    def voice(self, on: bool, now: float) -> None:
        if self.speaking_since is not None:
            self.spoken += now - self.speaking_since
        self.speaking_since = now if on else None

    def did(self, now: float, now_ms: int, *, left: bool = False) -> Did:
        speaking = 0.0 if self.speaking_since is None else now - self.speaking_since
        return Did(self.id, now_ms, self.member.messages, round((self.spoken + speaking) * 1000), left)


@dataclass(slots=True, eq=False)
class _Call:
    """`space_id` is known once it has been remembered; a call whose room was deleted first never is."""

    id: str
    room_id: str
    stays: dict[str, _Stay] = field(default_factory=dict)
    space_id: str | None = None


class Calls:
    def __init__(
        self, database: Database, hooks: SpaceWebhooks, clock: Clock, scheduler: Scheduler, in_order: InOrder
    ) -> None:
        self._database = database
        self._hooks = hooks
        self._clock = clock
        self._in_order = in_order
        self._beat = Alarm(scheduler)
        self._running: dict[str, _Call] = {}
        """By the id of the call."""

    async def start_up(self) -> None:
        """Ends what the server has left behind when it went down."""
        for call in await self._database.writing(self._abandon):
            log.info("call ended late", call=call.id)

    async def entered(self) -> None:
        """Waits until all that was heard of so far is remembered."""
        await self._in_order.so_far()

    async def aclose(self) -> None:
        self._beat.clear()
        await self._in_order.done()

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        if meeting.family != FAMILY:
            return
        call = self._running.get(meeting.call_id)
        if call is None:
            call = self._begin(meeting)
        stay = call.stays[member.id] = _Stay(member)
        presence, there = _presence(call, stay, self._now_ms()), len(call.stays)
        self._in_order.put(lambda: self._database.writing(_come, presence, member.id, member.data, there))

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        call = self._running.get(meeting.call_id)
        if call and (stay := call.stays.pop(member.id, None)):
            did = [stay.did(self._clock.monotonic(), self._now_ms(), left=True)]
            self._in_order.put(lambda: self._database.writing(store.did, did))

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        call = self._running.get(meeting.call_id)
        if call and isinstance(event, VoiceChanged) and (stay := call.stays.get(event.participant_id)):
            stay.voice(event.on, self._clock.monotonic())

    def ending(self, meeting: Meeting, reason: str) -> None:
        """Nothing yet: everybody is still there."""

    def ended(self, meeting: Meeting, reason: str) -> None:
        call = self._running.pop(meeting.call_id, None)
        if call is None:
            return
        now, now_ms = self._clock.monotonic(), self._now_ms()
        did = [stay.did(now, now_ms, left=True) for stay in call.stays.values()]
        self._in_order.put(lambda: self._database.writing(self._finish, call, did, now_ms))

    # helpers

    def _begin(self, meeting: Meeting) -> _Call:
        call = self._running[meeting.call_id] = _Call(meeting.call_id, meeting.room_id)
        now_ms = self._now_ms()

        async def remember() -> None:
            call.space_id = await self._database.writing(self._remember, call.id, call.room_id, now_ms)

        self._in_order.put(remember)
        if len(self._running) == 1:
            self._beat.set(BEAT, self._note)
        return call

    def _remember(self, connection: Connection, call_id: str, room_id: str, now_ms: int) -> str | None:
        """The id of the space, unless the room is gone already."""
        room = spaces.find(connection, RoomRecord, id=room_id)
        if room is None:
            return None
        store.begin(connection, CallRow(call_id, room.space_id, room_id, room.kind, now_ms, None, 0))
        self._hooks.announce(connection, "call_started", space_id=room.space_id, room_id=room_id, call_id=call_id)
        return room.space_id

    def _finish(self, connection: Connection, call: _Call, did: Sequence[Did], now_ms: int) -> None:
        """The space may be gone meanwhile, but its webhook is told."""
        store.did(connection, did)
        store.finish(connection, call.id, now_ms)
        if call.space_id is not None:
            self._hooks.announce(
                connection, "call_finished", space_id=call.space_id, room_id=call.room_id, call_id=call.id
            )

    def _abandon(self, connection: Connection) -> Sequence[CallRow]:
        left = store.unfinished(connection)
        for call in left:
            store.abandon(connection, call)
            self._hooks.announce(
                connection, "call_finished", space_id=call.space_id, room_id=call.room_id, call_id=call.id
            )
        return left

    def _note(self) -> None:
        """Everybody who is in a call is there still."""
        if not self._running:
            return
        now, now_ms = self._clock.monotonic(), self._now_ms()
        did = [stay.did(now, now_ms) for call in self._running.values() for stay in call.stays.values()]

        async def remember() -> None:
            try:
                await self._database.writing(store.did, did)
            finally:
                self._beat.set(BEAT if self._running else None, self._note)

        self._in_order.put(remember)

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def _presence(call: _Call, stay: _Stay, now_ms: int) -> PresenceRow:
    """As it begins; what the store knows of the member is still to be added."""
    member = stay.member
    return PresenceRow(
        id=stay.id,
        call_id=call.id,
        person="",
        name=member.name.replace("\0", ""),
        user_id=None if member.guest else member.id,
        external_user_id=None,
        email=None,
        phone=None,
        role=(SpaceRole.MODERATOR if member.role >= Role.MODERATOR else SpaceRole.USER).value,
        joined_ms=now_ms,
        seen_ms=now_ms,
        left_ms=None,
        messages=0,
        speaking_ms=0,
    )


def _come(connection: Connection, presence: PresenceRow, member_id: str, access_id: str | None, there: int) -> None:
    store.came(connection, _known(connection, presence, member_id, access_id), there)


def _known(connection: Connection, presence: PresenceRow, member_id: str, access_id: str | None) -> PresenceRow:
    """With what is known of them. Whom somebody else's system knows is the same person with each of their links."""
    if presence.user_id is not None:
        user = spaces.find(connection, UserRecord, id=presence.user_id)
        email, phone = (None, None) if user is None else (user.email, user.phone)
        return replace(presence, person=f"user {presence.user_id}", email=email, phone=phone)
    access = None if access_id is None else spaces.find(connection, AccessRecord, id=access_id)
    if access is None:
        return replace(presence, person=f"guest {member_id}")
    external = access.external_user_id
    return replace(
        presence,
        person=f"guest {member_id}" if external is None else f"external {external}",
        external_user_id=external,
        email=access.email,
        phone=access.phone,
    )
