"""Files with films and music, as far as they are known without being decoded. Pure."""

from dataclasses import dataclass

LOOKED_AT = 16  # bytes at the beginning of a file that tell what it is
_BY_BEGINNING = (
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    *((0, mark, "mp3") for mark in (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")),
)


@dataclass(frozen=True, slots=True)
class Film:
    """What to play. `sound`: whether it is heard. `loops`: how often again; -1 is for ever."""

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


def film_format(beginning: bytes) -> str | None:
    """The name of the format (WebM, MP4 or MP3) that a file with this beginning is read as; None: of no other."""
    return next((name for at, mark, name in _BY_BEGINNING if beginning[at : at + len(mark)] == mark), None)
