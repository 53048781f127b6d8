"""What becomes of a recording, in every family: its states, the moves between them, and when its time is over. Pure.

It runs, it has been stopped, its file can be had: here, or in a store of its owner's. What fails has no file.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from signaling.store.recordings import RecordingRow

DAY_MS = 86_400_000


class State(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    """Its file is being finished, or on its way to where it is kept."""
    FINISHED = "finished"
    """It is kept on this server."""
    UPLOADED = "uploaded"
    """It is in a store of its owner's, and not here."""
    EXPIRED = "expired"
    """It has been kept long enough: the file is gone."""
    FAILED = "failed"


_MOVES = {
    State.RUNNING: {State.STOPPED, State.FAILED},
    State.STOPPED: {State.FINISHED, State.UPLOADED, State.FAILED},
    State.FINISHED: {State.EXPIRED},
    State.UPLOADED: set(),
    State.EXPIRED: set(),
    State.FAILED: set(),
}
UNFINISHED = (State.RUNNING, State.STOPPED)


def moved(row: RecordingRow, state: State, **changes: Any) -> RecordingRow:
    assert state in _MOVES[State(row.state)], f"{row.state} -> {state}"
    return replace(row, state=state, **changes)


def kept_until(row: RecordingRow, retention_days: int) -> int:
    """Unix milliseconds."""
    return row.created_ms + retention_days * DAY_MS
