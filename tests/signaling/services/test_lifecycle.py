"""Every way from created to ended, told as moments in time."""

import pytest

from signaling.services.lifecycle import Lifecycle, State, Timers


def lifecycle(**timers: float) -> Lifecycle:
    life = Lifecycle(created_at=100.0, timers=Timers(**timers))
    life.ready()
    return life


def test_a_conference_is_created_then_ready_then_active_then_ended():
    life = Lifecycle(created_at=0.0, timers=Timers())
    seen = [life.state]
    for move in (life.ready, lambda: life.came(1.0), life.end):
        move()
        seen.append(life.state)
    assert seen == [State.CREATED, State.READY, State.ACTIVE, State.ENDED]


@pytest.mark.parametrize(
    ("moves", "deadline"),
    [
        pytest.param([], 400.0, id="nobody ever came: empty timeout"),
        pytest.param([("came", 110.0)], None, id="somebody is there: no timer"),
        pytest.param([("came", 110.0), ("went", 150.0)], 170.0, id="the last one left: departure timeout"),
        pytest.param([("came", 110.0), ("came", 111.0), ("went", 150.0)], None, id="one is left: no timer"),
        pytest.param([("came", 110.0), ("went", 150.0), ("came", 160.0)], None, id="back in time: no timer"),
        pytest.param(
            [("came", 110.0), ("went", 150.0), ("came", 160.0), ("went", 165.0)], 185.0, id="departure starts again"
        ),
    ],
)
def test_the_next_deadline_follows_who_is_online(moves, deadline):
    life = lifecycle()
    for name, now in moves:
        getattr(life, name)(now)
    assert life.deadline() == deadline


def test_it_is_due_at_its_deadline_and_not_before():
    life = lifecycle(empty=300.0)
    assert not life.due(399.9)
    assert life.due(400.0)


def test_the_longest_duration_counts_from_the_first_participant_and_ends_a_full_room():
    life = lifecycle(max_duration=60.0)
    assert life.deadline() == 400.0
    life.came(200.0)
    assert life.deadline() == 260.0


def test_the_earlier_of_departure_and_duration_wins():
    life = lifecycle(max_duration=60.0, departure=20.0)
    life.came(200.0)
    life.went(250.0)
    assert life.deadline() == 260.0


def test_an_ended_conference_has_no_deadline_and_ending_twice_is_fine():
    life = lifecycle()
    life.end()
    life.end()
    assert life.over
    assert life.deadline() is None
    assert not life.due(1e9)
