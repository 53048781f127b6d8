"""Who shows something to everybody: slides one after the other, or their screen. One presentation a meeting at most.

Decides who may show, change and stop it; it ends by itself when the presenter has been offline for longer than the
grace, and with the meeting. A slide is looked at before anybody hears of it: it is one of the meeting's own, or is
fetched and drawn anew by `pictures.py`; the picture is kept for the composite. Rooms contract, section 13.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mediaserver import Clock, MediaEvent
from signaling.objects import Objects, StoreFailed
from signaling.services import events
from signaling.services import room_views as views
from signaling.services.errors import BadParameter, Conflict, Invalid, NotFound
from signaling.services.files import MeetingFiles
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member
from signaling.services.pictures import Kept, Pictures
from signaling.services.room_records import Herald, RoomUser, Seat, Silent, TeamMeeting
from signaling.services.room_views import Happening, Place, View
from signaling.store.database import Database


class NotYours(Conflict):
    def __init__(self, presenter: str) -> None:
        super().__init__(f"{presenter} presents.")


@dataclass(frozen=True, slots=True)
class Presentation:
    """`slide` None: the presenter's screen is shown. `picture` is the slide, drawn by us; its file
    is there until something else is presented."""

    meeting: TeamMeeting
    user: RoomUser
    slide: str | None = None
    picture: Kept | None = None


class Presentations:
    """`tell` is called with every event for those in a meeting; `watches` with every change, for the composite."""

    def __init__(
        self,
        database: Database,
        files: MeetingFiles,
        objects: Objects,
        pictures: Pictures,
        *,
        place: Place,
        clock: Clock,
        tell: Callable[[str, Event], None],
        happening: Callable[[str], Happening],
    ) -> None:
        self._database = database
        self._files = files
        self._objects = objects
        self._pictures = pictures
        self._place = place
        self._clock = clock
        self._tell = tell
        self._happening = happening
        self.herald: Herald = Silent()
        self.watches: list[Callable[[str, Presentation | None], None]] = []
        """Called with the meeting's id and what is presented now."""
        self._running: dict[str, Presentation] = {}
        self._later = InOrder()

    async def aclose(self) -> None:
        await self._later.done()

    def running(self, meeting_id: str) -> Presentation | None:
        return self._running.get(meeting_id)

    async def start(self, seat: Seat, slide: str | None) -> View:
        """Begins a presentation, or another one of the same user. Conflict while somebody else presents."""
        return await self._show(seat, slide, self._check_free)

    async def change(self, seat: Seat, slide: str | None) -> View:
        """Shows another slide. NotFound if nothing is presented, Conflict if somebody else does."""
        return await self._show(seat, slide, self._check_own)

    async def stop(self, seat: Seat) -> None:
        """Anybody may; twice is fine."""
        self._end(seat.meeting.id)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        presentation = self._running.get(meeting.id)
        if presentation is not None and presentation.user.id == member.id:
            self._end(meeting.id)

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        self._end(meeting.id)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    async def _show(self, seat: Seat, slide: str | None, check: Callable[[Seat], None]) -> View:
        check(seat)
        picture = None if slide is None else await self._look_at(seat.meeting.id, slide)
        try:
            check(seat)  # somebody may have been faster
        except (Conflict, NotFound):
            await self._forget(picture)
            raise
        before = self._running.get(seat.meeting.id)
        presentation = Presentation(seat.meeting, seat.user, slide, picture)
        self._running[seat.meeting.id] = presentation
        view = self._view(presentation)
        self._changed(before, presentation, view)
        return view

    def _check_free(self, seat: Seat) -> None:
        running = self._running.get(seat.meeting.id)
        if running is not None and running.user.id != seat.user.id:
            raise NotYours(running.user.name)

    def _check_own(self, seat: Seat) -> None:
        if seat.meeting.id not in self._running:
            raise NotFound("presentation", "in this meeting")
        self._check_free(seat)

    def _end(self, meeting_id: str) -> None:
        presentation = self._running.pop(meeting_id, None)
        if presentation is not None:
            self._changed(presentation, None, None)

    def _changed(self, before: Presentation | None, now: Presentation | None, view: View | None) -> None:
        """Tells everybody, and the team. The end is told as no presentation and an empty slide."""
        one = now or before
        assert one is not None
        meeting = one.meeting
        self._happening(meeting.id).presentation = view
        self._tell(meeting.id, events.presentation_update(view))
        if now is None or now.slide is not None:
            self._tell(meeting.id, events.slide((now and now.slide) or ""))
        for watch in self.watches:
            watch(meeting.id, now)
        now_ms = int(self._clock.wall() * 1000)
        announce = partial(self.herald.announce, team=meeting.team, kind="presentation_update", subject=view)
        self._later.put(lambda: self._database.writing(announce, now_ms=now_ms))
        self._later.put(lambda: self._forget(before.picture if before else None))

    async def _forget(self, picture: Kept | None) -> None:
        if picture is not None:
            await self._pictures.forget(picture)

    def _view(self, presentation: Presentation) -> View:
        return {
            "slide": presentation.slide,
            "room": views.room(self._place, presentation.meeting, ready=True),
            "user": views.person(presentation.user),
        }

    async def _look_at(self, meeting_id: str, url: str) -> Kept:
        """The slide, drawn anew. BadParameter if there is none to be had."""
        try:
            name = await self._files.slide(meeting_id, url)
            if name is None:
                return await self._pictures.from_url(url, as_slide=True)
            return await self._own(name)
        except (Invalid, StoreFailed) as failure:
            raise BadParameter("slide", f"cannot be shown: {failure}") from None

    async def _own(self, name: str) -> Kept:
        path = self._pictures.passing()
        try:
            await self._objects.fetch(name, path)
            return await self._pictures.from_file(path, as_slide=True)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
