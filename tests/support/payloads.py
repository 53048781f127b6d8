"""Video payloads built by wish, and read by plain Python: the twin of `payload.h`'s functions.

RFC 7741 (VP8), RFC 9628 (VP9), RFC 6184 (H.264), AV1 RTP payload specification.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from mediaserver.rtp.codecs import CodecId
from tests.support.bits import BitReader, BitWriter, EndOfBits

SPS, PPS, IDR, SLICE, SEI = 7, 8, 5, 1, 6  # NAL units of H.264
SEQUENCE_HEADER, TEMPORAL_DELIMITER, FRAME_HEADER, TILE_GROUP, FRAME = 1, 2, 3, 4, 6  # OBUs of AV1


@dataclass(frozen=True, slots=True)
class PayloadInfo:
    """`struct payload_info`."""

    keyframe: int = 0
    frame_start: int = 0
    temporal_id: int = 0
    spatial_id: int = 0
    discardable: int = 0
    width: int = 0
    height: int = 0
    picture_id_offset: int = 0
    picture_id_bits: int = 0
    picture_id: int = 0
    tl0_offset: int = 0
    tl0_picture_index: int = 0
    descriptor_len: int = 0
    frame_end: int = 0
    switch_up: int = 0
    inter_picture: int = 0
    layers: int = 0
    primary_type: int = 0
    primary: int = 0


# ---- builders ----


def vp8_frame(*, keyframe: bool = False, width: int = 640, height: int = 360) -> bytes:
    if not keyframe:
        return b"\x11\x02\x03 a delta frame"
    return b"\x10\x02\x03\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b" a key frame"


def vp8_payload(
    frame: bytes,
    *,
    start: bool = True,
    partition: int = 0,
    discardable: bool = False,
    picture_id: int | None = None,
    picture_id_bits: int = 15,
    tl0: int | None = None,
    temporal_id: int | None = None,
    key_index: int | None = None,
    layer_sync: bool = False,
) -> bytes:
    optional = b""
    present = 0
    if picture_id is not None:
        present |= 0x80
        wide = picture_id_bits == 15
        optional += (picture_id | 0x8000).to_bytes(2) if wide else bytes([picture_id])
    if tl0 is not None:
        present |= 0x40
        optional += bytes([tl0])
    if temporal_id is not None or key_index is not None:
        present |= 0x20 * (temporal_id is not None) | 0x10 * (key_index is not None)
        optional += bytes([(temporal_id or 0) << 6 | layer_sync << 5 | (key_index or 0)])
    first = 0x80 * bool(present) | 0x20 * discardable | 0x10 * start | partition
    return bytes([first]) + (bytes([present]) if present else b"") + optional + frame


def vp9_payload(
    frame: bytes = b"a frame",
    *,
    start: bool = True,
    end: bool = True,
    inter: bool = False,
    picture_id: int | None = None,
    picture_id_bits: int = 15,
    layer: tuple[int, int] | None = None,
    switch_up: bool = False,
    tl0: int = 0,
    references: Sequence[int] | None = None,
    sizes: Sequence[tuple[int, int]] | None = None,
    layers: int | None = None,
    group: Sequence[tuple[int, Sequence[int]]] = (),
) -> bytes:
    """`layer`: (temporal, spatial). `references` makes it flexible mode. `layers` without `sizes`: a structure that
    tells none. `group`: per picture its temporal id and distances."""
    body = b""
    first = 0x40 * inter | 0x08 * start | 0x04 * end
    if picture_id is not None:
        first |= 0x80
        body += (picture_id | 0x8000).to_bytes(2) if picture_id_bits == 15 else bytes([picture_id])
    if layer is not None:
        first |= 0x20
        body += bytes([layer[0] << 5 | switch_up << 4 | layer[1] << 1])
        body += b"" if references is not None else bytes([tl0])
    if references is not None:
        first |= 0x10
        if inter:
            body += bytes(d << 1 | (i < len(references) - 1) for i, d in enumerate(references))
    if sizes is not None or layers is not None:
        first |= 0x02
        count = len(sizes) if sizes else layers or 1
        body += bytes([(count - 1) << 5 | 0x10 * bool(sizes) | 0x08 * bool(group)])
        body += b"".join(w.to_bytes(2) + h.to_bytes(2) for w, h in sizes or ())
        body += bytes([len(group)]) if group else b""
        body += b"".join(bytes([t << 5 | len(diffs) << 2, *diffs]) for t, diffs in group)
    return bytes([first]) + body + frame


def red(primary: bytes, *repeated: bytes, payload_type: int = 111) -> bytes:
    """Sound with repetitions of what came before it, oldest first; packets are 20 ms apart."""
    heads = b"".join(
        bytes([0x80 | payload_type]) + ((len(repeated) - i) * 960 << 10 | len(block)).to_bytes(3)
        for i, block in enumerate(repeated)
    )
    return heads + bytes([payload_type]) + b"".join(repeated) + primary


def escaped(data: bytes) -> bytes:
    """With emulation prevention: no 00 00 00 to 00 00 03 in it."""
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def sps(
    columns: int,
    rows: int,
    *,
    profile: int = 66,
    chroma: int = 1,
    interlaced: bool = False,
    crop: tuple[int, int, int, int] | None = None,
    order_count: int = 2,
    scaling: bool = False,
    level: int = 31,
    number: int = 0,
) -> bytes:
    """A sequence parameter set of `columns` x `rows` macroblocks (rows of a field when interlaced)."""
    bits = BitWriter().write(profile, 8).write(0, 8).write(level, 8).golomb(number)
    if profile == 100:
        bits.golomb(chroma)
        if chroma == 3:
            bits.write(0)
        bits.golomb(0, 0).write(0).write(int(scaling))
        for i in range((12 if chroma == 3 else 8) if scaling else 0):
            bits.write(int(i == 0))
            if i == 0:
                bits.golomb(*[1, 2] * 7, 1, 18)  # deltas 1, -1 ... then one that ends in 0: the rest follows from it
    bits.golomb(0, order_count)
    if order_count == 0:
        bits.golomb(4)
    if order_count == 1:
        bits.write(0).golomb(1, 2, 2, 3, 4)
    bits.golomb(1).write(0).golomb(columns - 1, rows - 1).write(int(not interlaced))
    if interlaced:
        bits.write(0)
    bits.write(1).write(int(crop is not None)).golomb(*crop or ()).write(0)
    return bytes([0x60 | SPS]) + escaped(bits.done())


def nal(kind: int, *, reference: int = 3, body: bytes = b"\x88 a slice") -> bytes:
    """The slice's first bit says whether it starts at the first macroblock: it does here."""
    return bytes([reference << 5 | kind]) + body


