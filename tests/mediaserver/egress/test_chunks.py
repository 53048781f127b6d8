"""Messages in chunks: whatever the cuts, they come back; what is no RTMP is malformed, and never more than bounded."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.egress import chunks
from mediaserver.egress.chunks import LATE, Message, Reader
from mediaserver.errors import MalformedPacket

messages = st.builds(
    Message,
    kind=st.sampled_from([chunks.SOUND, chunks.PICTURE, chunks.DATA, chunks.COMMAND]),
    body=st.binary(max_size=1000),
    stream=st.integers(0, 2**32 - 1),
    time_ms=st.one_of(st.integers(0, 10_000), st.integers(LATE - 2, LATE + 2), st.integers(0, 2**32 - 1)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(messages, st.integers(3, 63)), max_size=5), st.integers(1, 300))
def test_messages_come_back_whatever_the_cuts(sent: list[tuple[Message, int]], cut: int) -> None:
    reader, data = Reader(), b"".join(chunks.write(message, channel, 128) for message, channel in sent)
    found = [message for at in range(0, len(data), cut) for message in reader.feed(data[at : at + cut])]
    assert found == [message for message, _ in sent]


def test_a_reader_follows_the_size_of_chunks() -> None:
    reader, long = Reader(), Message(chunks.DATA, bytes(5000), 1, 7)
    size = Message(chunks.SET_CHUNK_SIZE, (4096).to_bytes(4))
    assert reader.feed(chunks.write(size, 2, 128) + chunks.write(long, 4, 4096)) == [size, long]


def test_messages_of_two_streams_may_be_interleaved() -> None:
    one, two = (chunks.write(Message(chunks.DATA, bytes([i]) * 200), 3 + i, 128) for i in range(2))
    head = 12 + 128
    found = Reader().feed(one[:head] + two[:head] + one[head:] + two[head:])
    assert [message.body for message in found] == [bytes(200), b"\1" * 200]


@pytest.mark.parametrize(
    ("form", "header", "expected"),
    [
        pytest.param(
            1, bytes([0, 0, 5, 0, 0, 2, chunks.SOUND]), Message(chunks.SOUND, b"ab", 9, 105), id="same stream"
        ),
        pytest.param(2, bytes([0, 0, 5]), Message(chunks.DATA, b"ab", 9, 105), id="same length"),
        pytest.param(3, b"", Message(chunks.DATA, b"ab", 9, 100), id="all the same"),
    ],
)
def test_short_headers_take_the_rest_from_the_message_before(form: int, header: bytes, expected: Message) -> None:
    first = chunks.write(Message(chunks.DATA, b"xy", 9, 100), 5, 128)
    assert Reader().feed(first + bytes([form << 6 | 5]) + header + b"ab")[1] == expected


def test_an_aborted_message_is_forgotten() -> None:
    half = chunks.write(Message(chunks.DATA, bytes(200)), 5, 128)[: 12 + 128]
    abort = chunks.write(Message(chunks.ABORT, (5).to_bytes(4)), 2, 128)
    whole = Message(chunks.DATA, b"whole")
    assert Reader().feed(half + abort + chunks.write(whole, 5, 128))[1:] == [whole]


def test_chunks_of_long_channels_are_read() -> None:
    data = chunks.write(Message(chunks.DATA, b"ab"), 3, 128)
    assert [m.body for m in Reader().feed(bytes([0, 200]) + data[1:] + bytes([1, 1, 1]) + data[1:])] == [b"ab", b"ab"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(bytes([3, 0, 0, 0, 255, 255, 255, 20]) + bytes(4), id="a message too long"),
        pytest.param(chunks.write(Message(chunks.SET_CHUNK_SIZE, bytes(4)), 2, 128), id="chunks of no bytes"),
        pytest.param(
            b"".join(
                chunks.write(Message(chunks.DATA, bytes(129)), 3, 128)[1:140].join([bytes([0, i]), b""])
                for i in range(70)
            ),
            id="too many messages at once",
        ),
    ],
)
def test_what_is_out_of_bounds_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        Reader().feed(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_messages_or_malformed(data: bytes) -> None:
    with suppress(MalformedPacket):
        for message in Reader().feed(data):
            assert len(message.body) <= chunks.MAX_MESSAGE_BYTES
