"""Records of feedback joined into groups, and counted."""

from collections.abc import Sequence

import pytest

from mediaserver.native import FEEDBACK_RECORD
from mediaserver.rtp.arrivals import LOST, MAX_BURST_US, RECORD, Arrivals, Group, Record, read_records

MS = 1000


def came(sent_ms: float, arrived_ms: float, size: int = 1000, packets: int = 1) -> Record:
    return round(sent_ms * MS), round(arrived_ms * MS), size, packets


def lost(sent_ms: float, size: int = 1000, packets: int = 1) -> Record:
    return round(sent_ms * MS), LOST, size, packets


def groups(*messages: Sequence[Record]) -> list[Group]:
    arrivals = Arrivals()
    return [group for records in messages for group in arrivals.message(records).groups]


def test_reads_records_as_the_native_core_packs_them() -> None:
    assert RECORD.format == FEEDBACK_RECORD
    assert read_records(RECORD.pack(1, 2, 3, 4) + RECORD.pack(5, LOST, 7, 8)) == [(1, 2, 3, 4), (5, LOST, 7, 8)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([came(0, 50), came(20, 70)], [(0, 50, 1000)], id="a group ends when the next one begins"),
        pytest.param(
            [came(0, 50), came(6, 56), came(20, 70)], [(6, 56, 2000)], id="what is sent within 10 ms is one group"
        ),
        pytest.param(
            [came(0, 50), came(12, 62), came(30, 80)],
            [(0, 50, 1000), (12, 62, 1000)],
            id="what is sent later is another",
        ),
        pytest.param(
            [came(0, 80), came(12, 81), came(24, 82), came(60, 110)],
            [(24, 82, 3000)],
            id="what arrives in a burst was held up together",
        ),
        pytest.param([came(0, 50), lost(12), came(30, 80)], [(0, 50, 1000)], id="what is lost belongs to no group"),
    ],
)
def test_groups(records: list[Record], expected: list[Group]) -> None:
    assert groups(records) == [(sent * MS, arrived * MS, size) for sent, arrived, size in expected]


def test_a_group_goes_on_over_the_border_between_messages() -> None:
    assert groups([came(0, 50)], [came(5, 55)], [came(20, 70)]) == [(5 * MS, 55 * MS, 2000)]


def test_a_burst_does_not_last_forever() -> None:
    held_up = [came(12 * n, 1000 + 4 * n) for n in range(60)]
    spans = [arrived - 1000 * MS for _, arrived, _ in groups(held_up)]
    assert spans[0] < MAX_BURST_US + 5 * MS
    assert len(spans) >= 2


def test_counts_what_came_and_what_is_lost() -> None:
    told = Arrivals().message([came(0, 50, 2400, 2), lost(6, 1200, 1), came(20, 70, 500, 3)])
    assert (told.received, told.lost, told.size_bytes, told.newest_sent_us) == (5, 1, 4100, 20 * MS)


def test_what_comes_late_was_not_lost_after_all_and_is_no_part_of_a_group() -> None:
    arrivals = Arrivals()
    arrivals.message([came(0, 50), lost(6), came(20, 70)])
    told = arrivals.message([lost(6, 0, -1), came(40, 90)])
    assert (told.received, told.lost) == (2, -1)
    assert told.groups == [(20 * MS, 70 * MS, 1000)]


def test_what_a_lost_message_told_of_counts_once_and_is_no_part_of_a_group() -> None:
    arrivals = Arrivals()
    arrivals.message([came(0, 50), came(20, 70)])
    told = arrivals.message([came(6, 120), came(40, 90)])
    assert (told.received, told.lost, told.size_bytes) == (2, 0, 2000)
    assert told.groups == [(20 * MS, 70 * MS, 1000)]


def test_a_message_about_lost_packets_only_has_no_newest_one() -> None:
    told = Arrivals().message([lost(10, 3000, 3)])
    assert (told.received, told.lost, told.newest_sent_us, told.groups) == (0, 3, 0, [])


def test_packets_of_one_batch_are_not_late_because_a_message_ends_between_them() -> None:
    arrivals = Arrivals()
    arrivals.message([came(10, 50)])
    told = arrivals.message([came(10, 51)])
    assert (told.received, told.lost) == (1, 0)
