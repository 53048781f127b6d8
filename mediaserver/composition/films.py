"""Films and music for the composite, as everybody but their decoder knows them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Film:
    """What to play: a file on this machine. `sound`: whether it is heard. `loops`: how often again; -1 is for ever."""

    play_id: str
    path: str
    sound: bool = False
    loops: int = 0

    @property
    def source(self) -> str:
        """The name of its pictures and its sound in a scene."""
        return film_source(self.play_id)


def film_source(play_id: str) -> str:
    """No stream is called so: the colon is none of their letters."""
    return f"playback:{play_id}"
