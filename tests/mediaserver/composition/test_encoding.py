"""A program in one coding: for whom it is encoded, and when its key frames come."""

import pytest

from mediaserver.composition.encoding import Encoding
from mediaserver.egress.output import Coding, EncodedFrame
from tests.support.pictures import coded


class Taker:
    def __init__(self, coding: Coding) -> None:
        self.coding = coding
        self.frames: list[EncodedFrame] = []

    def video(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)

    def audio(self, frame: EncodedFrame) -> None:
        pass

    def close(self) -> None:
        pass


def keys_of(taker: Taker) -> list[float]:
    return [round(frame.at, 3) for frame in taker.frames if frame.key]


@pytest.mark.parametrize("fps", [30, 3, 1])
def test_broadcasts_have_a_key_frame_every_two_seconds_whatever_is_left_out(fps: int) -> None:
    encoding, taker = Encoding(Coding.BROADCAST, 30), Taker(Coding.BROADCAST)
    encoding.add(taker)
    for i in range(5 * fps):
        encoding.picture(coded(1, 160, 90, at=10 + i / fps))
    assert keys_of(taker) == [10.0, 12.0, 14.0]


def test_whoever_comes_begins_with_a_key_frame_from_which_two_seconds_count() -> None:
    encoding, first, second = Encoding(Coding.BROADCAST, 30), Taker(Coding.BROADCAST), Taker(Coding.BROADCAST)
    encoding.add(first)
    for i in range(120):
        if i == 30:
            encoding.add(second)
        encoding.picture(coded(1, 160, 90, at=10 + i / 30))
    assert keys_of(first) == [10.0, 11.0, 13.0]
    assert keys_of(second) == [11.0, 13.0]
