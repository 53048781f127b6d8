"""Films as sources of a composite: their pictures and sounds at their times, again, to the end, and not at all."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mediaserver.composition import playbacks as module
from mediaserver.composition.composer import Composer
from mediaserver.composition.films import Film
from mediaserver.composition.layouts import Box
from mediaserver.composition.playbacks import Playbacks
from mediaserver.composition.scene import Scene, Tile
from mediaserver.media.formats import film_format
from tests.support.coded import number_of
from tests.support.films import film

STEP = 0.01


class Cinema:
    """Remembers what a composer would be given; `now` is the program's."""

    def __init__(self) -> None:
        self.now = 10.0
        self.pictures: list[tuple[float, int]] = []
        """When, and which number they show."""
        self.sounds: list[tuple[float, np.ndarray]] = []
        self.removed: list[str] = []
        self.begun: list[bool] = []
        self.over: list[tuple[float, str]] = []
        self.playbacks = Playbacks(self)  # type: ignore[arg-type]

    def picture(self, source: str, frame: Any, at: float) -> None:
        assert source == "playback:p"
        self.pictures.append((at - 10.0, number_of(frame)))

    def sound(self, source: str, samples: np.ndarray, at: float) -> None:
        assert source == "playback:p"
        self.sounds.append((at - 10.0, samples))

    def remove(self, source: str) -> None:
        self.removed.append(source)

    def play(self, path: Path, *, sound: bool = False, loops: int = 0) -> None:
        over = lambda why: self.over.append((round(self.now - 10.0, 2), why))  # noqa: E731
        self.playbacks.play(Film("p", str(path), sound, loops), self.now, self.begun.append, over)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now += STEP
            self.playbacks.advance(self.now)

    @property
    def heard(self) -> float:
        """Seconds of sound."""
        return sum(len(samples) for _, samples in self.sounds) / 48_000


@pytest.mark.parametrize("ending", ["webm", "mp4"])
@pytest.mark.parametrize("sound", [True, False])
def test_a_film_is_handed_on_in_its_time(tmp_path: Path, ending: str, sound: bool) -> None:
    cinema = Cinema()
    cinema.play(film(tmp_path / f"film.{ending}"), sound=sound)
    assert cinema.begun == [True]
    cinema.run(0.5)
    assert [number for _, number in cinema.pictures] == list(range(len(cinema.pictures)))
    assert 0.5 < cinema.pictures[-1][0] <= 0.5 + module.AHEAD
    cinema.run(0.6)
    assert cinema.over == [(pytest.approx(1.0, abs=0.05), "ended")]
    assert [round(at * 30) for at, _ in cinema.pictures] == list(range(30))
    assert cinema.heard == (pytest.approx(1.0, abs=0.06) if sound else 0)
    assert cinema.removed == ["playback:p"]
    assert not cinema.playbacks


def test_music_has_no_picture(tmp_path: Path) -> None:
    cinema = Cinema()
    cinema.play(film(tmp_path / "music.mp3"), sound=True)
    assert cinema.begun == [False]
    cinema.run(1.2)
    assert (cinema.pictures, [why for _, why in cinema.over]) == ([], ["ended"])
    assert cinema.heard == pytest.approx(1.0, abs=0.1)


def test_music_that_nobody_is_to_hear_plays_all_the_same(tmp_path: Path) -> None:
    cinema = Cinema()
    cinema.play(film(tmp_path / "music.mp3"))
    cinema.run(0.5)
    assert (cinema.begun, cinema.over, cinema.sounds) == ([False], [], [])
    cinema.run(0.7)
    assert [why for _, why in cinema.over] == ["ended"]


@pytest.mark.parametrize("name", ["film.webm", "film.mp4", "music.mp3"])
def test_a_loop_follows_without_a_gap(tmp_path: Path, name: str) -> None:
    cinema = Cinema()
    cinema.play(film(tmp_path / name), sound=True, loops=2)
    cinema.run(2.9)
    assert cinema.over == []
    cinema.run(0.4)
    assert cinema.over == [(pytest.approx(3.0, abs=0.15), "ended")]
    assert cinema.heard == pytest.approx(3.0, abs=0.3)
    if cinema.pictures:
        assert [number for _, number in cinema.pictures] == [*range(30)] * 3
        steps = np.diff([at for at, _ in cinema.pictures])
        assert steps.max() < 0.08


