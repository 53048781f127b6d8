"""Decoders and encoders: what goes in comes out, and what a stranger sends does no more than fail."""

from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.errors import MalformedPacket
from mediaserver.media.codecs import AacEncoder, AudioDecoder, AudioEncoder, VideoDecoder, VideoEncoder
from mediaserver.media.mixing import BLOCK, RATE
from mediaserver.media.pictures import Scaler, plain, views
from mediaserver.rtp.codecs import CodecId
from tests.support.pictures import code_of, coded, colour_in, loudness_of, portrait, tone
from tests.support.pictures import plain as painted

VIDEO = [CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE, CodecId.H264_HIGH, CodecId.AV1]


def whole(codec: CodecId, pictures: int = 6, key_at: int = 3) -> list[tuple[bytes, float, bool]]:
    """Each third of a second another code; the frames as data, time and whether they are key frames."""
    encoder = VideoEncoder(codec, 320, 180, 30, 400_000)
    frames = [
        frame
        for index in range(pictures)
        for frame in encoder.encode(coded(index, at=2 + index / 30), key=index == key_at)
    ]
    frames += encoder.flush()
    return [(frame.data, frame.at, frame.key) for frame in frames]


@pytest.mark.parametrize("codec", VIDEO)
def test_pictures_come_back_with_their_times(codec: CodecId) -> None:
    decoder = VideoDecoder(codec)
    pictures = [picture for data, at, _ in whole(codec) for picture in decoder.decode(data, at)]
    assert [code_of(colour_in(picture, 100, 60, 100, 60)) for picture in pictures] == list(range(6))
    assert [picture.pts * picture.time_base for picture in pictures] == [2 + Fraction(i, 30) for i in range(6)]


@pytest.mark.parametrize("codec", VIDEO)
def test_key_frames_come_when_they_are_asked_for(codec: CodecId) -> None:
    frames = whole(codec)
    assert [key for _, _, key in frames] == [True, False, False, True, False, False]
    decoder = VideoDecoder(codec)
    assert sum(len(decoder.decode(data, at)) for data, at, _ in frames[3:]) == 3


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE])
def test_a_track_may_change_its_size(codec: CodecId) -> None:
    decoder = VideoDecoder(codec)
    sizes = []
    for width, height in ((320, 180), (640, 360), (180, 320)):
        encoder = VideoEncoder(codec, width, height, 30, 400_000)
        for frame in encoder.encode(coded(1, width, height)):
            sizes += [(picture.width, picture.height) for picture in decoder.decode(frame.data, 0.0)]
    assert sizes == [(320, 180), (640, 360), (180, 320)]


