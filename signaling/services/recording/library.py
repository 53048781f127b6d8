"""What one family keeps of one kind, recordings or pictures: found again, opened by links, removed."""

from collections.abc import Collection
from dataclasses import dataclass

import structlog

from mediaserver import Clock
from signaling.objects import Objects, StoreFailed
from signaling.services.errors import NotFound
from signaling.services.links import Links
from signaling.services.recording.states import State, kept_until
from signaling.store import recordings as store
from signaling.store.database import Database
from signaling.store.recordings import RecordingRow, Wanted

MAX_ID = 24  # characters

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Library:
    """`ending` of its files' names; `link_life` in seconds."""

    database: Database
    objects: Objects
    links: Links
    clock: Clock
    family: str
    kind: str
    ending: str
    retention_days: int
    link_life: float

    async def find(self, recording_id: str, owner: str | None = None) -> RecordingRow:
        """The owner's, or anybody's, if it is there still; NotFound."""
        row = None
        if recording_id.isascii() and recording_id.isalnum() and len(recording_id) <= MAX_ID:
            row = await self.database.reading(store.by_id, recording_id, self.wanted(owner=owner))
        if row is None:
            raise NotFound(self.kind, recording_id)
        return row

    def wanted(
        self,
        *,
        owner: str | None = None,
        container: str | None = None,
        states: Collection[str] | None = None,
        conferences: Collection[str] | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
    ) -> Wanted:
        """For queries: what is None does not matter."""
        return Wanted(self.kind, self.family, owner, container, states, conferences, since_ms, until_ms)

    def link(self, row: RecordingRow) -> str | None:
        """Opens the file for a while; None if there is none."""
        if row.state != State.FINISHED or self.is_over(row):
            return None
        return self.links.url(self.name(row.id), self.clock.wall() + self.link_life)

    def is_over(self, row: RecordingRow) -> bool:
        """Whether it has been kept long enough."""
        return int(self.clock.wall() * 1000) >= kept_until(row, self.retention_days)

    def name(self, recording_id: str) -> str:
        """Of its file among the objects."""
        return f"{recording_id}.{self.ending}"

    async def remove(self, recording_id: str) -> None:
        """Its file, if there is one."""
        try:
            await self.objects.delete(self.name(recording_id))
        except StoreFailed as error:
            log.warning("file not removed", kind=self.kind, id=recording_id, why=str(error))
