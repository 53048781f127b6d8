"""Files that participants show in a meeting: kept, turned into slides, told of, and gone with the meeting.

A file is listed once the object store has it. A document's pages are drawn one after the other while the meeting goes
on; everybody hears how far that is. What is deleted is hidden first and then taken out of the object store, now or by
`sweep`. Drawing is `documents.py`'s, who may do this the API's. Rooms contract, section 12.
"""

import asyncio
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import structlog

from mediaserver import Clock, MediaEvent
from signaling import tokens
from signaling.objects import Objects, StoreFailed
from signaling.services import events
from signaling.services.documents import Documents, Kind, Sheet, Unreadable, beginning_of, kind_of
from signaling.services.errors import BadParameter, Missing, NotFound, TooLarge
from signaling.services.file_views import (
    ENDINGS,
    FileViews,
    View,
    original_name,
    slide_name,
    slide_names,
    thumbnail_name,
    thumbnail_names,
)
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member
from signaling.services.room_door import FAMILY
from signaling.services.room_records import Herald, Silent, TeamMeeting
from signaling.settings import Files as Limits
from signaling.store import files as store
from signaling.store.database import Connection, Database
from signaling.store.files import FileRow

State = Literal["arriving", "converting", "converted", "failed", "removed"]
LISTED: tuple[State, ...] = ("converting", "converted", "failed")
COUNTED: tuple[State, ...] = ("arriving", *LISTED)
MAX_NAME = 255  # characters
SWEEP_SIZE = 100  # files at a time
STEPS = 10  # of progress that everybody is told

_ID = re.compile(r"[0-9a-f]{24}")

