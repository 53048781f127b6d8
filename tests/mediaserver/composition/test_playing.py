"""What a conference has its media worker play, and what becomes of it."""

from typing import Any

import pytest

from mediaserver import Film, PlaybackEnded, PlaybackStarted
from mediaserver.composition.playing import Films


class Worker:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.told: list[Any] = []
        self.films = Films("c", lambda **message: self.sent.append(message), self.told.append)

    def play(self, play_id: str) -> None:
        film = Film(play_id, f"/{play_id}.webm", sound=True, loops=2)
        self.films.add(film)
        self.films.begin(film)


def test_a_film_is_ordered_once_and_told_of() -> None:
    worker = Worker()
    worker.play("a")
    worker.films.begin(Film("a", "/a.webm"))
    assert worker.sent == [{"do": "play", "id": "a", "path": "/a.webm", "sound": True, "loops": 2}]
    assert worker.films
    assert not worker.films.heard({"did": "playing", "id": "a", "picture": True})
    assert worker.films.heard({"did": "played", "id": "a", "why": "ended"})
    assert worker.told == [PlaybackStarted("c", "", "a", True), PlaybackEnded("c", "", "a", "ended")]
    assert not worker.films


def test_an_id_plays_once_at_a_time() -> None:
    worker = Worker()
    worker.play("a")
    with pytest.raises(ValueError, match="plays already"):
        worker.play("a")


def test_nothing_is_told_of_a_film_that_was_stopped() -> None:
    worker = Worker()
    worker.play("a")
    for _ in range(2):
        worker.films.stop("a")
    assert [message["do"] for message in worker.sent] == ["play", "stop_playing"]
    assert not worker.films.heard({"did": "playing", "id": "a", "picture": True})
    assert not worker.films.heard({"did": "played", "id": "a", "why": "ended"})
    assert worker.told == []


def test_a_film_ends_with_the_worker_that_plays_it_and_one_that_waits_is_played_by_the_next() -> None:
    worker = Worker()
    worker.play("a")
    worker.films.add(Film("b", "/b.webm"))
    worker.films.brief()
    assert worker.told == [PlaybackEnded("c", "", "a", "worker failed")]
    assert [(message["do"], message["id"]) for message in worker.sent] == [("play", "a"), ("play", "b")]


async def test_the_end_of_the_conference_or_of_all_workers_ends_all() -> None:
    for end in ("close", "give_up"):
        worker = Worker()
        worker.play("a")
        worker.play("b")
        if end == "close":
            worker.films.close()
        else:
            await worker.films.give_up()
        why = "conference over" if end == "close" else "worker failed"
        assert worker.told == [PlaybackEnded("c", "", "a", why), PlaybackEnded("c", "", "b", why)]
        assert not worker.films


@pytest.mark.parametrize(
    "message",
    [
        {"did": "playing", "id": "x", "picture": True},
        {"did": "playing", "id": "a", "picture": "yes"},
        {"did": "played", "id": "a", "why": None},
        {"did": "played", "id": 1, "why": "ended"},
    ],
)
def test_a_worker_that_says_something_else_is_not_believed(message: dict[str, Any]) -> None:
    worker = Worker()
    worker.play("a")
    assert not worker.films.heard(message)
    assert worker.told == []
