"""Packets in order to coded frames, by codec: VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184), AV1 (AV1 RTP payload
specification), Opus (RFC 7587).

Pure, and reads what a stranger sent. A frame of which something was lost is left out, and so is every one that
follows until a key frame: what refers to it would show garbage. `wants_key` tells that one has to be asked for.
Frames come as files and decoders take them: VP9 with a superframe index where it holds several layers, H.264 with
start codes (Annex B), AV1 as OBUs that have sizes, without temporal delimiters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mediaserver.errors import MalformedPacket
from mediaserver.rtp.codecs import CodecId

MAX_FRAME_BYTES = 4 << 20
START_CODE = b"\x00\x00\x00\x01"
STAP_A, FU_A, IDR, SPS = 24, 28, 5, 7  # types of NAL units
SEQUENCE_HEADER, TEMPORAL_DELIMITER, TILE_LIST, PADDING = 1, 2, 8, 15  # types of OBUs


@dataclass(frozen=True, slots=True)
class CodedFrame:
    data: bytes
    timestamp: int
    """RTP's."""
    key: bool


class _Format(Protocol):
    """How one codec's payloads become a frame."""

    def begins(self, payload: bytes) -> bool:
        """Whether a frame may begin with this packet."""

    def begins_key(self, payload: bytes) -> bool:
        """Whether a key frame begins with it for certain, though packets before it are lost."""

    def assemble(self, payloads: list[bytes]) -> tuple[bytes, bool]:
        """The frame of these payloads, and whether it needs none before it. MalformedPacket."""


class Depacketizer:
    """One stream of one codec."""

    def __init__(self, codec: CodecId) -> None:
        self.codec = codec
        self.malformed = 0
        self.wants_key = codec not in (CodecId.OPUS, CodecId.RED)
        self._format = _FORMATS[codec]()
        self._sound = not self.wants_key
        self._payloads: list[bytes] = []
        self._size = 0
        self._timestamp = -1
        self._broken = False

    def push(self, payload: bytes, timestamp: int, marker: bool, lost: int = 0) -> Iterator[CodedFrame]:
        """The frames that are complete with this packet; `lost`: packets before it that will never come."""
        if self._sound:
            if payload:
                yield CodedFrame(payload, timestamp, True)
            return
        if lost:
            self._drop()
            self.wants_key = self._broken = True
        if timestamp != self._timestamp:
            yield from self._finish()
            self._timestamp = timestamp
            begins = self._format.begins_key if lost else self._format.begins
            self._broken = not payload or not begins(payload)
        self._take(payload)
        if marker:
            yield from self._finish()

    def _take(self, payload: bytes) -> None:
        self._size += len(payload)
        if self._size > MAX_FRAME_BYTES:
            self._broken = True
        if not self._broken and payload:
            self._payloads.append(payload)

    def _finish(self) -> Iterator[CodedFrame]:
        payloads, broken, timestamp = self._payloads, self._broken, self._timestamp
        self._drop()
        self._timestamp, self._broken = -1, False
        if broken:
            self.wants_key = True
        if broken or not payloads:
            return
        try:
            data, key = self._format.assemble(payloads)
        except (MalformedPacket, IndexError):
            self.malformed += 1
            self.wants_key = True
            return
        if self.wants_key and not key:
            return
        self.wants_key = False
        if data:
            yield CodedFrame(data, timestamp, key)

    def _drop(self) -> None:
        self._payloads = []
        self._size = 0


class _Opus:
    def begins(self, payload: bytes) -> bool:
        return True

    begins_key = begins

    def assemble(self, payloads: list[bytes]) -> tuple[bytes, bool]:
        return b"".join(payloads), True


class _Vp8:
    def begins(self, payload: bytes) -> bool:
        return payload[0] & 0x17 == 0x10  # S, and of the first partition

    begins_key = begins

    def assemble(self, payloads: list[bytes]) -> tuple[bytes, bool]:
        data = b"".join(payload[_vp8_descriptor(payload) :] for payload in payloads)
        if not data:
            raise MalformedPacket("a frame without a byte")
        return data, not data[0] & 1


def _vp8_descriptor(payload: bytes) -> int:
    """Its length. RFC 7741 section 4.2."""
    if not payload[0] & 0x80:
        return 1
    extension, at = payload[1], 2
    if extension & 0x80:
        at += 2 if payload[at] & 0x80 else 1
    return at + bool(extension & 0x40) + bool(extension & 0x30)


class _Vp9:
    def begins(self, payload: bytes) -> bool:
        return bool(payload[0] & 0x08)

    def begins_key(self, payload: bytes) -> bool:
        if payload[0] & 0x48 != 0x08:
            return False
        at = 1 + ((2 if payload[1:2] > b"\x7f" else 1) if payload[0] & 0x80 else 0)
        return not payload[0] & 0x20 or (len(payload) > at and not payload[at] & 0x0E)  # the lowest spatial layer

    def assemble(self, payloads: list[bytes]) -> tuple[bytes, bool]:
        layers: list[bytes] = []
        part: list[bytes] = []
        for payload in payloads:
            part.append(payload[_vp9_descriptor(payload) :])
            if payload[0] & 0x04:  # the end of a layer's frame
                layers.append(b"".join(part))
                part = []
        if part:
            layers.append(b"".join(part))
        key = not payloads[0][0] & 0x40
        return b"".join(layers) + _superframe_index([len(layer) for layer in layers]), key


