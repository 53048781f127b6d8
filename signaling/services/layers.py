"""Pictures and panels of text that lie behind or over everything in the composite of a team's meeting.

At most one behind and one over: a new one takes the place of the old. A picture is fetched and drawn anew by
`pictures.py` before anybody hears of it; its file is there as long as it is shown. Rooms contract, section 10.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaserver import Insert, MediaEvent, canvas_of
from signaling import tokens
from signaling.services.errors import Gone, Invalid, NotFound
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.pictures import Kept, Pictures
from signaling.services.room_records import Seat

BACKGROUND, FOREGROUND = -1, 1  # the z-index of the two


@dataclass(frozen=True, slots=True)
class Layer:
    """What is shown: a picture, or an insert; `picture` is the insert's icon then."""

    id: str = ""
    picture: Kept | None = None
    insert: Insert | None = None

    @property
    def file(self) -> str:
        """Path of the picture that is the layer, if one is."""
        return str(self.picture.path) if self.picture and not self.insert else ""


NO_LAYER = Layer()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller asks for: one of `file`, `url` and `insert`. `icon` is a URL, and the insert's."""

    z_index: int = FOREGROUND
    id: str | None = None
    file: Path | None = None
    url: str | None = None
    insert: Insert | None = None
    icon: str | None = None


class Layers:
    """A watch of conferences. `show` is called with those of a meeting by z-index, whenever they are others."""

    def __init__(
        self,
        pictures: Pictures,
        *,
        conference: Callable[[Seat], Meeting],
        show: Callable[[Meeting, Mapping[int, Layer]], None],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._pictures = pictures
        self._conference = conference
        self._show = show
        self._random = random
        self._layers: dict[str, dict[int, Layer]] = {}
        self._later = InOrder()

    async def aclose(self) -> None:
        await self._later.done()

    async def put(self, seat: Seat, wanted: Wanted) -> None:
        """Shows it from now on. Invalid if it cannot be shown."""
        self._conference(seat)
        picture = await self._picture(wanted)
        try:
            _check_fits(wanted, picture, widescreen=seat.meeting.options.widescreen)
            meeting = self._conference(seat)  # it may have ended
        except (Invalid, Gone):
            await self._forget(picture)
            raise
        insert = wanted.insert
        if insert and picture:
            insert = Insert(insert.title, insert.content, str(picture.path), insert.fixed)
        layer = Layer(wanted.id or tokens.new_id(self._random), picture, insert)
        self._change(meeting, wanted.z_index, layer)

    def remove(self, seat: Seat, z_index: int) -> None:
        """NotFound if there is none."""
        meeting = self._conference(seat)
        if z_index not in self._layers.get(meeting.id, {}):
            raise NotFound("layer", str(z_index))
        self._change(meeting, z_index, None)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        for layer in self._layers.pop(meeting.id, {}).values():
            self._forget_later(layer)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    async def _picture(self, wanted: Wanted) -> Kept | None:
        """Ours. A background is never shown larger than a slide, neither is an icon."""
        small = wanted.z_index == BACKGROUND or wanted.insert is not None
        if wanted.file is not None:
            return await self._pictures.from_file(wanted.file, as_slide=small, drawing=True)
        url = wanted.icon if wanted.insert else wanted.url
        return None if url is None else await self._pictures.from_url(url, as_slide=small)

    def _change(self, meeting: Meeting, z_index: int, layer: Layer | None) -> None:
        now = self._layers.get(meeting.id, {})
        before = now.get(z_index)
        others = {z: each for z, each in now.items() if z != z_index}
        self._layers[meeting.id] = others if layer is None else {**others, z_index: layer}
        self._show(meeting, self._layers[meeting.id])
        if before is not None:
            self._forget_later(before)

    def _forget_later(self, layer: Layer) -> None:
        self._later.put(lambda: self._forget(layer.picture))

    async def _forget(self, picture: Kept | None) -> None:
        if picture is not None:
            await self._pictures.forget(picture)


def _check_fits(wanted: Wanted, picture: Kept | None, *, widescreen: bool) -> None:
    width, height = canvas_of(widescreen)
    if wanted.insert or wanted.z_index == BACKGROUND or picture is None:
        return
    if picture.width > width or picture.height > height:
        raise Invalid(f"A foreground of {picture.width} x {picture.height} does not fit into {width} x {height}.")
