"""Coded frames as fragmented MP4: what a player needs before the first one, and fragments to be played as they come.

Pure. One track of H.264, which comes in as Annex B, and one of AAC, which comes in as raw frames, in one file as HLS
allows. ISO 14496-12 for the boxes, 14496-14 for AAC, 14496-15 for H.264, 23000-19 (CMAF) for the brevity.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.media.headers import HIGH_PROFILES, PPS, SPS, Size, codec_private, picture_size
from mediaserver.media.packetize import nal_units
from mediaserver.rtp.codecs import CodecId

PICTURE_CLOCK = 90_000  # ticks a second
SOUND_CLOCK = 48_000
SOUND_FRAME = 1024  # samples
PICTURE, SOUND = 1, 2  # identifiers of the tracks

_ACCESS_UNIT_DELIMITER = 9
_NOT_SAMPLES = frozenset({SPS, PPS, _ACCESS_UNIT_DELIMITER})
_HIGH = bytes([0xFD, 0xF8, 0xF8, 0])  # 4:2:0, eight bits: what the record of a high profile ends with
_MATRIX = b"".join(value.to_bytes(4) for value in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
_KEY, _NO_KEY = 0x02000000, 0x01010000  # sample flags: depends on none; depends on others and cannot be begun with
_UNITY = (0x10000).to_bytes(4)
_NO_TABLES = ((b"stts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4))


@dataclass(frozen=True, slots=True)
class Setup:
    """What a decoder has to know of the pictures; as long as it is equal, a player can go on."""

    record: bytes
    """The AVCDecoderConfigurationRecord."""
    size: Size


@dataclass(frozen=True, slots=True)
class Sample:
    data: bytes
    duration: int
    """Ticks of its track."""
    key: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """Samples of one track that follow each other, the first at `begin` (ticks since the file's zero)."""

    track: int
    begin: int
    samples: Sequence[Sample]


def setup_of(key_frame: bytes) -> Setup:
    """From a key frame in Annex B; MalformedPacket if it has not all that is needed."""
    record = codec_private(CodecId.H264_HIGH, key_frame)
    if record[1] in HIGH_PROFILES:
        record += _HIGH
    return Setup(record, picture_size(CodecId.H264_HIGH, key_frame))


def sized_units(annex_b: bytes) -> bytes:
    """A coded picture as MP4 has it: each unit behind its length, without what the setup says."""
    units = [unit for unit in nal_units(annex_b) if unit[0] & 31 not in _NOT_SAMPLES]
    return b"".join(len(unit).to_bytes(4) + unit for unit in units)


def initialization(setup: Setup, sound_config: bytes) -> bytes:
    """The file's beginning. `sound_config` is the AudioSpecificConfig."""
    header = _full(
        b"mvhd", 0, 0, bytes(8), _u32(1000), bytes(4), _UNITY, b"\1\0", bytes(10), _MATRIX, bytes(24), _u32(3)
    )
    extends = [_full(b"trex", 0, 0, _u32(track), _u32(1), bytes(12)) for track in (PICTURE, SOUND)]
    brands = b"iso6" + _u32(0) + b"iso6avc1mp41"
    pictures = _media(PICTURE_CLOCK, b"vide", _full(b"vmhd", 0, 1, bytes(8)), _avc1(setup))
    sounds = _media(SOUND_CLOCK, b"soun", _full(b"smhd", 0, 0, bytes(4)), _mp4a(sound_config))
    tracks = _track(PICTURE, b"\0\0", setup.size, pictures), _track(SOUND, b"\1\0", (0, 0), sounds)
    return _box(b"ftyp", brands) + _box(b"moov", header, *tracks, _box(b"mvex", *extends))


def fragment(number: int, runs: Sequence[Run]) -> bytes:
    """One fragment; `number` counts them."""
    runs = [run for run in runs if run.samples]
    start = len(_movie_fragment(number, runs, 0)) + 8
    data = [sample.data for run in runs for sample in run.samples]
    return _movie_fragment(number, runs, start) + _box(b"mdat", *data)


def _movie_fragment(number: int, runs: Sequence[Run], start: int) -> bytes:
    """`start`: where the first sample lies, counted from here."""
    tracks, at = [], start
    for run in runs:
        tracks.append(_track_fragment(run, at))
        at += sum(len(sample.data) for sample in run.samples)
    return _box(b"moof", _full(b"mfhd", 0, 0, _u32(number)), *tracks)


def _track_fragment(run: Run, start: int) -> bytes:
    entries = [_u32(each.duration) + _u32(len(each.data)) + _u32(_KEY if each.key else _NO_KEY) for each in run.samples]
    return _box(
        b"traf",
        _full(b"tfhd", 0, 0x020000, _u32(run.track)),  # offsets count from the moof
        _full(b"tfdt", 1, 0, run.begin.to_bytes(8)),
        _full(b"trun", 0, 0x701, _u32(len(entries)), _u32(start), *entries),  # with duration, size and flags of each
    )


def _track(track: int, volume: bytes, size: Size, media: bytes) -> bytes:
    sides = _u32(size[0] << 16) + _u32(size[1] << 16)
    header = _full(b"tkhd", 0, 3, bytes(8), _u32(track), bytes(20), volume, bytes(2), _MATRIX, sides)
    return _box(b"trak", header, media)


def _media(clock: int, handler: bytes, media_header: bytes, entry: bytes) -> bytes:
    """`entry` describes its samples, of which none are listed here."""
    here = _box(b"dinf", _full(b"dref", 0, 0, _u32(1), _full(b"url ", 0, 1)))
    described = _full(b"stsd", 0, 0, _u32(1), entry)
    tables = [_full(kind, 0, 0, bytes(length)) for kind, length in _NO_TABLES]
    return _box(
        b"mdia",
        _full(b"mdhd", 0, 0, bytes(8), _u32(clock), bytes(4), b"\x55\xc4\0\0"),  # of no language
        _full(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"Folkmoot\0"),
        _box(b"minf", media_header, here, _box(b"stbl", described, *tables)),
    )


def _avc1(setup: Setup) -> bytes:
    width, height = setup.size
    sides = width.to_bytes(2) + height.to_bytes(2)
    resolution = _u32(72 << 16) * 2
    rest = bytes(4) + b"\0\1" + bytes(32) + b"\0\x18\xff\xff"
    return _box(b"avc1", bytes(6), b"\0\1", bytes(16), sides, resolution, rest, _box(b"avcC", setup.record))


def _mp4a(config: bytes) -> bytes:
    decoder = _descriptor(4, b"\x40\x15", bytes(11), _descriptor(5, config))  # AAC, an audio stream
    stream = _full(b"esds", 0, 0, _descriptor(3, bytes(3), decoder, _descriptor(6, b"\2")))
    return _box(b"mp4a", bytes(6), b"\0\1", bytes(8), b"\0\2\0\x10", bytes(4), _u32(SOUND_CLOCK << 16), stream)


def _descriptor(tag: int, *content: bytes) -> bytes:
    """ISO 14496-1, section 8.3.3; always shorter than 128 bytes."""
    body = b"".join(content)
    return bytes([tag, len(body)]) + body


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return _u32(len(body) + 8) + kind + body


def _full(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    return _box(kind, bytes([version]), flags.to_bytes(3), *content)


def _u32(value: int) -> bytes:
    return value.to_bytes(4)
