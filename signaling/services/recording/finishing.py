"""From the file that the media plane has closed to the recording that can be had; nothing is deleted before that.

What a server that was killed has left behind is finished at the next start; what could not be stored is tried again.
"""

import asyncio
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from mediaserver import MediaServer, RecordingClosed
from signaling.services.recording.ledger import Ledger
from signaling.services.recording.states import UNFINISHED, State, moved
from signaling.services.recording.takes import FILE, KIND, Take
from signaling.services.recording.uploads import Uploads
from signaling.store import recordings as store

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Finishing:
    """`folder` is where the media plane writes; each recording has one of its own in it."""

    ledger: Ledger
    uploads: Uploads
    media: MediaServer
    folder: Path
    unfinished: dict[str, Take] = field(default_factory=dict)
    """By id; those that run, too."""

    async def start_up(self) -> None:
        """Finishes what the server has left behind when it went down."""
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        for closed in await self.media.repair_recordings(self.folder):
            await self._finish_left(Path(closed.path), closed)
        for row in await self.ledger.database.reading(store.unfinished, KIND, UNFINISHED):
            if row.id not in self.unfinished:  # otherwise the object store is away
                await self._go_on(Take(row))

    async def finish(self, take: Take, closed: RecordingClosed) -> None:
        """The media plane has closed its file."""
        if take.stopping:
            await take.stopping
        if take.discarded:
            await self._drop(take)
            return
        there = closed.index is not None and await asyncio.to_thread(self._file(take).is_file)
        if there:
            take.row = replace(take.row, duration=int(closed.duration))
            await self._stopped(take)
            await self._keep_or_wait(take)
        else:
            await self.fail(take, closed.why)

    async def keep(self, take: Take) -> None:
        """Its file goes to where it is kept; if that cannot be now, it waits to be tried again."""
        take.waiting = False
        if not take.discarded and not await asyncio.to_thread(self._file(take).is_file):
            await self.fail(take, "file gone")
            return
        row = take.row if take.discarded else await self.uploads.keep(take.row, self._file(take))
        if row.state == State.STOPPED and not take.discarded:
            take.row, take.waiting = row, True
            self.unfinished[row.id] = take
            await self.ledger.note(take)
            return
        take.row = row
        if not take.discarded:
            await self.ledger.write(take)
        await self._drop(take)
        if take.discarded:
            await self.uploads.take_back(take.row)
        else:
            self.ledger.tell(take)

    async def fail(self, take: Take, why: str) -> None:
        """There will be no file."""
        take.row = moved(take.row, State.FAILED, reason=why, duration=take.row.duration or 0)
        await self.ledger.write(take)
        self.forget(take)
        log.warning("recording failed", recording=take.row.id, why=why)

    def forget(self, take: Take) -> None:
        self.unfinished.pop(take.row.id, None)

    # helpers

    async def _finish_left(self, path: Path, closed: RecordingClosed) -> None:
        row = await self.ledger.database.reading(store.of_id, path.name)
        if row is None:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
            return
        await self.finish(Take(row), replace(closed, recording_id=row.id))

    async def _go_on(self, take: Take) -> None:
        if await asyncio.to_thread(self._file(take).is_file):
            await self._stopped(take)
            await self._keep_or_wait(take)
        else:
            await self.fail(take, "server gone")

    async def _keep_or_wait(self, take: Take) -> None:
        """What was left behind and goes to a target has its turn with the next sweep: the server starts before that."""
        if take.meeting is None and take.row.target_id is not None:
            take.waiting = True
            self.unfinished[take.row.id] = take
        else:
            await self.keep(take)

    async def _stopped(self, take: Take) -> None:
        """What is known of the file is written down, so that its way to the store can be gone on with at any time."""
        if take.row.state == State.RUNNING:
            take.row = moved(take.row, State.STOPPED)
        size = (await asyncio.to_thread(self._file(take).stat)).st_size
        take.row = replace(take.row, size_bytes=size, duration=take.row.duration or 0)
        await self.ledger.note(take)

    async def _drop(self, take: Take) -> None:
        """Nothing more is to be done with what was written."""
        self.forget(take)
        await asyncio.to_thread(shutil.rmtree, self.folder / take.row.id, ignore_errors=True)

    def _file(self, take: Take) -> Path:
        return self.folder / take.row.id / FILE
