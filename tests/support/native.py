"""The native parsers and the SRTP framing as Python functions: compiled for the test run, reached through ctypes.

Only for tests; they see the C functions one by one, which the extension module does not offer. Each wrapper gives a
function exactly the bytes it is told about, in a buffer of their own.
"""

import ctypes
import subprocess
from collections.abc import Sequence
from ctypes import byref, c_int, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from pathlib import Path

from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import Extension
from tests.support.payloads import PayloadInfo

NATIVE = Path(__file__).parents[2] / "mediaserver" / "native"
TESTS = Path(__file__).parents[1] / "native"
SOURCES = ("header.c", "payload.c", "vp8.c", "vp9.c", "h264.c", "av1.c", "dependency.c")  # srtp.c comes by sessions.c

MALFORMED, REPLAYED, TOO_OLD, UNAUTHENTIC, NO_ROOM = -1, -2, -3, -4, -5
AES128_CM_SHA1_80, AEAD_AES_128_GCM, AEAD_AES_256_GCM = 1, 7, 8
KEY_LENGTHS = {AES128_CM_SHA1_80: 30, AEAD_AES_128_GCM: 28, AEAD_AES_256_GCM: 44}
RTP_OVERHEAD = {AES128_CM_SHA1_80: 10, AEAD_AES_128_GCM: 16, AEAD_AES_256_GCM: 16}


class _ExtValue(ctypes.Structure):
    _fields_ = (("offset", c_uint16), ("len", c_uint8))


class _Header(ctypes.Structure):
    _fields_ = (
        ("timestamp", c_uint32),
        ("ssrc", c_uint32),
        ("sequence", c_uint16),
        ("header_len", c_uint16),
        ("payload_type", c_uint8),
        ("marker", c_uint8),
        ("has_padding", c_uint8),
        ("ext", _ExtValue * 8),
    )


class _ExtElement(ctypes.Structure):
    _fields_ = (("id", c_uint8), ("len", c_uint8), ("value", ctypes.c_char_p))


class _PayloadInfo(ctypes.Structure):
    _fields_ = (
        ("keyframe", c_uint8),
        ("frame_start", c_uint8),
        ("temporal_id", c_uint8),
        ("spatial_id", c_uint8),
        ("discardable", c_uint8),
        ("width", c_uint16),
        ("height", c_uint16),
        ("picture_id_offset", c_uint8),
        ("picture_id_bits", c_uint8),
        ("picture_id", c_uint16),
        ("tl0_offset", c_uint8),
        ("tl0_picture_index", c_uint8),
        ("descriptor_len", c_uint8),
        ("frame_end", c_uint8),
        ("switch_up", c_uint8),
        ("inter_picture", c_uint8),
        ("layers", c_uint8),
        ("primary_type", c_uint8),
        ("primary", c_uint16),
    )


class _DdStructure(ctypes.Structure):
    _fields_ = (
        ("offset", c_uint8),
        ("templates", c_uint8),
        ("targets", c_uint8),
        ("spatial", c_uint8 * 64),
        ("temporal", c_uint8 * 64),
        ("indications", c_uint64 * 64),
        ("target_spatial", c_uint8 * 32),
        ("target_temporal", c_uint8 * 32),
        ("spatial_layers", c_uint8),
        ("temporal_layers", c_uint8),
        ("width", c_uint16),
        ("height", c_uint16),
        ("active", c_uint32),
    )


class _DdFrame(ctypes.Structure):
    _fields_ = (
        ("start", c_uint8),
        ("end", c_uint8),
        ("spatial", c_uint8),
        ("temporal", c_uint8),
        ("has_structure", c_uint8),
        ("number", c_uint16),
        ("indications", c_uint64),
    )


class _Replay(ctypes.Structure):
    _fields_ = (("highest", c_uint64), ("seen", c_uint64 * 16), ("started", c_uint8))


class _Sender(ctypes.Structure):
    _fields_ = (("seen", c_uint64), ("ssrc", c_uint32), ("highest", c_uint32), ("heard", c_uint32))


