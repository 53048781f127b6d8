"""What the composite shows and sounds like at one moment, as plain data that crosses the border of a process.

A scene names its sources (streams, playbacks) by strings; `composer.py` shows the pictures that arrive under these
names. Files are paths on this machine: whoever makes a scene has fetched them. Nothing here is drawn.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mediaserver.composition.layouts import Box

BACKGROUND = "#121212"
FADE = 0.25  # seconds a change of what is shown takes


@dataclass(frozen=True, slots=True)
class Tile:
    """One box and who is in it. Without a source, or until its first picture comes, it shows a card with the name."""

    box: Box
    source: str = ""
    """Whose pictures; "" for somebody without a camera."""
    person: str = ""
    """The user's id: gives the card its colour, and keeps it."""
    name: str = ""
    avatar: str = ""
    """Path of a picture for the card."""
    slide: str = ""
    """Path of a picture shown whole instead of a source."""


@dataclass(frozen=True, slots=True)
class Insert:
    """A panel of text over the picture: `title`, `content`, and the path of an `icon`. `fixed`: at the top left."""

    title: str = ""
    content: str = ""
    icon: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who is heard and not seen, shown as a small plate; without a position at the upper right."""

    name: str
    person: str = ""
    left: int | None = None
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    width: int = 1280
    height: int = 960
    background: str = BACKGROUND
    tiles: tuple[Tile, ...] = ()
    """In the order in which they are drawn; of two that overlap the later is in front."""
    show_names: bool = True
    behind: str = ""
    """Path of the background layer."""
    front: str = ""
    """Path of the foreground layer."""
    insert: Insert | None = None
    insert_behind: Insert | None = None
    """On the background, behind the boxes."""
    voices: tuple[Voice, ...] = ()
    gains: Mapping[str, float] = field(default_factory=dict)
    """Loudness by source, 0.0 silent; 1.0 for those that are not named."""
    fade: float = FADE

    def looks_like(self, other: "Scene") -> bool:
        """Whether a picture of one is a picture of the other."""
        return _seen(self) == _seen(other)

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height in which each source is shown: which of its layers is worth decoding."""
        found: dict[str, tuple[int, int]] = {}
        for tile in self.tiles:
            if tile.source and not tile.slide:
                width, height = found.get(tile.source, (0, 0))
                found[tile.source] = max(width, tile.box.width), max(height, tile.box.height)
        return found


def pack(scene: Scene) -> dict[str, Any]:
    """A scene as JSON can carry it."""
    return asdict(scene)


def unpack(packed: Mapping[str, Any]) -> Scene:
    """The scene that was packed."""
    whole = dict(packed)
    tiles = (Tile(**{**tile, "box": Box(**tile["box"])}) for tile in whole.pop("tiles"))
    voices = (Voice(**voice) for voice in whole.pop("voices"))
    for name in ("insert", "insert_behind"):
        whole[name] = whole[name] and Insert(**whole[name])
    return Scene(tiles=tuple(tiles), voices=tuple(voices), **whole)


def _seen(scene: Scene) -> tuple[object, ...]:
    size = (scene.width, scene.height, scene.background, scene.show_names)
    return *size, scene.tiles, scene.behind, scene.front, scene.insert, scene.insert_behind, scene.voices
