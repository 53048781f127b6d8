"""Who sits in which box of the composite.

Pure: it is told who comes, goes, speaks, plays and presents, and asked for the seats; time is an argument. A wish pins
users to boxes and says what becomes of the free ones: filled with everybody else (auto), left empty (custom), or given
to whoever speaks (voice activation). Whoever sits stays where they are for as long as the boxes stay.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mediaserver.composition.layouts import (
    MAX_BOXES,
    BadLayout,
    Box,
    largest,
    mapped,
    name_for,
    named,
    presentation_for,
)

STAY = 2.0  # seconds somebody keeps a seat that a voice has given them, before another voice can take it
MAX_TILES = 9  # of the automatic layout


@dataclass(frozen=True, slots=True)
class Wish:
    """How people are to be shown; by default all of them, tiled."""

    fill: bool = True
    """Whether free boxes are filled with others (auto), or stay empty (custom)."""
    name: str | None = None
    boxes: tuple[Box, ...] = ()
    """The boxes of a map; () to go by the name, or the number of people."""
    users: tuple[str, ...] = ()
    """For each box a user id or a play_id, or "" where it is free; any other value keeps its box empty."""
    voice_activation: bool = False


def wish_of(
    *,
    layout: str | None = None,
    name: str | None = None,
    map: object = None,
    users: Sequence[str] = (),
    voice_activation: bool = False,
    widescreen: bool = False,
) -> Wish:
    """The wish that a caller's parameters mean; raises `BadLayout`."""
    if layout not in (None, "auto", "custom"):
        raise BadLayout(f"layout is auto or custom, not {layout!r:.40}")
    boxes = mapped(map, widescreen) if map is not None else ()
    if len(users) > MAX_BOXES:
        raise BadLayout(f"at most {MAX_BOXES} users can be placed")
    if name is not None and not boxes:
        named(name, widescreen)
    fill = layout == "auto" or (layout is None and not (users or name or boxes))
    return Wish(fill, name, boxes, tuple(users), voice_activation)


@dataclass(frozen=True, slots=True)
class Playing:
    """A playback with a picture. `replaces`: the user whose picture it takes; "" for a box of its own."""

    play_id: str
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """A box that is taken. `play_id`: shown there instead of the user's own picture, or without a user."""

    box: Box
    user_id: str = ""
    play_id: str = ""
    presentation: bool = False
    """It shows the slide or screen of `user_id`."""


