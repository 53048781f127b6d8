"""What we send ourselves comes back as it was, in packets that fit every path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.media.depacketize import Depacketizer
from mediaserver.media.packetize import MAX_PAYLOAD, Packetizer, nal_units
from mediaserver.media.timeline import NTP_EPOCH
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.packet import RtpPacket, read_packet
from tests.support.coded import pictures, tones


def read(packets: list[bytes]) -> list[RtpPacket]:
    return [read_packet(packet) for packet in packets]


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.H264_BASELINE])
def test_frames_come_back_as_they_were(codec: CodecId) -> None:
    packetizer, depacketizer = Packetizer(codec, 5, sequence=65530), Depacketizer(codec)
    for i, (data, key) in enumerate(pictures(codec, 30, (640, 360))):
        packets = read(packetizer.packets(data, i / 30))
        assert max(len(packet.payload) for packet in packets) <= MAX_PAYLOAD
        assert [packet.marker for packet in packets] == [False] * (len(packets) - 1) + [True]
        (frame,) = [f for p in packets for f in depacketizer.push(p.payload, p.timestamp, p.marker)]
        assert (frame.timestamp, frame.key) == (i * 3000, key)
        if codec is CodecId.VP8:
            assert frame.data == data
        assert nal_units(frame.data) == nal_units(data)


def test_numbers_go_on_from_frame_to_frame() -> None:
    packetizer = Packetizer(CodecId.OPUS, 5, sequence=65535, timestamp=0xFFFFFFFF)
    packets = read([p for i, data in enumerate(tones(0.1)) for p in packetizer.packets(data, i * 0.02)])
    assert [p.sequence for p in packets] == [65535, 0, 1, 2, 3]
    assert [p.timestamp for p in packets] == [0xFFFFFFFF, 959, 1919, 2879, 3839]
    assert [p.payload for p in packets] == list(tones(0.1))


def test_a_report_ties_the_stream_to_the_clock_on_the_wall() -> None:
    packetizer = Packetizer(CodecId.VP8, 5, timestamp=1000)
    packetizer.packets(b"x" * 3000, 0.0)
    report, names = rtcp.read_compound(packetizer.report(2.0, 1_700_000_000.5, "one_view"))
    assert isinstance(report, rtcp.SenderReport)
    assert (report.ssrc, report.timestamp, report.packets) == (5, 181_000, 3)
    assert report.ntp / 2**32 - NTP_EPOCH == pytest.approx(1_700_000_000.5)
    assert names == rtcp.Description(((5, "one_view"),))


@given(st.lists(st.binary(min_size=1, max_size=4000), min_size=1, max_size=5))
def test_any_units_come_back(bodies: list[bytes]) -> None:
    units = [
        bytes([0x60 | kind]) + body.replace(b"\0", b"\1") for kind, body in zip((7, 8, 5, 1, 1), bodies, strict=False)
    ]
    data = b"".join(b"\0\0\0\1" + unit for unit in units)
    packets = read(Packetizer(CodecId.H264_HIGH, 1).packets(data, 0.0))
    depacketizer = Depacketizer(CodecId.H264_HIGH)
    depacketizer.wants_key = False
    (frame,) = [f for p in packets for f in depacketizer.push(p.payload, p.timestamp, p.marker)]
    assert nal_units(frame.data) == units
