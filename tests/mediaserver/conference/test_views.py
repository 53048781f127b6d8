"""Who is given which stream, and which sound of the common picture."""

from typing import Any

import pytest

from mediaserver.conference import views as module
from mediaserver.conference.publication import Changes
from mediaserver.conference.stream import Kind, Stream
from mediaserver.conference.views import View, Views

ALL = ["ada-camera", "bob-camera", "bob-screen", "one_view"]


def stream(stream_id: str, *kinds: Kind) -> Stream:
    owner, _, label = stream_id.partition("-")
    tracks: Any = {kind: f"{kind} of {stream_id}" for kind in kinds or ("audio", "video")}
    return Stream(stream_id, owner, label or "one_view", tracks)


class Studio:
    """Remembers who has a sound of their own, without what."""

    def __init__(self) -> None:
        self.sounds: dict[str, tuple[str, ...]] = {}

    def listen(self, listener: str, but: tuple[str, ...]) -> Any:
        self.sounds[listener] = but
        return f"sound for {listener}"

    def unlisten(self, listener: str) -> None:
        del self.sounds[listener]


class Room:
    def __init__(self, *stream_ids: str) -> None:
        self.studio = Studio()
        self.streams = {stream_id: stream(stream_id) for stream_id in stream_ids}
        self.views = Views(self.streams, lambda: self.studio)  # type: ignore[arg-type, return-value]

    def given(self, participant_id: str) -> list[str]:
        return [each.stream_id for each in self.views.given(participant_id)]

    def sound(self, participant_id: str) -> Any:
        """What they hear of the picture."""
        return next(each.tracks["audio"] for each in self.views.given(participant_id) if each.label == "one_view")

    def hear(self) -> list[str]:
        return [participant_id for participant_id, _ in self.views.hear()]


def ids(streams: tuple[Stream, ...]) -> list[str]:
    return [each.stream_id for each in streams]


@pytest.mark.parametrize(
    ("view", "given"),
    [
        (View.STREAMS, ["bob-camera", "bob-screen"]),
        (View.COMPOSITE, ["one_view"]),
        (View.WITH_SCREENS, ["bob-screen", "one_view"]),
    ],
)
def test_a_view_has_its_streams_and_never_ones_own(view: View, given: list[str]) -> None:
    room = Room(*ALL)
    room.views.see("ada", view)
    assert room.given("ada") == given
    assert room.given("carl") == ["ada-camera", "bob-camera", "bob-screen"]


def test_another_view_ends_some_streams_and_starts_others() -> None:
    room = Room(*ALL)
    changes = room.views.see("ada", View.WITH_SCREENS)
    assert (ids(changes.ended), ids(changes.started)) == (["bob-camera"], ["one_view"])
    changes = room.views.see("ada", View.COMPOSITE)
    assert (ids(changes.ended), ids(changes.started)) == (["bob-screen"], [])
    assert room.views.see("ada", View.COMPOSITE) == Changes()
    changes = room.views.see("ada", View.STREAMS)
    assert (ids(changes.ended), ids(changes.started)) == (["one_view"], ["bob-camera", "bob-screen"])


def test_changes_are_told_as_far_as_they_are_seen() -> None:
    room = Room(*ALL)
    room.views.see("ada", View.COMPOSITE)
    changes = Changes(
        ended=(room.streams["bob-screen"],), started=(room.streams["one_view"],), changed=(room.streams["bob-camera"],)
    )
    assert room.views.part_of(changes, "ada") == Changes(started=changes.started)
    assert room.views.part_of(changes, "carl") == Changes(ended=changes.ended, changed=changes.changed)


def test_who_can_be_heard_has_a_sound_without_their_own() -> None:
    room = Room(*ALL)
    for name in ("ada", "bob", "carl"):
        room.views.see(name, View.COMPOSITE)
    assert room.hear() == ["ada", "bob"]
    assert room.studio.sounds == {"ada": ("ada-camera",), "bob": ("bob-camera", "bob-screen")}
    assert [room.sound(name) for name in ("ada", "bob", "carl")] == [
        "sound for ada",
        "sound for bob",
        "audio of one_view",
    ]
    assert [each.tracks["video"] for each in room.views.given("ada")] == ["video of one_view"]
    assert room.hear() == [], "nothing has changed"


def test_who_is_muted_hears_what_all_do() -> None:
    room = Room(*ALL)
    room.views.see("ada", View.COMPOSITE)
    room.hear()
    room.streams["ada-camera"].muted["audio"] = True
    assert room.hear() == ["ada"]
    assert (room.studio.sounds, room.sound("ada")) == ({}, "audio of one_view")
    room.streams["ada-camera"].muted["audio"] = False
    assert room.hear() == ["ada"]
    assert room.sound("ada") == "sound for ada"


def test_a_second_sound_of_ones_own_is_left_out_as_well() -> None:
    room = Room("ada-camera", "one_view")
    room.views.see("ada", View.COMPOSITE)
    room.hear()
    room.streams["ada-screen"] = stream("ada-screen")
    assert room.hear() == ["ada"]
    assert room.studio.sounds == {"ada": ("ada-camera", "ada-screen")}


def test_without_a_microphone_or_a_picture_nothing_is_made() -> None:
    room = Room("bob-camera")
    room.streams["ada-camera"] = stream("ada-camera", "video")
    room.views.see("ada", View.COMPOSITE)
    room.views.see("bob", View.COMPOSITE)
    assert (room.hear(), room.studio.sounds) == ([], {})
    room.streams["one_view"] = stream("one_view")
    assert room.hear() == ["bob"]
    del room.streams["one_view"]
    assert (room.hear(), room.studio.sounds, room.views.sounds()) == ([], {}, [])


def test_who_leaves_or_looks_away_needs_no_sound_any_more() -> None:
    room = Room(*ALL)
    for name in ("ada", "bob"):
        room.views.see(name, View.COMPOSITE)
    room.hear()
    room.views.left("ada")
    room.views.see("bob", View.STREAMS)
    assert (room.hear(), room.studio.sounds) == ([], {})


def test_there_are_only_so_many_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OWN_SOUNDS", 2)
    names = ["ada", "bob", "carl"]
    room = Room(*(f"{name}-camera" for name in names), "one_view")
    for name in names:
        room.views.see(name, View.COMPOSITE)
    assert room.hear() == ["ada", "bob"]
    room.views.left("ada")
    assert room.hear() == ["carl"]
