"""Coming into a conference: a visitor at the door, then a member inside.

Decides who gets in and as whom, and who has to give way. What a credential opens is its family's (`doors.py`); who is
inside, and the end, are `conferences.py`'s. A join takes its database turns first and then happens at once, so that
nobody is counted twice. One that moves the conference to the server is such a turn, too: the stored room leads, the
conference follows.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from mediaserver import Clock
from signaling.services.admission import Admission
from signaling.services.conferences import Conferences
from signaling.services.doors import Credential, Endpoint
from signaling.services.errors import Conflict, Full, Gone, Locked
from signaling.services.meeting import Meeting
from signaling.services.members import Member, Outlet, Profile, Visitor
from signaling.services.upgrade import Seat, seat_for_newcomer

CHECK_AGAIN_AFTER = 2.0  # seconds between admission and join; a credential revoked meanwhile is of no use


class AlreadyOnline(Conflict):
    """The seat is taken by somebody with the same shared credential."""

    def __init__(self, participant_id: str) -> None:
        super().__init__(f"A participant {participant_id} is online already.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """`resumed`: the seat was kept, nobody has noticed."""

    member: Member
    resumed: bool


class Entrance:
    def __init__(self, conferences: Conferences, admission: Admission, clock: Clock) -> None:
        self.conferences = conferences
        self._admission = admission
        self._clock = clock

    async def visit(
        self,
        credential: Credential,
        participant_id: str | None,
        name: str,
        end: Callable[[str], None],
        *,
        by_http: bool = False,
    ) -> Visitor:
        """Lets who has the credential come to the door; `end` is called if it is over before they join.

        `participant_id` and `name` are who they want to be, where the credential leaves that open. `by_http`: somebody
        who publishes and has no socket.
        """
        self.conferences.check_open()
        admitted = await self._admission.admit(credential)
        seat = admitted.participant_id or participant_id or str(uuid.uuid4())
        meeting = self.conferences.open(admitted.venue)
        visitor = Visitor(
            meeting,
            credential,
            admitted,
            participant_id=seat,
            name=name if admitted.name is None else admitted.name,
            admitted_at=self._clock.monotonic(),
            end=end,
            by_http=by_http,
        )
        if not by_http:  # whose offer is looked at first
            self._make_way(visitor)
        self._check_seat(visitor)
        meeting.visitors.add(visitor)
        return visitor

    async def join(self, visitor: Visitor, profile: Profile, outlet: Callable[[Member], Outlet]) -> Arrival:
        """Takes the visitor's seat. `outlet` makes the way to a new member; who comes back has one."""
        visitor.meeting.check_view(profile.view)
        self._check_seat(visitor)
        endpoint = await self._endpoint(visitor)
        if self._seat(visitor) is Seat.AFTER_UPGRADE:
            await self._upgrade(visitor.meeting, "auto_upgrade")
        if visitor not in visitor.meeting.visitors:
            raise Gone
        self._make_way(visitor)
        self._check_seat(visitor)
        visitor.meeting.visitors.discard(visitor)
        member = visitor.meeting.members.get(visitor.participant_id)
        if member is None:
            member = self.conferences.enter(visitor, profile, endpoint, outlet)
            return Arrival(member, resumed=False)
        self.conferences.resume(visitor.meeting, member, profile)
        return Arrival(member, resumed=True)

    def turned_away(self, visitor: Visitor) -> None:
        """The visitor has gone without joining."""
        visitor.meeting.visitors.discard(visitor)

    async def renew_endpoint(self, meeting: Meeting, member: Member) -> Endpoint:
        """Another period for the member's endpoint."""
        if member.endpoint is None:
            raise Conflict("Nothing here has to be renewed.")
        renewed = await self._admission.door(meeting.family).renew(member.endpoint)
        self.conferences.renewed(meeting, member, renewed)
        return renewed

    async def upgrade(self, meeting: Meeting) -> None:
        """Moves the conference to the server because somebody in it asks for that."""
        if meeting.mode == "MESH":
            await self._upgrade(meeting, "request")

    async def _upgrade(self, meeting: Meeting, reason: str) -> None:
        await self.conferences.upgraded(await self._admission.door(meeting.family).upgrade(meeting.id), reason)

    async def _endpoint(self, visitor: Visitor) -> Endpoint | None:
        """The endpoint under which the visitor joins, if any; raises if the credential opens no more."""
        if self._clock.monotonic() - visitor.admitted_at > CHECK_AGAIN_AFTER:
            await self._admission.admit(visitor.credential)
        member = visitor.meeting.members.get(visitor.participant_id)
        kept = visitor.admitted.endpoint or (member.endpoint if member else None)
        door = self._admission.door(visitor.meeting.family)
        return await door.seat(visitor.admitted, visitor.participant_id, kept)

    def _make_way(self, visitor: Visitor) -> None:
        """Who comes with a credential of their own takes the place of whoever holds it now."""
        meeting, own = visitor.meeting, visitor.admitted.own
        for other in list(meeting.visitors):
            if own and other is not visitor and other.admitted.own == own:
                meeting.visitors.discard(other)
                other.end("replaced")
        member = meeting.members.get(visitor.participant_id)
        if member is None or (member.listening and not _gives_way(member, visitor)):
            return
        if member.by_http or visitor.by_http:  # nothing of the one is of use to the other
            self.conferences.dismiss(meeting, member, "replaced")
        elif member.listening:
            self.conferences.lost(meeting, member)
            member.outlet.end("replaced")

    def _check_seat(self, visitor: Visitor) -> None:
        """Raises AlreadyOnline, Locked or Full if the visitor cannot have the seat now."""
        meeting = visitor.meeting
        member = meeting.members.get(visitor.participant_id)
        if member and member.listening and not _gives_way(member, visitor):
            raise AlreadyOnline(visitor.participant_id)
        if meeting.locked and member is None:
            raise Locked
        if self._seat(visitor) is Seat.NONE:
            raise Full(meeting.max_participants)

    def _seat(self, visitor: Visitor) -> Seat:
        """What there is for the visitor now; who is a member has one."""
        meeting = visitor.meeting
        if visitor.participant_id in meeting.members:
            return Seat.FREE
        limit_after = self.conferences.settings.realtime.max_participants.sfu
        return seat_for_newcomer(len(meeting.members), meeting.max_participants, meeting.upgrade_count, limit_after)


def _gives_way(member: Member, visitor: Visitor) -> bool:
    """Whether somebody who is online loses the seat: to their own credential, an encoder to its next try."""
    return member.by_http if visitor.by_http else visitor.admitted.own is not None
