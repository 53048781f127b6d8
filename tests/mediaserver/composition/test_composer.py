"""The composite: who is seen where and when, and who is heard."""

import numpy as np
import pytest

from mediaserver.composition.composer import Composer
from mediaserver.composition.layouts import Box, named
from mediaserver.composition.scene import Scene, Tile
from mediaserver.media.pictures import Picture, views
from tests.support.pictures import code_of, coded, colour_in, loudness_of, plain, tone

FRAME = 1 / 30


def scene_of(name: str, people: int, **rest: object) -> Scene:
    boxes = named(name)[:people]
    tiles = tuple(Tile(box, source=f"s{i}", person=f"p{i}") for i, box in enumerate(boxes))
    return Scene(tiles=tiles, **rest)  # type: ignore[arg-type]


def seen(picture: Picture, box: Box) -> int | None:
    """Whose code is in the middle of a box."""
    return code_of(colour_in(picture, box.left + box.width // 3, box.top + box.height // 4, box.width // 3, 20))


def with_pictures(scene: Scene, people: int, size: tuple[int, int] = (320, 180)) -> Composer:
    composer = Composer(scene)
    for index in range(people):
        composer.picture(f"s{index}", coded(index, *size), 0.0)
    return composer


@pytest.mark.parametrize(("name", "people"), [("one", 1), ("two", 2), ("four", 4), ("six", 6)])
def test_shows_each_source_in_its_box(name: str, people: int) -> None:
    picture = with_pictures(scene_of(name, people), people).render(0.0)
    assert (picture.width, picture.height, picture.format.name) == (1280, 960, "yuv420p")
    assert [seen(picture, box) for box in named(name)[:people]] == list(range(people))


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (321, 181), (180, 320), (16, 16), (1, 1)])
def test_fills_a_box_from_pictures_of_any_size(size: tuple[int, int]) -> None:
    picture = with_pictures(scene_of("four", 4), 4, size).render(0.0)
    assert [seen(picture, box) for box in named("four")] == [0, 1, 2, 3]


def test_shows_a_picture_once_it_is_due_and_keeps_the_last() -> None:
    composer = Composer(scene_of("one", 1))
    box = named("one")[0]
    composer.picture("s0", coded(1), 0.0)
    composer.picture("s0", coded(2), 0.1)
    assert [seen(composer.render(at), box) for at in (0.0, 0.09, 0.1, 60.0)] == [1, 1, 2, 2]


def test_a_picture_that_changes_its_shape_leaves_nothing_of_the_former() -> None:
    composer = Composer(scene_of("one", 1, background="#808080"))
    composer.picture("s0", coded(1, 640, 480), 0.0)
    composer.render(0.0)
    composer.picture("s0", coded(2, 180, 320), 0.1)
    picture = composer.render(0.1)
    assert code_of(colour_in(picture, 560, 400, 100, 100)) == 2
    assert colour_in(picture, 0, 0, 200, 960) == (126, 128, 128)


def test_shows_a_card_until_the_first_picture_and_after_the_camera_is_off() -> None:
    composer = Composer(scene_of("one", 1))
    box = named("one")[0]
    before = composer.render(0.0)
    composer.picture("s0", coded(1), 0.1)
    assert (seen(before, box), seen(composer.render(0.1), box)) == (None, 1)
    composer.blank("s0")
    assert np.array_equal(views(composer.render(0.2))[0], views(before)[0])


def test_a_change_is_complete_after_a_short_cross_fade() -> None:
    composer = with_pictures(scene_of("one", 1), 2)
    composer.render(0.0)
    turned = Scene(tiles=(Tile(named("one")[0], source="s1"),))
    composer.show(turned)
    luma = [colour_in(composer.render(0.1 + i * FRAME), 300, 300, 100, 100)[0] for i in range(10)]
    assert luma[0] == 60
    assert luma == sorted(luma)
    assert 60 < luma[4] < 110
    assert luma[-1] == 110


def test_a_change_without_a_fade_takes_effect_at_once() -> None:
    composer = with_pictures(scene_of("one", 1), 2)
    composer.render(0.0)
    composer.show(Scene(tiles=(Tile(named("one")[0], source="s1"),), fade=0.0))
    assert seen(composer.render(FRAME), named("one")[0]) == 1


def test_a_scene_of_another_size_changes_the_size_of_the_program() -> None:
    composer = with_pictures(scene_of("one", 1), 1)
    composer.render(0.0)
    composer.show(Scene(1280, 720, tiles=(Tile(named("one", True)[0], source="s0"),)))
    picture = composer.render(FRAME)
    assert (picture.width, picture.height) == (1280, 720)
    assert seen(picture, named("one", True)[0]) == 0


def test_of_boxes_that_overlap_the_later_stays_in_front_whoever_moves() -> None:
    large, small = Box(0, 0, 1280, 960), Box(900, 600, 320, 180)
    composer = Composer(Scene(tiles=(Tile(large, "s0"), Tile(small, "s1"))))
    composer.picture("s1", coded(1), 0.0)
    for index in range(3):
        composer.picture("s0", coded(0), index * FRAME)
        picture = composer.render(index * FRAME)
        assert (seen(picture, small), code_of(colour_in(picture, 100, 100, 200, 200))) == (1, 0)


def test_pictures_carry_their_time() -> None:
    picture = Composer(Scene()).render(12.5)
    assert picture.pts * picture.time_base == 12.5


def test_full_range_pictures_become_limited() -> None:
    full = plain((255, 128, 128)).reformat(format="yuvj420p", src_color_range=2, dst_color_range=2)
    composer = Composer(scene_of("one", 1))
    composer.picture("s0", full, 0.0)
    assert colour_in(composer.render(0.0), 300, 300, 100, 100)[0] == 235


def test_mixes_all_but_one() -> None:
    composer = Composer(scene_of("two", 2))
    for index in range(10):
        at = index * 0.02
        composer.sound("s0", tone(500, at), at)
        composer.sound("s1", tone(1000, at), at)
        everybody, rest = composer.mix(at), composer.mix(at, but=("s0",))
    assert [round(loudness_of(f, everybody), 2) for f in (500, 1000)] == [0.25, 0.25]
    assert [round(loudness_of(f, rest), 2) for f in (500, 1000)] == [0.0, 0.25]


def test_a_change_of_loudness_needs_no_other_picture() -> None:
    composer = with_pictures(scene_of("one", 1), 1)
    composer.show(scene_of("one", 1, gains={"s0": 0.0}))
    composer.sound("s0", tone(500, 0.0), 0.0)
    assert not composer.mix(0.0).any()


def test_somebody_who_is_gone_is_neither_seen_nor_heard() -> None:
    composer = with_pictures(scene_of("one", 1), 1)
    composer.sound("s0", tone(500, 0.0), 0.0)
    composer.remove("s0")
    assert not composer.mix(0.0).any()
    assert seen(composer.render(0.0), named("one")[0]) is None


def test_a_source_far_ahead_holds_few_pictures() -> None:
    composer = Composer(scene_of("one", 1))
    for index in range(100):
        composer.picture("s0", coded(index % 2), 100 + index)
    assert seen(composer.render(0.0), named("one")[0]) == 1
