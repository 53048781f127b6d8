"""Where the file of a finished recording goes, and what becomes of the recording by that.

Without a target of its owner's it goes among the server's own objects, however long that takes. A target is tried so
many times, with pauses; then the file stays here after all, or is lost, as the target says. Nothing is deleted here:
whoever calls keeps the file until the recording is in its last state.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from mediaserver import Clock
from signaling.objects import Objects, StoreFailed
from signaling.services.recording.states import State, moved
from signaling.services.storage_plans import KEEP_HERE
from signaling.services.storage_targets import StorageTargets
from signaling.store.recordings import RecordingRow

ENDING = "webm"
MEDIA_TYPE = "video/webm"
AT_ONCE = 4  # files on their way to targets

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Placing:
    """How targets are used: `key` says what a recording's object is called there, `pauses` lie between tries."""

    targets: StorageTargets
    key: Callable[[RecordingRow], str]
    pauses: Sequence[float]


class Uploads:
    def __init__(self, objects: Objects, clock: Clock, placing: Placing) -> None:
        self._objects = objects
        self._clock = clock
        self._placing = placing
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def keep(self, row: RecordingRow, path: Path) -> RecordingRow:
        """The recording as it is then: in its last state, or stopped as before if it has to be tried again."""
        if row.target_id is None:
            return await self._here(row, path)
        try:
            return await self._there(row, row.target_id, path)
        except StoreFailed as error:
            log.warning("recording not uploaded", recording=row.id, tries=row.tries + 1, why=str(error))
            return await self._after_failure(replace(row, tries=row.tries + 1), path)

    async def remove(self, row: RecordingRow) -> None:
        """What is kept of it on this server."""
        await self._delete(self._objects, f"{row.id}.{ENDING}")

    async def take_back(self, row: RecordingRow) -> None:
        """What was stored of it, wherever, while somebody has deleted it."""
        try:
            target = await self._placing.targets.open(row.target_id) if row.target_id is not None else None
        except StoreFailed as error:
            log.warning("recording not removed", recording=row.id, why=str(error))
            return
        if row.state == State.UPLOADED and target is not None:
            await self._delete(target.objects, self._placing.key(row))
        else:
            await self.remove(row)

    async def _here(self, row: RecordingRow, path: Path) -> RecordingRow:
        try:
            await self._objects.put(path, f"{row.id}.{ENDING}", MEDIA_TYPE)
        except StoreFailed as error:
            log.warning("recording not stored", recording=row.id, why=str(error))
            return replace(row, tries=row.tries + 1)
        return moved(row, State.FINISHED, finished_ms=self._now_ms())

    async def _there(self, row: RecordingRow, target_id: int, path: Path) -> RecordingRow:
        target = await self._placing.targets.open(target_id)
        if target is None:
            return await self._here(replace(row, target_id=None), path)
        async with self._turns:
            await target.objects.put_once(path, self._placing.key(row), MEDIA_TYPE)
        return moved(row, State.UPLOADED, finished_ms=self._now_ms())

    async def _after_failure(self, row: RecordingRow, path: Path) -> RecordingRow:
        pauses = self._placing.pauses
        if row.tries <= len(pauses):
            return replace(row, next_try_ms=self._now_ms() + int(pauses[row.tries - 1] * 1000))
        if await self._fallback(row) == KEEP_HERE:
            return await self._here(replace(row, target_id=None), path)
        return moved(row, State.FAILED, reason=f"The file could not be uploaded in {row.tries} tries.")

    async def _fallback(self, row: RecordingRow) -> str | None:
        return None if row.target_id is None else await self._placing.targets.fallback(row.target_id)

    async def _delete(self, objects: Objects, key: str) -> None:
        try:
            await objects.delete(key)
        except StoreFailed as error:
            log.warning("recording not removed", key=key, why=str(error))

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)
