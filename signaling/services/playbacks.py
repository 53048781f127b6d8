"""Films and music that play in the composite of a team's meeting: fetched, played, replaced by what comes next.

A film is fetched before anybody hears of it, into a file that is there for as long as it plays; whether there is a
picture in it, and when it is over, is told by the media plane, which alone looks into it. Rooms contract, section 11.
"""

import asyncio
import secrets
import shutil
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from mediaserver import Film, MediaEvent, PlaybackEnded, PlaybackStarted, Playing, film_format
from signaling import tokens
from signaling.services import events
from signaling.services.documents import beginning_of
from signaling.services.errors import BadParameter, BadValue, Conflict, Gone, Invalid, NotFound
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.room_records import RoomUser, Seat
from signaling.services.room_views import Happening

MAX_BYTES = 200 << 20  # of a file
FETCH_WITHIN = 60.0  # seconds
MAX_PLAYING = 4  # in one meeting

log = structlog.get_logger(__name__)


class Fetches(Protocol):
    """The one way to fetch a caller's URL."""

    async def save(
        self,
        url: str,
        path: Path,
        *,
        max_bytes: int | None = None,
        accept: Collection[str] = (),
        within: float | None = None,
    ) -> Any: ...


class Stage(Protocol):
    """The composite, as far as films are concerned."""

    def need(self, meeting: Meeting, what: str) -> None: ...
    def release(self, meeting_id: str, what: str) -> None: ...
    def played(self, meeting: Meeting, playing: tuple[Playing, ...]) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller asks for. `replacement_id`: whose picture it takes the place of; None for a spot of its own."""

    url: str
    play_id: str | None = None
    replacement_id: str | None = None
    name: str | None = None
    audio: bool = False
    loop_count: int = 0


@dataclass(slots=True, eq=False)
class _Playback:
    """One that plays. `picture`: the media plane has found one in it."""

    meeting: Meeting
    play_id: str
    wanted: Wanted
    path: Path
    picture: bool = False

    @property
    def need(self) -> str:
        """What the composite is needed for."""
        return f"playback {self.play_id}"

    def view(self) -> dict[str, Any]:
        wanted = self.wanted
        return {
            "url": wanted.url,
            "name": wanted.name,
            "play_id": self.play_id,
            "replacement_id": wanted.replacement_id,
            "audio": wanted.audio,
            "loop_count": wanted.loop_count,
        }


class Playbacks:
    """A watch of conferences. `folder` is all ours; `user` finds somebody registered in the meeting, or NotFound."""

    def __init__(
        self,
        fetcher: Fetches,
        stage: Stage,
        folder: Path,
        *,
        conference: Callable[[Seat], Meeting],
        user: Callable[[Seat, str], Awaitable[RoomUser]],
        happening: Callable[[str], Happening],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._fetcher = fetcher
        self._stage = stage
        self._folder = folder
        self._conference = conference
        self._user = user
        self._happening = happening
        self._random = random
        self._playing: dict[str, dict[str, _Playback]] = {}
        """By meeting and play_id, the oldest first."""
        self._coming: set[tuple[str, str]] = set()
        """Meetings and play_ids of what is being fetched."""
        self._later = InOrder()

    async def start_up(self) -> None:
        """Nothing from before is needed any more."""
        await asyncio.to_thread(_empty, self._folder)

    async def aclose(self) -> None:
        await self._later.done()

    async def start(self, seat: Seat, wanted: Wanted) -> None:
        """Plays it from now on. Conflict if that id plays already, Invalid if it cannot be played."""
        meeting = self._conference(seat)
        play_id = wanted.play_id or tokens.new_id(self._random)
        self._check_free(meeting, play_id)
        place = (meeting.id, play_id)
        self._coming.add(place)
        try:
            await self._check_replaced(seat, wanted)
            path = await self._fetch(wanted.url)
        finally:
            self._coming.discard(place)
        try:
            self._begin(_Playback(self._conference(seat), play_id, wanted, path))  # it may have ended meanwhile
        except Gone:
            await self._forget(path)
            raise

    def stop(self, seat: Seat, play_id: str) -> None:
        """NotFound if nothing with that id plays."""
        playback = self._playing.get(self._conference(seat).id, {}).get(play_id)
        if playback is None:
            raise NotFound("playback", play_id)
        self._over(playback)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        if not isinstance(event, PlaybackStarted | PlaybackEnded):
            return
        playback = self._playing.get(meeting.id, {}).get(event.play_id)
        if playback is None:
            return
        if isinstance(event, PlaybackStarted):
            playback.picture = event.picture
            self._show(meeting)
            if meeting.media:
                meeting.media.screen(event.play_id, picture=event.picture, sound=playback.wanted.audio)
        else:
            log.info("playback over", conference=meeting.id, playback=event.play_id, why=event.why)
            self._over(playback)

    def ending(self, meeting: Meeting, reason: str) -> None:
        for playback in self._playing.pop(meeting.id, {}).values():
            self._forget_later(playback)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    def _check_free(self, meeting: Meeting, play_id: str) -> None:
        playing = self._playing.get(meeting.id, {})
        if play_id in playing or (meeting.id, play_id) in self._coming:
            raise Conflict(f"A playback {play_id} is playing already.")
        if len(playing) + sum(coming == meeting.id for coming, _ in self._coming) >= MAX_PLAYING:
            raise Conflict(f"{MAX_PLAYING} playbacks are playing already.")

    async def _check_replaced(self, seat: Seat, wanted: Wanted) -> None:
        if wanted.replacement_id is not None:
            try:
                await self._user(seat, wanted.replacement_id)
            except NotFound:
                raise BadValue("replacement_id") from None

    async def _fetch(self, url: str) -> Path:
        """A file of ours, of a kind that is played. BadParameter if there is none to be had."""
        path = self._folder / secrets.token_hex(16)
        try:
            await self._fetcher.save(url, path, max_bytes=MAX_BYTES, within=FETCH_WITHIN)
        except Invalid as failure:
            raise BadParameter("url", f"cannot be played: {failure}") from None
        if film_format(await beginning_of(path)) is None:
            await self._forget(path)
            raise BadParameter("url", "is no WebM, MP4 or MP3")
        return path

    def _begin(self, playback: _Playback) -> None:
        """The composite is needed first, so that there is one to play into."""
        meeting, wanted = playback.meeting, playback.wanted
        self._playing.setdefault(meeting.id, {})[playback.play_id] = playback
        self._stage.need(meeting, playback.need)
        if meeting.media:
            meeting.media.play(Film(playback.play_id, str(playback.path), wanted.audio, wanted.loop_count))
        self._tell(meeting)

    def _over(self, playback: _Playback) -> None:
        meeting = playback.meeting
        del self._playing[meeting.id][playback.play_id]
        if meeting.media:
            meeting.media.stop_playing(playback.play_id)
        self._show(meeting)
        self._stage.release(meeting.id, playback.need)
        self._tell(meeting)
        self._forget_later(playback)

    def _show(self, meeting: Meeting) -> None:
        playing = self._playing.get(meeting.id, {}).values()
        seats = (Playing(each.play_id, each.wanted.replacement_id or "") for each in playing if each.picture)
        self._stage.played(meeting, tuple(seats))

    def _tell(self, meeting: Meeting) -> None:
        views = [each.view() for each in self._playing.get(meeting.id, {}).values()]
        self._happening(meeting.id).playbacks = views
        meeting.tell(events.playback_update(views))

    def _forget_later(self, playback: _Playback) -> None:
        self._later.put(lambda: self._forget(playback.path))

    async def _forget(self, path: Path) -> None:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
