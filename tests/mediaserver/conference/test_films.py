"""A film that plays, as a stream of the conference."""

from typing import Any

import pytest

from mediaserver.conference.conference import Conference, Limits
from mediaserver.events import MediaEvent, StreamEnded, StreamStarted


class Track:
    """One that a worker feeds."""

    def __init__(self, kind: str) -> None:
        self.source = self
        self.kind = kind
        self.closed = False

    def on_layer(self, listener: Any) -> None:
        pass

    def on_level(self, listener: Any) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Studio:
    """Makes tracks, as long as there may be more."""

    def __init__(self) -> None:
        self.full = False
        self.tracks: list[Track] = []
        self.stopped: list[str] = []

    def screen(self, play_id: str, kinds: list[str]) -> dict[str, Track]:
        made = {} if self.full else {kind: Track(kind) for kind in kinds}
        self.tracks += made.values()
        return made

    def stop_playing(self, play_id: str) -> None:
        self.stopped.append(play_id)

    def changed(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def told() -> list[MediaEvent]:
    return []


@pytest.fixture
def conference(studio: Studio, told: list[MediaEvent]) -> Conference:
    router: Any = None
    return Conference(
        "c",
        Limits(10),
        router,
        tell=told.append,
        on_closed=lambda _id: None,
        studio=lambda *_: studio,  # type: ignore[arg-type, return-value]
    )


@pytest.mark.parametrize(
    ("picture", "sound", "kinds"),
    [(True, True, ["video", "audio"]), (True, False, ["video"]), (False, True, ["audio"])],
)
def test_a_film_is_a_stream_named_by_its_id(
    conference: Conference, told: list[MediaEvent], studio: Studio, picture: bool, sound: bool, kinds: list[str]
) -> None:
    conference.screen("film", picture=picture, sound=sound)
    (stream,) = conference.streams()
    assert (stream.participant_id, stream.label, stream.video, stream.audio) == ("film", "playback", picture, sound)
    assert told == [StreamStarted("c", "film", stream)]
    assert [track.kind for track in studio.tracks] == kinds
    conference.stop_playing("film")
    conference.stop_playing("film")
    assert (conference.streams(), told[1:]) == ([], [StreamEnded("c", "film", stream.stream_id)])
    assert all(track.closed for track in studio.tracks)
    assert studio.stopped == ["film", "film"]


def test_a_film_without_anything_or_one_too_many_is_no_stream(
    conference: Conference, told: list[MediaEvent], studio: Studio
) -> None:
    conference.screen("nothing", picture=False, sound=False)
    studio.full = True
    conference.screen("film", picture=True, sound=True)
    assert (conference.streams(), told) == ([], [])


def test_films_have_streams_of_their_own_and_end_with_the_conference(conference: Conference, studio: Studio) -> None:
    for play_id in ("a", "b"):
        conference.screen(play_id, picture=True, sound=False)
    assert len({stream.stream_id for stream in conference.streams()}) == 2
    conference.stop_playing("a")
    assert [stream.participant_id for stream in conference.streams()] == ["b"]
    conference.close()
    assert conference.streams() == []
    assert all(track.closed for track in studio.tracks)