def test_an_endless_loop_ends_when_it_is_stopped(tmp_path: Path) -> None:
    cinema = Cinema()
    cinema.play(film(tmp_path / "film.webm", seconds=0.2), loops=-1)
    cinema.run(3.0)
    assert (len(cinema.pictures) > 80, cinema.over) == (True, [])
    cinema.playbacks.stop("p")
    cinema.playbacks.stop("p")
    assert cinema.removed == ["playback:p"]
    cinema.run(1.0)
    assert cinema.over == [], "who stops it knows that"


def test_a_film_that_has_fallen_behind_goes_on_from_where_it_was(tmp_path: Path) -> None:
    cinema = Cinema()
    cinema.play(film(tmp_path / "film.webm"))
    cinema.run(0.3)
    shown = len(cinema.pictures)
    cinema.now += 5.0
    cinema.run(0.1)
    assert len(cinema.pictures) < shown + 40
    cinema.run(1.5)
    assert [number for _, number in cinema.pictures] == list(range(30))
    assert [why for _, why in cinema.over] == ["ended"]


def broken(path: Path) -> Path:
    """The second half of it is something else."""
    data = film(path, seconds=2.0).read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))
    return path


def test_what_is_broken_ends_where_it_cannot_be_read(tmp_path: Path) -> None:
    cinema = Cinema()
    cinema.play(broken(tmp_path / "film.webm"))
    cinema.run(3.0)
    assert 10 < len(cinema.pictures) < 60
    assert [why for _, why in cinema.over] == ["ended"]


def nothing(path: Path) -> Path:
    return path


def text(path: Path) -> Path:
    path.write_text("#EXTM3U\nfile:///etc/passwd\n")
    return path


def only_a_beginning(path: Path) -> Path:
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(100))
    return path


def too_large(path: Path) -> Path:
    return film(path, seconds=0.1, size=(2560, 1440), tone_hz=None)


@pytest.mark.parametrize("make", [nothing, text, only_a_beginning, too_large])
def test_what_cannot_be_played_is_told(tmp_path: Path, make: Any) -> None:
    cinema = Cinema()
    cinema.play(make(tmp_path / "film.webm"))
    assert (cinema.begun, len(cinema.over), bool(cinema.playbacks)) == ([], 1, False)


def test_a_cover_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "music.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        audio = container.add_stream("aac", rate=48_000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        container.mux(cover.encode(av.VideoFrame(64, 64, "yuvj420p")))
        for start in range(0, 48_000, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.rate, frame.pts = 48_000, start
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    cinema = Cinema()
    cinema.play(path, sound=True)
    assert cinema.begun == [False]


def test_a_file_that_vanishes_between_two_rounds_is_told(tmp_path: Path) -> None:
    cinema = Cinema()
    path = film(tmp_path / "film.webm", seconds=0.5)
    cinema.play(path, loops=-1)
    path.unlink()
    cinema.run(1.0)
    assert [why for _, why in cinema.over] == ["it cannot be read"]


def test_two_films_are_shown_and_heard_at_once(tmp_path: Path) -> None:
    """By the real composer, in their boxes."""
    left, right = Box(0, 0, 320, 180), Box(320, 0, 320, 180)
    composer = Composer(Scene(640, 180, tiles=(Tile(left, "playback:a"), Tile(right, "playback:b"))))
    playbacks = Playbacks(composer)
    for play_id, path in (("a", film(tmp_path / "a.webm", fps=10)), ("b", film(tmp_path / "b.mp4", fps=20))):
        playbacks.play(Film(play_id, str(path), sound=True), 0.0, lambda _picture: None, lambda _why: None)
    loud = 0.0
    for block in range(26):
        playbacks.advance(block * 0.02)
        loud = max(loud, float(np.abs(composer.mix(block * 0.02)).max()))
    whole = composer.render(0.52).to_ndarray(format="gray")
    shown = [av.VideoFrame.from_ndarray(np.ascontiguousarray(half), format="gray") for half in np.split(whole, 2, 1)]
    assert [number_of(each) for each in shown] == [5, 10]
    assert loud > 0.6, "one alone is half as loud"


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"\x1a\x45\xdf\xa3\x01", "matroska"),
        (b"\x00\x00\x00\x20ftypisom", "mov"),
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90", "mp3"),
        (b"\xff\xd8\xff", None),
        (b"#EXTM3U", None),
        (b"", None),
    ],
)
def test_a_format_is_told_by_its_beginning(beginning: bytes, name: str | None) -> None:
    assert film_format(beginning) == name
