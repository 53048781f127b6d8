"""What the composite of each team's meeting shows: who sits where, with which stream; and that everybody hears of it.

Who sits in which box is decided by the media plane's `Seats`; here they are told who comes, goes, speaks and presents,
and their answer becomes a scene. The scene is handed on only while something is made of it: `need` and `release`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mediaserver import (
    BadLayout,
    Clock,
    MediaEvent,
    Scene,
    Seat,
    Seats,
    StreamEnded,
    StreamInfo,
    StreamMuted,
    StreamStarted,
    Tile,
    VoiceChanged,
    canvas_of,
    podium,
    wish_of,
)
from signaling.services import events
from signaling.services.errors import Invalid, SwitchedOff
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member
from signaling.services.presentations import Presentation
from signaling.services.room_door import FAMILY
from signaling.services.room_records import Seat as Caller
from signaling.services.scheduler import Alarm, Scheduler

LOOK_AGAIN = 2.1  # seconds after somebody has begun to speak: by then they may take another's seat
CAMERA, SCREEN = "camera", "screen"


@dataclass(frozen=True, slots=True)
class Layout:
    """How people are to be shown, as the caller puts it."""

    layout: str | None = None
    name: str | None = None
    map: Any = None
    users: tuple[str, ...] = ()
    voice_activation: bool = False
    show_names: bool = True


@dataclass(slots=True)
class _Show:
    meeting: Meeting
    seats: Seats
    alarm: Alarm
    shown: tuple[Seat, ...] = ()
    show_names: bool = True
    presentation: Presentation | None = None
    needs: set[str] = field(default_factory=set)
    """Ids of what is made of the composite."""


class Composites:
    """A watch of conferences. `options` are a meeting's now; `changed` is called with those that a layout changes."""

    def __init__(
        self,
        clock: Clock,
        scheduler: Scheduler,
        *,
        options: Callable[[Meeting], Mapping[str, Any]],
        changed: Callable[[Meeting, Mapping[str, Any]], Event],
    ) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self._options = options
        self._changed = changed
        self._shows: dict[str, _Show] = {}

    def need(self, meeting: Meeting, what: str) -> None:
        """Something begins to be made of the composite."""
        show = self._show(meeting)
        show.needs.add(what)
        self._arrange(show, anew=True)

    def release(self, meeting_id: str, what: str) -> None:
        """Nothing more is made of it by that name."""
        show = self._shows.get(meeting_id)
        if show is None:
            return
        show.needs.discard(what)
        if not show.needs and show.meeting.media:
            show.meeting.media.compose(None)

    def lay_out(self, caller: Caller, meeting: Meeting, layout: Layout) -> None:
        """Replaces the layout entirely. SwitchedOff, or Invalid for one that cannot be shown."""
        if not caller.meeting.options.layout_available:
            raise SwitchedOff("The layout")
        show = self._show(meeting)
        try:
            wish = wish_of(
                layout=layout.layout,
                name=layout.name if layout.map is None else None,
                map=layout.map,
                users=layout.users,
                voice_activation=layout.voice_activation,
                widescreen=show.seats.widescreen,
            )
        except BadLayout as error:
            raise Invalid(str(error)) from None
        show.seats.wish = wish
        show.show_names = layout.show_names
        told = {
            "layout": "auto" if wish.fill else "custom",
            "layout_name": layout.name,
            "layout_map": [[*_edges(box), "auto"] for box in wish.boxes] or None,
            "layout_users": list(layout.users) or None,
            "voice_activation": layout.voice_activation,
            "show_names": layout.show_names,
        }
        meeting.tell(self._changed(meeting, told))
        self._arrange(show, anew=True)

    def presented(self, meeting_id: str, presentation: Presentation | None) -> None:
        """Something is presented now, or nothing any more."""
        if show := self._shows.get(meeting_id):
            show.presentation = presentation
            show.seats.presenter = presentation.user.id if presentation else ""
            self._arrange(show, anew=True)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        if meeting.family == FAMILY:
            show = self._show(meeting)
            show.seats.came(member.id)
            self._arrange(show)

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        if show := self._shows.get(meeting.id):
            show.seats.went(member.id)
            self._arrange(show)

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        show = self._shows.get(meeting.id)
        if show is None:
            return
        match event:
            case VoiceChanged(participant_id=user_id):
                show.seats.spoke(user_id, self._clock.monotonic())
                self._arrange(show)
                show.alarm.set(LOOK_AGAIN, lambda: self._arrange(show))
            case StreamStarted() | StreamEnded() | StreamMuted():
                self._compose(show)

    def ending(self, meeting: Meeting, reason: str) -> None:
        if show := self._shows.pop(meeting.id, None):
            show.alarm.clear()

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    def _show(self, meeting: Meeting) -> _Show:
        if meeting.id not in self._shows:
            options = self._options(meeting)
            seats = Seats(widescreen=options["widescreen"])
            show = _Show(meeting, seats, Alarm(self._scheduler), show_names=options["show_names"])
            for member_id in meeting.members:
                seats.came(member_id)
            self._shows[meeting.id] = show
        return self._shows[meeting.id]

    def _arrange(self, show: _Show, *, anew: bool = False) -> None:
        """`anew`: not only who sits where may have changed."""
        before, show.shown = show.shown, show.seats.arrange(self._clock.monotonic())
        if show.shown != before:
            show.meeting.tell(events.podium_update(podium(show.shown)))
        if show.shown != before or anew:
            self._compose(show)

    def _compose(self, show: _Show) -> None:
        if show.needs and show.meeting.media:
            show.meeting.media.compose(self._scene(show))

    def _scene(self, show: _Show) -> Scene:
        width, height = canvas_of(show.seats.widescreen)
        streams = show.meeting.streams()
        return Scene(
            width,
            height,
            background=self._options(show.meeting)["background_color"],
            tiles=tuple(self._tile(show, seat, streams) for seat in show.shown),
            show_names=show.show_names,
        )

    def _tile(self, show: _Show, seat: Seat, streams: Sequence[StreamInfo]) -> Tile:
        member = show.meeting.members.get(seat.user_id)
        name = member.name if member else ""
        picture = show.presentation.picture if show.presentation and seat.presentation else None
        if picture is not None:
            return Tile(seat.box, person=seat.user_id, name=name, slide=str(picture.path))
        label = SCREEN if seat.presentation else CAMERA
        return Tile(seat.box, _source(streams, seat.user_id, label), seat.user_id, name)


def _source(streams: Sequence[StreamInfo], user_id: str, label: str) -> str:
    """The stream to show, if there is one with a picture."""
    for stream in streams:
        if (stream.participant_id, stream.label) == (user_id, label) and stream.video and not stream.video_muted:
            return stream.stream_id
    return ""


def _edges(box: Any) -> tuple[int, int, int, int]:
    return box.left, box.top, box.width, box.height
