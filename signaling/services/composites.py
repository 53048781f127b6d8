"""What the composite of a meeting shows: who sits where, with which stream; and that everybody hears of it.

Who sits in which box is decided by the media plane's `Seats`; here they are told who comes, goes, speaks and presents,
and their answer becomes a scene. The scene is handed on only while something is made of it: `need` and `release`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mediaserver import (
    BadLayout,
    Clock,
    Look,
    MediaEvent,
    Person,
    Playing,
    Scene,
    Seat,
    Seats,
    StreamEnded,
    StreamInfo,
    StreamMuted,
    StreamStarted,
    VoiceChanged,
    podium,
    scene_of,
    wish_of,
)
from signaling.services import events
from signaling.services.errors import Invalid, SwitchedOff
from signaling.services.layers import BACKGROUND, FOREGROUND, NO_LAYER, Layer
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member
from signaling.services.presentations import Presentation
from signaling.services.room_door import FAMILY
from signaling.services.room_records import Seat as Caller
from signaling.services.scheduler import Alarm, Scheduler

LOOK_AGAIN = 2.1  # seconds after somebody has begun to speak: by then they may take another's seat
CAMERA, SCREEN = "camera", "screen"
PLAIN: Mapping[str, Any] = {
    "widescreen": True,
    "show_names": True,
    "background_color": "#121212",
    "audio_insert": "audio_only",
    "audio_insert_position": None,
}
"""How the composite looks in families that have no options for it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How people are to be shown, as the caller puts it."""

    layout: str | None = None
    name: str | None = None
    map: Any = None
    users: tuple[str, ...] = ()
    voice_activation: bool = False
    show_names: bool = True
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Options that it sets beside; those that are not named stay as they are."""


@dataclass(slots=True)
class _Show:
    meeting: Meeting
    seats: Seats
    alarm: Alarm
    shown: tuple[Seat, ...] = ()
    show_names: bool = True
    presentation: Presentation | None = None
    layers: Mapping[int, Layer] = field(default_factory=dict)
    """By z-index."""
    speaking: tuple[str, ...] = ()
    """User ids, the latest voice first."""
    needs: set[str] = field(default_factory=set)
    """Ids of what is made of the composite."""
    back: set[str] = field(default_factory=set)
    """Those of them that are made of it as a stream of the conference."""


