"""header.c and its twin mediaserver/rtp/packet.py against the same tables."""

from collections.abc import Callable
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.errors import MalformedPacket
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.packet import (
    Elements,
    RtpPacket,
    payload_length,
    read_header,
    read_packet,
    write_extensions,
    write_packet,
)
from tests.support.native import Parsers

KINDS = {1: Extension.MID, 3: Extension.RID, 14: Extension.TRANSPORT_CC, 20: Extension.DEPENDENCY_DESCRIPTOR}

Fields = dict[str, object]
ReadHeader = Callable[[bytes], Fields | None]


def twin_read_header(packet: bytes) -> Fields | None:
    try:
        header = read_header(packet)
    except MalformedPacket:
        return None
    known = [(KINDS[number], value) for number, value in header.extensions if number in KINDS and value]
    return {
        "timestamp": header.timestamp,
        "ssrc": header.ssrc,
        "sequence": header.sequence,
        "header_len": header.length,
        "payload_type": header.payload_type,
        "marker": header.marker,
        "has_padding": header.padded,
        "extensions": dict(known),
    }


def twin_payload_length(packet: bytes) -> int:
    try:
        return payload_length(packet, read_header(packet))
    except MalformedPacket:
        return -1


@pytest.fixture(params=["native", "twin"])
def read(request: pytest.FixtureRequest, parsers: Parsers) -> ReadHeader:
    return twin_read_header if request.param == "twin" else lambda packet: parsers.read_header(packet, KINDS)


@pytest.fixture(params=["native", "twin"])
def length_of(request: pytest.FixtureRequest, parsers: Parsers) -> Callable[[bytes], int]:
    return twin_payload_length if request.param == "twin" else parsers.payload_length


@pytest.fixture(params=["native", "twin"])
def write(request: pytest.FixtureRequest, parsers: Parsers) -> Callable[[Elements], bytes | None]:
    return write_extensions if request.param == "twin" else parsers.write_extensions


def packet(*, first: int = 0x80, second: int = 96, rest: bytes = b"") -> bytes:
    return pack("!BBHII", first, second, 0x1234, 0x89ABCDEF, 0xFEEDC0DE) + rest


def extended(block: bytes, *, form: int = 0xBEDE, words: int | None = None, payload: bytes = b"payload") -> bytes:
    block += bytes(-len(block) % 4)
    return packet(first=0x90, rest=pack("!HH", form, len(block) // 4 if words is None else words) + block + payload)


def test_reads_every_field_of_the_fixed_header(read: ReadHeader) -> None:
    assert read(packet(second=0x80 | 111, rest=b"payload")) == {
        "timestamp": 0x89ABCDEF,
        "ssrc": 0xFEEDC0DE,
        "sequence": 0x1234,
        "header_len": 12,
        "payload_type": 111,
        "marker": 1,
        "has_padding": 0,
        "extensions": {},
    }


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(packet()[:11], id="shorter than the fixed header"),
        pytest.param(packet(first=0x40), id="version 1"),
        pytest.param(packet(first=0xC0), id="version 3"),
        pytest.param(packet(first=0x82, rest=bytes(7)), id="contributing sources beyond the end"),
        pytest.param(packet(first=0x90, rest=bytes(3)), id="extension's header beyond the end"),
        pytest.param(extended(bytes(8), words=3, payload=b""), id="extension beyond the end"),
        pytest.param(extended(bytes(8), words=0xFFFF, payload=b""), id="extension of the greatest length"),
        pytest.param(packet(rest=bytes(65536 - 12)), id="longer than any datagram"),
    ],
)
def test_refuses_what_is_no_rtp_packet(read: ReadHeader, data: bytes) -> None:
    assert read(data) is None


MID, RID = Extension.MID, Extension.RID


@pytest.mark.parametrize(
    ("data", "header_len", "extensions"),
    [
        pytest.param(packet(first=0x8F, rest=bytes(60)), 72, {}, id="fifteen contributing sources"),
        pytest.param(extended(b""), 16, {}, id="empty extension"),
        pytest.param(extended(b"\x10\x30\x32q"), 20, {MID: b"0"}, id="the last value lies beyond the block"),
        pytest.param(extended(b"\x11\x30\x31\x31hq"), 24, {MID: b"01", RID: b"hq"}, id="two elements"),
        pytest.param(extended(b"\0\x10\x30\0\0\x30q\0"), 24, {MID: b"0", RID: b"q"}, id="padding anywhere"),
        pytest.param(extended(b"\x1f" + bytes(range(16))), 36, {MID: bytes(range(16))}, id="sixteen bytes"),
        pytest.param(extended(b"\x51ab\x30q"), 24, {RID: b"q"}, id="unknown element is passed over"),
        pytest.param(extended(b"\x10a\xf0\0\x30q"), 24, {MID: b"a"}, id="id 15 ends it"),
        pytest.param(extended(b"\x10a\x01\0\x30q"), 24, {MID: b"a"}, id="id 0 with a length ends it"),
        pytest.param(extended(b"\x10a\x10b"), 20, {MID: b"b"}, id="the later of two wins"),
        pytest.param(extended(b"\x14a\x30q"), 20, {}, id="first one too long"),
        pytest.param(extended(b"\x01\x02ab", form=0x1000), 20, {MID: b"ab"}, id="two-byte form"),
        pytest.param(extended(b"\x01\x02ab", form=0x100A), 20, {MID: b"ab"}, id="two-byte form with application bits"),
        pytest.param(
            extended(b"\x14\x11" + bytes(17) + b"\0\x01\x01a", form=0x1000),
            40,
            {Extension.DEPENDENCY_DESCRIPTOR: bytes(17), MID: b"a"},
            id="two-byte form with a long value and padding",
        ),
        pytest.param(extended(b"\x01\x00\x03\x01q", form=0x1000), 24, {RID: b"q"}, id="two-byte form, empty value"),
        pytest.param(extended(b"\x01\x01a\x03", form=0x1000), 20, {MID: b"a"}, id="two-byte form, id without length"),
        pytest.param(extended(b"\x01\x01a\0\x03\x09q\0", form=0x1000), 24, {MID: b"a"}, id="two-byte form, too long"),
        pytest.param(extended(b"\x10a\0\0", form=0xABAC), 20, {}, id="another form is passed over"),
    ],
)
def test_finds_the_payload_and_the_extensions(
    read: ReadHeader, data: bytes, header_len: int, extensions: dict[Extension, bytes]
) -> None:
    fields = read(data)
    assert fields is not None
    assert fields["header_len"] == header_len
    assert fields["extensions"] == extensions


