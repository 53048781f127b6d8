"""The composite as people see it, against pictures that a person has looked at (`tests/vectors/composites`).

Compared as seen from afar: both small, by squares; in the font that Pillow brings, which is the same everywhere. After
a change that is meant to be seen: `python -m tests.mediaserver.composition.test_golden`, and look at every picture.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mediaserver.composition import layers
from mediaserver.composition.composer import Composer
from mediaserver.composition.layouts import NAMES, canvas_of, mapped, named, presentation_for
from mediaserver.composition.scene import Insert, Scene, Tile, Voice
from tests.support.pictures import portrait

FOLDER = Path(__file__).parents[2] / "vectors" / "composites"
WIDTH = 320  # pixels of a kept picture
SQUARE = 8
PEOPLE = ("Ada Lovelace", "Björk Guðmundsdóttir", "Chen Ning", "Dmitri Ivanovich Mendeleev", "Émilie du Châtelet")
NO_CAMERA, UPRIGHT = 2, 3
"""Of five people one has no camera, and one a phone held upright."""


@pytest.fixture(autouse=True)
def pillows_own_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(layers, "FONTS", ())
    forget()
    yield
    forget()


def forget() -> None:
    for drawing in (layers.faces, layers.card, layers.name_plate, layers.voice_plate, layers.insert):
        drawing.cache_clear()


def tiles(boxes: object) -> tuple[Tile, ...]:
    return tuple(
        Tile(box, "" if i % 5 == NO_CAMERA else f"s{i}", f"p{i}", PEOPLE[i % 5])
        for i, box in enumerate(boxes)  # type: ignore[arg-type]
    )


def layout(name: str, widescreen: bool) -> Scene:
    return Scene(*canvas_of(widescreen), tiles=tiles(named(name, widescreen)))


def drawn(folder: Path, name: str, size: tuple[int, int], draw: Callable[[ImageDraw.ImageDraw], None]) -> str:
    """Path of a transparent picture on which something is drawn."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    draw(ImageDraw.Draw(image))
    image.save(folder / f"{name}.png")
    return str(folder / f"{name}.png")


def page(folder: Path) -> str:
    def bars(pen: ImageDraw.ImageDraw) -> None:
        pen.rectangle((0, 0, 1600, 900), "white")
        pen.rectangle((80, 80, 900, 150), "#1d3557")
        for index, height in enumerate((200, 320, 450, 380)):
            pen.rectangle((120 + index * 340, 820 - height, 360 + index * 340, 820), ("#457b9d", "#e63946")[index % 2])

    return drawn(folder, "page", (1600, 900), bars)


def frame(folder: Path) -> str:
    """A foreground: a ribbon with a mark, half transparent."""

    def ribbon(pen: ImageDraw.ImageDraw) -> None:
        pen.rectangle((0, 0, 1279, 70), (200, 30, 60, 150))
        pen.ellipse((1160, 10, 1220, 60), (255, 255, 255, 255))

    return drawn(folder, "frame", (1280, 720), ribbon)


def pattern(folder: Path) -> str:
    """A background smaller than the composite, with a hole."""

    def stripes(pen: ImageDraw.ImageDraw) -> None:
        for x in range(0, 800, 40):
            pen.rectangle((x, 0, x + 19, 599), "#2a9d8f")
        pen.rectangle((300, 200, 500, 400), (0, 0, 0, 0))

    return drawn(folder, "pattern", (800, 600), stripes)


def scenes(folder: Path) -> dict[str, Scene]:
    boxes = mapped(
        [[0, 0, 800, 960, "cover"], [820, 40, 440, 330], [820, 400, 440, 520, "contain"], [60, 700, 320, 240]]
    )
    presenting = named(presentation_for(3))
    slide = Tile(replace(presenting[0], fit="contain"), "", "p0", PEOPLE[0], slide=page(folder))
    screen = Tile(replace(presenting[0], fit="contain"), "s4", "p0", PEOPLE[0])
    insert = Insert("Quarterly review", "Please mute your microphone while you listen. Questions come at the end.")
    return {
        **{f"{name}{'-wide' * wide}": layout(name, wide) for name in NAMES for wide in (False, True)},
        "map": Scene(tiles=tiles(boxes)),
        "presentation": Scene(tiles=(slide, *tiles(presenting[1:]))),
        "presentation-screen": Scene(tiles=(screen, *tiles(presenting[1:]))),
        "foreground": replace(layout("four", False), front=frame(folder)),
        "background": Scene(tiles=tiles(named("two")[:1]), behind=pattern(folder), background="#264653"),
        "insert": replace(layout("four", True), insert=replace(insert, icon=page(folder))),
        "insert-fixed": replace(layout("two", True), insert=replace(insert, fixed=True)),
        "voice": replace(layout("four", True), voices=(Voice("Grace Hopper", "g"),)),
        "voice-placed": replace(layout("one", True), voices=(Voice("Grace Hopper", "g", 40, 500),), show_names=False),
    }


def rendered(scene: Scene) -> Image.Image:
    composer = Composer(scene)
    for index in range(max(len(scene.tiles), 5)):
        composer.picture(f"s{index}", portrait(index, *((360, 640) if index % 5 == UPRIGHT else (640, 360))), 0.0)
    return composer.render(0.0).to_image()  # type: ignore[no-any-return, no-untyped-call]


def small(image: Image.Image) -> Image.Image:
    return image.convert("RGB").resize((WIDTH, WIDTH * image.height // image.width), Image.Resampling.BOX)


def same(a: Image.Image, b: Image.Image) -> bool:
    """Whether two pictures look alike: on the whole, and in the worst square (levels of 255)."""
    difference = np.abs(np.asarray(a.convert("RGB"), np.int16) - np.asarray(b.convert("RGB"), np.int16)).mean(axis=2)
    height, width = (side // SQUARE * SQUARE for side in difference.shape)
    squares = difference[:height, :width].reshape(height // SQUARE, SQUARE, -1, SQUARE).mean(axis=(1, 3))
    return bool(difference.mean() < 3 and squares.max() < 26)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.png")))
def test_looks_as_it_was_approved(name: str, tmp_path: Path) -> None:
    assert same(small(rendered(scenes(tmp_path)[name])), Image.open(FOLDER / f"{name}.png"))


def test_every_scene_has_a_picture_and_each_is_told_from_the_others(tmp_path: Path) -> None:
    kept = {path.stem: Image.open(path) for path in sorted(FOLDER.glob("*.png"))}
    assert kept.keys() == scenes(tmp_path).keys()
    alike = [(a, b) for a in kept for b in kept if a < b and kept[a].size == kept[b].size and same(kept[a], kept[b])]
    assert alike == []


if __name__ == "__main__":
    import tempfile

    FOLDER.mkdir(exist_ok=True)
    layers.FONTS = ()
    with tempfile.TemporaryDirectory() as folder:
        for name, scene in scenes(Path(folder)).items():
            image = rendered(scene)
            image.save(f"/tmp/{name}.png")
            small(image).quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
