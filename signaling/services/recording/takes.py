"""What a family orders, what it is told, and what is known of a recording while it is made."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mediaserver import Recording
from signaling.services.meeting import Meeting
from signaling.store.database import Connection
from signaling.store.recordings import RecordingRow

KIND = "recording"
FILE = "recording.webm"  # in the folder that a recording has to itself until it is kept


@dataclass(frozen=True, slots=True)
class Order:
    """What a family wants recorded: for whom, where it is listed, and what else is to be known of it."""

    family: str
    owner: str
    container: str
    about: Mapping[str, Any]


class Patron(Protocol):
    """A family whose conferences are recorded."""

    family: str
    forgets: bool
    """Whether a recording is forgotten when its time is over; otherwise it is known as expired."""

    def changed(self, connection: Connection, row: RecordingRow) -> None:
        """It has come to this state, in this transaction: webhooks are told here."""

    def tell(self, row: RecordingRow, meeting: Meeting | None) -> None:
        """Those inside may be told of its state. `meeting` may be over; None: the server has been down since."""


@dataclass(slots=True, eq=False)
class Take:
    """A recording that is being written or finished. `begun_at` is monotonic."""

    row: RecordingRow
    begun_at: float = 0.0
    meeting: Meeting | None = None
    """None: it was begun before the server was."""
    handle: Recording | None = None
    discarded: bool = False
    waiting: bool = False
    """Its file is there, and has to be tried again to be stored."""
    stopping: "asyncio.Task[None] | None" = None
