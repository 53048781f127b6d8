"""Writes down what becomes of recordings, and lets their families tell of it: in the transaction, and those inside."""

from dataclasses import dataclass, field, replace

from signaling.services.recording.states import State
from signaling.services.recording.takes import Patron, Take
from signaling.store import recordings as store
from signaling.store import storage_targets
from signaling.store.database import Connection, Database
from signaling.store.recordings import RecordingRow


@dataclass(slots=True)
class Ledger:
    database: Database
    patrons: dict[str, Patron] = field(default_factory=dict)
    """By family."""

    def enter(self, patron: Patron) -> None:
        self.patrons[patron.family] = patron

    async def begin(self, row: RecordingRow) -> None:
        await self.database.writing(self._begin, row)

    async def write(self, take: Take) -> None:
        """It has come to another state."""
        take.row = await self.database.writing(self._save, take.row, told=True)

    async def note(self, take: Take) -> None:
        """Nothing that anybody has to be told of."""
        take.row = await self.database.writing(self._save, take.row, told=False)

    async def strike(self, recording_id: str) -> None:
        await self.database.stating(store.delete, recording_id)

    def tell(self, take: Take) -> None:
        self.patrons[take.row.family].tell(take.row, take.meeting)

    def _begin(self, connection: Connection, row: RecordingRow) -> None:
        store.insert(connection, row)
        self.patrons[row.family].changed(connection, row)

    def _save(self, connection: Connection, row: RecordingRow, *, told: bool) -> RecordingRow:
        """Where its file goes is settled when it has been stopped."""
        if row.state == State.STOPPED and row.target_id is None and row.tries == 0:
            row = replace(row, target_id=storage_targets.current(connection, row.family, row.owner))
        if store.save(connection, row) and told:
            self.patrons[row.family].changed(connection, row)
        return row
