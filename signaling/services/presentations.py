"""Who shows something to everybody: slides one after the other, or their screen. One presentation a meeting at most.

Decides who may show, change and stop it; it ends by itself when the presenter has been offline for longer than the
grace, and with the meeting. A slide is looked at before anybody hears of it: it is one of the meeting's own, or is
fetched and drawn anew by `documents.py`; the picture is kept for the composite. Rooms contract, section 13.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from mediaserver import Clock, MediaEvent
from signaling.objects import Objects, StoreFailed
from signaling.services import events
from signaling.services import room_views as views
from signaling.services.documents import Documents, Picture, Unreadable, beginning_of, kind_of
from signaling.services.errors import BadParameter, Conflict, Invalid, NotFound
from signaling.services.files import MeetingFiles
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member
from signaling.services.room_records import Herald, RoomUser, Seat, Silent, TeamMeeting
from signaling.services.room_views import Happening, Place, View
from signaling.store.database import Database

SLIDE_TYPES = ("image/png", "image/jpeg", "image/webp")
MAX_URL = 2048  # characters

log = structlog.get_logger(__name__)


class NotYours(Conflict):
    def __init__(self, presenter: str) -> None:
        super().__init__(f"{presenter} presents.")


class Saves(Protocol):
    """The one way to fetch a caller's URL."""

    async def save(self, url: str, path: Path, *, accept: Collection[str] = ()) -> Any: ...


@dataclass(frozen=True, slots=True)
class Presentation:
    """`slide` None: the presenter's screen is shown. `picture` is the slide, drawn by us."""

    meeting: TeamMeeting
    user: RoomUser
    slide: str | None = None
    picture: Picture | None = None


class Presentations:
    """`tell` is called with every event for those in a meeting; `watches` with every change, for the composite."""

    def __init__(
        self,
        database: Database,
        files: MeetingFiles,
        objects: Objects,
        documents: Documents,
        fetcher: Saves,
        *,
        place: Place,
        clock: Clock,
        tell: Callable[[str, Event], None],
        happening: Callable[[str], Happening],
    ) -> None:
        self._database = database
        self._files = files
        self._objects = objects
        self._documents = documents
        self._fetcher = fetcher
        self._place = place
        self._clock = clock
        self._tell = tell
        self._happening = happening
        self.herald: Herald = Silent()
        self.watches: list[Callable[[str, Presentation | None], None]] = []
        """Called with the meeting's id and what is presented now."""
        self._running: dict[str, Presentation] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()

    async def aclose(self) -> None:
        await asyncio.gather(*self._telling, return_exceptions=True)

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
        check(seat)  # somebody may have been faster
        presentation = Presentation(seat.meeting, seat.user, slide, picture)
        self._running[seat.meeting.id] = presentation
        view = self._view(presentation)
        self._changed(seat.meeting, presentation, view)
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
            self._changed(presentation.meeting, None, None)

    def _changed(self, meeting: TeamMeeting, presentation: Presentation | None, view: View | None) -> None:
        """Tells everybody, and the team. The end is told as no presentation and an empty slide."""
        self._happening(meeting.id).presentation = view
        self._tell(meeting.id, events.presentation_update(view))
        if presentation is None or presentation.slide is not None:
            self._tell(meeting.id, events.slide((presentation and presentation.slide) or ""))
        for watch in self.watches:
            watch(meeting.id, presentation)
        task = asyncio.get_running_loop().create_task(self._announce(meeting, view))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _announce(self, meeting: TeamMeeting, view: View | None) -> None:
        now_ms = int(self._clock.wall() * 1000)
        try:
            async with self._in_order:
                await self._database.writing(self.herald.announce, meeting.team, "presentation_update", view, now_ms)
        except Exception:  # the database may be away; the presentation goes on
            log.exception("presentation not announced", meeting=meeting.id)

    def _view(self, presentation: Presentation) -> View:
        return {
            "slide": presentation.slide,
            "room": views.room(self._place, presentation.meeting, ready=True),
            "user": views.person(presentation.user),
        }

    async def _look_at(self, meeting_id: str, url: str) -> Picture:
        """The slide, drawn anew. Invalid if there is none to be had."""
        if len(url) > MAX_URL:
            raise BadParameter("slide", f"is longer than {MAX_URL} characters")
        path = self._files.folder / secrets.token_hex(16)
        try:
            name = await self._files.slide(meeting_id, url)
            if name is not None:
                await self._objects.fetch(name, path)
            else:
                await self._fetcher.save(url, path, accept=SLIDE_TYPES)
            return await self._drawn(path)
        except (Invalid, StoreFailed) as failure:
            raise BadParameter("slide", f"cannot be shown: {failure}") from None
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _drawn(self, path: Path) -> Picture:
        kind = kind_of(await beginning_of(path))
        if kind is None or kind[0] != "photograph":
            raise Unreadable("type")
        return (await self._documents.only_sheet(path, "photograph")).slide