@pytest.mark.parametrize("codec", VIDEO)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_cannot_be_decoded_is_malformed_and_nothing_else(codec: CodecId, data: st.DataObject) -> None:
    decoder = VideoDecoder(codec)
    frame = bytearray(FRAMES[codec])
    for _ in range(data.draw(st.integers(0, 6))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(frame[: data.draw(st.integers(0, len(frame)))])
    for piece in (broken, data.draw(st.binary(max_size=60)), FRAMES[codec]):
        try:
            assert all(picture.format.name == "yuv420p" for picture in decoder.decode(piece, 0.0))
        except MalformedPacket:
            continue


def test_an_immense_picture_is_refused() -> None:
    frame = bytearray(FRAMES[CodecId.VP8])
    frame[6:10] = (16383).to_bytes(2, "little") * 2
    with pytest.raises(MalformedPacket):
        VideoDecoder(CodecId.VP8).decode(bytes(frame), 0.0)


FRAMES = {codec: whole(codec, 1)[0][0] for codec in VIDEO}


def test_programs_keep_to_their_rate() -> None:
    encoder = VideoEncoder(CodecId.VP8, 640, 360, 30, 300_000)
    chance = np.random.default_rng(1)
    size = 0
    for index in range(90):
        picture = portrait(index % 3)
        views(picture)[0][:] += chance.integers(0, 6, (360, 640), np.uint8)
        picture.time_base, picture.pts = Fraction(1, 90_000), index * 3000
        size += sum(len(frame.data) for frame in encoder.encode(picture))
    assert size * 8 / 3 < 300_000 * 1.5


def test_sound_comes_back() -> None:
    encoder, decoder = AudioEncoder(), AudioDecoder()
    frames = [encoder.encode(tone(440, index * 0.02), 7.0 if index == 0 else None)[0] for index in range(20)]
    assert [round(frame.at, 6) for frame in frames] == [round(7 + index * 0.02, 6) for index in range(20)]
    sound = np.concatenate([decoder.decode(frame.data) for frame in frames])
    assert (sound.shape, sound.dtype) == ((20 * BLOCK, 2), np.float32)
    assert abs(loudness_of(440, sound[4 * BLOCK :]) - 0.25) < 0.02


def test_loss_is_concealed_for_a_moment_and_then_silent() -> None:
    encoder, decoder = AudioEncoder(), AudioDecoder()
    for index in range(20):
        decoder.decode(encoder.encode(tone(440, index * 0.02))[0].data)
    made_up = [float(np.abs(decoder.conceal()).max()) for _ in range(8)]
    assert made_up[0] > 0.15
    assert made_up[:5] == sorted(made_up[:5], reverse=True)
    assert made_up[5:] == [0.0, 0.0, 0.0]
    assert decoder.decode(encoder.encode(tone(440, 0.4))[0].data).any()
    assert float(np.abs(decoder.conceal()).max()) > 0.1


def test_before_the_first_packet_loss_is_silent() -> None:
    sound = AudioDecoder().conceal()
    assert (sound.shape, sound.any()) == ((BLOCK, 2), np.False_)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=4))
def test_any_packet_is_sound_or_malformed(packets: list[bytes]) -> None:
    decoder = AudioDecoder()
    for packet in packets:
        with suppress(MalformedPacket):
            assert decoder.decode(packet).shape[1] == 2
        concealed = decoder.conceal()
        assert concealed.shape[1] == 2
        assert len(concealed) <= RATE * 0.12


def test_aac_frames_follow_each_other() -> None:
    encoder = AacEncoder()
    frames = [
        frame for index in range(50) for frame in encoder.encode(tone(440, index * 0.02), 1.0 if index == 0 else None)
    ]
    assert encoder.config.hex().startswith("11")
    assert np.allclose(np.diff([frame.at for frame in frames]), 1024 / RATE)
    assert all(frame.data for frame in frames)


def test_where_the_programs_time_jumps_aac_jumps_with_it() -> None:
    encoder = AacEncoder()
    times = [0.02 * index + (30.0 if index >= 25 else 0.0) for index in range(50)]
    at = [frame.at for time in times for frame in encoder.encode(tone(440, time), time)]
    (jump,) = [index for index, step in enumerate(np.diff(at)) if step > 0.1]
    assert at[jump + 1] == pytest.approx(30.5, abs=1025 / RATE)
    assert np.allclose(np.diff(at[: jump + 1]), 1024 / RATE)


@pytest.mark.parametrize("size", [(320, 180), (640, 480), (100, 50), (322, 182)])
@pytest.mark.parametrize("crop", [(0, 0, 320, 180), (40, 0, 240, 180), (0, 20, 320, 100)])
def test_scaling_keeps_colours(size: tuple[int, int], crop: tuple[int, int, int, int]) -> None:
    planes = Scaler().scale(coded(2), crop, *size)
    assert [plane.shape for plane in planes] == [(size[1], size[0]), *[(size[1] // 2, size[0] // 2)] * 2]
    assert code_of(tuple(round(float(plane.mean())) for plane in planes)) == 2  # type: ignore[arg-type]


def test_a_crop_shows_its_part_only() -> None:
    picture = painted((50, 128, 128))
    views(picture)[0][:, 160:] = 200
    left, right = (Scaler().scale(picture, (x, 0, 160, 180), 320, 180)[0] for x in (0, 160))
    assert (float(left.mean()), float(right.mean())) == (50.0, 200.0)


def test_pictures_of_other_formats_become_plain() -> None:
    rgb = coded(1).reformat(format="rgb24")
    assert plain(rgb).format.name == "yuv420p"
    assert plain(coded(1)).format.name == "yuv420p"
