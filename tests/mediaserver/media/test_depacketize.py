"""Packets of every codec become the frames that were sent, or none; real encoders and decoders are the judges."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.media.depacketize import CodedFrame, Depacketizer
from mediaserver.rtp.codecs import CodecId
from tests.support import payloads
from tests.support.coded import Part, decoded, number_of, parts, pictures

PICTURES = [CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE, CodecId.AV1]


def feed(depacketizer: Depacketizer, frames: list[list[Part]], lost: frozenset[int] = frozenset()) -> list[CodedFrame]:
    """Frames of packets 1/30 s apart; `lost` counts packets from the first one."""
    out: list[CodedFrame] = []
    number = missing = 0
    for i, frame in enumerate(frames):
        for payload, marker in frame:
            if number in lost:
                missing += 1
            else:
                out += depacketizer.push(payload, i * 3000, marker, missing)
                missing = 0
            number += 1
    return out


def cut(codec: CodecId, count: int = 30) -> list[list[Part]]:
    return [parts(codec, data, key=key) for data, key in pictures(codec, count)]


@pytest.mark.parametrize("codec", PICTURES)
def test_every_frame_comes_out_and_decodes_to_its_picture(codec: CodecId) -> None:
    frames = feed(Depacketizer(codec), cut(codec))
    assert [frame.timestamp for frame in frames] == [i * 3000 for i in range(30)]
    assert [frame.key for frame in frames] == [key for _, key in pictures(codec)]
    assert [number_of(picture) for picture in decoded(codec, [frame.data for frame in frames])] == list(range(30))


@pytest.mark.parametrize("codec", PICTURES)
def test_after_a_loss_nothing_comes_until_a_key_frame(codec: CodecId) -> None:
    frames = cut(codec)
    of_the_fourth = sum(len(frame) for frame in frames[:3])
    depacketizer = Depacketizer(codec)
    out = feed(depacketizer, frames[:10] + frames, lost=frozenset({of_the_fourth}))
    shown = [number_of(picture) for picture in decoded(codec, [frame.data for frame in out])]
    assert shown == [0, 1, 2, *range(30)]
    assert not depacketizer.wants_key


@pytest.mark.parametrize("codec", PICTURES)
def test_a_late_joiner_waits_for_a_key_frame_and_says_so(codec: CodecId) -> None:
    depacketizer = Depacketizer(codec)
    assert feed(depacketizer, cut(codec)[5:]) == []
    assert depacketizer.wants_key


def test_a_frame_whose_last_packet_is_lost_is_left_out_with_all_that_follow() -> None:
    frames = [[(b"x", False)] * 0, *cut(CodecId.VP8, 3)]
    count = len(frames[1])
    out = feed(Depacketizer(CodecId.VP8), frames, lost=frozenset({count - 1}))
    assert out == []


def test_a_frame_without_a_marker_ends_where_the_next_one_begins() -> None:
    frames = [[(payload, False) for payload, _ in frame] for frame in cut(CodecId.VP8, 5)]
    assert len(feed(Depacketizer(CodecId.VP8), frames)) == 4


def test_sound_goes_through_whatever_is_lost() -> None:
    opus = Depacketizer(CodecId.OPUS)
    assert not opus.wants_key
    got = [frame for i in range(5) for frame in opus.push(bytes([i]), i * 960, False, lost=i % 2)]
    assert [frame.data for frame in got] == [bytes([i]) for i in range(5)]
    assert list(opus.push(b"", 0, False)) == []


def test_spatial_layers_of_vp9_come_as_one_superframe() -> None:
    vp9 = Depacketizer(CodecId.VP9)
    sizes = [(160, 90), (320, 180)]
    low = payloads.vp9_payload(b"low", layer=(0, 0), sizes=sizes)
    high = payloads.vp9_payload(b"higher", inter=False, layer=(0, 1))
    frame = next(iter([*vp9.push(low, 0, False), *vp9.push(high, 0, True)]))
    marker = bytes([0xC0 | 3 << 3 | 1])
    index = marker + (3).to_bytes(4, "little") + (6).to_bytes(4, "little") + marker
    assert frame.data == b"lowhigher" + index


def test_h264_units_of_every_packing_come_with_start_codes() -> None:
    sps, pps, idr = payloads.sps(20, 12), payloads.nal(8, body=b"pps"), payloads.nal(5, body=bytes(range(1, 200)))
    packets = [payloads.stap_a(sps, pps), *payloads.fu_a(idr, 60)]
    h264 = Depacketizer(CodecId.H264_HIGH)
    (frame,) = [f for i, p in enumerate(packets) for f in h264.push(p, 0, i == len(packets) - 1)]
    assert frame == CodedFrame(b"".join(b"\0\0\0\1" + unit for unit in (sps, pps, idr)), 0, True)


def test_obus_without_use_are_left_out_and_sizes_are_put_in() -> None:
    header = payloads.obu(payloads.SEQUENCE_HEADER, payloads.sequence_header(320, 180))
    delimiter, frame = payloads.obu(2, b""), payloads.obu(payloads.FRAME, bytes(300), layer=(0, 0))
    av1 = Depacketizer(CodecId.AV1)
    (out,) = av1.push(payloads.av1_payload(delimiter, header, frame, new_sequence=True), 0, True)
    sized = [payloads.obu(payloads.SEQUENCE_HEADER, payloads.sequence_header(320, 180), with_size=True)]
    sized.append(payloads.obu(payloads.FRAME, bytes(300), layer=(0, 0), with_size=True))
    assert out.data == b"".join(sized)


@given(st.sampled_from(PICTURES), st.frozensets(st.integers(0, 60), max_size=8))
def test_whatever_is_lost_what_comes_out_is_what_was_sent(codec: CodecId, lost: frozenset[int]) -> None:
    sent = {i * 3000: data for i, (data, _) in enumerate(feed_data(codec))}
    for frame in feed(Depacketizer(codec), cut(codec), lost):
        assert sent[frame.timestamp] == frame.data


def feed_data(codec: CodecId) -> list[Part]:
    """Frames as they come without a loss."""
    return [(frame.data, frame.key) for frame in feed(Depacketizer(codec), cut(codec))]


@given(st.sampled_from(list(PICTURES)), st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=30))
def test_garbage_never_raises(codec: CodecId, packets: list[Part]) -> None:
    depacketizer = Depacketizer(codec)
    for i, (payload, marker) in enumerate(packets):
        list(depacketizer.push(payload, i // 3, marker))


@pytest.mark.parametrize("codec", PICTURES)
def test_flipped_bits_never_raise(codec: CodecId) -> None:
    random = Random(5)
    for _ in range(200):
        depacketizer = Depacketizer(codec)
        for payload, marker in cut(codec, 2)[random.randrange(2)]:
            broken = bytearray(payload)
            broken[random.randrange(min(20, len(broken)))] ^= 1 << random.randrange(8)
            list(depacketizer.push(bytes(broken), 0, marker))


def test_a_frame_has_a_largest_size() -> None:
    vp8 = Depacketizer(CodecId.VP8)
    start = payloads.vp8_payload(payloads.vp8_frame(keyframe=True) + bytes(60_000))
    more = payloads.vp8_payload(bytes(60_000), start=False)
    got = [f for i in range(100) for f in vp8.push(more if i else start, 0, i == 99)]
    assert got == []
    assert vp8.wants_key
