"""Sizes and decoder configurations out of what real encoders make."""

from contextlib import suppress

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.errors import MalformedPacket
from mediaserver.media.depacketize import Depacketizer
from mediaserver.media.headers import codec_private, opus_head, picture_size
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import parts, pictures

PICTURES = [CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE, CodecId.AV1]


def key_frame(codec: CodecId, size: tuple[int, int]) -> bytes:
    data, _ = pictures(codec, 1, size)[0]
    return next(f.data for p, m in parts(codec, data, key=True) for f in DEPACKETIZERS[codec].push(p, 0, m))


DEPACKETIZERS = {codec: Depacketizer(codec) for codec in PICTURES}


@pytest.mark.parametrize("codec", PICTURES)
@pytest.mark.parametrize("size", [(320, 180), (640, 480), (176, 144), (856, 480), (360, 640)])
def test_the_size_is_read_from_a_key_frame(codec: CodecId, size: tuple[int, int]) -> None:
    assert picture_size(codec, key_frame(codec, size)) == size


@pytest.mark.parametrize("codec", PICTURES)
@given(data=st.binary(max_size=60))
def test_garbage_is_malformed_or_has_a_size(codec: CodecId, data: bytes) -> None:
    for read in (picture_size, codec_private):
        with suppress(MalformedPacket):
            read(codec, data)


def test_an_h264_configuration_opens_a_decoder_for_units_with_lengths() -> None:
    data = key_frame(CodecId.H264_BASELINE, (320, 180))
    private = codec_private(CodecId.H264_BASELINE, data)
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = private
    assert private[0] == 1
    assert decoder.extradata == private


def test_an_av1_configuration_names_profile_and_level_and_holds_the_sequence_header() -> None:
    private = codec_private(CodecId.AV1, key_frame(CodecId.AV1, (640, 480)))
    assert private[0] == 0x81
    assert private[1] >> 5 == 0
    assert private[4] >> 3 & 15 == 1


def test_vp8_needs_no_configuration_and_opus_says_how_many_channels() -> None:
    assert codec_private(CodecId.VP8, key_frame(CodecId.VP8, (320, 180))) == b""
    assert opus_head(1)[8:10] == b"\x01\x01"
