"""A scene made ready to be drawn again and again: what does not move is drawn once, what does only when it changes.

The boxes form regions that do not overlap each other. A region is drawn as a whole, background, pictures, names and
what lies over them, whenever one of its pictures is new; the others stay as they are. Which pictures there are is
`composer.py`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mediaserver.composition import layers
from mediaserver.composition.canvas import Rgba, Sprite, flat, part, put, yuv_of
from mediaserver.composition.layouts import Box, place
from mediaserver.composition.scene import Scene, Tile
from mediaserver.media.pictures import Picture, Planes, Scaler

Pictures = Callable[[str], Picture | None]
"""The latest picture of a source, if it has one."""


class Stage:
    """One scene. Raises `BadLayer` where a file of the scene cannot be shown."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._size = Box(0, 0, scene.width, scene.height)
        self._back = _background(scene)
        self._over = _overlays(scene)
        self._regions = _regions([_Seat(tile, scene.show_names) for tile in scene.tiles])

    def draw(self, canvas: Planes, pictures: Pictures, *, whole: bool) -> bool:
        """Brings the canvas up to date; `whole`: it holds something else so far. Returns whether anything is new."""
        if whole:
            put(canvas, self._back, 0, 0)
            self._cover(canvas, self._size)
        changed = whole
        for region in self._regions:
            new = [seat.update(pictures) for seat in region.seats]
            if whole or any(new):
                self._draw(region, canvas)
                changed = True
        return changed

    def _draw(self, region: "_Region", canvas: Planes) -> None:
        if not region.filled():
            put(canvas, part(self._back, region.box), region.box.left, region.box.top)
        for seat in region.seats:
            seat.draw(canvas)
        self._cover(canvas, region.box)

    def _cover(self, canvas: Planes, box: Box) -> None:
        for sprite in self._over:
            sprite.draw(canvas, box)


class _Seat:
    """A tile with what it shows now: the scaled planes of its picture, or its card."""

    def __init__(self, tile: Tile, show_name: bool) -> None:
        self.box = tile.box
        self._tile = tile
        self._scaler = Scaler()
        self._shown: Picture | None = None
        self._planes: Planes | None = None
        self.at = tile.box
        self._name = _name_sprite(tile) if show_name else None
        self._slide = _slide(tile) if tile.slide else None

    def update(self, pictures: Pictures) -> bool:
        """Takes the latest picture; returns whether it is another than before."""
        if self._slide is not None:
            self._planes, self.at = self._slide
            return False
        picture = pictures(self._tile.source) if self._tile.source else None
        if picture is self._shown and self._planes is not None:
            return False
        self._shown = picture
        if picture is None:
            self._planes, self.at = _card(self._tile), self.box
        else:
            self._planes = self._scaled(picture)
        return True

    def draw(self, canvas: Planes) -> None:
        if self._planes is not None:
            put(canvas, self._planes, self.at.left, self.at.top)
        if self._name is not None:
            self._name.draw(canvas, self.box)

    def _scaled(self, picture: Picture) -> Planes:
        placed = place(self.box, picture.width, picture.height)
        crop, self.at = placed.crop, placed.at
        return self._scaler.scale(
            picture, (crop.left, crop.top, crop.width, crop.height), self.at.width, self.at.height
        )


@dataclass(slots=True)
class _Region:
    """Boxes that overlap, in their order, and the rectangle around them."""

    box: Box
    seats: list[_Seat] = field(default_factory=list)

    def filled(self) -> bool:
        """Whether nothing of the background is to be seen."""
        return any(seat.at == self.box for seat in self.seats)


def _regions(seats: list[_Seat]) -> list[_Region]:
    """Joins what overlaps until nothing does."""
    boxes: list[Box] = []
    for seat in seats:
        box = seat.box
        while met := [other for other in boxes if other.overlaps(box)]:
            boxes = [other for other in boxes if other not in met]
            for other in met:
                box = _around(box, other)
        boxes.append(box)
    return [_Region(box, [seat for seat in seats if seat.box.overlaps(box)]) for box in boxes]


def _around(a: Box, b: Box) -> Box:
    left, top = min(a.left, b.left), min(a.top, b.top)
    return Box(left, top, max(a.right, b.right) - left, max(a.bottom, b.bottom) - top)


def _background(scene: Scene) -> Planes:
    width, height = scene.width, scene.height
    if scene.behind:
        planes = yuv_of(layers.background(scene.behind, scene.background, width, height))
    else:
        planes = flat(width, height, scene.background)
    if scene.insert_behind:
        rgba, left, top = layers.insert(scene.insert_behind, width, height)
        Sprite(rgba, left, top, width, height).draw(planes, Box(0, 0, width, height))
    return planes


def _overlays(scene: Scene) -> list[Sprite]:
    """What lies over all boxes, from behind to the front: the foreground layer, the insert, the voices."""

    def sprite(rgba: Rgba, left: int, top: int) -> Sprite:
        return Sprite(rgba, left, top, scene.width, scene.height)

    sprites = [sprite(layers.foreground(scene.front), 0, 0)] if scene.front else []
    if scene.insert:
        sprites.append(sprite(*layers.insert(scene.insert, scene.width, scene.height)))
    margin = top = scene.height // 24
    for voice in scene.voices:
        plate = layers.voice_plate(voice.name, voice.person, scene.width)
        left = scene.width - margin - plate.shape[1] if voice.left is None else voice.left
        sprites.append(sprite(plate, left, top if voice.top is None else voice.top))
        top += plate.shape[0] + margin // 4
    return sprites


def _name_sprite(tile: Tile) -> Sprite | None:
    plate = layers.name_plate(tile.name, tile.box.width)
    if not plate.size:
        return None
    margin = max(4, tile.box.width // 128 * 2)
    left, top = tile.box.left + margin, tile.box.bottom - margin - plate.shape[0]
    return Sprite(plate, left, max(tile.box.top, top), tile.box.right, tile.box.bottom)


def _card(tile: Tile) -> Planes:
    return yuv_of(layers.card(tile.name, tile.person, tile.avatar, tile.box.width, tile.box.height))


def _slide(tile: Tile) -> tuple[Planes, Box]:
    """The page, and where it stands in its box."""
    rgba = layers.slide(tile.slide, tile.box.width, tile.box.height)
    height, width = rgba.shape[0] // 2 * 2, rgba.shape[1] // 2 * 2
    left = tile.box.left + ((tile.box.width - width) // 2 & ~1)
    top = tile.box.top + ((tile.box.height - height) // 2 & ~1)
    return yuv_of(np.asarray(rgba[:height, :width, :3])), Box(left, top, width, height)
