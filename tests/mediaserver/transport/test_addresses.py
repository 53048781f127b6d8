"""Which addresses are listened on, which are told, and when somebody is woken."""

import pytest

from mediaserver.transport.addresses import MAX_ADDRESSES, candidates, interface_ips, listened
from mediaserver.transport.budget import Budget
from mediaserver.transport.deadlines import Deadlines

HERE = ["192.0.2.2", "2001:db8::2", "127.0.0.1", "::1"]


@pytest.mark.parametrize(
    ("ips", "chosen"),
    [
        pytest.param((), HERE, id="all there are"),
        pytest.param(("192.0.2.2",), ["192.0.2.2"], id="the given one"),
        pytest.param(("0.0.0.0",), ["192.0.2.2", "127.0.0.1"], id="all of IPv4"),
        pytest.param(("::",), ["2001:db8::2", "::1"], id="all of IPv6"),
        pytest.param(("127.0.0.1", "0.0.0.0"), ["127.0.0.1", "192.0.2.2"], id="none twice"),
        pytest.param(("2001:DB8:0:0::2",), ["2001:db8::2"], id="in its usual form"),
    ],
)
def test_listens_on(ips, chosen):
    assert listened(ips, HERE) == chosen


def test_a_machine_with_many_addresses_uses_some_of_them():
    assert len(listened((), [f"192.0.2.{n}" for n in range(100)])) == MAX_ADDRESSES


def test_what_is_no_address_is_named():
    with pytest.raises(ValueError, match="'localhost' is no IP address"):
        listened(("localhost",), HERE)


def test_the_system_has_a_loopback_and_it_comes_last():
    ips = interface_ips()
    assert "127.0.0.1" in ips
    assert not any(ip.startswith(("169.254.", "fe80:")) for ip in ips)
    loopbacks = [ip for ip in ips if ip in ("::1", "127.0.0.1")]
    assert ips[-len(loopbacks) :] == loopbacks


def test_candidates_prefer_udp_and_addresses_others_can_reach():
    found = candidates(["127.0.0.1", "192.0.2.2", "::1"], 7881, 7882)
    assert [(each.protocol, each.address, each.port) for each in found] == [
        ("udp", "192.0.2.2", 7881),
        ("udp", "127.0.0.1", 7881),
        ("udp", "::1", 7881),
        ("tcp", "192.0.2.2", 7882),
        ("tcp", "127.0.0.1", 7882),
        ("tcp", "::1", 7882),
    ]
    priorities = [each.priority for each in found]
    assert priorities == sorted(priorities, reverse=True)
    assert len(set(priorities)) == len({each.foundation for each in found}) == len(found)
    assert {each.tcp_type for each in found} == {None, "passive"}
    assert all(0 < priority < 2**31 for priority in priorities)


def test_without_tcp_there_is_none():
    assert {each.protocol for each in candidates(["192.0.2.2"], 7881, 0)} == {"udp"}


def test_an_earlier_deadline_counts_a_later_one_waits():
    deadlines = Deadlines()
    deadlines.set(1, 5.0)
    deadlines.set(2, 3.0)
    deadlines.set(1, 4.0)
    deadlines.set(1, 9.0)
    assert deadlines.next() == 3.0
    assert deadlines.due(3.5) == [2]
    assert deadlines.due(4.5) == [1]
    assert (deadlines.next(), deadlines.due(100.0)) == (None, [])


def test_who_has_left_is_not_woken():
    deadlines = Deadlines()
    deadlines.set(1, 1.0)
    deadlines.set(2, 2.0)
    deadlines.drop(1)
    deadlines.drop(3)
    assert deadlines.due(10.0) == [2]


def test_many_changes_do_not_pile_up():
    deadlines = Deadlines()
    for n in range(10_000):
        deadlines.set(7, 10_000.0 - n)
    assert deadlines.due(1.0) == [7]
    assert deadlines.due(10_000.0) == []


def test_a_budget_allows_a_burst_and_then_its_rate():
    budget = Budget(rate=4.0, burst=3.0)
    assert [budget.take(100.0) for _ in range(5)] == [True, True, True, False, False]
    assert [budget.take(100.25) for _ in range(2)] == [True, False]
    assert sum(budget.take(200.0) for _ in range(10)) == 3
