"""Scenes as data, and how they come about."""

import json

import pytest

from mediaserver.composition.layouts import Box, named
from mediaserver.composition.scene import Insert, Scene, Tile, Voice, pack, unpack
from mediaserver.composition.seats import Playing, Seats
from mediaserver.composition.staging import Look, Person, scene_of

PEOPLE = {
    "a": Person("Ada", camera="a-camera", screen="a-screen"),
    "b": Person("Bob", camera="b-camera"),
    "c": Person("Chen", avatar="/avatar"),
}


def seats_of(people: str) -> Seats:
    seats = Seats()
    for user in people:
        seats.came(user)
    return seats


def test_a_scene_survives_the_border_of_a_process() -> None:
    tiles = (Tile(Box(0, 0, 64, 48, "cover"), "s", "p", "Ada"), Tile(Box(64, 0, 64, 48), slide="/slide"))
    scene = Scene(tiles=tiles, insert=Insert("title"), voices=(Voice("Bob", left=4),), gains={"s": 0.5}, front="/f")
    assert unpack(json.loads(json.dumps(pack(scene)))) == scene
    assert unpack(json.loads(json.dumps(pack(Scene())))) == Scene()


def test_each_source_is_wanted_as_large_as_it_is_shown() -> None:
    tiles = (
        Tile(Box(0, 0, 640, 360), "s"),
        Tile(Box(0, 400, 320, 480), "s"),
        Tile(Box(700, 0, 64, 48), "t"),
        Tile(Box(0, 0, 2, 2)),
    )
    assert Scene(tiles=tiles).sizes() == {"s": (640, 480), "t": (64, 48)}


def test_cameras_are_shown_and_cards_for_those_without() -> None:
    scene = scene_of(seats_of("ac").arrange(0.0), PEOPLE, Look())
    assert [(tile.source, tile.person, tile.name, tile.avatar) for tile in scene.tiles] == [
        ("a-camera", "a", "Ada", ""),
        ("", "c", "Chen", "/avatar"),
    ]


def test_a_playback_takes_the_picture_of_its_user_but_not_the_name() -> None:
    seats = seats_of("ab")
    seats.playing = (Playing("film", "b"), Playing("clip"))
    scene = scene_of(seats.arrange(0.0), PEOPLE, Look())
    shown = [(tile.source, tile.name, tile.box.fit) for tile in scene.tiles]
    assert shown == [
        ("playback:clip", "", "contain"),
        ("a-camera", "Ada", "auto"),
        ("playback:film", "Bob", "contain"),
    ]


@pytest.mark.parametrize(("slide", "source"), [("/page", "a-screen"), ("", "a-screen")])
def test_a_presentation_is_shown_whole_in_the_large_box(slide: str, source: str) -> None:
    seats = seats_of("ab")
    seats.presenter = "a"
    first, *others = scene_of(seats.arrange(0.0), PEOPLE, Look(slide=slide)).tiles
    assert (first.slide, first.source, first.box.fit) == (slide, source, "contain")
    assert first.box.width == named("present-lower-3")[0].width
    assert [tile.source for tile in others] == ["a-camera", "b-camera"]


@pytest.mark.parametrize(
    ("mode", "speaking", "shown"),
    [
        pytest.param("audio_only", ["c"], ["Chen"], id="without a camera"),
        pytest.param("audio_only", ["b"], [], id="with a camera"),
        pytest.param("enabled", ["b", "c"], ["Bob"], id="whoever speaks"),
        pytest.param("enabled", ["a"], [], id="seated"),
        pytest.param("disabled", ["c"], [], id="nobody"),
        pytest.param("enabled", ["gone"], [], id="not there"),
    ],
)
def test_speakers_without_a_seat_are_named(mode: str, speaking: list[str], shown: list[str]) -> None:
    look = Look(audio_insert=mode, audio_insert_position=(10, 20))
    scene = scene_of(seats_of("a").arrange(0.0), PEOPLE, look, speaking=speaking)
    assert [(voice.name, voice.left, voice.top) for voice in scene.voices] == [(name, 10, 20) for name in shown]


def test_a_change_of_loudness_alone_is_no_change_of_the_picture() -> None:
    scene = scene_of(seats_of("a").arrange(0.0), PEOPLE, Look())
    assert scene.looks_like(scene_of(seats_of("a").arrange(0.0), PEOPLE, Look(), gains={"a-camera": 0.5}))
    assert not scene.looks_like(scene_of(seats_of("b").arrange(0.0), PEOPLE, Look()))
