"""Named layouts, maps, and how a picture fills its box."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.composition.layouts import (
    NAMES,
    BadLayout,
    Box,
    canvas_of,
    largest,
    mapped,
    name_for,
    named,
    place,
    presentation_for,
)

BOXES = {
    "one": 1,
    "two": 2,
    "four": 4,
    "six": 6,
    "nine": 9,
    "present-lower-3": 4,
    "present-upper-6": 7,
    "present-two-upper-6": 8,
    "present-upper-right-9": 10,
    "present-vertical-9": 10,
}
WHOLE = ("one", "four", "six", "nine", "present-upper-6", "present-upper-right-9")


def edges(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


@pytest.mark.parametrize("widescreen", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_boxes_of_a_named_layout_lie_apart_on_even_edges(name: str, widescreen: bool) -> None:
    boxes, (width, height) = named(name, widescreen), canvas_of(widescreen)
    assert len(boxes) == BOXES[name]
    assert all(edge % 2 == 0 for box in boxes for edge in edges(box))
    assert all(box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("widescreen", [False, True])
@pytest.mark.parametrize("name", WHOLE)
def test_tiles_leave_nothing_uncovered(name: str, widescreen: bool) -> None:
    width, height = canvas_of(widescreen)
    assert sum(box.width * box.height for box in named(name, widescreen)) == width * height


@pytest.mark.parametrize("widescreen", [False, True])
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("present")])
def test_a_presentation_has_the_first_box_and_the_largest(name: str, widescreen: bool) -> None:
    boxes = named(name, widescreen)
    assert largest(boxes) == 0
    assert boxes[0].width * boxes[0].height > 3 * boxes[-1].width * boxes[-1].height


def test_another_name_is_refused() -> None:
    with pytest.raises(BadLayout, match="no layout 'five'"):
        named("five")


@pytest.mark.parametrize(
    ("people", "name"),
    [
        *((0, "one"), (1, "one"), (2, "two"), (3, "four"), (4, "four"), (5, "six"), (6, "six")),
        *((7, "nine"), (9, "nine"), (10, "nine"), (500, "nine")),
    ],
)
def test_people_are_tiled_by_their_number(people: int, name: str) -> None:
    assert name_for(people) == name


@pytest.mark.parametrize(
    ("people", "name"),
    [(0, "present-lower-3"), (3, "present-lower-3"), (6, "present-upper-6"), (7, "present-upper-right-9")],
)
def test_a_presentation_has_everybody_beside_it(people: int, name: str) -> None:
    assert presentation_for(people) == name


@pytest.mark.parametrize(
    ("given_map", "boxes"),
    [
        pytest.param([[0, 0, 1280, 960]], [Box(0, 0, 1280, 960)], id="all of it"),
        pytest.param([[0, 0, 640, 960, "cover"]], [Box(0, 0, 640, 960, "cover")], id="with a fit"),
        pytest.param('[[2, 4, 10, 12, "contain"]]', [Box(2, 4, 10, 12, "contain")], id="as JSON"),
        pytest.param([["0", "0", "64", "48", "auto"]], [Box(0, 0, 64, 48)], id="digits of a form"),
        pytest.param([[1, 1, 101, 101]], [Box(0, 0, 102, 102)], id="odd edges move"),
        pytest.param([[0.0, 0, 64.0, 48]], [Box(0, 0, 64, 48)], id="whole numbers written as fractions"),
        pytest.param([[0, 0, 64, 48]] * 10, [Box(0, 0, 64, 48)] * 10, id="ten that overlap"),
    ],
)
def test_a_map_says_where_the_boxes_are(given_map: object, boxes: list[Box]) -> None:
    assert list(mapped(given_map)) == boxes


@pytest.mark.parametrize(
    ("given_map", "why"),
    [
        pytest.param([[0, 0, 64, 48]] * 11, "at most 10", id="eleven"),
        pytest.param([], "list of boxes", id="none"),
        pytest.param({"0": [0, 0, 1, 1]}, "list of boxes", id="no list"),
        pytest.param("[[0, 0", "no JSON", id="broken JSON"),
        pytest.param("[" * 5000, "too long", id="endless"),
        pytest.param("[" * 4000, "no JSON", id="deep"),
        pytest.param([[0, 0, 64]], "box 0 of the map is not", id="three numbers"),
        pytest.param([[0, 0, 64, 48, "auto", 1]], "is not", id="six values"),
        pytest.param([[0, 0, 64, 48, "fill"]], "fit of box 0", id="another fit"),
        pytest.param([[0, 0, 64, 48, []]], "fit of box 0", id="no fit"),
        pytest.param([[0, 0, 64, 48], [0, 0, "x", 48]], "box 1 .* no whole number", id="no number"),
        pytest.param([[0, 0, True, 48]], "no whole number", id="truth"),
        pytest.param([[0, 0, 64.5, 48]], "no whole number", id="half a pixel"),
        pytest.param([[0, 0, float("nan"), 48]], "no whole number", id="not a number"),
        pytest.param([[0, 0, float("inf"), 48]], "no whole number", id="endless width"),
        pytest.param([[-2, 0, 64, 48]], "does not lie within 1280 x 960", id="left of it"),
        pytest.param([[1000, 0, 282, 48]], "does not lie within", id="beyond the right"),
        pytest.param([[0, 960, 64, 48]], "does not lie within", id="below"),
        pytest.param([[0, 0, 0, 48]], "does not lie within", id="no width"),
    ],
)
def test_a_map_that_cannot_be_shown_is_refused(given_map: object, why: str) -> None:
    with pytest.raises(BadLayout, match=why):
        mapped(given_map)


def test_a_map_is_measured_against_its_canvas() -> None:
    assert mapped([[0, 0, 1280, 720]], widescreen=True) == (Box(0, 0, 1280, 720),)
    with pytest.raises(BadLayout, match="1280 x 720"):
        mapped([[0, 0, 1280, 722]], widescreen=True)


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=6)))
def test_whatever_is_given_as_a_map_is_shown_or_refused(value: object) -> None:
    for given_map in (value, json.dumps(value)):
        try:
            boxes = mapped(given_map)
        except BadLayout:
            continue
        assert all(0 <= b.left < b.right <= 1280 and 0 <= b.top < b.bottom <= 960 for b in boxes)


@pytest.mark.parametrize(
    ("box", "size", "crop", "at"),
    [
        pytest.param(Box(0, 0, 640, 480), (640, 480), (0, 0, 640, 480), (0, 0, 640, 480), id="same shape"),
        pytest.param(Box(0, 0, 426, 240), (640, 360), (0, 0, 640, 360), (0, 0, 426, 240), id="nearly"),
        pytest.param(Box(0, 0, 640, 480), (640, 360), (80, 0, 480, 360), (0, 0, 640, 480), id="wide in a box: cropped"),
        pytest.param(Box(0, 0, 640, 480), (360, 640), (0, 0, 360, 640), (184, 0, 454, 480), id="upright: whole"),
        pytest.param(Box(0, 0, 640, 480, "cover"), (360, 640), (0, 184, 360, 270), (0, 0, 640, 480), id="cover"),
        pytest.param(Box(0, 0, 640, 480, "contain"), (640, 360), (0, 0, 640, 360), (0, 60, 640, 420), id="contain"),
        pytest.param(Box(100, 50, 200, 200, "contain"), (100, 100), (0, 0, 100, 100), (100, 50, 300, 250), id="larger"),
    ],
)
def test_a_picture_fills_its_box_as_wished(
    box: Box, size: tuple[int, int], crop: tuple[int, ...], at: tuple[int, ...]
) -> None:
    placed = place(box, *size)
    assert (placed.crop.left, placed.crop.top, placed.crop.width, placed.crop.height) == crop
    assert edges(placed.at) == at


@given(
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.integers(1, 300),
    st.integers(1, 200),
    st.sampled_from(["auto", "contain", "cover"]),
)
def test_any_picture_lands_inside_its_box(width: int, height: int, w: int, h: int, fit: str) -> None:
    box = Box(100, 100, w * 2, h * 2, fit)
    placed = place(box, width, height)
    assert 0 <= placed.crop.left <= placed.crop.right <= width
    assert 0 <= placed.crop.top <= placed.crop.bottom <= height
    assert box.left <= placed.at.left < placed.at.right <= box.right
    assert box.top <= placed.at.top < placed.at.bottom <= box.bottom
    assert all(edge % 2 == 0 for edge in edges(placed.at))
