"""Pictures of the composite."""

import io

from PIL import Image

from mediaserver.composition.composer import Composer
from mediaserver.composition.layouts import named
from mediaserver.composition.scene import Scene, Tile
from mediaserver.egress.snapshot import jpeg
from tests.support.pictures import coded


def test_a_snapshot_shows_what_is_in_each_box() -> None:
    composer = Composer(Scene(tiles=tuple(Tile(box, f"s{i}") for i, box in enumerate(named("four")))))
    for index in range(4):
        composer.picture(f"s{index}", coded(index), 0.0)
    picture = composer.render(0.0)
    image = Image.open(io.BytesIO(jpeg(picture)))
    assert (image.format, image.size) == ("JPEG", (1280, 960))
    expected = picture.reformat(format="rgb24").to_ndarray()  # type: ignore[no-untyped-call]
    for box in named("four"):
        x, y = box.left + box.width // 2, box.top + box.height // 2
        pixel = image.getpixel((x, y))
        assert isinstance(pixel, tuple)
        assert all(abs(a - int(b)) < 12 for a, b in zip(pixel, expected[y, x], strict=True))


def test_an_empty_meeting_has_a_snapshot_too() -> None:
    assert jpeg(Composer(Scene(1280, 720)).render(0.0)).startswith(b"\xff\xd8\xff")
