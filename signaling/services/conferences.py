"""The running conferences: opened by whoever comes to the door first, entered, left, ended.

Decides who gets in and as whom, whose seat is kept over a lost connection, and acts on the lifecycle's timers. What
those inside do to each other is `meeting.py`'s, what a credential opens `admission.py`'s.
A join takes its database turns first and then happens at once, so that nobody is counted twice. One that moves the
conference to the server is such a turn, too: the stored room leads, the conference follows.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from mediaserver import (
    Clock,
    LayersChanged,
    Limits,
    MediaEvent,
    MediaServer,
    QualityChanged,
    SpeakersChanged,
    StreamMuted,
    StreamStarted,
    VoiceChanged,
)
from signaling.services import events
from signaling.services.admission import Admission
from signaling.services.errors import Conflict, Full, Gone, ServiceError
from signaling.services.lifecycle import Lifecycle, Timers
from signaling.services.meeting import Meeting
from signaling.services.members import NOBODY, Member, Outlet, Profile, Role, Visitor
from signaling.services.mesh import Mesh
from signaling.services.realtime_rooms import Endpoint, RealtimeRoom
from signaling.services.scheduler import Alarm, Scheduler
from signaling.services.upgrade import STRAGGLERS, Seat, seat_for_newcomer
from signaling.settings import Settings

UPGRADES_REMEMBERED = 1000  # more than happen while somebody comes to the door

log = structlog.get_logger(__name__)


class AlreadyOnline(Conflict):
    """The seat is taken by somebody with the same shared credential."""

    def __init__(self, participant_id: str) -> None:
        super().__init__(f"A participant {participant_id} is online already.")


class ShuttingDown(ServiceError):
    def __init__(self) -> None:
        super().__init__("The server is shutting down.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """`resumed`: the seat was kept, nobody has noticed."""

    member: Member
    resumed: bool


class Conferences:
    """`media_event` has to be called with every event of the media server, in order."""

    def __init__(
        self, media: MediaServer, admission: Admission, settings: Settings, clock: Clock, scheduler: Scheduler
    ) -> None:
        self.media = media
        self.settings = settings
        self._admission = admission
        self._clock = clock
        self._scheduler = scheduler
        self._meetings: dict[str, Meeting] = {}
        self._upgraded: dict[str, RealtimeRoom] = {}
        """The latest that had nobody in them: who was on the way may still know them as MESH rooms."""
        self._closing = False

    # coming

    async def visit(
        self,
        token: str,
        participant_id: str | None,
        name: str,
        end: Callable[[str], None],
        *,
        at: str | None = None,
        by_http: bool = False,
    ) -> Visitor:
        """Lets the bearer of `token` come to the door; `end` is called if the conference is over before they join.

        `participant_id` is who they want to be, where the credential leaves that open. `at` is the conference that
        the credential has to be for. `by_http`: somebody who publishes and has no socket.
        """
        if self._closing:
            raise ShuttingDown
        admitted = await self._admission.admit(token, at)
        endpoint = admitted.endpoint
        seat = endpoint.participant_id if endpoint else participant_id or str(uuid.uuid4())
        meeting = self._meeting(admitted.room)
        visitor = Visitor(meeting, token, seat, name, Role.PUBLISHER, endpoint, self._clock.monotonic(), end, by_http)
        if not by_http:  # whose offer is looked at first
            self._make_way(visitor)
        self._check_seat(visitor)
        meeting.visitors.add(visitor)
        return visitor

    async def join(self, visitor: Visitor, profile: Profile, outlet: Callable[[Member], Outlet]) -> Arrival:
        """Takes the visitor's seat. `outlet` makes the way to a new member; who comes back has one."""
        visitor.meeting.check_view(profile.view)
        self._check_seat(visitor)
        endpoint = await self._admission.endpoint(visitor)
        if self._seat(visitor) is Seat.AFTER_UPGRADE:
            await self.upgraded(await self._admission.upgrade(visitor.meeting.id), "auto_upgrade")
        if visitor not in visitor.meeting.visitors:
            raise Gone
        self._make_way(visitor)
        self._check_seat(visitor)
        visitor.meeting.visitors.discard(visitor)
        member = visitor.meeting.members.get(visitor.participant_id)
        if member is not None:
            return self._resume(visitor.meeting, member, profile)
        return self._enter(visitor, profile, endpoint, outlet)

    # going

    def turned_away(self, visitor: Visitor) -> None:
        """The visitor has gone without joining."""
        visitor.meeting.visitors.discard(visitor)

    def lost(self, meeting: Meeting, member: Member) -> None:
        """The member's socket is gone without a word: the seat is kept for a while."""
        if meeting.members.get(member.id) is member and member.listening:
            member.listening = False
            grace = self.settings.reconnect_grace_seconds
            member.grace.set(grace, lambda: self.dismiss(meeting, member, "timeout"))
            log.info("participant lost", conference=meeting.id, participant=member.id)

    def dismiss(self, meeting: Meeting, member: Member, reason: str) -> None:
        """The member is offline at once, and told why."""
        if meeting.members.get(member.id) is not member:
            return
        del meeting.members[member.id]
        self._vacate(member, reason)
        if meeting.mesh:
            meeting.mesh.left(member.id)
        meeting.lifecycle.went(self._clock.monotonic())
        self._rearm(meeting)
        log.info("participant left", conference=meeting.id, participant=member.id, reason=reason)
        meeting.tell(events.participant_update(meeting.id, member, online=False))

    async def renew_endpoint(self, meeting: Meeting, member: Member) -> Endpoint:
        """Another period for the member's endpoint."""
        member.endpoint = await self._admission.renew(member.endpoint)
        if meeting.members.get(member.id) is member:
            self._watch_expiry(meeting, member)
        return member.endpoint

    # from MESH to SFU

    async def upgrade(self, meeting: Meeting) -> None:
        """Moves the conference to the server because somebody in it asks for that."""
        if meeting.mode == "MESH":
            await self.upgraded(await self._admission.upgrade(meeting.id), "request")

    async def upgraded(self, room: RealtimeRoom, reason: str = "request") -> None:
        """The room is an SFU room from now on: its conference, if it runs as a MESH, becomes one at once."""
        meeting = self._meetings.get(room.id)
        if meeting is None:
            self._upgraded[room.id] = room
            if len(self._upgraded) > UPGRADES_REMEMBERED:
                del self._upgraded[next(iter(self._upgraded))]
        elif meeting.mode == "MESH":
            limit = max(room.max_participants, len(meeting.members))  # nobody goes offline
            meeting.move(self.media.open(room.id, Limits(limit)), room.max_participants, reason)
            meeting.stragglers = Alarm(self._scheduler)
            meeting.stragglers.set(STRAGGLERS, meeting.settle)
            log.info("conference upgraded", conference=meeting.id, reason=reason, participants=len(meeting.members))

    # the end

    async def end(self, conference_id: str, reason: str) -> None:
        """Ends the conference, if it runs; everybody in it and at its door is told `reason`."""
        if meeting := self._meetings.get(conference_id):
            self._end(meeting, reason)

    async def aclose(self, reason: str = "server_shutdown") -> None:
        """Ends all conferences and lets nobody in any more. May be called twice."""
        self._closing = True
        for meeting in list(self._meetings.values()):
            self._end(meeting, reason)

    # what the media plane tells

    def media_event(self, event: MediaEvent) -> None:
        meeting = self._meetings.get(event.conference_id)
        if meeting is None:
            return
        member = meeting.members.get(event.participant_id)
        match event:
            case StreamMuted(stream=stream):
                meeting.tell(events.mute_update(stream))
            case SpeakersChanged():
                meeting.tell(events.speakers_update(event))
            case VoiceChanged():
                meeting.tell(events.voice_activity(event))
            case QualityChanged():
                meeting.tell(events.quality_update(event))
            case LayersChanged():
                if member:
                    member.outlet.tell(events.layers_update(event))
            case _:
                if isinstance(event, StreamStarted):
                    meeting.started(event.stream)
                if member:
                    member.outlet.heard(event)

    # questions

    @property
    def closing(self) -> bool:
        """Whether nobody gets in any more."""
        return self._closing

    def meeting(self, conference_id: str) -> Meeting | None:
        """The conference, if it runs."""
        return self._meetings.get(conference_id)

    def anyone_online(self, room_id: str) -> bool:
        meeting = self._meetings.get(room_id)
        return meeting is not None and bool(meeting.members)

    def is_online(self, room_id: str, participant_id: str) -> bool:
        meeting = self._meetings.get(room_id)
        return meeting is not None and participant_id in meeting.members

    def counts(self) -> dict[str, int]:
        """How many there are now: `conferences_sfu`, `participants_mesh`, `streams_sfu` and so on."""
        counts = {
            f"{what}_{mode}": 0 for what in ("conferences", "participants", "streams") for mode in ("mesh", "sfu")
        }
        counts["viewers_sfu"] = 0
        for meeting in self._meetings.values():
            mode = meeting.mode.lower()
            counts[f"conferences_{mode}"] += 1
            counts[f"participants_{mode}"] += len(meeting.members)
            counts[f"streams_{mode}"] += len(meeting.streams())
            counts["viewers_sfu"] += meeting.media.viewer_count if meeting.media else 0
        return counts

    # helpers

    def _meeting(self, room: RealtimeRoom) -> Meeting:
        """The room's running conference, opened if there is none."""
        if self._closing:
            raise ShuttingDown
        if room.id in self._meetings:
            return self._meetings[room.id]
        room = self._upgraded.get(room.id, room)
        settings = self.settings
        timers = Timers(
            settings.empty_timeout_seconds, settings.departure_timeout_seconds, settings.max_duration_seconds
        )
        meeting = Meeting(
            id=room.id,
            name=room.name,
            mode=room.conference_type,
            max_participants=room.max_participants,
            media=self.media.open(room.id, Limits(room.max_participants)) if room.conference_type == "SFU" else None,
            lifecycle=Lifecycle(self._clock.monotonic(), timers),
            alarm=Alarm(self._scheduler),
            mesh=Mesh() if room.conference_type == "MESH" else None,
            upgrade_count=room.auto_upgrade_count if room.conference_type == "MESH" else None,
        )
        meeting.lifecycle.ready()
        self._meetings[room.id] = meeting
        self._rearm(meeting)
        log.info("conference opened", conference=meeting.id, mode=meeting.mode)
        return meeting

    def _make_way(self, visitor: Visitor) -> None:
        """Who comes with a credential of their own takes the place of whoever holds it now."""
        meeting, own = visitor.meeting, visitor.endpoint
        for other in list(meeting.visitors):
            if own and other is not visitor and other.endpoint and other.endpoint.id == own.id:
                meeting.visitors.discard(other)
                other.end("replaced")
        member = meeting.members.get(visitor.participant_id)
        if member is None or (member.listening and not _gives_way(member, visitor)):
            return
        if member.by_http or visitor.by_http:  # nothing of the one is of use to the other
            self.dismiss(meeting, member, "replaced")
        elif member.listening:
            self.lost(meeting, member)
            member.outlet.end("replaced")

    def _check_seat(self, visitor: Visitor) -> None:
        """Raises AlreadyOnline or Full if the visitor cannot have the seat now."""
        meeting = visitor.meeting
        member = meeting.members.get(visitor.participant_id)
        if member and member.listening and not _gives_way(member, visitor):
            raise AlreadyOnline(visitor.participant_id)
        if self._seat(visitor) is Seat.NONE:
            raise Full(meeting.max_participants)

    def _seat(self, visitor: Visitor) -> Seat:
        """What there is for the visitor now; who is a member has one."""
        meeting = visitor.meeting
        if visitor.participant_id in meeting.members:
            return Seat.FREE
        limit_after = self.settings.realtime.max_participants.sfu
        return seat_for_newcomer(len(meeting.members), meeting.max_participants, meeting.upgrade_count, limit_after)

    def _resume(self, meeting: Meeting, member: Member, profile: Profile) -> Arrival:
        member.grace.clear()
        member.listening = True
        member.view = profile.view
        log.info("participant came back", conference=meeting.id, participant=member.id)
        return Arrival(member, resumed=True)

    def _enter(
        self, visitor: Visitor, profile: Profile, endpoint: Endpoint, outlet: Callable[[Member], Outlet]
    ) -> Arrival:
        meeting = visitor.meeting
        member = self._member(visitor, profile, endpoint, outlet)
        meeting.members[member.id] = member
        if meeting.started_at is None:
            meeting.started_at = member.joined_at
        meeting.lifecycle.came(self._clock.monotonic())
        self._rearm(meeting)
        self._watch_expiry(meeting, member)
        log.info("participant joined", conference=meeting.id, participant=member.id)
        meeting.tell(events.participant_update(meeting.id, member, online=True), but=member)
        if member.attributes:
            meeting.tell(events.attributes_update(member), but=member)
        return Arrival(member, resumed=False)

    def _member(
        self, visitor: Visitor, profile: Profile, endpoint: Endpoint, outlet: Callable[[Member], Outlet]
    ) -> Member:
        meeting = visitor.meeting
        member = Member(
            id=visitor.participant_id,
            name=visitor.name if profile.name is None else profile.name,
            role=visitor.role,
            joined_at=self._clock.wall(),
            media=None,
            endpoint=endpoint,
            grace=Alarm(self._scheduler),
            expiry=Alarm(self._scheduler),
            attributes=profile.attributes,
            view=profile.view,
            by_http=visitor.by_http,
        )
        meeting.enroll(member)
        member.outlet = outlet(member)
        return member

    def _watch_expiry(self, meeting: Meeting, member: Member) -> None:
        left = member.endpoint.expires_at - self._clock.wall()
        member.expiry.set(left, lambda: self.dismiss(meeting, member, "endpoint_expired"))

    def _vacate(self, member: Member, reason: str) -> None:
        member.grace.clear()
        member.expiry.clear()
        member.outlet.end(reason)
        member.outlet = NOBODY
        if member.media:
            member.media.leave()

    def _rearm(self, meeting: Meeting) -> None:
        deadline = meeting.lifecycle.deadline()
        delay = None if deadline is None else deadline - self._clock.monotonic()
        meeting.alarm.set(delay, lambda: self._look_at(meeting))

    def _look_at(self, meeting: Meeting) -> None:
        if meeting.lifecycle.due(self._clock.monotonic()):
            self._end(meeting, "ended")
        else:
            self._rearm(meeting)

    def _end(self, meeting: Meeting, reason: str) -> None:
        del self._meetings[meeting.id]
        meeting.lifecycle.end()
        meeting.alarm.clear()
        if meeting.stragglers:
            meeting.stragglers.clear()
        for visitor in list(meeting.visitors):
            visitor.end(reason)
        for member in list(meeting.members.values()):
            self._vacate(member, reason)
        meeting.visitors.clear()
        meeting.members.clear()
        if meeting.media:
            meeting.media.close()
        log.info("conference ended", conference=meeting.id, reason=reason)


def _gives_way(member: Member, visitor: Visitor) -> bool:
    """Whether somebody who is online loses the seat: to their own credential, an encoder to its next try."""
    return member.by_http if visitor.by_http else visitor.endpoint is not None
