"""A recording worker that is killed at a dozen random moments loses a second at most, and leaves whole files."""

import pytest

from benchmarks.record import kill

MOMENTS = 12
LOST = 1.5  # seconds: one until the next flush, and a busy machine


@pytest.mark.slow
def test_a_dozen_kills_cost_a_second_each_at_most() -> None:
    (row,) = kill(MOMENTS)
    assert row["files"] == MOMENTS * 4
    assert float(str(row["lost_most"])) <= LOST
