"""The films that a conference has its media worker play, as the server knows them."""

from collections.abc import Callable

from mediaserver.composition.control import Message
from mediaserver.composition.films import Film
from mediaserver.composition.orders import CONFERENCE_OVER, WORKER_LOST
from mediaserver.events import MediaEvent, PlaybackEnded, PlaybackStarted


class Films:
    """Orders of one kind (`orders.Orders`). A film ends with the worker that plays it: nobody knows where it was."""

    def __init__(self, conference_id: str, send: Callable[..., None], tell: Callable[[MediaEvent], None]) -> None:
        self._conference = conference_id
        self._send = send
        self._tell = tell
        self._open: dict[str, Film] = {}
        self._begun: set[str] = set()
        """What a worker has been told of."""

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, film: Film) -> None:
        """ValueError for an id that plays already. `begin` is to follow."""
        if film.play_id in self._open:
            raise ValueError(f"{film.play_id} plays already")
        self._open[film.play_id] = film

    def begin(self, film: Film) -> None:
        """Tells the worker of it, once."""
        if film.play_id not in self._begun:
            self._begun.add(film.play_id)
            self._send(do="play", id=film.play_id, path=film.path, sound=film.sound, loops=film.loops)

    def stop(self, play_id: str) -> None:
        """Nothing is told of it any more."""
        if self._open.pop(play_id, None):
            self._begun.discard(play_id)
            self._send(do="stop_playing", id=play_id)

    def brief(self) -> None:
        for play_id in list(self._begun):
            self._ended(play_id, WORKER_LOST)
        for film in self._open.values():
            self.begin(film)

    def heard(self, message: Message) -> bool:
        match message:
            case {"did": "playing", "id": str(play_id), "picture": bool(picture)} if play_id in self._open:
                self._tell(PlaybackStarted(self._conference, "", play_id, picture))
            case {"did": "played", "id": str(play_id), "why": str(why)} if play_id in self._open:
                self._ended(play_id, why)
                return True
        return False

    def close(self) -> None:
        for play_id in list(self._open):
            self._ended(play_id, CONFERENCE_OVER)

    async def give_up(self) -> None:
        for play_id in list(self._open):
            self._ended(play_id, WORKER_LOST)

    def _ended(self, play_id: str, why: str) -> None:
        del self._open[play_id]
        self._begun.discard(play_id)
        self._tell(PlaybackEnded(self._conference, "", play_id, why))