@pytest.mark.parametrize(
    ("data", "length"),
    [
        pytest.param(packet(rest=b"payload"), 7, id="no padding"),
        pytest.param(packet(), 0, id="no payload"),
        pytest.param(packet(first=0xA0, rest=b"payload\0\0\3"), 7, id="three bytes of padding"),
        pytest.param(packet(first=0xA0, rest=b"payload\1"), 7, id="one byte of padding"),
        pytest.param(packet(first=0xA0, rest=bytes(254) + b"\xff"), 0, id="nothing but padding"),
        pytest.param(packet(first=0xA0, rest=b"payload\0"), -1, id="padding of no bytes"),
        pytest.param(packet(first=0xA0, rest=b"abc\5"), -1, id="padding longer than the payload"),
        pytest.param(packet(first=0xA0), -1, id="padding in no payload"),
    ],
)
def test_takes_padding_off_the_payload(length_of: Callable[[bytes], int], data: bytes, length: int) -> None:
    assert length_of(data) == length


@pytest.mark.parametrize(
    ("elements", "block"),
    [
        pytest.param((), b"", id="none"),
        pytest.param(((1, b"0"),), b"\xbe\xde\0\1\x10\x30\0\0", id="padded to four bytes"),
        pytest.param(((14, b"abc"),), b"\xbe\xde\0\1\xe2abc", id="the highest one-byte id, no padding"),
        pytest.param(((1, bytes(16)),), b"\xbe\xde\0\5\x1f" + bytes(19), id="the longest one-byte value"),
        pytest.param(((1, b"a"), (15, b"b")), b"\x10\0\0\2\1\1a\x0f\1b\0\0", id="id 15 needs two bytes"),
        pytest.param(((1, bytes(17)),), b"\x10\0\0\5\1\x11" + bytes(18), id="a long value needs two bytes"),
        pytest.param(((1, b""),), b"\x10\0\0\1\1\0\0\0", id="an empty value needs two bytes"),
    ],
)
def test_writes_the_smallest_form_that_fits(
    write: Callable[[Elements], bytes | None], elements: Elements, block: bytes
) -> None:
    assert write(elements) == block


@pytest.mark.parametrize("room", range(20))
def test_never_writes_an_extension_into_too_small_a_room(parsers: Parsers, room: int) -> None:
    assert parsers.write_extensions(((1, b"0123456789"), (3, b"abc")), room) is None


def test_an_element_without_an_id_is_not_written(parsers: Parsers) -> None:
    assert parsers.write_extensions(((0, b"abc"),)) is None
    with pytest.raises(ValueError, match="does not fit"):
        write_extensions(((0, b"abc"),))


values = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=40)), max_size=6).map(tuple)


@given(elements=values)
def test_both_write_the_same_extensions(parsers: Parsers, elements: Elements) -> None:
    assert parsers.write_extensions(elements) == write_extensions(elements)


@given(data=st.binary(max_size=120), first=st.sampled_from([0x80, 0x90, 0x93, 0xB0]), form=st.integers(0, 2))
def test_both_read_the_same_from_any_bytes(parsers: Parsers, data: bytes, first: int, form: int) -> None:
    if data and len(data) > 16:
        block = [b"\xbe\xde", b"\x10\x00", data[12:14]][form] + bytes([0, data[15] % 16])
        data = bytes([first]) + data[1:12] + bytes(4 * (first & 15)) + block + data[16:]
    fields = parsers.read_header(data, KINDS)
    assert fields == twin_read_header(data)
    if fields is not None:
        assert parsers.payload_length(data) == twin_payload_length(data)


@given(
    st.builds(
        RtpPacket,
        st.integers(0, 127),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=50),
        st.booleans(),
        st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
        values,
        st.integers(0, 255),
    )
)
def test_a_packet_that_was_written_reads_back_as_it_was(rtp: RtpPacket) -> None:
    assert read_packet(write_packet(rtp)) == rtp


@pytest.mark.parametrize(
    "rtp",
    [
        pytest.param(RtpPacket(128, 0, 0, 0), id="payload type"),
        pytest.param(RtpPacket(0, 0, 0, 0, padding=256), id="padding"),
        pytest.param(RtpPacket(0, 0, 0, 0, csrcs=(0,) * 16), id="contributing sources"),
        pytest.param(RtpPacket(0, 0, 0, 0, extensions=((256, b""),)), id="extension id"),
    ],
)
def test_values_too_great_for_their_field_are_refused(rtp: RtpPacket) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        write_packet(rtp)
