"""EBML, the frame of Matroska and WebM: elements to bytes and back (RFC 8794, RFC 9559 for the names)."""

from collections.abc import Iterator
from struct import pack

EBML, SEGMENT, SEEK_HEAD, INFO, TRACKS = 0x1A45DFA3, 0x18538067, 0x114D9B74, 0x1549A966, 0x1654AE6B
CLUSTER, CUES, VOID = 0x1F43B675, 0x1C53BB6B, 0xEC
SEEK, SEEK_ID, SEEK_POSITION = 0x4DBB, 0x53AB, 0x53AC
TIMESTAMP_SCALE, DURATION, MUXING_APP, WRITING_APP = 0x2AD7B1, 0x4489, 0x4D80, 0x5741
TRACK_ENTRY, TRACK_NUMBER, TRACK_UID, TRACK_TYPE, LACING = 0xAE, 0xD7, 0x73C5, 0x83, 0x9C
CODEC_ID, CODEC_PRIVATE, CODEC_DELAY, SEEK_PRE_ROLL = 0x86, 0x63A2, 0x56AA, 0x56BB
VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT, AUDIO, FREQUENCY, CHANNELS = 0xE0, 0xB0, 0xBA, 0xE1, 0xB5, 0x9F
TIMESTAMP, SIMPLE_BLOCK = 0xE7, 0xA3
CUE_POINT, CUE_TIME, CUE_POSITIONS, CUE_TRACK, CUE_CLUSTER = 0xBB, 0xB3, 0xB7, 0xF7, 0xF1
UNKNOWN_SIZE = b"\x01" + b"\xff" * 7


def identifier(name: int) -> bytes:
    return name.to_bytes((name.bit_length() + 7) // 8)


def size(value: int, length: int = 0) -> bytes:
    """A length, in as few bytes as will do or in `length` of them."""
    length = length or next(n for n in range(1, 9) if value < (1 << 7 * n) - 1)
    return (value | 1 << 7 * length).to_bytes(length)


def element(name: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return identifier(name) + size(len(body)) + body


def number(name: int, value: int) -> bytes:
    return element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def real(name: int, value: float) -> bytes:
    return element(name, pack(">d", value))


def text(name: int, value: str) -> bytes:
    return element(name, value.encode())


def void(length: int) -> bytes:
    """Nothing, `length` bytes of it (at least 9)."""
    return identifier(VOID) + size(length - 9, 8) + bytes(length - 9)


def read_vint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A length and where it ends; ValueError where there is none."""
    if at >= len(data) or not data[at]:
        raise ValueError("no length")
    length = 9 - data[at].bit_length()
    if at + length > len(data):
        raise ValueError("cut off")
    return int.from_bytes(data[at : at + length]) & ((1 << 7 * length) - 1), at + length


def elements(data: bytes | memoryview, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(name, where its content begins, where it ends) of each whole element; stops before one that is cut off."""
    while at < end:
        if not data[at]:
            return
        length = 9 - data[at].bit_length()
        name = int.from_bytes(data[at : at + length])
        try:
            content, start = read_vint(data, at + length)
        except ValueError:
            return
        if length > 4 or start + content > end:
            return
        yield name, start, start + content
        at = start + content
