"""Films and music as sources of the composite: decoded in its time, a little ahead, once or more often.

Pure of clocks and processes; runs in the media worker. What cannot be decoded in time makes the film stand still, never
the composite. Reading files is `media/films.py`'s.
"""

from collections.abc import Callable
from typing import Any

from mediaserver.composition.composer import Composer
from mediaserver.composition.films import Film
from mediaserver.media.films import FilmTrack, Kind, Unplayable

AHEAD = 0.2  # seconds that are decoded before their time
BEHIND = 1.0  # seconds; a film that lags more is late for good: it goes on from here
SHORTEST = 0.1  # seconds: what is played again and again takes that long at least
ROUNDED = 0.001  # seconds: times of WebM are whole milliseconds, and a picture must not miss its turn
ENDED = "ended"


class Playbacks:
    """All that plays in one composite."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._playing: dict[str, tuple[Playback, Callable[[str], None]]] = {}

    def __bool__(self) -> bool:
        return bool(self._playing)

    def play(self, film: Film, at: float, on_begun: Callable[[bool], None], on_over: Callable[[str], None]) -> None:
        """`on_begun` is called with whether there is a picture; `on_over` once, with why, unless it is stopped."""
        self.stop(film.play_id)
        try:
            playback = Playback(film, at, self._composer)
        except Unplayable as error:
            on_over(str(error))
            return
        self._playing[film.play_id] = playback, on_over
        on_begun(playback.has_picture)

    def stop(self, play_id: str) -> None:
        """Nothing happens to what does not play."""
        if found := self._playing.pop(play_id, None):
            found[0].close()
            self._composer.remove(found[0].film.source)

    def advance(self, at: float) -> None:
        """Hands the composer what belongs before `at`, and a little more."""
        for play_id, (playback, on_over) in list(self._playing.items()):
            try:
                why = None if playback.advance(at) else ENDED
            except Unplayable as error:
                why = str(error)
            if why is not None:
                self.stop(play_id)
                on_over(why)


class Playback:
    """A film that plays from `at` on. `Unplayable` if there is nothing in it that can be shown or heard."""

    def __init__(self, film: Film, at: float, composer: Composer) -> None:
        self.film = film
        self._composer = composer
        self._left = film.loops
        self._begin = at
        self._tracks = self._open()
        if not self._tracks:
            raise Unplayable("nothing in it can be shown or heard")
        self.has_picture = any(track.kind == "video" for track in self._tracks)

    def advance(self, at: float) -> bool:
        """Hands on what belongs before `at` and a little later; returns whether it goes on after that time."""
        for track in self._tracks:
            for frame, when in track.before(at + AHEAD - self._begin):
                self._hand_on(track.kind, frame, self._begin + when)
        lag = max(track.lag(at - self._begin) for track in self._tracks)
        if lag > BEHIND:
            self._begin += lag
        if not all(track.over for track in self._tracks):
            return True
        end = self._begin + max(SHORTEST, *(track.end for track in self._tracks))
        if self._left and end <= at + AHEAD:
            self._again(end)
            return True
        return bool(self._left) or at < end

    def close(self) -> None:
        """May be called twice."""
        for track in self._tracks:
            track.close()

    def _again(self, at: float) -> None:
        self.close()
        self._left -= self._left > 0
        self._begin = at
        self._tracks = self._open()

    def _open(self) -> list[FilmTrack]:
        """Without the sound of a film that is only shown; of music that nobody hears there is nothing else."""
        kinds: tuple[Kind, ...] = ("video", "audio")
        tracks = [FilmTrack(self.film.path, kind) for kind in kinds]
        found = [track for track in tracks if track.found]
        wanted = found if self.film.sound else found[:1]
        for track in tracks:
            if track not in wanted:
                track.close()
        return wanted

    def _hand_on(self, kind: Kind, frame: Any, at: float) -> None:
        if kind == "video":
            self._composer.picture(self.film.source, frame, at - ROUNDED)
        elif self.film.sound:
            self._composer.sound(self.film.source, frame, at)