def stap_a(*nals: bytes) -> bytes:
    reference = max(unit[0] & 0x60 for unit in nals)
    return bytes([reference | 24]) + b"".join(len(unit).to_bytes(2) + unit for unit in nals)


def fu_a(unit: bytes, size: int) -> list[bytes]:
    parts = [unit[at : at + size] for at in range(1, len(unit), size)]
    return [
        bytes([unit[0] & 0x60 | 28, (i == 0) << 7 | (i == len(parts) - 1) << 6 | unit[0] & 0x1F]) + part
        for i, part in enumerate(parts)
    ]


def leb128(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def obu(kind: int, body: bytes, *, layer: tuple[int, int] | None = None, with_size: bool = False) -> bytes:
    header = bytes([kind << 3 | 4 * (layer is not None) | 2 * with_size])
    extension = bytes([layer[0] << 5 | layer[1] << 3]) if layer else b""
    return header + extension + (leb128(len(body)) if with_size else b"") + body


def sequence_header(width: int, height: int, *, timing: bool = False, points: int = 1, still: bool = False) -> bytes:
    """The body of an AV1 sequence header, up to what nobody here reads."""
    bits = BitWriter().write(0, 3).write(int(still)).write(int(still))
    if still:
        bits.write(8, 5)
    else:
        bits.write(int(timing))
        if timing:
            bits.write(1, 32).write(30, 32).write(1).golomb(0).write(1)
            bits.write(9, 5).write(1, 32).write(0, 10)
        bits.write(1).write(points - 1, 5)
        for i in range(points):
            bits.write(0x101, 12).write(8 + i % 2, 5).write(0)
            if timing:
                bits.write(1).write(5, 10).write(6, 10).write(0)
            bits.write(1).write(3, 4)
    bits.write(15, 4).write(15, 4).write(width - 1, 16).write(height - 1, 16)
    return bits.done() + b"the rest"


def av1_payload(
    *elements: bytes, continues: bool = False, unfinished: bool = False, new_sequence: bool = False, count: bool = True
) -> bytes:
    """`continues`, `unfinished`: the first and last OBU are parts. `count`: the last one then needs no length."""
    count = count and len(elements) <= 3
    first = 0x80 * continues | 0x40 * unfinished | (len(elements) if count else 0) << 4 | 0x08 * new_sequence
    body = b"".join(
        element if count and i == len(elements) - 1 else leb128(len(element)) + element
        for i, element in enumerate(elements)
    )
    return bytes([first]) + body


# ---- readers ----


class _Refused(Exception):
    pass


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def next(self, count: int = 1) -> int:
        self.at += count
        if self.at > len(self.data):
            raise _Refused
        return int.from_bytes(self.data[self.at - count : self.at])


def _read_vp8(payload: bytes) -> PayloadInfo:
    data, info = _Bytes(payload), {}
    first = data.next()
    present = data.next() if first & 0x80 else 0
    if present & 0x80:
        wide = bool(payload[data.at : data.at + 1] >= b"\x80")
        info |= {"picture_id_offset": data.at, "picture_id_bits": 15 if wide else 7}
        info["picture_id"] = data.next(2) & 0x7FFF if wide else data.next()
    if present & 0x40:
        info |= {"tl0_offset": data.at, "tl0_picture_index": data.next()}
    if present & 0x30:
        layer = data.next()
        if present & 0x20:
            info |= {"temporal_id": layer >> 6, "switch_up": layer >> 5 & 1}
    frame = payload[data.at :]
    if not frame:
        raise _Refused
    if first & 0x17 == 0x10:
        info |= {"frame_start": 1, "keyframe": 1 - (frame[0] & 1)}
        if info["keyframe"] and len(frame) >= 10 and frame[3:6] == b"\x9d\x01\x2a":
            info["width"] = int.from_bytes(frame[6:8], "little") & 0x3FFF
            info["height"] = int.from_bytes(frame[8:10], "little") & 0x3FFF
    return PayloadInfo(**info, discardable=first >> 5 & 1, descriptor_len=data.at)


def _read_vp9(payload: bytes) -> PayloadInfo:
    data = _Bytes(payload)
    first = data.next()
    width = height = layers = 0
    told: dict[str, int] = {}
    if first & 0x80:
        told |= {"picture_id_offset": data.at}
        number = data.next()
        wide = bool(number & 0x80)
        told["picture_id_bits"] = 15 if wide else 7
        told["picture_id"] = (number & 0x7F) << 8 | data.next() if wide else number
    if first & 0x20:
        layer = data.next()
        told |= {"temporal_id": layer >> 5, "switch_up": layer >> 4 & 1, "spatial_id": layer >> 1 & 7}
        if not first & 0x10:
            told |= {"tl0_offset": data.at, "tl0_picture_index": data.next()}
    if first & 0x50 == 0x50 and data.next() & 1 and data.next() & 1 and data.next() & 1:
        raise _Refused
    if first & 0x02:
        structure = data.next()
        layers = (structure >> 5) + 1
        for _ in range((structure >> 5) + 1 if structure & 0x10 else 0):
            width, height = data.next(2), data.next(2)
        for _ in range(data.next() if structure & 0x08 else 0):
            data.next(data.next() >> 2 & 3)
    if data.at >= len(payload) or data.at > 255:
        raise _Refused
    start = first >> 3 & 1
    inter = first >> 6 & 1
    keyframe = int(start and not inter and told.get("spatial_id", 0) == 0)
    told |= {"frame_start": start, "frame_end": first >> 2 & 1, "inter_picture": inter, "descriptor_len": data.at}
    if keyframe:
        told |= {"keyframe": 1, "width": width, "height": height, "layers": layers}
    return PayloadInfo(**told)


def _sps_size(body: bytes) -> tuple[int, int]:
    bits = BitReader(unescaped(body))
    profile, chroma = bits.read(8), 1
    bits.read(16)
    bits.golomb()
    if profile in {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}:
        chroma = _read_chroma(bits)
    bits.golomb()
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    if kind == 1:
        bits.read()
        bits.golomb(), bits.golomb()
        cycle = bits.golomb()
        if cycle > 255:
            return 0, 0
        for _ in range(cycle):
            bits.golomb()
    bits.golomb()
    bits.read()
    columns, rows, frames_only = bits.golomb() + 1, bits.golomb() + 1, bits.read()
    bits.read(1 if frames_only else 2)
    crop = [bits.golomb() for _ in range(4)] if bits.read() else [0] * 4
    fields = 2 - frames_only
    width, height = columns * 16, rows * 16 * fields
    cut_x = (crop[0] + crop[1]) * (2 if chroma in (1, 2) else 1)
    cut_y = (crop[2] + crop[3]) * (2 if chroma == 1 else 1) * fields
    if cut_x >= width or cut_y >= height or columns > 4095 or rows > 2047 or width > 65535 or height > 65535:
        return 0, 0
    return width - cut_x, height - cut_y


def _read_chroma(bits: BitReader) -> int:
    chroma = bits.golomb()
    separate = bits.read() if chroma == 3 else 0
    bits.golomb(), bits.golomb()
    bits.read()
    if bits.read():
        for i in range(12 if chroma == 3 else 8):
            if bits.read():
                last, following = 8, 8
                for _ in range(16 if i < 6 else 64):
                    if following:
                        following = (last + bits.signed_golomb()) % 256
                    last = following or last
    return 0 if separate else chroma


def unescaped(data: bytes) -> bytes:
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros >= 2 and byte == 3:
            zeros = 0
            continue
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def _read_nal(kind: int, body: bytes, info: PayloadInfo) -> PayloadInfo:
    if kind in (6, 7, 8, 9) or (1 <= kind <= 5 and body[:1] >= b"\x80"):
        info = replace(info, frame_start=1)
    if kind == SPS:
        info = replace(info, keyframe=1)
        with suppress(EndOfBits):
            if not info.width:
                width, height = _sps_size(body)
                info = replace(info, width=width, height=height)
    return info


def _read_h264(payload: bytes) -> PayloadInfo:
    data = _Bytes(payload)
    first = data.next()
    kind, info = first & 31, PayloadInfo()
    kinds = [kind]
    if kind == 24:
        kinds = []
        while data.at < len(payload) or not kinds:
            size = data.next(2)
            unit = payload[data.at : data.at + size]
            data.next(size)
            if not unit:
                raise _Refused
            kinds.append(unit[0] & 31)
            info = _read_nal(kinds[-1], unit[1:], info)
    elif kind == 28:
        fragment = data.next()
        kinds = [fragment & 31]
        if fragment & 0x80:
            info = _read_nal(kinds[0], payload[2:], info)
    elif 1 <= kind <= 23:
        info = _read_nal(kind, payload[1:], info)
    else:
        raise _Refused
    return replace(info, discardable=int(not first & 0x60 and any(1 <= k <= 5 for k in kinds)))


def _read_leb128(data: _Bytes) -> int:
    value = 0
    for i in range(8):
        byte = data.next()
        value |= (byte & 127) << 7 * i
        if not byte & 128:
            return value
    raise _Refused


def _av1_size(body: bytes) -> tuple[int, int]:
    bits = BitReader(body)
    bits.read(4)
    model, delay = 0, 0
    if bits.read():
        bits.read(5)
    else:
        if bits.read():
            bits.read(64)
            if bits.read():
                bits.golomb()
            model = bits.read()
            if model:
                delay = bits.read(5) + 1
                bits.read(42)
        displayed = bits.read()
        for _ in range(bits.read(5) + 1):
            bits.read(12)
            bits.read(1 if bits.read(5) > 7 else 0)
            bits.read(delay * 2 + 1 if model and bits.read() else 0)
            bits.read(4 if displayed and bits.read() else 0)
    wide, high = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(wide) + 1, bits.read(high) + 1
    return (width, height) if max(width, height) <= 65535 else (0, 0)


def _read_obu(unit: bytes, info: PayloadInfo) -> PayloadInfo:
    """`keyframe` set where a sequence header begins."""
    data = _Bytes(unit)
    header = data.next()
    kind = header >> 3 & 15
    if header & 4:
        layer = data.next()
        if kind != SEQUENCE_HEADER:
            info = replace(info, temporal_id=layer >> 5, spatial_id=layer >> 3 & 3)
    if kind in (SEQUENCE_HEADER, FRAME_HEADER, FRAME):
        info = replace(info, frame_start=1)
    size = len(unit)
    if header & 2:
        with suppress(_Refused):
            size = _read_leb128(data)
    if kind == SEQUENCE_HEADER:
        info = replace(info, keyframe=1)
        body = unit[data.at :]
        with suppress(EndOfBits):
            width, height = _av1_size(body[:size] if size <= len(body) else body)
            info = replace(info, width=width or info.width, height=height or info.height)
    return info


def _read_av1(payload: bytes) -> PayloadInfo:
    data = _Bytes(payload)
    first = data.next()
    if len(payload) < 2 or first & 0x88 == 0x88:
        raise _Refused
    count, number, info = first >> 4 & 3, 0, PayloadInfo()
    while data.at < len(payload) or number < count:
        number += 1
        size = len(payload) - data.at if number == count else _read_leb128(data)
        unit = payload[data.at : data.at + size]
        data.next(size)
        if unit and not (number == 1 and first & 0x80):
            info = _read_obu(unit, info)
    keyframe = info.keyframe & first >> 3
    info = replace(info, keyframe=keyframe, descriptor_len=1)
    return info if keyframe else replace(info, width=0, height=0)


def _read_red(payload: bytes) -> PayloadInfo:
    data, repeated = _Bytes(payload), 0
    while (kind := data.next()) & 0x80:
        repeated += data.next(3) & 0x3FF
    data.next(repeated)
    if data.at == len(payload):
        raise _Refused
    return PayloadInfo(primary_type=kind, primary=data.at)


_READERS: dict[CodecId, Callable[[bytes], PayloadInfo]] = {
    CodecId.OPUS: lambda _: PayloadInfo(),
    CodecId.RED: _read_red,
    CodecId.VP8: _read_vp8,
    CodecId.VP9: _read_vp9,
    CodecId.H264_BASELINE: _read_h264,
    CodecId.H264_HIGH: _read_h264,
    CodecId.AV1: _read_av1,
}


def read_payload(codec: CodecId, payload: bytes) -> PayloadInfo | None:
    """What C's `payload_read` tells; None for what it refuses."""
    try:
        return _READERS[codec](payload)
    except _Refused:
        return None