@dataclass(slots=True)
class Seats:
    """The seats of one conference."""

    widescreen: bool = False
    wish: Wish = field(default_factory=Wish)
    presenter: str = ""
    """Who shows a slide or screen; "" for nobody."""
    playing: tuple[Playing, ...] = ()
    _voices: dict[str, float] = field(default_factory=dict)
    """Those who are there, in the order in which they came, and when they spoke last."""
    _seated: dict[str, tuple[int, float]] = field(default_factory=dict)
    """In which unpinned box somebody sits, since when."""
    _boxes: tuple[Box, ...] = ()

    def came(self, user_id: str) -> None:
        self._voices.setdefault(user_id, -math.inf)

    def went(self, user_id: str) -> None:
        self._voices.pop(user_id, None)

    def spoke(self, user_id: str, now: float) -> None:
        """This user is speaking; to be told again while they go on."""
        if user_id in self._voices:
            self._voices[user_id] = now

    def arrange(self, now: float) -> tuple[Seat, ...]:
        """The boxes that are taken. Ask after each change, and a while (`STAY`) after somebody has begun to speak."""
        boxes, stage = self._layout()
        pins = self._pins(boxes, stage)
        free = [i for i in range(len(boxes)) if i not in pins and i != stage]
        self._seat(free, set(pins.values()), boxes, now)
        taken = {**pins, **{index: who for who, (index, _) in self._seated.items()}}
        seats = [self._seat_of(box, taken[i]) for i, box in enumerate(boxes) if i in taken]
        if stage is not None:
            seats.insert(0, Seat(_whole(boxes[stage]), self.presenter, presentation=True))
        return tuple(seat for seat in seats if seat is not None)

    def _layout(self) -> tuple[tuple[Box, ...], int | None]:
        """The boxes, and which of them a presentation takes."""
        wish = self.wish
        own = wish.boxes or (named(wish.name, self.widescreen) if wish.name else ())
        if not self.presenter:
            return own or named(name_for(len(wish.users) or self._number()), self.widescreen), None
        if not wish.boxes and not (wish.name or "").startswith("present-"):
            own = named(presentation_for(self._number()), self.widescreen)
        return own, largest(own)

    def _number(self) -> int:
        """How many want a box each."""
        return len(self._voices) + sum(not playing.replaces for playing in self.playing)

    def _pins(self, boxes: tuple[Box, ...], stage: int | None) -> dict[int, str]:
        """Who is meant for which box; in a layout made for the presentation, the box of that comes on top."""
        moved = 1 if stage == 0 and not self.wish.boxes and not (self.wish.name or "").startswith("present-") else 0
        pins = {index + moved: user for index, user in enumerate(self.wish.users) if user}
        return {index: user for index, user in pins.items() if index < len(boxes) and index != stage}

    def _seat(self, free: list[int], pinned: set[str], boxes: tuple[Box, ...], now: float) -> None:
        """Gives the free boxes to those who may have one: who sits there stays, then by turn, then by voice."""
        entitled = [who for who in self._entitled() if who not in pinned]
        former = self._seated if boxes == self._boxes else {}
        kept = {w: seat for w in entitled if (seat := former.get(w)) is not None and seat[0] in free}
        order = self._order([who for who in entitled if who not in kept])
        places = [index for index in free if index not in {index for index, _ in kept.values()}]
        kept.update({who: (index, now) for who, index in zip(order, places, strict=False)})
        for who in order[len(places) :]:
            self._take_over(who, kept, now)
        self._seated, self._boxes = kept, boxes

    def _entitled(self) -> list[str]:
        """Who may have a box that nobody is pinned to."""
        plays = [playing.play_id for playing in self.playing if not playing.replaces]
        people = list(self._voices) if self.wish.fill else []
        if self.wish.voice_activation and not self.wish.fill:
            people = [user for user, spoke in self._voices.items() if spoke > -math.inf]
        return plays + people

    def _order(self, waiting: list[str]) -> list[str]:
        """Playbacks, those who sat before, then the latest voice where voices count, else who came first."""
        before = {who: place for who, (place, _) in self._seated.items()}
        plays = {playing.play_id for playing in self.playing}

        def turn(who: str) -> tuple[bool, float, float]:
            voice = -self._voices.get(who, 0.0) if self._by_voice() else 0.0
            return who not in plays, before.get(who, math.inf), voice

        return sorted(waiting, key=turn)

    def _by_voice(self) -> bool:
        crowd = not self.wish.name and not self.wish.boxes and self._number() > MAX_TILES
        return self.wish.voice_activation or (self.wish.fill and crowd)

    def _take_over(self, who: str, kept: dict[str, tuple[int, float]], now: float) -> None:
        """Takes the seat of whoever has been silent longest, if that is later than their turn."""
        voice = self._voices.get(who, math.inf)
        if who in self._voices and not self._by_voice():
            return
        others = [other for other in kept if other in self._voices and self._voices[other] < voice]
        silent = min(others, key=lambda other: self._voices[other], default=None)
        if silent is None or (voice < math.inf and now - kept[silent][1] < STAY and self._voices[silent] > -math.inf):
            return
        kept[who] = kept.pop(silent)[0], now

    def _seat_of(self, box: Box, who: str) -> Seat | None:
        """The seat of a user or playback; None for a value that is neither, whose box stays empty."""
        if who in self._voices:
            play_id = next((playing.play_id for playing in self.playing if playing.replaces == who), "")
            return Seat(_whole(box) if play_id else box, who, play_id)
        playing = any(who == playing.play_id for playing in self.playing)
        return Seat(_whole(box), play_id=who) if playing else None


def _whole(box: Box) -> Box:
    """Screens, slides and films are shown whole, where nothing else is asked for."""
    return replace(box, fit="contain") if box.fit == "auto" else box


def podium(seats: Sequence[Seat], layers: Mapping[int, str | None] | None = None) -> list[dict[str, Any]]:
    """The seats as `podium_update` tells them, with the layers that are shown: {z-index: id or None}."""
    told: list[dict[str, Any]] = [
        {
            "user_id": seat.user_id or None,
            "play_id": seat.play_id or None,
            "width": seat.box.width,
            "height": seat.box.height,
            "left": seat.box.left,
            "top": seat.box.top,
            "z-index": 0,
        }
        for seat in seats
    ]
    return told + [{"layer_id": layer, "z-index": z} for z, layer in sorted((layers or {}).items())]
