"""Where the file of a finished recording goes, and what becomes of the recording by that.

Without a target of its owner's it goes among the server's own objects, however long that takes.
"""

from dataclasses import replace
from pathlib import Path

import structlog

from mediaserver import Clock
from signaling.objects import Objects, StoreFailed
from signaling.services.recording.states import State, moved
from signaling.store.recordings import RecordingRow

ENDING = "webm"
MEDIA_TYPE = "video/webm"

log = structlog.get_logger(__name__)


class Uploads:
    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def keep(self, row: RecordingRow, path: Path) -> RecordingRow:
        """The recording as it is then: in its last state, or stopped as before if it has to be tried again."""
        try:
            await self._objects.put(path, f"{row.id}.{ENDING}", MEDIA_TYPE)
        except StoreFailed as error:
            log.warning("recording not stored", recording=row.id, why=str(error))
            return replace(row, tries=row.tries + 1)
        return moved(row, State.FINISHED, finished_ms=int(self._clock.wall() * 1000))

    async def remove(self, row: RecordingRow) -> None:
        """What is kept of it on this server."""
        try:
            await self._objects.delete(f"{row.id}.{ENDING}")
        except StoreFailed as error:
            log.warning("recording not removed", recording=row.id, why=str(error))