def _vp9_descriptor(payload: bytes) -> int:
    """Its length. RFC 9628 section 4.2."""
    first, at = payload[0], 1
    if first & 0x80:
        at += 2 if payload[at] & 0x80 else 1
    if first & 0x20:
        at += 1 if first & 0x10 else 2
    if first & 0x10 and first & 0x40:
        while payload[at] & 1:
            at += 1
        at += 1
    if first & 0x02:
        at = _vp9_structure(payload, at)
    if at > len(payload):
        raise MalformedPacket("a descriptor beyond its packet")
    return at


def _vp9_structure(payload: bytes, at: int) -> int:
    """Behind the scalability structure that begins at `at`."""
    head = payload[at]
    at += 1
    if head & 0x10:
        at += 4 * ((head >> 5) + 1)
    if head & 0x08:
        groups = payload[at]
        at += 1
        for _ in range(groups):
            at += 1 + (payload[at] >> 2 & 3)
    return at


def _superframe_index(sizes: list[int]) -> bytes:
    """What tells a decoder where the frames of one picture begin (VP9 bitstream specification, annex B)."""
    if len(sizes) < 2:
        return b""
    marker = bytes([0xC0 | 3 << 3 | (len(sizes) - 1)])
    return marker + b"".join(size.to_bytes(4, "little") for size in sizes) + marker


class _H264:
    def begins(self, payload: bytes) -> bool:
        return payload[0] & 31 != FU_A or bool(payload[1:2] and payload[1] & 0x80)

    def begins_key(self, payload: bytes) -> bool:
        first = payload[3:4] if payload[0] & 31 == STAP_A else payload[:1]
        return bool(first) and first[0] & 31 == SPS

    def assemble(self, payloads: list[bytes]) -> tuple[bytes, bool]:
        units = list(_nal_units(payloads))
        return b"".join(START_CODE + unit for unit in units), any(unit[0] & 31 == IDR for unit in units)


def _nal_units(payloads: list[bytes]) -> Iterator[bytes]:
    fragments: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 31
        if kind == STAP_A:
            yield from _aggregated(payload)
        elif kind == FU_A:
            if payload[1] & 0x80:
                fragments = [bytes([payload[0] & 0xE0 | payload[1] & 31])]
            if not fragments:
                raise MalformedPacket("a fragment without its beginning")
            fragments.append(payload[2:])
            if payload[1] & 0x40:
                yield b"".join(fragments)
                fragments = []
        elif 0 < kind < STAP_A:
            yield payload
        else:
            raise MalformedPacket(f"a packet of kind {kind}")


def _aggregated(payload: bytes) -> Iterator[bytes]:
    at = 1
    while at + 2 < len(payload):
        size = int.from_bytes(payload[at : at + 2])
        unit = payload[at + 2 : at + 2 + size]
        if not size or len(unit) < size:
            raise MalformedPacket("a unit beyond its packet")
        yield unit
        at += 2 + size


class _Av1:
    def begins(self, payload: bytes) -> bool:
        return not payload[0] & 0x80

    def begins_key(self, payload: bytes) -> bool:
        return payload[0] & 0x88 == 0x08  # N: of a new coded video sequence

    def assemble(self, payloads: list[bytes]) -> tuple[bytes, bool]:
        key = False
        out = []
        for unit in _obus(payloads):
            kind = unit[0] >> 3 & 15
            if kind in (TEMPORAL_DELIMITER, TILE_LIST, PADDING):
                continue
            key = key or kind == SEQUENCE_HEADER
            out.append(_with_size(unit))
        return b"".join(out), key


def _obus(payloads: list[bytes]) -> Iterator[bytes]:
    """The OBUs of a temporal unit, put together again where packets cut them."""
    begun = b""
    for payload in payloads:
        elements = list(_obu_elements(payload))
        for i, element in enumerate(elements):
            whole = begun + element if i == 0 and payload[0] & 0x80 else element
            begun = b""
            if i == len(elements) - 1 and payload[0] & 0x40:
                begun = whole
            elif whole:
                yield whole
    if begun:
        raise MalformedPacket("an OBU without its end")


def _obu_elements(payload: bytes) -> Iterator[bytes]:
    count, at, index = payload[0] >> 4 & 3, 1, 0
    while at < len(payload):
        index += 1
        size = len(payload) - at
        if index != count:
            size, at = read_leb128(payload, at)
        if at + size > len(payload):
            raise MalformedPacket("an OBU beyond its packet")
        yield payload[at : at + size]
        at += size


def _with_size(unit: bytes) -> bytes:
    """The OBU with a size field, whether it had one or not."""
    header = 1 + (unit[0] >> 2 & 1)
    if unit[0] & 2:
        size, at = read_leb128(unit, header)
        body = unit[at : at + size]
    else:
        body = unit[header:]
    return bytes([unit[0] | 2]) + unit[1:header] + write_leb128(len(body)) + body


def read_leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number and where what follows begins."""
    value = 0
    for i in range(min(8, len(data) - at)):
        byte = data[at + i]
        value |= (byte & 127) << 7 * i
        if not byte & 128:
            return value, at + i + 1
    raise MalformedPacket("a number without an end")


def write_leb128(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


_FORMATS: dict[CodecId, type[_Format]] = {
    CodecId.OPUS: _Opus,
    CodecId.VP8: _Vp8,
    CodecId.VP9: _Vp9,
    CodecId.H264_BASELINE: _H264,
    CodecId.H264_HIGH: _H264,
    CodecId.AV1: _Av1,
}
