"""The attendee lists of sessions: fed by our own participants and by whoever may call the webhook, by one rule.

What an event does to a line is `session_rules.attendee_change`. The webhook may be open to the world, so what it can
make grow is bounded: lines of one session, and lines of sessions that nobody has made here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from mediaserver import Clock, MediaEvent, StreamEnded, StreamStarted
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.session_callers import Claims
from signaling.services.session_rules import Change, Happening, Unknown, attendee_change
from signaling.store import sessions as store
from signaling.store.database import Connection, Database
from signaling.store.sessions import AttendeeRecord

FAMILY = "sessions"
PROJECT = "folkmoot"  # of sessions without a tenant
MAX_PER_SESSION = 10_000  # lines
MAX_STRAY = 10_000  # lines of sessions that are not ours

log = structlog.get_logger(__name__)


Attendee = AttendeeRecord


class Attendees:
    """A watch of the conferences, too: our own participants are attendees."""

    def __init__(self, database: Database, clock: Clock, in_order: InOrder) -> None:
        self._database = database
        self._clock = clock
        self._in_order = in_order

    async def list(self, caller: Claims, link: str, *, active: bool) -> Sequence[AttendeeRecord]:
        """By id; `active`: only who is there."""

        def lines(connection: Connection) -> Sequence[AttendeeRecord]:
            session = store.by_link(connection, link, caller.tenant)
            if session is None:
                raise Unknown("Meeting Not Found")
            return store.attendees(connection, session.session_id, active=active)

        return await self._database.reading(lines)

    async def happened(self, happening: Happening) -> None:
        """Enters what has happened into the list."""
        if not await self._database.writing(_enter, happening, int(self._clock.wall() * 1000)):
            log.warning("an attendee was not listed: there are too many", session=happening.session_id[:64])

    async def entered(self) -> None:
        """Waits until all that was heard of so far stands in the lists."""
        await self._in_order.done()

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        self._heard(meeting, member, "connectionCreated")

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        self._heard(meeting, member, "connectionDestroyed", "clientDisconnected" if reason == "left" else reason)

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        member = meeting.members.get(event.participant_id)
        if member is None:
            return
        match event:
            case StreamStarted(stream=stream):
                said = {"id": stream.stream_id, "name": "", "videoType": stream.label}
                self._heard(meeting, member, "streamCreated", stream=said)
            case StreamEnded(stream_id=stream_id):
                self._heard(meeting, member, "streamDestroyed", "mediaStopped", stream={"id": stream_id})

    def ending(self, meeting: Meeting, reason: str) -> None:
        """Nothing yet: everybody is still there."""

    def ended(self, meeting: Meeting, reason: str) -> None:
        if meeting.family == FAMILY:
            now_ms = int(self._clock.wall() * 1000)
            self._in_order.put(lambda: self._database.writing(store.all_gone, meeting.id, now_ms))

    def _heard(
        self,
        meeting: Meeting,
        member: Member,
        event: str,
        reason: str | None = None,
        stream: Mapping[str, Any] | None = None,
    ) -> None:
        if meeting.family != FAMILY:
            return
        name = member.data or member.id
        connection = {"id": member.id, "createdAt": round(member.joined_at * 1000), "data": name}
        payload: dict[str, Any] = {"sessionId": meeting.id, "projectId": PROJECT, "event": event}
        if reason is not None:
            payload["reason"] = reason
        payload |= {"timestamp": int(self._clock.wall() * 1000), "connection": connection}
        if stream is not None:
            payload["stream"] = {**stream, "connection": connection}
        happening = Happening(meeting.id, event, reason, name, payload)
        self._in_order.put(lambda: self.happened(happening))


def _enter(connection: Connection, happening: Happening, now_ms: int) -> bool:
    """Whether there was room for it."""
    known = store.attendee(connection, happening.session_id, happening.data)
    change = attendee_change(happening.event, happening.reason, known=known is not None)
    if change is Change.CREATE:
        return _create(connection, happening, now_ms)
    if known is not None and change is not Change.NOTHING:
        gone = {Change.PRESENT: False, Change.ABSENT: True}.get(change)
        store.update_attendee(connection, known.id, happening.payload, now_ms, is_deleted=gone)
    return True


def _create(connection: Connection, happening: Happening, now_ms: int) -> bool:
    if store.attendee_count(connection, happening.session_id) >= MAX_PER_SESSION:
        return False
    ours = store.by_session_id(connection, happening.session_id) is not None
    if not ours and store.stray_attendee_count(connection) >= MAX_STRAY:
        return False
    store.insert_attendee(connection, happening.session_id, happening.data, happening.payload, now_ms)
    return True
