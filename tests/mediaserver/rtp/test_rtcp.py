"""RTCP read and written: bytes from the RFCs' layouts, round trips, and everything that is cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.errors import MalformedPacket
from mediaserver.rtp.rtcp import (
    Bye,
    Description,
    Fir,
    Nack,
    Other,
    Packet,
    Pli,
    ReceiverReport,
    Remb,
    ReportBlock,
    SenderReport,
    read_compound,
    write_compound,
)
from mediaserver.rtp.transport_feedback import TransportFeedback

BLOCK = ReportBlock(0x11223344, 12, -3, 0x0001FFFE, 77, 0xAABBCCDD, 65536)
ONE_OF_EACH: list[Packet] = [
    SenderReport(1, 0x0123456789ABCDEF, 90000, 5, 5000, (BLOCK,)),
    ReceiverReport(2, (BLOCK, BLOCK)),
    Description(((1, "someone"), (2, "abc"), (3, ""))),
    Nack(1, 2, (65534, 65535, 0, 14, 15)),
    Pli(1, 2),
    Fir(1, ((2, 3), (4, 5))),
    Remb(1, 2_500_000 >> 4 << 4, (7, 8)),
    TransportFeedback(1, 2, 65535, 9, 0xFFFFFF, (3, None, 1000, 990, None, 991)),
    Other(207, 3, bytes(8)),
    Bye((1, 2)),
]


@pytest.mark.parametrize("packet", ONE_OF_EACH, ids=lambda p: type(p).__name__)
def test_what_is_written_is_read_again(packet: Packet) -> None:
    assert read_compound(write_compound([packet])) == [packet]


def test_a_compound_packet_is_read_in_its_order() -> None:
    assert read_compound(write_compound(ONE_OF_EACH)) == ONE_OF_EACH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("81ce0002 00000001 00000002", Pli(1, 2), id="PLI"),
        pytest.param("81cd0003 00000001 00000002 fffe8003", Nack(1, 2, (65534, 65535, 0, 14)), id="NACK over the wrap"),
        pytest.param("84ce0004 00000001 00000000 00000009 05000000", Fir(1, ((9, 5),)), id="FIR"),
        pytest.param("8fce0005 00000001 00000000 52454d42 010e847a 00000007", Remb(1, 0x2847A << 3, (7,)), id="REMB"),
        pytest.param("81ca0003 00000001 01026162 00000000", Description(((1, "ab"),)), id="SDES"),
        pytest.param("a1cb0002 00000001 00000004", Bye((1,)), id="padding is taken off"),
        pytest.param(
            "8fcd0006 00000001 00000002 00050003 00000a07 20030401 05000000",
            TransportFeedback(1, 2, 5, 7, 10, (4, 5, 10)),
            id="transport-wide feedback, a run of near times",
        ),
        pytest.param(
            "8fcd0005 00000001 00000002 00050003 00000a07 a8000408",
            TransportFeedback(1, 2, 5, 7, 10, (4, None, 12)),
            id="transport-wide feedback, a vector of bits",
        ),
    ],
)
def test_bytes_of_the_formats_are_read(text: str, expected: Packet) -> None:
    assert read_compound(bytes.fromhex(text)) == [expected]


@pytest.mark.parametrize("packet", ONE_OF_EACH, ids=lambda p: type(p).__name__)
def test_a_packet_that_is_cut_off_is_refused(packet: Packet) -> None:
    data = write_compound([packet])
    for size in range(1, len(data)):
        with pytest.raises(MalformedPacket):
            read_compound(data[:size])


@given(st.binary(max_size=200))
def test_strange_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_compound(data)
    except MalformedPacket:
        return


@given(st.binary(max_size=80), st.sampled_from(sorted(range(200, 207))), st.integers(0, 63))
def test_strange_bodies_are_read_or_refused(body: bytes, kind: int, first: int) -> None:
    body = body[: len(body) // 4 * 4]
    try:
        read_compound(bytes([0x80 | first, kind]) + (len(body) // 4).to_bytes(2) + body)
    except MalformedPacket:
        return


@given(st.lists(st.none() | st.integers(-30000, 30000), min_size=1, max_size=400), st.integers(0, 65535))
def test_feedback_of_any_pattern_is_read_again(times: list[int | None], base: int) -> None:
    arrivals = tuple(None if t is None else i + abs(t) // 2 for i, t in enumerate(times))
    feedback = TransportFeedback(1, 2, base, 0, 77, arrivals)
    assert read_compound(write_compound([feedback])) == [feedback]
