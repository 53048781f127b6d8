"""The copy in the object store: what is in it at each moment, and what happens while the store is away."""

from pathlib import Path

from signaling.objects import Objects, StoreFailed
from signaling.services.hls_mirror import MAX_WAITING, Mirror
from signaling.services.hls_window import Segment

BEGAN = 1_772_440_200.0
PREFIX = "hls/abc"


def segment(number: int, beginning: int = 1) -> Segment:
    return Segment(beginning, f"head {beginning}".encode(), f"data {number}".encode(), BEGAN + 2.0 * number, 2.0)


class Store(Objects):
    """May be away."""

    away = False

    async def put(self, *what: object) -> object:  # type: ignore[override]
        if self.away:
            raise StoreFailed("away")
        return await super().put(*what)  # type: ignore[arg-type]


def store(folder: Path) -> Store:
    return Store(folder.as_uri())


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / PREFIX).iterdir()}


def listed(folder: Path) -> list[str]:
    lines = (folder / PREFIX / "index.m3u8").read_text().splitlines()
    return [line for line in lines if line.startswith(("#EXT-X-DISCONTINUITY", "#EXT-X-MAP", "#EXT-X-ENDLIST"))
            or not line.startswith("#")]  # fmt: skip


async def test_segments_are_there_and_listed(tmp_path: Path) -> None:
    mirror = Mirror(store(tmp_path), PREFIX)
    for n in range(3):
        mirror.take(segment(n))
    await mirror.aclose()
    assert names(tmp_path) == {"1.mp4", "0.m4s", "1.m4s", "2.m4s", "index.m3u8"}
    assert (tmp_path / PREFIX / "2.m4s").read_bytes() == b"data 2"
    assert (tmp_path / PREFIX / "1.mp4").read_bytes() == b"head 1"
    assert listed(tmp_path) == ["#EXT-X-DISCONTINUITY-SEQUENCE:0", '#EXT-X-MAP:URI="1.mp4"', "0.m4s", "1.m4s", "2.m4s"]


async def test_another_beginning_is_a_discontinuity(tmp_path: Path) -> None:
    mirror = Mirror(store(tmp_path), PREFIX)
    mirror.take(segment(0))
    mirror.take(segment(1, beginning=2))
    mirror.end()
    await mirror.aclose()
    assert listed(tmp_path)[2:] == [
        "0.m4s",
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="2.mp4"',
        "1.m4s",
        "#EXT-X-ENDLIST",
    ]


async def test_old_segments_go_and_in_the_end_everything(tmp_path: Path) -> None:
    mirror = Mirror(store(tmp_path), PREFIX)
    for n in range(40):
        mirror.take(segment(n))
        await mirror.aclose()
    assert len(names(tmp_path)) == 2 + 12
    await mirror.remove()
    assert names(tmp_path) == set()


async def test_what_the_store_does_not_take_is_left_out(tmp_path: Path) -> None:
    objects = store(tmp_path)
    mirror = Mirror(objects, PREFIX)
    for n in range(5):
        objects.away = n in (1, 2)
        mirror.take(segment(n))
        await mirror.aclose()
    assert mirror.left_out == 2
    assert listed(tmp_path)[2:] == ["0.m4s", "#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="2.mp4"', "1.m4s", "2.m4s"]
    assert (tmp_path / PREFIX / "1.m4s").read_bytes() == b"data 3"


async def test_no_more_wait_for_a_slow_store_than_are_worth_it(tmp_path: Path) -> None:
    mirror = Mirror(store(tmp_path), PREFIX)
    for n in range(20):
        mirror.take(segment(n))
    await mirror.aclose()
    assert mirror.left_out == 20 - MAX_WAITING
    assert (tmp_path / PREFIX / f"{MAX_WAITING - 1}.m4s").read_bytes() == b"data 19"
