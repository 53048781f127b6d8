"""What a decoder relies on: numbers, times and picture ids that go on, whatever they carry."""

from itertools import pairwise

from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.sequence import timestamp_diff
from tests.support.payloads import read_payload
from tests.support.rtp_peer import read_tag
from tests.support.rtp_subscriber import Received, ReceivedStream


def missing(stream: ReceivedStream) -> list[int]:
    """Sequence numbers between the first and the last that never came."""
    numbers = stream.packets
    return [s for s in range(min(numbers), max(numbers) + 1) if s not in numbers] if numbers else []


def assert_continuous(stream: ReceivedStream, *, codec: CodecId = CodecId.VP8, complete: bool = True) -> None:
    """No number missing (when `complete`), times that grow frame by frame, picture ids one by one."""
    if complete:
        assert missing(stream) == []
    packets = [p for p in stream.in_order() if p.payload]
    assert packets, "nothing came"
    for before, after in pairwise(packets):
        _assert_follows(before, after, codec)


def _assert_follows(before: Received, after: Received, codec: CodecId) -> None:
    one, two = read_tag(before.payload), read_tag(after.payload)
    passed = timestamp_diff(after.timestamp, before.timestamp)
    same = (one.source, one.frame) == (two.source, two.frame)
    where = f"{before.sequence} to {after.sequence}, {one} to {two}"
    assert (passed == 0) == same, f"time moved by {passed} from {where}"
    assert passed >= 0, f"time went back from {where}"
    if codec == CodecId.VP8 and after.sequence == before.sequence + 1:
        a, b = read_payload(codec, before.payload), read_payload(codec, after.payload)
        assert a
        assert b
        step = 0 if same else 1
        bits = (1 << b.picture_id_bits) - 1
        assert (b.picture_id - a.picture_id) & bits == step, f"picture id {a.picture_id}, {b.picture_id} from {where}"
        assert (b.tl0_picture_index - a.tl0_picture_index) & 0xFF == step, f"TL0PICIDX from {where}"


def time_error(stream: ReceivedStream, codec: CodecId = CodecId.VP8) -> float:
    """The most that RTP time and capture time differ between two packets that follow each other, seconds."""
    rate = CODECS[codec].clock_rate
    packets = [p for p in stream.in_order() if p.payload]
    return max(
        abs(
            timestamp_diff(b.timestamp, a.timestamp) / rate
            - (read_tag(b.payload).captured - read_tag(a.payload).captured)
        )
        for a, b in pairwise(packets)
    )
