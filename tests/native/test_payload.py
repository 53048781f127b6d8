"""The payload readers in C and their twin in tests/support/payloads.py against the same tables."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.rtp.codecs import CodecId
from tests.support import payloads
from tests.support.native import Parsers
from tests.support.payloads import (
    FRAME,
    FRAME_HEADER,
    IDR,
    PPS,
    SEI,
    SEQUENCE_HEADER,
    SLICE,
    TEMPORAL_DELIMITER,
    TILE_GROUP,
    PayloadInfo,
    av1_payload,
    fu_a,
    nal,
    obu,
    red,
    sequence_header,
    sps,
    stap_a,
    vp8_frame,
    vp8_payload,
    vp9_payload,
)

Read = Callable[[CodecId, bytes], PayloadInfo | None]
VIDEO = (CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE, CodecId.H264_HIGH, CodecId.AV1)


@pytest.fixture(params=["native", "twin"])
def read(request: pytest.FixtureRequest, parsers: Parsers) -> Read:
    return payloads.read_payload if request.param == "twin" else parsers.read_payload


KEY = vp8_frame(keyframe=True, width=1280, height=720)
DELTA = vp8_frame()


@pytest.mark.parametrize(
    ("payload", "info"),
    [
        pytest.param(
            vp8_payload(KEY),
            PayloadInfo(keyframe=1, frame_start=1, width=1280, height=720, descriptor_len=1),
            id="key frame without anything optional",
        ),
        pytest.param(
            vp8_payload(KEY, picture_id=0x1234, tl0=7, temporal_id=0, key_index=3),
            PayloadInfo(
                keyframe=1,
                frame_start=1,
                width=1280,
                height=720,
                picture_id_offset=2,
                picture_id_bits=15,
                picture_id=0x1234,
                tl0_offset=4,
                tl0_picture_index=7,
                descriptor_len=6,
            ),
            id="key frame with everything",
        ),
        pytest.param(
            vp8_payload(DELTA, picture_id=0x7F, picture_id_bits=7, tl0=255, temporal_id=2, discardable=True),
            PayloadInfo(
                frame_start=1,
                temporal_id=2,
                discardable=1,
                picture_id_offset=2,
                picture_id_bits=7,
                picture_id=0x7F,
                tl0_offset=3,
                tl0_picture_index=255,
                descriptor_len=5,
            ),
            id="delta frame of the highest temporal layer, short picture id",
        ),
        pytest.param(
            vp8_payload(DELTA, tl0=9),
            PayloadInfo(frame_start=1, tl0_offset=2, tl0_picture_index=9, descriptor_len=3),
            id="base layer index without a picture id",
        ),
        pytest.param(
            vp8_payload(DELTA, key_index=31),
            PayloadInfo(frame_start=1, descriptor_len=3),
            id="key index alone tells no temporal layer",
        ),
        pytest.param(
            vp8_payload(KEY, start=False, picture_id=1),
            PayloadInfo(picture_id_offset=2, picture_id_bits=15, picture_id=1, descriptor_len=4),
            id="middle of a key frame",
        ),
        pytest.param(vp8_payload(KEY, partition=1), PayloadInfo(descriptor_len=1), id="start of a later partition"),
        pytest.param(
            vp8_payload(KEY[:9]),
            PayloadInfo(keyframe=1, frame_start=1, descriptor_len=1),
            id="key frame's size cut off",
        ),
        pytest.param(
            vp8_payload(KEY.replace(b"\x9d", b"\x9e")),
            PayloadInfo(keyframe=1, frame_start=1, descriptor_len=1),
            id="wrong start code",
        ),
        pytest.param(
            vp8_payload(vp8_frame(keyframe=True, width=0xC000 | 320, height=0x4000 | 180)),
            PayloadInfo(keyframe=1, frame_start=1, width=320, height=180, descriptor_len=1),
            id="scaling bits are not part of the size",
        ),
        pytest.param(
            bytes([vp8_payload(KEY)[0] | 0x48]) + KEY,
            PayloadInfo(keyframe=1, frame_start=1, width=1280, height=720, descriptor_len=1),
            id="reserved bits are ignored",
        ),
    ],
)
def test_vp8(read: Read, payload: bytes, info: PayloadInfo) -> None:
    assert read(CodecId.VP8, payload) == info


PICTURE_5 = {"picture_id_offset": 1, "picture_id_bits": 15, "picture_id": 5, "tl0_offset": 4, "frame_end": 1}


@pytest.mark.parametrize(
    ("payload", "info"),
    [
        pytest.param(
            vp9_payload(picture_id=5, layer=(0, 0), sizes=[(320, 180), (640, 360), (1280, 720)]),
            PayloadInfo(keyframe=1, frame_start=1, width=1280, height=720, descriptor_len=18, layers=3, **PICTURE_5),
            id="key frame of three spatial layers",
        ),
        pytest.param(
            vp9_payload(
                picture_id=5,
                picture_id_bits=7,
                layer=(0, 0),
                sizes=[(640, 360)],
                group=[(0, [4]), (2, [1]), (1, [2]), (2, [1, 2, 3])],
            ),
            PayloadInfo(
                keyframe=1,
                frame_start=1,
                width=640,
                height=360,
                descriptor_len=20,
                picture_id_offset=1,
                picture_id_bits=7,
                picture_id=5,
                tl0_offset=3,
                frame_end=1,
                layers=1,
            ),
            id="key frame with a picture group",
        ),
        pytest.param(
            vp9_payload(layers=3),
            PayloadInfo(keyframe=1, frame_start=1, descriptor_len=2, frame_end=1, layers=3),
            id="structure without sizes",
        ),
        pytest.param(
            vp9_payload(),
            PayloadInfo(keyframe=1, frame_start=1, descriptor_len=1, frame_end=1),
            id="nothing optional",
        ),
        pytest.param(
            vp9_payload(layer=(0, 1), tl0=7),
            PayloadInfo(frame_start=1, spatial_id=1, descriptor_len=3, tl0_offset=2, tl0_picture_index=7, frame_end=1),
            id="a key picture's upper layer starts nothing",
        ),
        pytest.param(
            vp9_payload(inter=True, picture_id=0x7FFF, layer=(2, 1), switch_up=True),
            PayloadInfo(
                frame_start=1,
                temporal_id=2,
                spatial_id=1,
                descriptor_len=5,
                picture_id_offset=1,
                picture_id_bits=15,
                picture_id=0x7FFF,
                tl0_offset=4,
                frame_end=1,
                switch_up=1,
                inter_picture=1,
            ),
            id="delta frame",
        ),
        pytest.param(
            vp9_payload(inter=True, picture_id=1, layer=(1, 0), references=[1, 2, 3]),
            PayloadInfo(
                frame_start=1,
                temporal_id=1,
                descriptor_len=7,
                picture_id_offset=1,
                picture_id_bits=15,
                picture_id=1,
                frame_end=1,
                inter_picture=1,
            ),
            id="flexible mode, three references",
        ),
        pytest.param(
            vp9_payload(picture_id=1, layer=(0, 0), references=[]),
            PayloadInfo(
                keyframe=1,
                frame_start=1,
                descriptor_len=4,
                picture_id_offset=1,
                picture_id_bits=15,
                picture_id=1,
                frame_end=1,
            ),
            id="flexible mode, key frame",
        ),
        pytest.param(vp9_payload(start=False, end=False), PayloadInfo(descriptor_len=1), id="middle of a key frame"),
        pytest.param(
            vp9_payload(inter=True, sizes=[(640, 360)]),
            PayloadInfo(frame_start=1, descriptor_len=6, frame_end=1, inter_picture=1),
            id="a delta frame's structure tells no key frame's size",
        ),
    ],
)
def test_vp9(read: Read, payload: bytes, info: PayloadInfo) -> None:
    assert read(CodecId.VP9, payload) == info


HD = PayloadInfo(keyframe=1, frame_start=1, width=1280, height=720)
BIG_SPS = sps(80, 45)
ESCAPED_SPS = sps(40, 22, level=0, number=63)
START = PayloadInfo(frame_start=1)


@pytest.mark.parametrize(
    ("payload", "info"),
    [
        pytest.param(BIG_SPS, HD, id="parameter set alone"),
        pytest.param(stap_a(BIG_SPS, nal(PPS), nal(SEI, reference=0)), HD, id="parameter sets together"),
        pytest.param(stap_a(nal(9, reference=0), BIG_SPS, nal(PPS), nal(IDR)), HD, id="a whole key frame"),
        pytest.param(fu_a(BIG_SPS, 4)[0], PayloadInfo(keyframe=1, frame_start=1), id="fragment of a parameter set"),
        pytest.param(fu_a(BIG_SPS, 4)[1], PayloadInfo(), id="a parameter set's second fragment"),
        pytest.param(nal(IDR), START, id="IDR picture without a parameter set"),
        pytest.param(fu_a(nal(IDR), 5)[0], START, id="first fragment of an IDR picture"),
        pytest.param(fu_a(nal(IDR), 5)[1], PayloadInfo(), id="its second fragment"),
        pytest.param(nal(PPS), START, id="picture parameter set"),
        pytest.param(nal(SLICE, reference=2), START, id="picture that others refer to"),
        pytest.param(nal(SLICE, body=b"\x40"), PayloadInfo(), id="a later slice"),
        pytest.param(nal(SLICE, body=b""), PayloadInfo(), id="slice without a header"),
        pytest.param(nal(SLICE, reference=0), PayloadInfo(frame_start=1, discardable=1), id="picture nobody refers to"),
        pytest.param(fu_a(nal(SLICE, reference=0), 5)[1], PayloadInfo(discardable=1), id="fragment of such"),
        pytest.param(
            stap_a(nal(SEI, reference=0), nal(SLICE, reference=0)),
            PayloadInfo(frame_start=1, discardable=1),
            id="such together with a message",
        ),
        pytest.param(nal(SEI, reference=0), START, id="a message alone is not discardable"),
        pytest.param(BIG_SPS[:6], PayloadInfo(keyframe=1, frame_start=1), id="parameter set cut off"),
        pytest.param(nal(14, body=b"\x80"), PayloadInfo(), id="prefix of an SVC stream"),
    ],
)
def test_h264(read: Read, payload: bytes, info: PayloadInfo) -> None:
    assert read(CodecId.H264_BASELINE, payload) == info
    assert read(CodecId.H264_HIGH, payload) == info


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        pytest.param(sps(120, 68, crop=(0, 0, 0, 4)), (1920, 1080), id="cropped at the bottom"),
        pytest.param(sps(120, 34, interlaced=True, crop=(0, 0, 0, 2)), (1920, 1080), id="interlaced"),
        pytest.param(sps(40, 23, profile=100, crop=(1, 1, 2, 2)), (636, 360), id="high profile"),
        pytest.param(sps(40, 22, profile=100, scaling=True), (640, 352), id="scaling lists"),
        pytest.param(sps(40, 22, profile=100, chroma=3, crop=(1, 2, 3, 4)), (637, 345), id="4:4:4"),
        pytest.param(sps(40, 22, profile=100, chroma=2, crop=(1, 0, 1, 0)), (638, 351), id="4:2:2"),
        pytest.param(sps(40, 22, profile=100, chroma=0, crop=(1, 0, 1, 0)), (639, 351), id="grey"),
        pytest.param(sps(20, 15, order_count=0), (320, 240), id="order count type 0"),
        pytest.param(sps(20, 15, order_count=1), (320, 240), id="order count type 1"),
        pytest.param(ESCAPED_SPS, (640, 352), id="with emulation prevention"),
        pytest.param(sps(4095, 1), (65520, 16), id="the greatest width"),
        pytest.param(sps(4096, 1), (0, 0), id="wider than can be told"),
        pytest.param(sps(1, 4096), (0, 0), id="higher than can be told"),
        pytest.param(sps(1, 1, crop=(4, 4, 0, 0)), (0, 0), id="cropped to nothing"),
    ],
)
def test_reads_the_size_from_an_h264_parameter_set(read: Read, unit: bytes, size: tuple[int, int]) -> None:
    info = read(CodecId.H264_HIGH, unit)
    assert info is not None
    assert (info.width, info.height) == size


def test_the_h264_tables_have_a_parameter_set_that_is_escaped() -> None:
    assert payloads.unescaped(ESCAPED_SPS) != ESCAPED_SPS


FULL = obu(SEQUENCE_HEADER, sequence_header(1280, 720))
PICTURE = obu(FRAME, b"a frame")


@pytest.mark.parametrize(
    ("payload", "info"),
    [
        pytest.param(
            av1_payload(FULL, PICTURE, new_sequence=True),
            PayloadInfo(keyframe=1, frame_start=1, width=1280, height=720, descriptor_len=1),
            id="key frame",
        ),
        pytest.param(
            av1_payload(FULL, PICTURE, new_sequence=True, count=False),
            PayloadInfo(keyframe=1, frame_start=1, width=1280, height=720, descriptor_len=1),
            id="key frame, each OBU with its length",
        ),
        pytest.param(
            av1_payload(
                obu(TEMPORAL_DELIMITER, b"", with_size=True),
                obu(SEQUENCE_HEADER, sequence_header(640, 360), with_size=True),
                obu(FRAME_HEADER, b"header", layer=(1, 2)),
                new_sequence=True,
            ),
            PayloadInfo(
                keyframe=1, frame_start=1, temporal_id=1, spatial_id=2, width=640, height=360, descriptor_len=1
            ),
            id="sizes inside the OBUs, layers told",
        ),
        pytest.param(av1_payload(PICTURE), PayloadInfo(frame_start=1, descriptor_len=1), id="delta frame"),
        pytest.param(
            av1_payload(obu(FRAME, b"x" * 300, layer=(2, 1), with_size=True)[:50], unfinished=True),
            PayloadInfo(frame_start=1, temporal_id=2, spatial_id=1, descriptor_len=1),
            id="start of a delta frame",
        ),
        pytest.param(av1_payload(b"\x32ff", continues=True), PayloadInfo(descriptor_len=1), id="rest of a frame"),
        pytest.param(
            av1_payload(b"rest", PICTURE, continues=True),
            PayloadInfo(frame_start=1, descriptor_len=1),
            id="rest of a frame, then another",
        ),
        pytest.param(av1_payload(obu(TILE_GROUP, b"tiles")), PayloadInfo(descriptor_len=1), id="tiles of a frame"),
        pytest.param(
            av1_payload(FULL, PICTURE),
            PayloadInfo(frame_start=1, descriptor_len=1),
            id="a repeated sequence header is no key frame",
        ),
        pytest.param(
            av1_payload(PICTURE, new_sequence=True),
            PayloadInfo(frame_start=1, descriptor_len=1),
            id="a new sequence without its header is no key frame",
        ),
        pytest.param(
            av1_payload(FULL[:6], unfinished=True, new_sequence=True),
            PayloadInfo(keyframe=1, frame_start=1, descriptor_len=1),
            id="sequence header cut off",
        ),
        pytest.param(
            av1_payload(b"", PICTURE), PayloadInfo(frame_start=1, descriptor_len=1), id="an empty OBU is passed over"
        ),
        pytest.param(
            b"\x00\x83\x80\x00" + obu(FRAME, b"ab"),
            PayloadInfo(frame_start=1, descriptor_len=1),
            id="a length with more bytes than it needs",
        ),
    ],
)
def test_av1(read: Read, payload: bytes, info: PayloadInfo) -> None:
    assert read(CodecId.AV1, payload) == info


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(sequence_header(854, 480, timing=True), id="timing and decoder model"),
        pytest.param(sequence_header(854, 480, points=32), id="all operating points"),
        pytest.param(sequence_header(854, 480, points=3, timing=True), id="both"),
        pytest.param(sequence_header(854, 480, still=True), id="still picture"),
    ],
)
def test_reads_the_size_from_an_av1_sequence_header(read: Read, header: bytes) -> None:
    info = read(CodecId.AV1, av1_payload(obu(SEQUENCE_HEADER, header), new_sequence=True))
    assert info is not None
    assert (info.width, info.height) == (854, 480)


def test_an_av1_picture_wider_than_can_be_told_has_no_size(read: Read) -> None:
    payload = av1_payload(obu(SEQUENCE_HEADER, sequence_header(65536, 480)), new_sequence=True)
    assert read(CodecId.AV1, payload) == PayloadInfo(keyframe=1, frame_start=1, descriptor_len=1)


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        *(pytest.param(codec, b"", id=f"{codec.name}: nothing") for codec in VIDEO),
        *(
            pytest.param(CodecId.VP8, vp8_payload(b"", picture_id=1, tl0=2, temporal_id=1)[:n], id=f"VP8: {n} bytes")
            for n in range(1, 7)
        ),
        pytest.param(CodecId.VP8, vp8_payload(b""), id="VP8: no frame"),
        *(
            pytest.param(
                CodecId.VP9,
                vp9_payload(b"", picture_id=1, layer=(0, 0), sizes=[(1, 1)], group=[(0, [1, 2])])[:n],
                id=f"VP9: {n} bytes",
            )
            for n in range(1, 15)
        ),
        pytest.param(CodecId.VP9, vp9_payload(inter=True, references=[1, 2, 3, 4]), id="VP9: four references"),
        pytest.param(CodecId.VP9, vp9_payload(group=[(0, [1])] * 127, layers=1), id="VP9: descriptor over 255 bytes"),
        pytest.param(CodecId.H264_HIGH, b"\x00abc", id="H.264: type 0"),
        pytest.param(CodecId.H264_HIGH, b"\x79abc", id="H.264: STAP-B"),
        pytest.param(CodecId.H264_HIGH, b"\x7dabc", id="H.264: FU-B"),
        pytest.param(CodecId.H264_HIGH, b"\x7fabc", id="H.264: type 31"),
        pytest.param(CodecId.H264_HIGH, b"\x7c", id="H.264: fragment without its header"),
        pytest.param(CodecId.H264_HIGH, b"\x78", id="H.264: empty aggregate"),
        pytest.param(CodecId.H264_HIGH, b"\x78\0\0", id="H.264: aggregate of an empty unit"),
        pytest.param(CodecId.H264_HIGH, b"\x78\0\3\x67a", id="H.264: unit beyond the end"),
        pytest.param(CodecId.H264_HIGH, stap_a(nal(PPS)) + b"\0", id="H.264: half a length"),
        pytest.param(CodecId.AV1, b"\x10", id="AV1: no OBU"),
        pytest.param(CodecId.AV1, av1_payload(FULL, continues=True, new_sequence=True), id="AV1: Z and N"),
        pytest.param(CodecId.AV1, b"\x00\x09abc", id="AV1: OBU beyond the end"),
        pytest.param(CodecId.AV1, b"\x00\x80\x80", id="AV1: length without an end"),
        pytest.param(CodecId.AV1, b"\x00" + b"\x80" * 8 + b"\x00\x00", id="AV1: length of nine bytes"),
        pytest.param(CodecId.AV1, b"\x30\x01a\x01b"[:-2], id="AV1: fewer OBUs than announced"),
        pytest.param(CodecId.AV1, av1_payload(b"\x34"), id="AV1: OBU header cut off"),
        pytest.param(CodecId.AV1, b"\x20\xff\xff\xff\xff\xff\xff\xff\x7fa", id="AV1: length near 2^56"),
    ],
)
def test_refuses_malformed_payloads(read: Read, codec: CodecId, payload: bytes) -> None:
    assert read(codec, payload) is None


def test_tells_nothing_of_opus(read: Read) -> None:
    assert read(CodecId.OPUS, b"sound") == read(CodecId.OPUS, b"") == PayloadInfo()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"picture_id": 1, "tl0": 2, "temporal_id": 1}, {"picture_id": 0x7ABC, "tl0": 0xEF}, id="both"),
        pytest.param(
            {"picture_id": 1, "picture_id_bits": 7}, {"picture_id": 0x3C}, id="short picture id, cut to 7 bits"
        ),
        pytest.param({"tl0": 2}, {"tl0": 0xEF}, id="base layer index alone"),
        pytest.param({}, {}, id="nothing to rewrite"),
    ],
)
def test_rewrites_vp8_numbers_where_there_are_any(
    parsers: Parsers, before: dict[str, int], after: dict[str, int]
) -> None:
    assert parsers.rewrite(CodecId.VP8, vp8_payload(KEY, **before), 0xFABC, 0xEF) == vp8_payload(
        KEY, **(before | after)
    )


@pytest.mark.parametrize(
    ("payload", "info"),
    [
        pytest.param(red(b"sound"), PayloadInfo(primary_type=111, primary=1), id="nothing repeated"),
        pytest.param(red(b"x", b"one", b"two", b""), PayloadInfo(primary_type=111, primary=19), id="three blocks"),
        pytest.param(red(b"x", b"b" * 1023, payload_type=5), PayloadInfo(primary_type=5, primary=1028), id="long"),
        pytest.param(red(b"", b"one"), None, id="no new sound"),
        pytest.param(red(b"sound", b"one")[:7], None, id="cut off"),
        pytest.param(b"\xef\0\0", None, id="header cut off"),
        pytest.param(b"\xef\0\0\0", None, id="no last header"),
    ],
)
def test_red(read: Read, payload: bytes, info: PayloadInfo | None) -> None:
    assert read(CodecId.RED, payload) == info


def test_rewrites_vp9_numbers_where_there_are_any(parsers: Parsers) -> None:
    payload = vp9_payload(inter=True, picture_id=7, layer=(1, 1), tl0=3)
    rewritten = vp9_payload(inter=True, picture_id=0x7ABC, layer=(1, 1), tl0=0xEF)
    assert parsers.rewrite(CodecId.VP9, payload, 0xFABC, 0xEF) == rewritten


samples = [
    red(b"sound", b"before", b"long before"),
    vp8_payload(KEY, picture_id=300, tl0=2, temporal_id=1, key_index=3),
    vp9_payload(picture_id=5, layer=(0, 0), sizes=[(320, 180), (640, 360)], group=[(0, [4]), (2, [1, 2])]),
    vp9_payload(inter=True, picture_id=1, layer=(1, 0), references=[1, 2, 3]),
    stap_a(sps(40, 23, profile=100, scaling=True, crop=(1, 1, 2, 2)), nal(PPS), nal(IDR)),
    sps(120, 34, interlaced=True, order_count=1),
    ESCAPED_SPS,
    fu_a(sps(40, 23), 6)[0],
    av1_payload(
        obu(SEQUENCE_HEADER, sequence_header(640, 360, timing=True), with_size=True), PICTURE, new_sequence=True
    ),
    av1_payload(obu(FRAME, b"x" * 200, layer=(2, 1)), b"more", count=False),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good payload with a few bytes changed, perhaps cut."""
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


@given(codec=st.sampled_from(CodecId), payload=st.binary(max_size=100) | damaged())
def test_both_read_the_same_from_any_bytes(parsers: Parsers, codec: CodecId, payload: bytes) -> None:
    assert parsers.read_payload(codec, payload) == payloads.read_payload(codec, payload)
