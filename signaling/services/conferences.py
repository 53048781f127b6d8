"""The running conferences: opened, moved to the server, left, ended; and who of them is told what happens.

Decides whose seat is kept over a lost connection, and acts on the lifecycle's timers. Who gets in is `entrance.py`'s,
what those inside do to each other `meeting.py`'s. `watches` are the families' and services' ears.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from mediaserver import (
    Clock,
    LayersChanged,
    LayersWanted,
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
from signaling.services.doors import Endpoint, Venue
from signaling.services.errors import ServiceError
from signaling.services.lifecycle import Lifecycle, Timers
from signaling.services.meeting import Meeting
from signaling.services.members import NOBODY, Member, Outlet, Profile, Visitor
from signaling.services.mesh import Mesh
from signaling.services.scheduler import Alarm, Scheduler
from signaling.services.upgrade import STRAGGLERS
from signaling.settings import Settings

UPGRADES_REMEMBERED = 1000  # more than happen while somebody comes to the door

log = structlog.get_logger(__name__)


class ShuttingDown(ServiceError):
    def __init__(self) -> None:
        super().__init__("The server is shutting down.")


class Watch(Protocol):
    """Hears of all conferences, after those inside; each family picks its own by `meeting.family`."""

    def came(self, meeting: Meeting, member: Member) -> None:
        """Somebody is online."""

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        """Somebody is offline."""

    def ending(self, meeting: Meeting, reason: str) -> None:
        """It is over; those inside can still be told something."""

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        """The media plane tells something of a conference that runs."""

    def ended(self, meeting: Meeting, reason: str) -> None:
        """It is over; nobody is inside any more."""


class Conferences:
    """`media_event` has to be called with every event of the media server, in order."""

    def __init__(self, media: MediaServer, settings: Settings, clock: Clock, scheduler: Scheduler) -> None:
        self.media = media
        self.settings = settings
        self.watches: list[Watch] = []
        """Told of what happens, in this order, after those inside. `app.py` adds them."""
        self.viewed: Callable[[Meeting], None] = lambda _meeting: None
        """Called when somebody in a meeting wishes another view."""
        self._clock = clock
        self._scheduler = scheduler
        self._meetings: dict[str, Meeting] = {}
        self._timers = Timers(
            settings.empty_timeout_seconds, settings.departure_timeout_seconds, settings.max_duration_seconds
        )
        self._upgraded: dict[str, Venue] = {}
        """The latest that had nobody in them: who was on the way may still know them as MESH rooms."""
        self._closing = False

    # coming: whoever `entrance.py` lets in

    def check_open(self) -> None:
        """Raises ShuttingDown if nobody gets in any more."""
        if self._closing:
            raise ShuttingDown

    def open(self, venue: Venue) -> Meeting:
        """The running conference of the venue, opened if there is none."""
        self.check_open()
        if venue.id in self._meetings:
            return self._meetings[venue.id]
        venue = self._upgraded.get(venue.id, venue)
        meeting = Meeting(
            venue=venue,
            mode=venue.mode,
            max_participants=venue.max_participants,
            media=self.media.open(venue.id, _limits(venue)) if venue.mode == "SFU" else None,
            lifecycle=Lifecycle(self._clock.monotonic(), venue.timers or self._timers),
            alarm=Alarm(self._scheduler),
            mesh=Mesh() if venue.mode == "MESH" else None,
            upgrade_count=venue.upgrade_count,
            locked=venue.locked,
            denied=venue.denied,
            viewed=self.viewed,
        )
        meeting.lifecycle.ready()
        self._meetings[meeting.id] = meeting
        self._rearm(meeting)
        log.info("conference opened", conference=meeting.id, mode=meeting.mode)
        return meeting

    def enter(
        self, visitor: Visitor, profile: Profile, endpoint: Endpoint | None, outlet: Callable[[Member], Outlet]
    ) -> Member:
        """Makes a member of the visitor, for whom there is a seat; everybody else is told."""
        meeting = visitor.meeting
        member = self._member(visitor, profile, endpoint, outlet)
        meeting.members[member.id] = member
        if meeting.started_at is None:
            meeting.started_at = member.joined_at
        meeting.lifecycle.came(self._clock.monotonic())
        self._rearm(meeting)
        self._watch_expiry(meeting, member)
        log.info("participant joined", conference=meeting.id, participant=member.id)
        meeting.tell(events.participant_update(meeting.room_id, member, online=True), but=member)
        if member.attributes:
            meeting.tell(events.attributes_update(member), but=member)
        for watch in self.watches:
            watch.came(meeting, member)
        return member

    def resume(self, meeting: Meeting, member: Member, profile: Profile) -> None:
        """The member is back in time."""
        member.grace.clear()
        member.listening = True
        meeting.set_view(member, profile.view)
        log.info("participant came back", conference=meeting.id, participant=member.id)

    def renewed(self, meeting: Meeting, member: Member, endpoint: Endpoint) -> None:
        """The member may stay for another period."""
        member.endpoint, member.expires_at = endpoint, endpoint.expires_at
        if meeting.members.get(member.id) is member:
            self._watch_expiry(meeting, member)

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
        meeting.tell(events.participant_update(meeting.room_id, member, online=False))
        for watch in self.watches:
            watch.went(meeting, member, reason)

    def lock(self, conference_id: str) -> None:
        """From now on nobody new gets in; who is inside, or lost and still expected, stays."""
        meeting = self._meetings.get(conference_id)
        if meeting and not meeting.locked:
            meeting.locked = True
            for visitor in list(meeting.visitors):
                if visitor.participant_id not in meeting.members:
                    meeting.visitors.discard(visitor)
                    visitor.end("access_revoked")
            meeting.tell(events.lock())

    # from MESH to SFU

    async def upgraded(self, venue: Venue, reason: str = "request") -> None:
        """The venue's mode is SFU from now on: its conference, if it runs as a MESH, becomes one at once."""
        meeting = self._meetings.get(venue.id)
        if meeting is None:
            self._upgraded[venue.id] = venue
            if len(self._upgraded) > UPGRADES_REMEMBERED:
                del self._upgraded[next(iter(self._upgraded))]
        elif meeting.mode == "MESH":
            limit = max(venue.max_participants, len(meeting.members))  # nobody goes offline
            meeting.move(
                self.media.open(venue.id, replace(_limits(venue), max_participants=limit)),
                venue.max_participants,
                reason,
            )
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
            case LayersChanged() | LayersWanted():
                if member:
                    member.outlet.tell(events.layers(event))
            case _:
                if isinstance(event, StreamStarted):
                    meeting.started(event.stream)
                if member:
                    member.outlet.heard(event)
        for watch in self.watches:
            watch.heard(meeting, event)

    # questions

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

    def _member(
        self, visitor: Visitor, profile: Profile, endpoint: Endpoint | None, outlet: Callable[[Member], Outlet]
    ) -> Member:
        meeting, admitted = visitor.meeting, visitor.admitted
        fixed = profile.name is None or admitted.name is not None
        member = Member(
            id=visitor.participant_id,
            name=visitor.name if fixed else profile.name or "",
            role=admitted.role,
            joined_at=self._clock.wall(),
            media=None,
            endpoint=endpoint,
            grace=Alarm(self._scheduler),
            expiry=Alarm(self._scheduler),
            attributes=profile.attributes,
            view=profile.view,
            by_http=visitor.by_http,
            avatar=admitted.avatar,
            guest=admitted.guest,
            powers=admitted.powers,
            data=admitted.data,
            expires_at=endpoint.expires_at if endpoint else admitted.expires_at,
        )
        meeting.enroll(member)
        member.outlet = outlet(member)
        return member

    def _watch_expiry(self, meeting: Meeting, member: Member) -> None:
        left = None if member.expires_at is None else member.expires_at - self._clock.wall()
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
        for watch in self.watches:
            watch.ending(meeting, reason)
        for visitor in list(meeting.visitors):
            visitor.end(reason)
        for member in list(meeting.members.values()):
            self._vacate(member, reason)
        meeting.visitors.clear()
        meeting.members.clear()
        if meeting.media:
            meeting.media.close()
        log.info("conference ended", conference=meeting.id, reason=reason)
        for watch in self.watches:
            watch.ended(meeting, reason)
        for observer in list(meeting.observers):
            observer.end(reason)
        meeting.observers.clear()


def _limits(venue: Venue) -> Limits:
    return Limits(venue.max_participants, encrypted=venue.e2ee)