StoredFile = FileRow
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came. `path` is there as long as the upload is being answered, or moved away."""

    path: Path
    name: str
    media_type: str
    size_bytes: int


class MeetingFiles:
    """`tell` is called with every event for those in a meeting."""

    def __init__(
        self,
        database: Database,
        objects: Objects,
        documents: Documents,
        views: FileViews,
        *,
        folder: Path,
        limits: Limits,
        clock: Clock,
        tell: Callable[[str, Event], None],
    ) -> None:
        self._database = database
        self._objects = objects
        self._documents = documents
        self._views = views
        self.folder = folder
        """Of this machine, for files on their way."""
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self.herald: Herald = Silent()
        self._progress: dict[str, float] = {}
        self._conversions: dict[str, asyncio.Task[None]] = {}
        """By file."""
        self._clearing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """What was uploaded when the server went down belongs to nobody."""
        await asyncio.to_thread(_empty, self.folder)

    async def aclose(self) -> None:
        """Conversions end where they are."""
        for task in self._conversions.values():
            task.cancel()
        await asyncio.gather(*self._clearing, *self._conversions.values(), return_exceptions=True)

    # what callers ask for

    async def list(self, meeting_id: str) -> Sequence[StoredFile]:
        """Oldest first."""
        return await self._database.reading(store.of_meeting, meeting_id, LISTED)

    async def get(self, meeting_id: str, file_id: str) -> StoredFile:
        row = await self._database.reading(store.by_id, meeting_id, file_id) if _ID.fullmatch(file_id) else None
        if row is None or row.state not in LISTED:
            raise NotFound("file", file_id)
        return row

    async def add(self, meeting: TeamMeeting, upload: Upload) -> StoredFile:
        """Keeps the file. A picture is a slide when this returns; a document becomes slides from then on."""
        kind, media_type = await _look_at(upload)
        sheet = await self._documents.only_sheet(upload.path, kind) if kind == "photograph" else None
        row = await self._arrive(meeting, upload, media_type, sheet)
        if sheet is None:
            kept = await asyncio.to_thread(upload.path.rename, self.folder / row.id)
            self._conversions[row.id] = asyncio.create_task(self._convert(meeting, row, kept))
        return row

    async def delete(self, meeting: TeamMeeting, file_id: str) -> None:
        row = await self.get(meeting.id, file_id)
        await self._cancel(row.id)
        if not await self._change(meeting, row, "removed"):
            raise NotFound("file", file_id)
        await self._drop(row)

    async def slide(self, meeting_id: str, url: str) -> str | None:
        """Which slide (its name in the object store) of the meeting's files the URL is a link to."""
        name = self._views.links.name_in(url)
        converted = [row for row in await self.list(meeting_id) if row.state == "converted"]
        return name if any(name in slide_names(row) for row in converted) else None

    def view(self, row: StoredFile, access_key: str | None = None) -> View:
        """The file object, for everybody or for the bearer of an access key."""
        return self._views.file(row, self._progress.get(row.id, 0.0), access_key)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        pass

    def ended(self, meeting: Meeting, reason: str) -> None:
        """The files of the meeting go."""
        if meeting.family != FAMILY:
            return
        task = asyncio.get_running_loop().create_task(self._clear(meeting.id))
        self._clearing.add(task)
        task.add_done_callback(self._clearing.discard)

    async def sweep(self) -> None:
        """Takes out of the object store what should not be there any more; call it now and then."""
        for row in await self._database.reading(store.left_over, "removed", SWEEP_SIZE):
            await self._cancel(row.id)
            await self._drop(row)

    # helpers

    async def _arrive(self, meeting: TeamMeeting, upload: Upload, media_type: str, sheet: Sheet | None) -> FileRow:
        """Into the object store, and into the list once it is there."""
        row = FileRow(
            id=tokens.new_id(secrets.token_bytes),
            meeting_id=meeting.id,
            name=shown(upload.name),
            media_type=media_type,
            size_bytes=upload.size_bytes,
            state="arriving",
            pages=0 if sheet is None else 1,
            slide_type=sheet.slide.media_type if sheet else "image/png",
            created_ms=self._now_ms(),
        )
        await self._database.writing(self._insert, row)
        try:
            await self._objects.put(upload.path, original_name(row), media_type)
            if sheet is not None:
                await self._put(row, sheet)
        except BaseException:
            await self._database.stating(store.change, row.id, COUNTED, {"state": "removed"})
            raise
        state: State = "converting" if sheet is None else "converted"
        if not await self._change(meeting, row, state):
            raise NotFound("file", row.id)
        return replace(row, state=state)

    def _insert(self, connection: Connection, row: FileRow) -> None:
        if store.count(connection, row.meeting_id, COUNTED) >= self._limits.max_per_meeting:
            raise TooLarge(f"A meeting has at most {self._limits.max_per_meeting} files.")
        store.insert(connection, row)

    async def _convert(self, meeting: TeamMeeting, row: FileRow, path: Path) -> None:
        state: State = "failed"
        try:
            await self._draw(meeting, row, path)
            state = "converted"
        except (Unreadable, StoreFailed) as failure:
            log.info("file not converted", meeting=meeting.id, file=row.id, why=str(failure))
        except Exception:  # the database may be away; the file has failed all the same
            log.exception("conversion failed", meeting=meeting.id, file=row.id)
        finally:
            self._conversions.pop(row.id, None)
            await asyncio.to_thread(path.unlink, missing_ok=True)
        await self._change(meeting, row, state)

    async def _draw(self, meeting: TeamMeeting, row: FileRow, path: Path) -> None:
        async with aclosing(self._documents.sheets(path, "document", self._limits.max_pages)) as sheets:
            async for sheet in sheets:
                if sheet.number == 1:  # from here on everything that is put can be found again
                    await self._database.stating(store.change, row.id, COUNTED, {"pages": sheet.pages})
                await self._put(row, sheet)
                await self._progressed(meeting, row, sheet)

    async def _put(self, row: FileRow, sheet: Sheet) -> None:
        slide, thumbnail = slide_name(row, sheet.number), thumbnail_name(row, sheet.number)
        await self._objects.put(sheet.slide.data, slide, sheet.slide.media_type)
        await self._objects.put(sheet.thumbnail.data, thumbnail, sheet.thumbnail.media_type)

    async def _progressed(self, meeting: TeamMeeting, row: FileRow, sheet: Sheet) -> None:
        before, now = (sheet.number - 1) / sheet.pages, sheet.number / sheet.pages
        self._progress[row.id] = now
        if int(before * STEPS) != int(now * STEPS) and sheet.number < sheet.pages:
            await self._announce(meeting)

    async def _change(self, meeting: TeamMeeting, row: FileRow, state: State) -> bool:
        """The file's new state, told to everybody and to the team; False if it has been removed meanwhile."""
        changed = await self._database.writing(self._write_change, meeting, row, state)
        if changed:
            await self._announce(meeting)
        return changed

    def _write_change(self, connection: Connection, meeting: TeamMeeting, row: FileRow, state: State) -> bool:
        if not store.change(connection, row.id, COUNTED, {"state": state}):
            return False
        listed = [self.view(each) for each in store.of_meeting(connection, meeting.id, LISTED)]
        self.herald.announce(connection, meeting.team, "document_update", listed, self._now_ms())
        return True

    async def _announce(self, meeting: TeamMeeting) -> None:
        self._tell(meeting.id, events.files_update([self.view(row) for row in await self.list(meeting.id)]))

    async def _clear(self, meeting_id: str) -> None:
        for row in await self._database.reading(store.of_meeting, meeting_id):
            await self._cancel(row.id)
            await self._drop(row)

    async def _cancel(self, file_id: str) -> None:
        task = self._conversions.get(file_id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _drop(self, row: FileRow) -> None:
        """Out of the object store and then out of the database; what fails is tried again by `sweep`."""
        self._progress.pop(row.id, None)
        current = await self._database.reading(store.by_id, row.meeting_id, row.id)
        if current is None:
            return
        try:
            for name in (original_name(current), *slide_names(current), *thumbnail_names(current)):
                await self._objects.delete(name)
        except StoreFailed as failure:
            log.warning("file not deleted", file=row.id, why=str(failure))
            return
        await self._database.stating(store.delete, row.id)

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


async def _look_at(upload: Upload) -> tuple[Kind, str]:
    """What it is; a file that is nothing we show is a wrong parameter."""
    if upload.size_bytes == 0:
        raise Missing("file")
    found = kind_of(await beginning_of(upload.path), upload.media_type, upload.name)
    if found is None or found[1] not in ENDINGS:
        raise BadParameter("file", "is neither PDF nor PNG, JPEG or WebP")
    return found


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def shown(name: str) -> str:
    """Without directories, and without what no database or screen can hold."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME] or "file"
