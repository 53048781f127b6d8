import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.rtp.sequence import seq_add, seq_diff, seq_newer, timestamp_diff, unwrap

numbers = st.integers(0, 0xFFFF)


@pytest.mark.parametrize(
    ("a", "b", "diff"),
    [
        pytest.param(5, 5, 0, id="the same"),
        pytest.param(6, 5, 1, id="next"),
        pytest.param(5, 6, -1, id="before"),
        pytest.param(0, 65535, 1, id="next across the wrap"),
        pytest.param(65535, 0, -1, id="before across the wrap"),
        pytest.param(0x7FFF, 0, 0x7FFF, id="as far ahead as can be told"),
        pytest.param(0x8000, 0, -0x8000, id="half the range away counts as behind"),
    ],
)
def test_tells_how_far_one_number_is_ahead(a: int, b: int, diff: int) -> None:
    assert seq_diff(a, b) == diff
    assert seq_newer(a, b) == (diff > 0)


def test_timestamps_wrap_at_32_bits() -> None:
    assert timestamp_diff(5, 0xFFFFFFFF) == 6
    assert timestamp_diff(0xFFFFFFFF, 5) == -6


@given(numbers, st.integers(-0x7FFF, 0x7FFF))
def test_adding_a_distance_gives_that_distance(seq: int, count: int) -> None:
    assert seq_diff(seq_add(seq, count), seq) == count


@given(st.integers(0, 1 << 40), st.integers(-0x7FFF, 0x7FFF))
def test_unwrapping_near_the_last_number_restores_the_count(near: int, distance: int) -> None:
    assert unwrap((near + distance) & 0xFFFF, near) == near + distance


def test_a_number_from_before_the_count_began_unwraps_below_zero() -> None:
    assert unwrap(65535, 0) == -1
