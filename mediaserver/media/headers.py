"""What a file's header has to say of a coded picture: its size, and what a decoder needs before the first frame.

Pure, and reads what a stranger sent: what cannot be read is MalformedPacket. VP8 (RFC 6386 section 9.1), VP9 (bitstream
specification 6.2), H.264 (7.3.2.1, and ISO 14496-15 section 5.3.3), AV1 (5.5, and its ISOBMFF binding 2.3).
"""

from mediaserver.errors import MalformedPacket
from mediaserver.media.depacketize import SEQUENCE_HEADER, read_leb128
from mediaserver.media.packetize import nal_units
from mediaserver.rtp.codecs import CodecId

Size = tuple[int, int]
SPS, PPS = 7, 8
MAX_EXP_GOLOMB = 32  # bits of zeros
AAC_CONFIG = bytes.fromhex("1190")  # AudioSpecificConfig (ISO 14496-3): low complexity, 48 kHz, stereo
HIGH = 100  # the profile
HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128})


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = len(data) * 8

    def read(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise MalformedPacket("a header without its end")
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """Exp-Golomb (H.264 section 9.1)."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > MAX_EXP_GOLOMB:
                raise MalformedPacket("a number without an end")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed(self) -> int:
        value = self.unsigned()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def picture_size(codec: CodecId, data: bytes) -> Size:
    """Width and height in pixels of a key frame."""
    if codec is CodecId.VP8:
        return _vp8_size(data)
    if codec is CodecId.VP9:
        return _vp9_size(data)
    if codec is CodecId.AV1:
        return _av1_sequence(data)[1]
    return _sps_size(_unit(data, SPS))


def codec_private(codec: CodecId, data: bytes) -> bytes:
    """Matroska's CodecPrivate for a stream that begins with this key frame."""
    if codec in (CodecId.H264_BASELINE, CodecId.H264_HIGH):
        return _avc_record(data)
    if codec is CodecId.AV1:
        return _av1_record(data)
    return b""


def opus_head(channels: int = 2, pre_skip: int = 0) -> bytes:
    """RFC 7845 section 5.1. Tracks of people have no pre-skip: what was said before a recording began is not in it."""
    return (
        b"OpusHead" + bytes([1, channels]) + pre_skip.to_bytes(2, "little") + (48000).to_bytes(4, "little") + bytes(3)
    )


def _vp8_size(data: bytes) -> Size:
    if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
        raise MalformedPacket("no VP8 key frame")
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    return width & 0x3FFF, height & 0x3FFF


def _vp9_size(data: bytes) -> Size:
    bits = _Bits(data[:32])
    bits.read(2)
    profile = bits.read(1) | bits.read(1) << 1
    if profile == 3:
        bits.read(1)
    if bits.read(1) or bits.read(1):
        raise MalformedPacket("no VP9 key frame")
    bits.read(2)
    if bits.read(24) != 0x498342:
        raise MalformedPacket("no VP9 key frame")
    if profile >= 2:
        bits.read(1)
    if bits.read(3) == 7:
        bits.read(3 if profile & 1 else 0)
    else:
        bits.read(4 if profile & 1 else 1)
    return bits.read(16) + 1, bits.read(16) + 1


def _unit(data: bytes, kind: int) -> bytes:
    for unit in nal_units(data):
        if unit[0] & 31 == kind:
            return unit
    raise MalformedPacket(f"no NAL unit of type {kind}")


def _sps_size(unit: bytes) -> Size:
    bits = _Bits(unit[1:].replace(b"\0\0\3", b"\0\0"))
    profile = bits.read(8)
    bits.read(16)
    bits.unsigned()
    chroma = 1
    if profile in HIGH_PROFILES:
        chroma = _skip_high(bits)
    bits.unsigned()
    _skip_order_count(bits)
    bits.unsigned()
    bits.read(1)
    width, height = (bits.unsigned() + 1) * 16, (bits.unsigned() + 1) * 16
    frames_only = bits.read(1)
    if not frames_only:
        height *= 2
        bits.read(1)
    bits.read(1)
    if bits.read(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * (2 - frames_only)
        width, height = width - (left + right) * across, height - (top + bottom) * down
    if not (0 < width <= 1 << 14 and 0 < height <= 1 << 14):
        raise MalformedPacket("an impossible size")
    return width, height


def _skip_high(bits: _Bits) -> int:
    """What only some profiles have; returns chroma_format_idc."""
    chroma = bits.unsigned()
    if chroma == 3:
        bits.read(1)
    bits.unsigned()
    bits.unsigned()
    bits.read(1)
    if bits.read(1):
        for i in range(12 if chroma == 3 else 8):
            if bits.read(1):
                _skip_scaling_list(bits, 16 if i < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    scale = following = 8
    for _ in range(size):
        if following:
            following = (scale + bits.signed()) & 255
        scale = following or scale


def _skip_order_count(bits: _Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.read(1)
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > 255:
            raise MalformedPacket("too many frames in a cycle")
        for _ in range(count):
            bits.signed()


def _avc_record(data: bytes) -> bytes:
    sps, pps = _unit(data, SPS), _unit(data, PPS)
    if len(sps) < 4:
        raise MalformedPacket("a parameter set without its profile")
    head = bytes([1]) + sps[1:4] + bytes([0xFF, 0xE1])
    tail = bytes([0xFD, 0xF8, 0xF8, 0]) if sps[1] == HIGH else b""  # 4:2:0 of 8 bits
    return head + len(sps).to_bytes(2) + sps + bytes([1]) + len(pps).to_bytes(2) + pps + tail


def _av1_sequence(data: bytes) -> tuple[bytes, Size, bytes]:
    """The OBU with the sequence header as it stands there, the size it tells, and the first bytes of av1C."""
    at = 0
    while at < len(data):
        header, start = data[at], at
        size, at = read_leb128(data, at + 1 + (header >> 2 & 1))
        if header >> 3 & 15 == SEQUENCE_HEADER:
            return data[start : at + size], *_av1_header(data[at : at + size])
        at += size
    raise MalformedPacket("no sequence header")


def _av1_header(body: bytes) -> tuple[Size, bytes]:
    bits = _Bits(body)
    profile, _still, reduced = bits.read(3), bits.read(1), bits.read(1)
    if reduced:
        level, tier = bits.read(5), 0
    else:
        level, tier = _av1_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    size = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    chroma = 0x0C if profile == 0 else 0x00  # profile 0 is 4:2:0, of eight bits as WebRTC sends it
    return size, bytes([0x81, profile << 5 | level, tier << 7 | chroma, 0])


def _av1_points(bits: _Bits) -> tuple[int, int]:
    """Level and tier of the first operating point; everything up to the size is read."""
    decoder_model = delay_bits = 0
    if bits.read(1):  # timing_info
        bits.read(32)
        bits.read(32)
        if bits.read(1):
            bits.unsigned()
        decoder_model = bits.read(1)
        if decoder_model:
            delay_bits = bits.read(5) + 1
            bits.read(32 + 5 + 5)
    display_delay = bits.read(1)
    first = (0, 0)
    for i in range(bits.read(5) + 1):
        bits.read(12)
        level = bits.read(5)
        tier = bits.read(1) if level > 7 else 0
        if decoder_model and bits.read(1):
            bits.read(2 * delay_bits + 1)
        if display_delay and bits.read(1):
            bits.read(4)
        if i == 0:
            first = level, tier
    return first


def _av1_record(data: bytes) -> bytes:
    sequence, _, record = _av1_sequence(data)
    return record + sequence
