"""Cards, names, layers and inserts; and pictures of strangers that are refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediaserver.composition import layers
from mediaserver.composition.composer import Composer
from mediaserver.composition.layouts import Box
from mediaserver.composition.scene import Insert, Scene, Tile
from mediaserver.media.pictures import Picture
from tests.support.pictures import colour_in, plain

WHITE, BLACK = (235, 128, 128), (16, 128, 128)


def saved(folder: Path, size: tuple[int, int], colour: object, name: str = "a.png") -> str:
    image = Image.new("RGBA" if name.endswith(("png", "webp")) else "RGB", size, colour)  # type: ignore[arg-type]
    image.save(folder / name)
    return str(folder / name)


def near(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 2 for a, b in zip(colour, wanted, strict=True))


def rendered(scene: Scene, **pictures: Picture) -> Picture:
    composer = Composer(scene)
    for source, picture in pictures.items():
        composer.picture(source, picture, 0.0)
    return composer.render(0.0)


def grey_scene(**layer: object) -> Scene:
    return Scene(tiles=(Tile(Box(0, 0, 1280, 960), "s"),), **layer)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.jpg"])
def test_a_foreground_is_drawn_at_the_top_left_unscaled(tmp_path: Path, name: str) -> None:
    front = saved(tmp_path, (200, 100), (255, 255, 255), name)
    picture = rendered(grey_scene(front=front), s=plain((100, 128, 128)))
    assert near(colour_in(picture, 10, 10, 180, 80), WHITE)
    assert near(colour_in(picture, 202, 0, 1000, 900), (100, 128, 128))


def test_a_foreground_shines_through_as_much_as_it_says(tmp_path: Path) -> None:
    front = saved(tmp_path, (1280, 960), (255, 255, 255, 64))
    picture = rendered(grey_scene(front=front), s=plain((100, 90, 160)))
    assert near(colour_in(picture, 0, 0, 1280, 960), (134, 100, 152))


def test_what_is_transparent_leaves_pictures_untouched(tmp_path: Path) -> None:
    front = saved(tmp_path, (1280, 960), (255, 0, 0, 0))
    picture = rendered(grey_scene(front=front), s=plain((100, 90, 160)))
    assert colour_in(picture, 0, 0, 1280, 960) == (100, 90, 160)


def test_a_foreground_stays_over_pictures_that_move(tmp_path: Path) -> None:
    front = saved(tmp_path, (1280, 960), (0, 0, 0, 128))
    composer = Composer(grey_scene(front=front))
    for index in range(5):
        composer.picture("s", plain((100 + index % 2, 128, 128)), index / 30)
        picture = composer.render(index / 30)
    assert near(colour_in(picture, 0, 0, 1280, 960), (58, 128, 128))


def test_a_background_is_in_the_middle_and_white_where_it_is_transparent(tmp_path: Path) -> None:
    image = Image.new("RGBA", (400, 200), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 200, 200))
    image.save(tmp_path / "a.png")
    picture = rendered(Scene(background="#808080", behind=str(tmp_path / "a.png")))
    assert near(colour_in(picture, 440, 380, 196, 200), WHITE)
    assert near(colour_in(picture, 644, 380, 196, 200), BLACK)
    assert near(colour_in(picture, 0, 0, 1280, 370), (126, 128, 128))


def test_a_large_background_is_scaled_down(tmp_path: Path) -> None:
    picture = rendered(Scene(background="#808080", behind=saved(tmp_path, (2560, 1440), (255, 255, 255))))
    assert near(colour_in(picture, 0, 124, 1280, 710), WHITE)
    assert near(colour_in(picture, 0, 0, 1280, 116), (126, 128, 128))


@pytest.mark.parametrize(
    ("z_index", "size", "fits"),
    [(1, (1280, 960), True), (1, (1282, 10), False), (1, (10, 961), False), (-1, (3000, 2000), True)],
)
def test_only_a_foreground_must_fit(tmp_path: Path, z_index: int, size: tuple[int, int], fits: bool) -> None:
    path = saved(tmp_path, size, (1, 2, 3))
    if fits:
        layers.check(path, z_index, 1280, 960)
        return
    with pytest.raises(layers.BadLayer, match="does not fit"):
        layers.check(path, z_index, 1280, 960)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GIF89a" + bytes(100), id="another format"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(40), id="broken"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="vectors"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(layers.BadLayer):
        layers.load(str(tmp_path / "a"))


def test_half_a_picture_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(layers.BadLayer):
        layers.load(str(tmp_path / "a.png"))


@pytest.mark.parametrize("side", [4_100, 30_000])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    Image.new("1", (side, side)).save(tmp_path / "a.png")
    with pytest.raises(layers.BadLayer, match="million pixels"):
        layers.load(str(tmp_path / "a.png"))


def test_a_missing_file_is_told_and_the_program_goes_on() -> None:
    composer = Composer(grey_scene())
    composer.picture("s", plain((100, 128, 128)), 0.0)
    composer.render(0.0)
    with pytest.raises(layers.BadLayer):
        composer.show(grey_scene(front="/nonexistent.png"))
    assert near(colour_in(composer.render(0.1), 0, 0, 1280, 960), (100, 128, 128))


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        *(("Ada Lovelace", "AL"), ("ada", "A"), ("Johann Sebastian Bach", "JB"), ("", ""), ("  ", "")),
        ("élan vital", "ÉV"),
        *(("(guest) 7", "G7"), ("李 明", "李明"), ("x" * 9999, "X"), ("!!! ???", "")),
    ],
)  # fmt: skip
def test_names_become_initials(name: str, letters: str) -> None:
    assert layers.initials(name) == letters


def test_narrow_boxes_show_initials() -> None:
    wide, narrow = (layers.name_plate("Ada Lovelace", width) for width in (250, 248))
    assert narrow.shape[1] < wide.shape[1] / 2
    assert np.array_equal(narrow, layers.name_plate("A L", 248))


def test_long_names_stay_inside_their_box() -> None:
    assert layers.name_plate("x" * 300, 400).shape[1] < 400


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_without_a_name_there_is_no_plate(name: str) -> None:
    assert layers.name_plate(name, 400).size == 0


def test_names_can_be_left_out() -> None:
    tile = Tile(Box(0, 0, 1280, 960), "s", name="Ada")
    with_name, without = (
        rendered(Scene(tiles=(tile,), show_names=show), s=plain((100, 128, 128))) for show in (True, False)
    )
    assert colour_in(without, 0, 900, 200, 60) == (100, 128, 128)
    assert colour_in(with_name, 30, 900, 60, 30) != (100, 128, 128)


def test_an_avatar_is_shown_on_its_card_and_letters_where_it_is_broken(tmp_path: Path) -> None:
    path = saved(tmp_path, (64, 64), (255, 255, 255))
    (tmp_path / "broken").write_bytes(b"no picture")
    with_avatar = rendered(Scene(tiles=(Tile(Box(0, 0, 1280, 960), avatar=path, person="p"),)))
    broken = rendered(Scene(tiles=(Tile(Box(0, 0, 1280, 960), avatar=str(tmp_path / "broken"), person="p"),)))
    assert near(colour_in(with_avatar, 600, 440, 80, 80), WHITE)
    assert not near(colour_in(broken, 600, 440, 80, 80), WHITE)


def test_people_keep_their_colours() -> None:
    assert layers.colour_of("p1") == layers.colour_of("p1")
    assert len({layers.colour_of(f"p{i}") for i in range(40)}) > 4


def test_a_slide_is_shown_whole_with_the_name_of_who_shows_it(tmp_path: Path) -> None:
    path = saved(tmp_path, (400, 100), (255, 255, 255))
    scene = Scene(background="#000000", tiles=(Tile(Box(0, 0, 1280, 960), slide=path),))
    picture = rendered(scene)
    assert near(colour_in(picture, 0, 322, 1280, 316), WHITE)
    assert near(colour_in(picture, 0, 0, 1280, 316), BLACK)


@pytest.mark.parametrize(
    "insert", [Insert("", "only text"), Insert("title"), Insert("x" * 500, "word " * 200, icon="/nonexistent")]
)
def test_inserts_stay_inside_the_composite(insert: Insert) -> None:
    for width, height in ((1280, 960), (1280, 720)):
        rgba, left, top = layers.insert(insert, width, height)
        assert 0 < left < left + rgba.shape[1] < width
        assert 0 < top < top + rgba.shape[0] < height


def test_a_font_without_a_letter_writes_it_simpler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "FONTS", ())
    layers.faces.cache_clear()
    assert layers.written("Émile ŵ 李", 23)[0] == "Emile w ?"
    layers.faces.cache_clear()
