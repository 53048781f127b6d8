"""Packets of a media socket become frames with times; what is missing is asked for."""

from mediaserver.media.depacketize import CodedFrame
from mediaserver.media.intake import KEY_AGAIN, Feed, Intake
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import pictures
from tests.support.desk import WALL, Sender

US = 77


class Taker:
    def __init__(self, *feeds: Feed) -> None:
        self.frames: list[tuple[str, CodecId, CodedFrame, float]] = []
        self.intake = Intake(US, WALL, lambda feed, *frame: self.frames.append((feed.key, *frame)))
        for feed in feeds:
            self.intake.open(feed)

    def asked(self, now: float) -> list[rtcp.Packet]:
        """Without the reports that must go in front."""
        packets = [packet for data in self.intake.due(now) for packet in rtcp.read_compound(data)]
        return [packet for packet in packets if not isinstance(packet, rtcp.ReceiverReport)]


def feed(ssrc: int = 1, *, hold: float = 0.0) -> Feed:
    return Feed(ssrc, f"key-{ssrc}", "ada", 0.2, hold)


def test_frames_come_with_their_key_codec_and_time() -> None:
    taker, sender = Taker(feed()), Sender("ada", CodecId.VP8, 1)
    for i, (data, key) in enumerate(pictures(CodecId.VP8, 5)):
        for packet in sender.packets(data, i / 30, key=key):
            taker.intake.datagram(packet, 10.0 + i / 30)
    assert [(key, codec, frame.data) for key, codec, frame, _ in taker.frames] == [
        ("key-1", CodecId.VP8, data) for data, _ in pictures(CodecId.VP8, 5)
    ]
    assert [round(at * 30) for *_, at in taker.frames] == [300, 301, 302, 303, 304]


def test_first_frames_are_held_until_a_report_has_told_their_time() -> None:
    taker, sender = Taker(feed(hold=1.0)), Sender("ada", CodecId.OPUS, 1)
    for i in range(3):
        for packet in sender.packets(b"opus", i * 0.02):
            taker.intake.datagram(packet, 10.3)
    assert taker.frames == []
    taker.intake.datagram(sender.report(0.5), 10.5)
    assert [round(at, 3) for *_, at in taker.frames] == [10.0, 10.02, 10.04]


def test_without_a_report_they_are_held_no_longer_than_agreed() -> None:
    taker, sender = Taker(feed(hold=1.0)), Sender("ada", CodecId.OPUS, 1)
    taker.intake.datagram(sender.packets(b"opus", 0.0)[0], 10.0)
    taker.asked(10.9)
    assert taker.frames == []
    taker.asked(11.0)
    assert [at for *_, at in taker.frames] == [10.0]


def test_what_is_lost_is_asked_for_and_a_key_frame_once_a_second() -> None:
    taker, sender = Taker(feed()), Sender("ada", CodecId.VP8, 1)
    packets = [
        p for i, (data, key) in enumerate(pictures(CodecId.VP8, 5)) for p in sender.packets(data, i / 30, key=key)
    ]
    for number, packet in enumerate(packets):
        if number != 1:
            taker.intake.datagram(packet, 10.0)
    assert taker.asked(10.05)[0] == rtcp.Nack(US, 1, (2,))
    taker.intake.want_key("key-1")
    assert rtcp.Pli(US, 1) in taker.asked(10.21 + KEY_AGAIN)
    assert rtcp.Pli(US, 1) not in taker.asked(10.3 + KEY_AGAIN)


def test_a_stream_goes_on_with_another_codec() -> None:
    taker = Taker(feed())
    vp8, h264 = Sender("ada", CodecId.VP8, 1), Sender("ada", CodecId.H264_BASELINE, 1)
    for sender in (vp8, h264):
        h264.sequence = vp8.sequence
        data, _ = pictures(sender.codec, 1)[0]
        for packet in sender.packets(data, 0.0):
            taker.intake.datagram(packet, 10.0)
    assert [codec for _, codec, _, _ in taker.frames] == [CodecId.VP8, CodecId.H264_BASELINE]


def test_strangers_and_garbage_are_counted() -> None:
    taker = Taker(feed())
    for data in (b"", b"\x80", bytes(12), b"\x80\xc8" + bytes(30), Sender("x", CodecId.OPUS, 5).packets(b"x", 0.0)[0]):
        taker.intake.datagram(data, 10.0)
    assert taker.intake.unknown == 5
    assert taker.frames == []


def test_a_stream_that_ends_gives_what_was_held() -> None:
    taker, sender = Taker(feed(hold=5.0)), Sender("ada", CodecId.OPUS, 1)
    taker.intake.datagram(sender.packets(b"opus", 0.0)[0], 10.0)
    taker.intake.close(1)
    assert len(taker.frames) == 1
    assert taker.intake.close(1) is None
