"""What becomes of the rows: the goals, the table, the stored line."""

import json
from dataclasses import replace
from math import nan

import pytest

from benchmarks.versus.bars import MEETING, OTHER, OTHER_ONE_LOOP, OURS, bars
from benchmarks.versus.row import Row
from benchmarks.versus.search import Verdict
from benchmarks.versus.table import HEADS, table

ROW = Row(
    case=MEETING,
    target=OURS,
    cipher="AES-128-GCM",
    rate=11_250.0,
    us=2.0,
    us_min=1.9,
    us_max=2.4,
    floor_us=2.5,
    ratio=0.8,
    loss=0.0,
    p50=0.0001,
    p99=0.0004,
    generator_us=4.0,
    generator_busy=0.05,
    server_busy=0.03,
    memory=200 * 1024,
    highest=600_000.0,
    highest_fps=1333.3,
    why=Verdict.LOST.value,
    highest_us=1.1,
    highest_floor_us=1.5,
    highest_ratio=0.73,
    highest_generator_busy=0.6,
    highest_server_busy=0.7,
    half_p50=0.0002,
    half_p99=0.0009,
)
JANUS = replace(ROW, target=OTHER, us=13.0, ratio=5.2, highest=90_000.0)
ONE_LOOP = replace(JANUS, target=OTHER_ONE_LOOP, us=11.0)


def held(*rows: Row) -> dict[str, bool]:
    return {bar.what: bar.held for bar in bars(rows)}


def test_every_goal_of_a_meeting_is_judged_once_both_sides_are_there():
    assert all(held(ROW, JANUS, ONE_LOOP).values())
    assert len(held(ROW, JANUS, ONE_LOOP)) == 6
    assert len(held(ROW)) == 3


@pytest.mark.parametrize(
    ("worse", "goal"),
    [
        ({"us": 2.5}, "CPU per packet, 10 x 10, of Janus'"),
        ({"highest": 200_000.0}, "highest rate, 10 x 10, of Janus'"),
        ({"ratio": 1.6}, "CPU per packet, 10 x 10, of a bare sendto loop's"),
        ({"highest_ratio": 1.1}, "CPU per packet, 10 x 10, of a bare sendto loop's at the highest rate"),
        ({"half_p99": 0.006}, "latency p99, 10 x 10, at half of the highest rate, ms"),
    ],
)
def test_one_goal_is_missed_by_one_figure(worse, goal):
    assert [what for what, ok in held(replace(ROW, **worse), JANUS).items() if not ok] == [goal]


def test_growth_from_few_to_many_is_judged_by_the_least_of_ours():
    few, crowd = replace(ROW, case="1 to 10", us=2.0), replace(ROW, case="1 to 1000", us=2.5)
    assert list(held(few, crowd).values()) == [True]
    assert list(held(few, replace(crowd, us=2.7)).values()) == [False]


def test_the_generators_limit_excuses_a_rate_and_is_said():
    ours = replace(ROW, highest=200_000.0, why=Verdict.GENERATOR.value)
    [bar] = [bar for bar in bars([ours, JANUS]) if bar.what.startswith("highest rate")]
    assert bar.held
    assert "load generator" in str(bar)


def test_what_was_not_measured_is_not_judged():
    assert "latency p99" not in " ".join(held(replace(ROW, half_p99=nan, highest_ratio=nan)))


def test_the_table_has_a_line_for_each_row_all_as_wide_as_the_head():
    lines = table([ROW, replace(JANUS, highest=nan, why="")]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split()[0] == HEADS[0]
    assert "600,000" in lines[1]
    assert "nan" not in lines[2]


def test_a_stored_row_is_plain_json():
    stored = json.loads(json.dumps(replace(ROW, highest=nan).stored(), allow_nan=False))
    assert stored["highest"] is None
    assert stored["us"] == 2.0
