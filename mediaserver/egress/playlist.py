"""The playlist of a low-latency HLS stream: a window of segments and of the parts of the newest. RFC 8216bis.

Pure. It is told of each part that can be had and knows by which names players ask for them, what they have to be told,
and how long each must still be there. It begins anew, with a discontinuity, where another file begins.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

WINDOW = 6  # segments that are listed when they are complete
KEPT = 6  # segments that can still be had after that
PARTS_FOR = 3  # target durations from the end of the list: before that only whole segments are listed
_HOLD_BACK = 3  # times the longest part: what a player keeps away from the end
_VERSION = 9

Position = tuple[int, int]
"""A segment's number and a part's in it."""


def part_name(position: Position) -> str:
    return f"{position[0]}.{position[1]}.m4s"


def segment_name(number: int) -> str:
    return f"{number}.m4s"


def beginning_name(number: int) -> str:
    return f"{number}.mp4"


@dataclass(slots=True)
class _Segment:
    number: int
    beginning: int
    broken: bool
    """It does not continue the one before."""
    at: float
    parts: list[tuple[float, bool]] = field(default_factory=list)
    """Duration, and whether it can be begun with."""

    @property
    def duration(self) -> float:
        return sum(duration for duration, _ in self.parts)


class Playlist:
    """`segment` and `part` are how long they usually are, in seconds."""

    def __init__(self, segment: float, part: float) -> None:
        self._target = ceil(segment - 0.001)
        self._part_target = ceil(part * 1e4) / 1e4
        self._segments: deque[_Segment] = deque()
        """Complete ones."""
        self._open: _Segment | None = None
        self._broken = False
        self._dropped_breaks = 0
        self._beginnings = 0
        self._next = 0
        self.ended = False

    @property
    def started(self) -> bool:
        """There is a whole segment: players that know nothing of parts can begin."""
        return bool(self._segments)

    @property
    def beginning(self) -> int:
        """The number of the newest file."""
        return self._beginnings

    @property
    def next(self) -> Position:
        """What comes next."""
        return (self._next, len(self._open.parts)) if self._open else (self._next, 0)

    @property
    def oldest(self) -> int:
        """The segment before which none has to be there any more."""
        first = self._segments[0].number if self._segments else self._next
        return first - KEPT

    @property
    def target(self) -> int:
        """The target duration: whole seconds, which no segment is longer than."""
        return self._target

    def begin(self) -> int:
        """Another file begins; its number, from 1 on."""
        self._finish()
        self._broken = self._next > 0
        self._beginnings += 1
        return self._beginnings

    def add(self, duration: float, at: float, *, independent: bool, first: bool, last: bool) -> Position:
        """A part can be had now. `at`: unix seconds when it begins, `first` and `last`: of its segment."""
        if first:
            self._finish()
        if self._open is None:
            self._open = _Segment(self._next, self._beginnings, self._broken, at)
            self._broken = False
        position = self.next
        self._open.parts.append((duration, independent))
        if last:
            self._finish()
        return position

    def end(self) -> None:
        """Nothing comes any more."""
        self._finish()
        self.ended = True

    def has(self, number: int, part: int | None) -> bool:
        """Whether the segment (or a part of it) is listed, or was, or never will be.

        A part behind a complete segment's last one is the first of the next.
        """
        if self.ended or number < self._next - 1:
            return True
        if part is None:
            return number < self._next
        if number == self._next - 1:
            complete = len(self._segments[-1].parts) if self._segments else 0
            return part < complete or self.next > (self._next, 0)
        return (number, part) < self.next

    def is_far(self, number: int) -> bool:
        """Whether nobody who has seen the list could ask for this segment."""
        return number > self._next + 1

    def text(self, *, parts: bool = True) -> str:
        """The list; without `parts` only whole segments, and nothing that a server has to do for players."""
        return "\n".join([*self._head(parts), *self._body(parts), *self._foot(parts), ""])

    def _finish(self) -> None:
        segment, self._open = self._open, None
        if segment is None:
            return
        self._next += 1
        self._segments.append(segment)
        self._target = max(self._target, int(segment.duration + 0.5))
        while len(self._segments) > WINDOW:
            self._dropped_breaks += self._segments.popleft().broken

    def _head(self, parts: bool) -> Iterator[str]:
        yield "#EXTM3U"
        yield f"#EXT-X-VERSION:{_VERSION}"
        yield f"#EXT-X-TARGETDURATION:{self._target}"
        if parts:
            hold_back = ceil(self._part_target * _HOLD_BACK * 1e3) / 1e3
            yield f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hold_back:.3f}"
            yield f"#EXT-X-PART-INF:PART-TARGET={self._part_target:.4f}"
        yield "#EXT-X-INDEPENDENT-SEGMENTS"
        yield f"#EXT-X-MEDIA-SEQUENCE:{self._segments[0].number if self._segments else self._next}"
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._dropped_breaks}"

    def _body(self, parts: bool) -> Iterator[str]:
        beginning, with_parts = 0, self._with_parts()
        for segment in self._segments:
            yield from _opening(segment, beginning)
            beginning = segment.beginning
            if parts and segment.number >= with_parts:
                yield from _parts(segment)
            yield f"#EXTINF:{segment.duration:.5f},"
            yield segment_name(segment.number)
        if parts and self._open:
            yield from _opening(self._open, beginning)
            yield from _parts(self._open)

    def _foot(self, parts: bool) -> Iterator[str]:
        if self.ended:
            yield "#EXT-X-ENDLIST"
        elif parts:
            yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{part_name(self.next)}"'

    def _with_parts(self) -> int:
        """The first segment that is listed with its parts."""
        behind = self._open.duration if self._open else 0.0
        first = self._next
        for segment in reversed(self._segments):
            if behind >= PARTS_FOR * self._target:
                break
            behind += segment.duration
            first = segment.number
        return first


def _opening(segment: _Segment, beginning: int) -> Iterator[str]:
    if segment.broken:
        yield "#EXT-X-DISCONTINUITY"
    if segment.beginning != beginning:
        yield f'#EXT-X-MAP:URI="{beginning_name(segment.beginning)}"'
    moment = datetime.fromtimestamp(segment.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    yield f"#EXT-X-PROGRAM-DATE-TIME:{moment}"


def _parts(segment: _Segment) -> Iterator[str]:
    for n, (duration, independent) in enumerate(segment.parts):
        begins = ",INDEPENDENT=YES" if independent else ""
        yield f'#EXT-X-PART:DURATION={duration:.5f},URI="{part_name((segment.number, n))}"{begins}'
