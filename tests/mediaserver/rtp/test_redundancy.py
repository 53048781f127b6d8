"""How many packets of sound go along with the next one."""

import pytest

from mediaserver.rtp.redundancy import KEEP, Redundancy

SOUND, LINE = 40_000.0, 1_000_000.0


@pytest.mark.parametrize(
    ("loss", "packets"), [(0.0, 0), (0.015, 0), (0.02, 1), (0.1, 1), (0.12, 2), (0.3, 2), (1.0, 2)]
)
def test_the_more_is_lost_the_more_goes_along(loss: float, packets: int) -> None:
    assert Redundancy().update(loss, SOUND, LINE, 0.0) == packets


@pytest.mark.parametrize(("line_bps", "packets"), [(1e6, 2), (240_000, 2), (239_000, 1), (160_000, 1), (159_000, 0)])
def test_no_more_goes_along_than_half_of_the_line_carries(line_bps: float, packets: int) -> None:
    assert Redundancy().update(0.3, SOUND, line_bps, 0.0) == packets


def test_it_is_given_up_step_by_step_after_a_while_without_loss() -> None:
    redundancy = Redundancy()
    redundancy.update(0.3, SOUND, LINE, 0.0)
    at = [redundancy.update(0.0, SOUND, LINE, 0.5 * step) for step in range(1, 60)]
    assert at.index(1) == at.count(2) == pytest.approx(2 * KEEP, abs=1)
    assert at.index(0) == pytest.approx(4 * KEEP, abs=2)


def test_loss_about_the_same_changes_nothing() -> None:
    redundancy = Redundancy()
    seen = {redundancy.update(loss, SOUND, LINE, float(n)) for n, loss in enumerate([0.02, 0.013, 0.03, 0.011] * 10)}
    assert seen == {1}


def test_loss_that_comes_back_is_answered_at_once() -> None:
    redundancy = Redundancy()
    for n, loss in enumerate([0.13, 0.0, 0.0, 0.13]):
        redundancy.update(loss, SOUND, LINE, float(n))
    assert redundancy.packets == 2
    assert redundancy.update(0.0, SOUND, LINE, 3 + KEEP) == 2, "counted anew"
