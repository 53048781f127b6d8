"""Which format a file with a film or with music is of, without a decoder. Pure."""

LOOKED_AT = 16  # bytes at the beginning of a file that tell what it is
_BY_BEGINNING = (
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    *((0, mark, "mp3") for mark in (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")),
)


def film_format(beginning: bytes) -> str | None:
    """The name of the format (WebM, MP4 or MP3) that a file with this beginning is read as; None: of no other."""
    return next((name for at, mark, name in _BY_BEGINNING if beginning[at : at + len(mark)] == mark), None)
