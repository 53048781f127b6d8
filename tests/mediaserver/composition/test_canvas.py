"""Drawing in planes against the same done with fractions."""

import numpy as np
import pytest

from mediaserver.composition.canvas import Sprite, copied, fade, flat, put, yuv_of
from mediaserver.composition.layouts import Box

WIDTH, HEIGHT = 320, 200
WHOLE = Box(0, 0, WIDTH, HEIGHT)


def noise(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    return tuple(
        chance.integers(16, 235, shape, np.uint8) for shape in ((HEIGHT, WIDTH), *[(HEIGHT // 2, WIDTH // 2)] * 2)
    )  # type: ignore[return-value]


def drawing(width: int, height: int) -> np.ndarray:
    """RGBA with solid, empty and half transparent rows."""
    chance = np.random.default_rng(width)
    rgba = chance.integers(0, 256, (height, width, 4), np.uint8)
    rgba[: height // 3, :, 3] = 255
    rgba[height // 3 : height // 2, :, 3] = 0
    return rgba


def blended(luma: np.ndarray, rgba: np.ndarray, left: int, top: int) -> np.ndarray:
    """What the luma should be."""
    expected = luma.astype(float)
    r, g, b, a = (rgba[..., i].astype(float) for i in range(4))
    ink = 16 + 0.25679 * r + 0.50413 * g + 0.09791 * b
    for y in range(rgba.shape[0]):
        for x in range(rgba.shape[1]):
            if 0 <= top + y < HEIGHT and 0 <= left + x < WIDTH:
                share = a[y, x] / 255
                expected[top + y, left + x] = expected[top + y, left + x] * (1 - share) + ink[y, x] * share
    return expected


@pytest.mark.parametrize(
    ("size", "at"),
    [((60, 40), (10, 20)), ((61, 41), (11, 21)), ((60, 40), (-20, -10)), ((61, 41), (300, 180)), ((320, 200), (0, 0))],
)
def test_a_sprite_is_blended_where_it_is(size: tuple[int, int], at: tuple[int, int]) -> None:
    canvas, rgba = noise(1), drawing(*size)
    expected = blended(canvas[0], rgba, *at)
    Sprite(rgba, *at, WIDTH, HEIGHT).draw(canvas, WHOLE)
    assert np.abs(canvas[0] - expected).max() <= 1.5


@pytest.mark.parametrize("at", [(400, 0), (0, 300), (-60, 0), (0, -40)])
def test_a_sprite_beside_the_canvas_draws_nothing(at: tuple[int, int]) -> None:
    canvas = noise(2)
    before = copied(canvas)
    Sprite(drawing(60, 40), *at, WIDTH, HEIGHT).draw(canvas, WHOLE)
    assert all(np.array_equal(a, b) for a, b in zip(canvas, before, strict=True))


def test_drawing_part_by_part_is_drawing_the_whole() -> None:
    sprite = Sprite(drawing(301, 161), 7, 9, WIDTH, HEIGHT)
    whole, parts = noise(3), noise(3)
    sprite.draw(whole, WHOLE)
    for x in range(0, WIDTH, 80):
        for y in range(0, HEIGHT, 50):
            sprite.draw(parts, Box(x, y, 80, 50))
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_colours_bleed_nothing_into_what_is_transparent() -> None:
    rgba = np.zeros((40, 60, 4), np.uint8)
    rgba[..., 0] = 255
    canvas = flat(WIDTH, HEIGHT, "#808080")
    Sprite(rgba, 11, 11, WIDTH, HEIGHT).draw(canvas, WHOLE)
    assert all(np.array_equal(a, b) for a, b in zip(canvas, flat(WIDTH, HEIGHT, "#808080"), strict=True))


@pytest.mark.parametrize(
    ("colour", "planes"),
    [
        ("#000000", (16, 128, 128)),
        ("#ffffff", (235, 128, 128)),
        ("#ff0000", (81, 90, 240)),
        ("#121212", (31, 128, 128)),
    ],
)
def test_colours_are_those_that_browsers_send(colour: str, planes: tuple[int, ...]) -> None:
    assert tuple(int(plane[0, 0]) for plane in flat(4, 4, colour)) == planes
    rgb = np.full((4, 4, 3), [int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
    assert tuple(int(plane[0, 0]) for plane in yuv_of(rgb)) == planes


@pytest.mark.parametrize(("share", "luma"), [(0.0, 50), (0.5, 125), (1.0, 200)])
def test_a_fade_goes_from_the_former_to_the_new(share: float, luma: int) -> None:
    canvas, former = flat(16, 16, "#000000"), flat(16, 16, "#000000")
    canvas[0][:], former[0][:] = 200, 50
    fade(canvas, former, share)
    assert int(canvas[0][0, 0]) == luma


def test_planes_are_put_at_their_place() -> None:
    canvas = flat(16, 16, "#000000")
    put(canvas, flat(4, 4, "#ffffff"), 8, 4)
    assert canvas[0].sum() == 16 * 16 * 16 + 16 * (235 - 16)
    assert canvas[0][4, 8] == canvas[0][7, 11] == 235
