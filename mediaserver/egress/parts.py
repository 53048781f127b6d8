"""Where a program is cut: into segments at each key frame, and into parts that can be had before those end.

Pure. Frames go in as they are encoded, pieces of a file come out: what it begins with, then one part after another. A
part is complete when the picture after it has come, because only then is it known how long its last one is shown. Where
time jumps, or the pictures change their size, a file is over and another begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mediaserver.egress.cmaf import (
    PICTURE,
    PICTURE_CLOCK,
    SOUND,
    SOUND_CLOCK,
    SOUND_FRAME,
    Run,
    Sample,
    Setup,
    fragment,
    initialization,
    setup_of,
    sized_units,
)
from mediaserver.egress.output import EncodedFrame
from mediaserver.errors import MalformedPacket

PART = 1 / 3  # seconds
MAX_GAP = 1.5  # seconds from one picture to the next; after more than that time has jumped
_CLOSE = 0.002  # seconds by which times are rounded on their way


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a player needs before the parts that follow."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Part:
    data: bytes
    at: float
    """When it begins, on the program's timeline."""
    duration: float
    independent: bool
    """It begins with a key frame."""
    first: bool
    """Of its segment."""
    last: bool


Piece = Beginning | Part


@dataclass(slots=True)
class _Open:
    """The part that is being filled, from a picture at `at` on."""

    at: float
    first: bool
    pictures: list[tuple[EncodedFrame, bytes]] = field(default_factory=list)


class Cutter:
    """`sound_config` is what the AAC encoder says of itself."""

    def __init__(self, sound_config: bytes) -> None:
        self._sound_config = sound_config
        self._setup: Setup | None = None
        self._zero = 0.0
        self._number = 0
        self._part: _Open | None = None
        self._sounds: list[tuple[int, bytes]] = []
        """Those that wait for their part: ticks since the zero, and the frame."""

    def video(self, frame: EncodedFrame) -> Iterator[Piece]:
        """The pieces that are complete now."""
        if self._part and frame.at - self._part.pictures[-1][0].at > MAX_GAP:
            yield from self.flush()
        if frame.key:
            yield from self._check_setup(frame)
        if self._setup is None:
            return
        if self._part is None:
            self._part = _Open(frame.at, first=True)
        elif frame.key:
            yield self._complete(frame.at, last=True)
            self._part = _Open(frame.at, first=True)
        elif frame.at - self._part.at >= PART - _CLOSE:
            yield self._complete(frame.at, last=False)
            self._part = _Open(frame.at, first=False)
        self._part.pictures.append((frame, sized_units(frame.data)))

    def audio(self, frame: EncodedFrame) -> None:
        """Sound goes into the part that is open when it comes."""
        if self._setup is not None and frame.at >= self._zero:
            self._sounds.append((round(frame.at * SOUND_CLOCK) - round(self._zero * SOUND_CLOCK), frame.data))

    def flush(self) -> Iterator[Part]:
        """What is open is over; what comes next begins anew, with a key frame."""
        if self._part:
            last = self._part.pictures[-1][0]
            yield self._complete(last.at + last.duration, last=True)
        self._setup = self._part = None
        self._sounds = []

    def _check_setup(self, frame: EncodedFrame) -> Iterator[Piece]:
        try:
            setup = setup_of(frame.data)
        except MalformedPacket:
            return  # a key frame that repeats nothing
        if setup != self._setup:
            yield from self.flush()
            self._setup, self._zero, self._number = setup, frame.at, 0
            yield Beginning(initialization(setup, self._sound_config))

    def _complete(self, end: float, *, last: bool) -> Part:
        """The open part, whose last picture is shown until `end`."""
        part = self._part
        assert part is not None
        times = [self._ticks(frame.at) for frame, _ in part.pictures] + [self._ticks(end)]
        pictures = [
            Sample(data, until - begin, frame.key)
            for (frame, data), begin, until in zip(part.pictures, times, times[1:], strict=False)
        ]
        runs = [Run(PICTURE, times[0], pictures)]
        if self._sounds:
            runs.append(Run(SOUND, self._sounds[0][0], [Sample(data, SOUND_FRAME) for _, data in self._sounds]))
            self._sounds = []
        self._number += 1
        return Part(
            fragment(self._number, runs),
            part.at,
            (times[-1] - times[0]) / PICTURE_CLOCK,
            part.pictures[0][0].key,
            part.first,
            last,
        )

    def _ticks(self, at: float) -> int:
        """Of the pictures' clock, since the file's zero."""
        return round((at - self._zero) * PICTURE_CLOCK)
