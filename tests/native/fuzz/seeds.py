"""Inputs to begin with, by target: so that the first seconds are not spent on finding a packet's outline."""

from mediaserver.rtp.packet import RtpPacket, write_packet
from tests.support.payloads import (
    FRAME,
    IDR,
    PPS,
    SEQUENCE_HEADER,
    av1_payload,
    fu_a,
    nal,
    obu,
    sequence_header,
    sps,
    stap_a,
    vp8_frame,
    vp8_payload,
    vp9_payload,
)

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
    "srtp_window": (bytes([0, 21, 21, 20, 150, 130, 200, 255, 21, 19, 22] * 6),),
}
