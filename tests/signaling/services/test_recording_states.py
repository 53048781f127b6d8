"""What becomes of a recording, and what never does."""

from itertools import product

import pytest

from signaling.services.recording.states import State, kept_until, moved
from signaling.store.recordings import RecordingRow

MOVES = {
    ("running", "stopped"),
    ("running", "failed"),
    ("stopped", "finished"),
    ("stopped", "uploaded"),
    ("stopped", "failed"),
    ("finished", "expired"),
}


def row(state: str) -> RecordingRow:
    return RecordingRow("r", "recording", "sessions", "", "s", "s", "{}", 5000, state)


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_a_recording_goes_one_way(before: State, after: State):
    if (before, after) in MOVES:
        assert moved(row(before), after, duration=7) == row_with(after, duration=7)
    else:
        with pytest.raises(AssertionError):
            moved(row(before), after)


def row_with(state: str, duration: int) -> RecordingRow:
    return RecordingRow("r", "recording", "sessions", "", "s", "s", "{}", 5000, state, duration)


def test_it_is_kept_for_so_many_days_from_when_it_was_made():
    assert kept_until(row("finished"), 14) == 5000 + 14 * 86_400_000
