"""What a slow connection misses: all that has waited for too long, up to the next key frame."""

from mediaserver.egress.backlog import MAX_BEHIND, MAX_BYTES, Backlog
from mediaserver.egress.output import EncodedFrame


def picture(at: float, *, key: bool = False, size: int = 10) -> EncodedFrame:
    return EncodedFrame(bytes(size), at, key, 1 / 30)


def times(backlog: Backlog) -> list[float]:
    return [frame.at for _, frame in backlog.take()]


def test_nothing_is_kept_while_nobody_is_there() -> None:
    backlog = Backlog()
    assert not backlog.put(picture(0.0, key=True), picture=True)
    assert not backlog


def test_it_begins_with_a_key_frame_of_the_picture() -> None:
    backlog = Backlog()
    backlog.open()
    for at, key, is_picture in ((0.0, True, False), (0.1, False, True), (0.2, True, True), (0.3, True, False)):
        backlog.put(picture(at, key=key), picture=is_picture)
    assert times(backlog) == [0.2, 0.3]
    backlog.put(picture(0.4), picture=True)
    assert times(backlog) == [0.4]


def test_who_falls_behind_goes_on_with_the_next_key_frame() -> None:
    backlog = Backlog()
    backlog.open()
    behind = [backlog.put(picture(at / 10, key=at % 20 == 0), picture=True) for at in range(60)]
    assert behind.count(True) == 1
    assert behind.index(True) == round(MAX_BEHIND * 10) + 1
    assert backlog.dropped == behind.index(True) + 1
    assert times(backlog) == [at / 10 for at in range(40, 60)]


def test_what_waits_is_bounded_in_bytes() -> None:
    backlog = Backlog()
    backlog.open()
    size = MAX_BYTES // 4
    assert [backlog.put(picture(n / 100, key=True, size=size), picture=True) for n in range(5)] == [False] * 4 + [True]


def test_a_new_connection_begins_anew() -> None:
    backlog = Backlog()
    backlog.open()
    backlog.put(picture(0.0, key=True), picture=True)
    backlog.shut()
    backlog.open()
    backlog.put(picture(0.1), picture=True)
    assert times(backlog) == []