class _RtcpReplay(ctypes.Structure):
    _fields_ = (("senders", _Sender * 128), ("clock", c_uint32))


class SrtpError(Exception):
    """Carries the negative number that a function returned."""

    @property
    def code(self) -> int:
        return self.args[0]


def build(directory: Path) -> ctypes.CDLL:
    """Compiles the shared library into `directory` and loads it."""
    library = directory / "parsers.so"
    sources = [str(NATIVE / name) for name in SOURCES] + [str(TESTS / "sessions.c")]
    compile_c("-shared", "-fPIC", *sources, "-o", str(library), "-lcrypto")
    return ctypes.CDLL(str(library))


def compile_c(*arguments: str, compiler: str = "cc") -> None:
    subprocess.run([compiler, "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", f"-I{NATIVE}", *arguments], check=True)


class Parsers:
    """`header.h` and `payload.h`."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._c = library

    def read_header(self, packet: bytes, kinds: dict[int, Extension]) -> dict[str, object] | None:
        """The fields by name, `extensions` as {kind: value}; None for what is refused."""
        header, table = _Header(), (c_uint8 * 256)()
        for number, kind in kinds.items():
            table[number] = kind
        if self._c.rtp_header_read(_exactly(packet), c_size_t(len(packet)), table, byref(header)):
            return None
        fields: dict[str, object] = {name: getattr(header, name) for name, _ in _Header._fields_[:-1]}
        values = {Extension(i): header.ext[i] for i in range(1, 8) if header.ext[i].len}
        fields["extensions"] = {kind: packet[at.offset : at.offset + at.len] for kind, at in values.items()}
        return fields

    def payload_length(self, packet: bytes) -> int:
        """-1 for an impossible padding."""
        header = _Header()
        assert not self._c.rtp_header_read(_exactly(packet), c_size_t(len(packet)), (c_uint8 * 256)(), byref(header))
        return self._c.rtp_payload_length(_exactly(packet), c_size_t(len(packet)), byref(header))

    def write_extensions(self, elements: Sequence[tuple[int, bytes]], room: int = 4096) -> bytes | None:
        """None if `room` bytes are too few."""
        array = (_ExtElement * len(elements))(*[_ExtElement(n, len(value), value) for n, value in elements])
        block = ctypes.create_string_buffer(room)
        written = self._c.rtp_extensions_write(block, c_size_t(room), array, c_size_t(len(elements)))
        return None if written < 0 else block.raw[:written]

    def read_payload(self, codec: CodecId, payload: bytes) -> PayloadInfo | None:
        """None for what is refused."""
        info = _PayloadInfo()
        failed = self._c.payload_read(c_int(codec), _exactly(payload), c_size_t(len(payload)), byref(info))
        fields = {name: getattr(info, name) for name, _ in _PayloadInfo._fields_}
        if failed:
            assert not any(fields.values()), "a refused payload leaves everything zero"
            return None
        return PayloadInfo(**fields)

    def rewrite(self, codec: CodecId, payload: bytes, picture_id: int, tl0_picture_index: int) -> bytes:
        info, copy = _PayloadInfo(), _exactly(payload)
        assert not self._c.payload_read(c_int(codec), copy, c_size_t(len(payload)), byref(info))
        self._c.payload_rewrite(copy, byref(info), c_uint16(picture_id), c_uint8(tl0_picture_index))
        return bytes(copy)

    def read_descriptors(self, descriptors: Sequence[bytes]) -> list[dict[str, object] | None]:
        """The frames of dependency descriptors that came one after the other; None for what is refused."""
        structure, frames = _DdStructure(), []
        for descriptor in descriptors:
            frame = _DdFrame()
            if self._c.dd_read(_exactly(descriptor), c_size_t(len(descriptor)), byref(structure), byref(frame)):
                frames.append(None)
                continue
            fields: dict[str, object] = {name: getattr(frame, name) for name, _ in _DdFrame._fields_[:-1]}
            fields["indications"] = "".join("-DSR"[frame.indications >> 2 * i & 3] for i in range(structure.targets))
            fields["targets"] = [
                (structure.target_spatial[i], structure.target_temporal[i]) for i in range(structure.targets)
            ]
            fields["active"] = structure.active
            fields["size"] = (structure.width, structure.height)
            frames.append(fields)
        return frames


class SrtpKey:
    """A key with its replay windows: one per SSRC for RTP, one for RTCP."""

    def __init__(self, library: ctypes.CDLL, profile: int, key: bytes, *, encrypt: bool) -> None:
        self._c = library
        library.srtp_key_new.restype = library.session_key_new.restype = c_void_p
        self._key = c_void_p(library.srtp_key_new(c_int(profile), _exactly(key), c_size_t(len(key)), c_int(encrypt)))
        if not self._key:
            raise ValueError("not a key of this profile")
        self._start()

    @classmethod
    def of_session(cls, library: ctypes.CDLL, profile: int, key: bytes, salt: bytes, *, encrypt: bool) -> "SrtpKey":
        """From session keys instead of a master key."""
        self = cls(library, profile, bytes(KEY_LENGTHS[profile]), encrypt=encrypt)
        library.srtp_key_free(self._key)
        self._key = c_void_p(library.session_key_new(c_int(profile), _exactly(key), _exactly(salt), c_int(encrypt)))
        return self

    def _start(self) -> None:
        self._replays: dict[bytes, _Replay] = {}
        self._rtcp_replay = _RtcpReplay()
        self.rtcp_index = 0
        self.index = -1  # of the last packet that was accepted

    def __del__(self) -> None:
        if getattr(self, "_key", None):
            self._c.srtp_key_free(self._key)

    def protect(self, packet: bytes, index: int, *, header: int = 12, head: int = 64, room: int | None = None) -> bytes:
        """`head`: how much of the payload comes in the first of the two pieces."""
        payload = packet[header:]
        first, second = payload[:head], payload[head:]
        size = len(packet) + 16 if room is None else room
        buffer = (c_uint8 * max(size, header)).from_buffer_copy(packet[:header].ljust(max(size, header), b"\xee"))
        written = self._c.srtp_protect(
            *(self._key, c_uint64(index), buffer, c_size_t(size), c_size_t(header)),
            *(_exactly(first), c_size_t(len(first)), _exactly(second), c_size_t(len(second))),
        )
        return _result(buffer, written)

    def unprotect(self, packet: bytes, *, header: int = 12) -> bytes:
        replay = self._replays.setdefault(packet[8:12], _Replay())
        buffer, index = _exactly(packet), c_uint64()
        written = self._c.srtp_unprotect(
            self._key, byref(replay), buffer, c_size_t(len(packet)), c_size_t(header), byref(index)
        )
        plain = _result(buffer, written)
        self.index = index.value
        return plain

    def protect_rtcp(self, packet: bytes, *, room: int | None = None) -> bytes:
        size = len(packet) + 24 if room is None else room
        buffer = (c_uint8 * max(size, len(packet))).from_buffer_copy(packet.ljust(size, b"\xee"))
        index = c_uint32(self.rtcp_index)
        written = self._c.srtcp_protect(self._key, byref(index), buffer, c_size_t(len(packet)), c_size_t(size))
        self.rtcp_index = index.value
        return _result(buffer, written)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        buffer = _exactly(packet)
        written = self._c.srtcp_unprotect(self._key, byref(self._rtcp_replay), buffer, c_size_t(len(packet)))
        return _result(buffer, written)


def derive_key(library: ctypes.CDLL, master: bytes, salt: bytes, label: int, length: int) -> bytes:
    """RFC 3711's key derivation with AES-128."""
    out = (c_uint8 * length)()
    assert not library.derive_key(_exactly(master), _exactly(salt), c_int(label), out, c_size_t(length))
    return bytes(out)


def _exactly(data: bytes) -> "ctypes.Array[c_uint8]":
    return (c_uint8 * len(data)).from_buffer_copy(data) if data else (c_uint8 * 0)()


def _result(buffer: "ctypes.Array[c_uint8]", written: int) -> bytes:
    if written < 0:
        raise SrtpError(written)
    return bytes(buffer[:written])
