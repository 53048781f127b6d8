"""Which packet thread gets the next conference."""

from mediaserver.transport.loads import CONNECTION_LOAD, LOAD_WINDOW, Loads


def test_among_equals_they_take_turns() -> None:
    loads = Loads()
    assert [loads.pick([0, 0, 0], [], 0.0) for _ in range(4)] == [0, 1, 2, 0]


def test_connections_count_before_they_send_anything() -> None:
    assert Loads().pick([0, 0], [0, 0, 0, 1], 0.0) == 1


def test_a_rate_counts_more_than_what_was_sent_long_ago() -> None:
    loads = Loads()
    loads.pick([1_000_000, 0], [], 0.0)
    busy = round(LOAD_WINDOW * 10 * CONNECTION_LOAD)
    assert loads.pick([1_000_000, busy], [], LOAD_WINDOW) == 0


def test_what_connections_weigh_is_forgotten_with_them() -> None:
    loads = Loads()
    assert [loads.pick([0, 0], [0], 0.0), loads.pick([0, 0], [1], 0.1)] == [1, 0]
