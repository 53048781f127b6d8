"""Inputs to begin with, by target: so that the first seconds are not spent on finding a packet's outline."""

from mediaserver.rtp.packet import RtpPacket, write_packet
from mediaserver.rtp.rtcp import (
    Description,
    Fir,
    Nack,
    Pli,
    ReceiverReport,
    Remb,
    ReportBlock,
    SenderReport,
    write_compound,
)
from mediaserver.rtp.transport_feedback import TransportFeedback, write_feedback
from tests.support.dependency import L1T3, L3T3, L3T3_KEY, descriptor
from tests.support.payloads import (
    FRAME,
    IDR,
    PPS,
    SEQUENCE_HEADER,
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

_MEDIA = tuple(
    write_packet(
        RtpPacket(96, number, 3000 * number, 0x1000, payload + bytes(-len(payload) % 5), extensions=((1, b"v"),))
    )
    for number in (5, 6, 8)
    for payload in [vp8_payload(vp8_frame(keyframe=number == 5), picture_id=number, tl0=number, temporal_id=0)]
)
_REPORT = write_compound([SenderReport(0x1000, 1 << 60, 9, 1, 1)])
_ASKING = write_compound([ReceiverReport(1), Nack(1, 0x2000, (30001,)), Pli(1, 0x2000)])

SEEDS: dict[str, tuple[bytes, ...]] = {
    "header": (
        write_packet(RtpPacket(96, 1, 2, 3, b"payload", csrcs=(1, 2), extensions=((1, b"0"), (3, b"hq")), padding=3)),
        write_packet(RtpPacket(96, 1, 2, 3, b"payload", extensions=((1, b"0"), (7, bytes(40))))),
    ),
    "vp8": (
        vp8_payload(vp8_frame(keyframe=True), picture_id=300, tl0=2, temporal_id=1, key_index=3),
        vp8_payload(vp8_frame(), picture_id=3, picture_id_bits=7),
    ),
    "vp9": (
        vp9_payload(picture_id=5, layer=(0, 0), sizes=[(320, 180), (640, 360)], group=[(0, [4]), (2, [1, 2])]),
        vp9_payload(inter=True, picture_id=1, layer=(1, 0), references=[1, 2, 3]),
    ),
    "h264": (
        stap_a(sps(40, 23, profile=100, scaling=True, crop=(1, 1, 2, 2)), nal(PPS), nal(IDR)),
        sps(120, 34, interlaced=True, order_count=1, level=0, number=63),
        fu_a(nal(IDR), 6)[0],
    ),
    "av1": (
        av1_payload(
            obu(SEQUENCE_HEADER, sequence_header(640, 360, timing=True), with_size=True),
            obu(FRAME, b"frame", layer=(1, 1)),
            new_sequence=True,
        ),
        av1_payload(obu(FRAME, b"x" * 200), b"more", count=False),
    ),
    "srtp_protect": (b"\0\x0c\x40\xff\0\1" + bytes(200), b"\1\x14\x10\x20\0\1" + bytes(60)),
    "srtp_unprotect": (b"\0\x0c\1\1" + write_packet(RtpPacket(96, 1, 2, 3, bytes(40))),),
    "srtcp_unprotect": (b"\0\1\0\0\0\7\x80\xc9\0\1\0\0\0\1" + bytes(30),),
    "core_rtcp": (
        b"\1\1\x08" + write_compound([ReceiverReport(1), Nack(1, 0x2000, (30001, 30003, 30009)), Pli(1, 0x2000)]),
        b"\1\0\x0f" + write_compound([SenderReport(0x1000, 1 << 60, 9, 1, 1), Description(((1, "abc"),))]),
        b"\2\1\x14"
        + write_compound([ReceiverReport(1, (ReportBlock(0x2000, 9, 1, 30009, 4, 5, 6),)), Fir(1, ((0x2000, 1),))]),
        b"\0\1\x0a" + write_compound([Remb(1, 500_000, (0x2000,)), TransportFeedback(1, 2, 3, 4, 5, (1, None, 900))]),
    ),
    "core_datagram": (
        b"\1"
        + b"".join(bytes([0x8D, len(p) // 5]) + p for p in _MEDIA)
        + b"\x8c\x07"
        + _ASKING[:35]
        + b"\x8b\x05"
        + _REPORT,
        b"\2\0\x04\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12) + b"\1\x03\x16\xfe\xfd" + bytes(12),
    ),
    "core_numbers": (
        # lost before padding, and repaired after the numbers began again below where it would have stood
        bytes(
            [2, 7, 0x8F, 1, 7, 3, 8, 4, 2, 0, 7, 15, 8, 3, 1, 8, 2, 2, 1, 7, 9, 1, 2, 2, 0, 7]
            + [183] * 19
            + [9, 1, 4, 200, 1, 7, 9, 1]
        ),
        bytes([1, 7, 0x8F, 3] + [7, 15, 2] * 45 + [1, 110, 3, 1, 120, 1, 1, 100, 1, 0, 9, 255]),
        bytes(
            [1, 7, 0x8F, 3] + [7, 15, 2] * 8 + [0, 5, 255, 1, 3, 2, 2, 0, 3, 23, 0x8F, 1, 0, 5, 255, 1, 9, 1, 2, 0, 0]
        ),
        bytes([1, 7, 0x8F, 1, 2, 3, 2, 7, 15, 3, 0, 3, 255, 2, 3, 5, 0, 3, 255, 6, 1, 1, 7, 0x8F, 1, 0, 20, 255]),
        bytes(
            [2, 7, 0x8F, 1, 7, 3, 8, 4, 2, 0, 7, 15, 8, 3, 1, 8, 2, 2, 1, 7, 9, 1, 2, 2, 0, 7, 9, 1, 4, 200, 1, 7, 9, 1]
        ),
        bytes([0, 7, 0x8F, 1, 13, 2, 0] + [7, 15, 2] * 9 + [13, 3, 0, 5, 1, 9, 2, 3, 70, 5, 9, 9, 0, 9, 255, 13, 0, 0]),
        bytes([0, 7, 0x8F, 1, 2, 1, 0, 5, 90, 0, 2, 0, 0, 7, 15, 1, 2, 4, 0, 7, 15, 1, 2, 5, 0, 7, 15, 1, 5, 30, 0]),
    ),
    "arrivals": (bytes([250, 0x0F, 31, 0x4F, 31, 3, 0, 0, 5, 0x97, 31, 1, 40, 7, 9, 3, 0, 2, 200, 0x0F, 9, 3, 0] * 4),),
    "departures": (
        bytes([1, 201, 40, 16, 200, 2, 20, 70, 30, 3, 25])
        + write_feedback(TransportFeedback(1, 2, 0, 30, 9, (1, None, 900, 4, 4, 5))),
    ),
    "dependency": (
        b"".join(
            bytes([len(each)]) + each
            for structure in (L1T3, L3T3, L3T3_KEY)
            for each in (descriptor(structure, 0, 1, with_structure=True), descriptor(structure, 3, 2, own="S" * 9))
        ),
    ),
    "core_layers": (
        bytes([1])
        + b"".join(
            bytes([op, len(each)]) + each
            for op, each in (
                (0x83 | 4, descriptor(L3T3, 0, 1, with_structure=True)),
                (6, descriptor(L3T3, 5, 2)),
                (0x86, descriptor(L3T3, 9, 3)),
                (7, descriptor(L3T3, 2, 4)),
                (0x87, descriptor(L3T3, 6, 5)),
            )
        )
        + bytes([0, 2, 1, 9, 2, 40]),
        bytes([1, 3, 0x82] + [4, 0x0D, 0, 4, 0x4C, 2, 4, 0xCC, 4] * 20 + [3, 0x83, 2, 3, 2, 3, 0, 1, 3, 0x80, 2, 40]),
        bytes([2]) + bytes([4, 0x0D, 0, 4, 0x4C, 2, 4, 0xCC, 4, 0, 5, 4, 0x4D, 0x20, 4, 0xCC, 0x22, 1, 3, 2, 40] * 3),
    ),
    "red": (red(b"sound", b"before", b"long before"), red(b"sound")),
    "srtp_window": (bytes([0, 21, 21, 20, 150, 130, 200, 255, 21, 19, 22] * 6),),
}