class Composites:
    """A watch of conferences. `options` are a meeting's now; `changed` is called with those that a layout changes.

    In teams' meetings there is always one; in those of other families while, and after, something is made of it.
    """

    def __init__(
        self,
        clock: Clock,
        scheduler: Scheduler,
        *,
        options: Callable[[Meeting], Mapping[str, Any]] = lambda meeting: meeting.venue.options,
        changed: Callable[[Meeting, Mapping[str, Any]], Event] = lambda _, options: events.options_update(
            dict(options)
        ),
    ) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self.options, self.changed = options, changed
        self._shows: dict[str, _Show] = {}

    def need(self, meeting: Meeting, what: str, *, back: bool = False) -> None:
        """Something begins to be made of the composite. `back`: of the stream `one_view`, which there is then."""
        show = self._show(meeting)
        show.needs.add(what)
        self._arrange(show, anew=True)
        if back and meeting.media:
            show.back.add(what)
            meeting.media.one_view(True)

    def release(self, meeting_id: str, what: str) -> None:
        """Nothing more is made of it by that name."""
        show = self._shows.get(meeting_id)
        if show is None:
            return
        show.needs.discard(what)
        if what in show.back:
            show.back.discard(what)
            if not show.back and show.meeting.media:
                show.meeting.media.one_view(False)
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
            **layout.changes,
        }
        meeting.tell(self.changed(meeting, told))
        self._arrange(show, anew=True)

    def presented(self, meeting_id: str, presentation: Presentation | None) -> None:
        """Something is presented now, or nothing any more."""
        if show := self._shows.get(meeting_id):
            show.presentation = presentation
            show.seats.presenter = presentation.user.id if presentation else ""
            self._arrange(show, anew=True)

    def layered(self, meeting: Meeting, layers: Mapping[int, Layer]) -> None:
        """These are the layers from now on."""
        show = self._show(meeting)
        show.layers = layers
        meeting.tell(events.layer_update({z: layers[z].id if z in layers else None for z in (BACKGROUND, FOREGROUND)}))
        self._tell_podium(show)
        self._compose(show)

    def played(self, meeting: Meeting, playing: tuple[Playing, ...]) -> None:
        """These films are to be seen from now on."""
        show = self._show(meeting)
        show.seats.playing = playing
        self._arrange(show, anew=True)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        if meeting.family == FAMILY or meeting.id in self._shows:
            show = self._show(meeting)
            show.seats.came(member.id)
            self._arrange(show)

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        if show := self._shows.get(meeting.id):
            show.seats.went(member.id)
            self._spoke(show, member.id, False)
            self._arrange(show)

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        show = self._shows.get(meeting.id)
        if show is None:
            return
        match event:
            case VoiceChanged(participant_id=user_id, on=on):
                show.seats.spoke(user_id, self._clock.monotonic())
                self._spoke(show, user_id, on)
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
            options = self._look_of(meeting)
            seats = Seats(widescreen=options["widescreen"])
            show = _Show(meeting, seats, Alarm(self._scheduler), show_names=options["show_names"])
            for member_id in meeting.members:
                seats.came(member_id)
            self._shows[meeting.id] = show
        return self._shows[meeting.id]

    def _look_of(self, meeting: Meeting) -> Mapping[str, Any]:
        return {**PLAIN, **self.options(meeting)}

    def _arrange(self, show: _Show, *, anew: bool = False) -> None:
        """`anew`: not only who sits where may have changed."""
        before, show.shown = show.shown, show.seats.arrange(self._clock.monotonic())
        if show.shown != before:
            self._tell_podium(show)
        if show.shown != before or anew:
            self._compose(show)

    def _compose(self, show: _Show) -> None:
        if show.needs and show.meeting.media:
            show.meeting.media.compose(self._scene(show))

    def _tell_podium(self, show: _Show) -> None:
        layers = {z: layer.id for z, layer in show.layers.items()}
        show.meeting.tell(events.podium_update(podium(show.shown, layers)))

    def _spoke(self, show: _Show, user_id: str, on: bool) -> None:
        """Somebody has begun to speak, or is silent now."""
        others = tuple(each for each in show.speaking if each != user_id)
        before, show.speaking = show.speaking, (user_id, *others) if on else others
        if show.speaking != before:
            self._compose(show)

    def _scene(self, show: _Show) -> Scene:
        streams = show.meeting.streams()
        people = {
            member.id: Person(member.name, _source(streams, member.id, CAMERA), _source(streams, member.id, SCREEN))
            for member in show.meeting.members.values()
        }
        return scene_of(show.shown, people, self._look(show), speaking=show.speaking)

    def _look(self, show: _Show) -> Look:
        options, picture = self._look_of(show.meeting), show.presentation and show.presentation.picture
        behind, front = (show.layers.get(z, NO_LAYER) for z in (BACKGROUND, FOREGROUND))
        at = options["audio_insert_position"]
        return Look(
            widescreen=show.seats.widescreen,
            background=options["background_color"],
            show_names=show.show_names,
            behind=behind.file,
            front=front.file,
            insert=front.insert,
            insert_behind=behind.insert,
            slide=str(picture.path) if picture else "",
            audio_insert=options["audio_insert"],
            audio_insert_position=(at["x"], at["y"]) if at else None,
        )


def _source(streams: Sequence[StreamInfo], user_id: str, label: str) -> str:
    """The stream to show, if there is one with a picture."""
    for stream in streams:
        if (stream.participant_id, stream.label) == (user_id, label) and stream.video and not stream.video_muted:
            return stream.stream_id
    return ""


def _edges(box: Any) -> tuple[int, int, int, int]:
    return box.left, box.top, box.width, box.height
