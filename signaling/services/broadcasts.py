"""Where a team's meeting is broadcast to: at most one stream a platform, pushed by the media plane.

The address of a stream is a secret: it is checked here, goes to the media plane with the addresses that were found,
and is kept nowhere else. A platform that refuses or breaks is tried again by the media plane; once that has given up,
it is taken from the list. Every change is told, with the whole list. Rooms contract, section 8.
"""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import structlog

from mediaserver import BroadcastEnded, Clock, MediaEvent, RtmpTarget, rtmp_place
from signaling import tokens
from signaling.services import events
from signaling.services import room_views as views
from signaling.services.errors import BadParameter, Gone, Invalid, NotFound, NotNow, SwitchedOff
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.room_records import Herald, RoomUser, Seat, Silent, TeamMeeting
from signaling.services.room_views import Happening, Place, View
from signaling.store.database import Database

SCHEMES = ("rtmp", "rtmps")
MAX_LIVE = 8  # platforms of one meeting

log = structlog.get_logger(__name__)


class Checks(Protocol):
    """The one way to look at a caller's URL."""

    async def check(self, url: str, schemes: Collection[str] = ...) -> Sequence[str]: ...


class Stage(Protocol):
    """The composite, as far as broadcasts are concerned."""

    def need(self, meeting: Meeting, what: str) -> None: ...
    def release(self, meeting_id: str, what: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One that is live. `player_url`: where it can be watched."""

    id: str
    meeting: TeamMeeting
    user: RoomUser
    platform: str
    player_url: str | None

    @property
    def need(self) -> str:
        """What the composite is needed for."""
        return f"broadcast {self.id}"


class Broadcasts:
    """A watch of conferences. `conference` gives a meeting's, or None while there is none. `ca_file`: certificates
    that platforms may have besides those this machine trusts."""

    def __init__(
        self,
        database: Database,
        fetcher: Checks,
        stage: Stage,
        *,
        place: Place,
        clock: Clock,
        conference: Callable[[str], Meeting | None],
        happening: Callable[[str], Happening],
        ca_file: str | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._stage = stage
        self._place = place
        self._clock = clock
        self._conference = conference
        self._happening = happening
        self._ca_file = ca_file
        self._random = random
        self.herald: Herald = Silent()
        self._live: dict[str, dict[str, Broadcast]] = {}
        """By meeting and platform, the oldest first."""
        self._coming: set[tuple[str, str]] = set()
        """Meetings and platforms whose addresses are being looked up."""
        self._later = InOrder()

    async def aclose(self) -> None:
        await self._later.done()

    async def start(self, seat: Seat, platform: str, stream_url: str, player_url: str | None) -> None:
        """Live from now on, if the platform takes it. SwitchedOff; NotNow if the platform is live already."""
        if not seat.meeting.options.broadcast_available:
            raise SwitchedOff("Broadcasting")
        self._ready(seat)
        self._check_free(seat.meeting.id, platform)
        place = (seat.meeting.id, platform)
        self._coming.add(place)
        try:
            target = await self._look_at(stream_url)
        finally:
            self._coming.discard(place)
        meeting = self._conference(seat.meeting.id)
        if meeting is None or meeting.media is None:
            raise Gone
        broadcast = Broadcast(tokens.new_id(self._random), seat.meeting, seat.user, platform, player_url)
        self._live.setdefault(meeting.id, {})[platform] = broadcast
        self._stage.need(meeting, broadcast.need)
        meeting.media.broadcast(broadcast.id, target)
        self._changed(meeting, seat.meeting)

    def change(self, seat: Seat, platform: str, player_url: str) -> None:
        """It can be watched there. NotFound if it is not live."""
        broadcast = self._found(seat, platform)
        self._live[seat.meeting.id][platform] = replace(broadcast, player_url=player_url)
        self._changed(self._ready(seat), seat.meeting)

    def stop(self, seat: Seat, platform: str) -> None:
        """NotFound if it is not live."""
        self._stop(self._ready(seat), [self._found(seat, platform)])

    def stop_all(self, seat: Seat) -> None:
        """NotFound if none is live."""
        live = list(self._live.get(seat.meeting.id, {}).values())
        if not live:
            raise NotFound("broadcast", "that is live")
        self._stop(self._ready(seat), live)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        if not isinstance(event, BroadcastEnded):
            return
        for broadcast in list(self._live.get(meeting.id, {}).values()):
            if broadcast.id == event.broadcast_id:
                log.warning("broadcast given up", conference=meeting.id, platform=broadcast.platform, why=event.why)
                self._stop(meeting, [broadcast])

    def ending(self, meeting: Meeting, reason: str) -> None:
        self._stop(meeting, list(self._live.get(meeting.id, {}).values()))

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    def _ready(self, seat: Seat) -> Meeting:
        meeting = self._conference(seat.meeting.id)
        if meeting is None or meeting.media is None:
            raise NotNow("The meeting is not ready.")
        return meeting

    def _check_free(self, meeting_id: str, platform: str) -> None:
        live = self._live.get(meeting_id, {})
        if platform in live or (meeting_id, platform) in self._coming:
            raise NotNow(f"The broadcast {platform} is live.")
        if len(live) + sum(coming == meeting_id for coming, _ in self._coming) >= MAX_LIVE:
            raise NotNow(f"{MAX_LIVE} broadcasts are live.")

    def _found(self, seat: Seat, platform: str) -> Broadcast:
        broadcast = self._live.get(seat.meeting.id, {}).get(platform)
        if broadcast is None:
            raise NotFound("broadcast", platform)
        return broadcast

    async def _look_at(self, url: str) -> RtmpTarget:
        """BadParameter without the URL for one that is not pushed to."""
        try:
            rtmp_place(url)
            addresses = await self._fetcher.check(url, SCHEMES)
        except ValueError:
            raise BadParameter("stream_url", "is no address of a stream") from None
        except Invalid as failure:
            raise BadParameter("stream_url", f"cannot be used: {failure}") from None
        return RtmpTarget(url, tuple(addresses), self._ca_file)

    def _stop(self, meeting: Meeting, broadcasts: Sequence[Broadcast]) -> None:
        for broadcast in broadcasts:
            del self._live[meeting.id][broadcast.platform]
            if meeting.media:
                meeting.media.stop_broadcast(broadcast.id)
            self._stage.release(meeting.id, broadcast.need)
        if not self._live.get(meeting.id, True):
            del self._live[meeting.id]
        if broadcasts:
            self._changed(meeting, broadcasts[0].meeting)

    def _changed(self, meeting: Meeting, of: TeamMeeting) -> None:
        """Tells everybody, and the team."""
        live = [self._view(each) for each in self._live.get(meeting.id, {}).values()]
        self._happening(meeting.id).broadcasts = live
        meeting.tell(events.broadcasts_update(live))
        now_ms = int(self._clock.wall() * 1000)
        announce = partial(self.herald.announce, team=of.team, kind="broadcast_update", subject=live)
        self._later.put(lambda: self._database.writing(announce, now_ms=now_ms))

    def _view(self, broadcast: Broadcast) -> View:
        return {
            "id": broadcast.id,
            "platform": broadcast.platform,
            "player_url": broadcast.player_url,
            "user": views.person(broadcast.user),
            "room": views.room(self._place, broadcast.meeting, ready=True),
        }
