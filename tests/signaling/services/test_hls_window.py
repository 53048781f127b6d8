"""What players find of a stream, what they are held for, and what is kept for how long."""

import asyncio

import pytest

from signaling.services import hls_window
from signaling.services.errors import Invalid, NotFound, TooMany
from signaling.services.hls_window import NotYet, Segment, Waiting, Window

THIRD = 1 / 3
BEGAN = 1_772_440_200.0


def grow(window: Window, parts: int, *, start: int = 0) -> None:
    """So many more parts, six to a segment; each says which it is."""
    for n in range(start, start + parts):
        place = n % 6
        data = f"<{n}>".encode()
        at = BEGAN + n * THIRD
        window.add(data, at=at, duration=THIRD, independent=place == 0, first=place == 0, last=place == 5)


def made(parts: int, waiting: int = 10) -> Window:
    window = Window(Waiting(waiting))
    window.begin(b"head")
    grow(window, parts)
    return window


async def held(work: "asyncio.Task[bytes]") -> None:
    """It waits now, and for nothing that has happened."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not work.done()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("1.mp4", b"head"),
        ("0.m4s", b"<0><1><2><3><4><5>"),
        ("0.2.m4s", b"<2>"),
        ("1.1.m4s", b"<7>"),
    ],
)
async def test_files_by_name(name: str, data: bytes) -> None:
    assert await made(8).file(name) == data


@pytest.mark.parametrize(
    "name",
    [
        "1.m4s", "1.3.m4s", "0.6.m4s", "2.mp4", "0.mp4", "00.m4s", "0.02.m4s", "-1.m4s", "../1.mp4", "..%2f1.mp4", "",
        "index.m3u8", "1.mp4\n", "9999999999999.m4s", "0.m4s/", "1.mp4.m4s", "\u0661.m4s",
    ],
)  # fmt: skip
async def test_there_is_no_other_file(name: str) -> None:
    with pytest.raises(NotFound):
        await made(8).file(name)


async def test_the_part_that_comes_next_is_waited_for() -> None:
    window = made(8)
    part = asyncio.create_task(window.file("1.2.m4s"))
    await held(part)
    grow(window, 1, start=8)
    assert await part == b"<8>"


async def test_a_part_that_never_comes_is_not_waited_for() -> None:
    window = made(8)
    part = asyncio.create_task(window.file("1.2.m4s"))
    await held(part)
    window.begin(b"another")
    with pytest.raises(NotFound):
        await part


async def test_the_playlist_is_held_until_it_has_what_is_asked_for() -> None:
    window = made(8)
    assert b"1.1.m4s" in await window.text()
    assert b"1.1.m4s" in await window.text(1, 1)
    later = asyncio.create_task(window.text(1, 2))
    whole = asyncio.create_task(window.text(1))
    await held(later)
    grow(window, 1, start=8)
    assert b'#EXT-X-PART:DURATION=0.33333,URI="1.2.m4s"' in await later
    await held(whole)
    grow(window, 3, start=9)
    assert b"\n1.m4s" in await whole


async def test_the_first_segment_is_waited_for() -> None:
    window = Window(Waiting(10))
    first = asyncio.create_task(window.text())
    await held(first)
    window.begin(b"head")
    grow(window, 5)
    await held(first)
    grow(window, 1, start=5)
    assert b"\n0.m4s" in await first


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hls_window, "HOLD", 0.001)
    window = made(8)
    for work in (window.text(1, 2), window.text(2), window.file("1.2.m4s"), Window(Waiting(1)).text()):
        with pytest.raises(NotYet):
            await work
    assert window.waiting.count == 0


async def test_only_so_many_wait() -> None:
    window = made(8, waiting=2)
    waiting = [asyncio.create_task(window.text(1, 2)) for _ in range(2)]
    await held(waiting[0])
    with pytest.raises(TooMany):
        await window.text(1, 2)
    assert b"#EXTM3U" in await window.text()
    waiting.pop().cancel()
    await asyncio.sleep(0)
    another = asyncio.create_task(window.text(1, 2))
    await held(another)
    window.end()
    assert b"#EXT-X-ENDLIST" in await another


@pytest.mark.parametrize(("number", "part"), [(None, 1), (4, None), (4, 0)])
async def test_what_nobody_could_ask_for(number: int | None, part: int | None) -> None:
    with pytest.raises(Invalid):
        await made(13).text(number, part)


async def test_only_a_window_is_kept() -> None:
    window = made(6 * 12)
    size = window.size_bytes
    grow(window, 6 * 60, start=6 * 12)
    assert window.size_bytes < size * 1.5
    assert await window.file("71.m4s")
    assert await window.file("60.m4s")
    for gone in ("59.m4s", "65.0.m4s"):
        with pytest.raises(NotFound):
            await window.file(gone)


async def test_the_beginnings_of_old_files_go() -> None:
    window = Window(Waiting(1))
    for n in range(40):
        window.begin(str(n).encode())
        grow(window, 1)
    assert await window.file("40.mp4") == b"39"
    with pytest.raises(NotFound):
        await window.file("20.mp4")


async def test_complete_segments_are_handed_on_with_what_came_before_the_end() -> None:
    segments: list[Segment] = []
    window = Window(Waiting(1), on_segment=segments.append)
    window.begin(b"head")
    grow(window, 8)
    window.begin(b"another")
    grow(window, 2)
    window.end()
    assert [(each.beginning, each.head, each.data) for each in segments] == [
        (1, b"head", b"<0><1><2><3><4><5>"),
        (1, b"head", b"<6><7>"),
        (2, b"another", b"<0><1>"),
    ]
    assert [each.duration for each in segments] == pytest.approx([2.0, 2 / 3, 2 / 3])
    assert segments[1].at == pytest.approx(BEGAN + 2.0)
