"""From who sits where to what is shown: the scene for a conference's seats, streams and layers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mediaserver.composition.films import film_source
from mediaserver.composition.layouts import canvas_of
from mediaserver.composition.scene import BACKGROUND, Insert, Scene, Tile, Voice
from mediaserver.composition.seats import Seat


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the conference. `camera`, `screen`: their sources, "" where there is none or it is off."""

    name: str = ""
    camera: str = ""
    screen: str = ""
    avatar: str = ""
    """Path of a picture."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a meeting's options and layers say. Layers, slide and icon are paths on this machine."""

    widescreen: bool = False
    background: str = BACKGROUND
    show_names: bool = True
    behind: str = ""
    front: str = ""
    insert: Insert | None = None
    insert_behind: Insert | None = None
    slide: str = ""
    """The page of the presentation; "" shows the presenter's screen."""
    audio_insert: str = "audio_only"
    """Which speakers without a seat are shown by name: enabled (all), audio_only (without camera), disabled (none)."""
    audio_insert_position: tuple[int, int] | None = None


def scene_of(
    seats: Sequence[Seat],
    people: Mapping[str, Person],
    look: Look,
    *,
    speaking: Sequence[str] = (),
    gains: Mapping[str, float] | None = None,
) -> Scene:
    """The scene. `speaking`: user ids, the latest voice first."""
    width, height = canvas_of(look.widescreen)
    return Scene(
        width=width,
        height=height,
        background=look.background,
        tiles=tuple(_tile(seat, people.get(seat.user_id, Person()), look) for seat in seats),
        show_names=look.show_names,
        behind=look.behind,
        front=look.front,
        insert=look.insert,
        insert_behind=look.insert_behind,
        voices=_voices({seat.user_id for seat in seats}, people, look, speaking),
        gains=gains or {},
    )


def _tile(seat: Seat, person: Person, look: Look) -> Tile:
    if seat.presentation:
        return Tile(seat.box, person.screen, seat.user_id, person.name, person.avatar, slide=look.slide)
    if seat.play_id:
        return Tile(seat.box, film_source(seat.play_id), seat.user_id or seat.play_id, person.name)
    return Tile(seat.box, person.camera, seat.user_id, person.name, person.avatar)


def _voices(seated: set[str], people: Mapping[str, Person], look: Look, speaking: Sequence[str]) -> tuple[Voice, ...]:
    """The latest of those who are heard and not seen."""
    if look.audio_insert == "disabled":
        return ()
    left, top = look.audio_insert_position or (None, None)
    for user in speaking:
        person = people.get(user)
        if person and user not in seated and (look.audio_insert == "enabled" or not person.camera):
            return (Voice(person.name, user, left, top),)
    return ()
