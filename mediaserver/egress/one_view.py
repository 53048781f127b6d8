"""The composite back into the conference, as the packets of a stream like any other.

An `Output` of a program: makes packets of its frames and hands them to the media socket, with a sender report every
second that ties sound and picture together. Who wants a key frame asks for it as of anybody (PLI).
"""

from collections.abc import Callable
from dataclasses import dataclass

from mediaserver.egress.output import Coding, EncodedFrame
from mediaserver.media.packetize import Packetizer
from mediaserver.rtp.codecs import CodecId

REPORT_EVERY = 1.0  # seconds
NAME = "one_view"


class OneView:
    """`wall_offset`: wall clock minus the clock of the program."""

    coding = Coding.CALL

    def __init__(self, video_ssrc: int, audio_ssrc: int, wall_offset: float, send: Callable[[bytes], None]) -> None:
        self._picture = _Stream(Packetizer(self.coding.codec, video_ssrc), wall_offset, send)
        self._sound = _Stream(Packetizer(CodecId.OPUS, audio_ssrc), wall_offset, send)

    def video(self, frame: EncodedFrame) -> None:
        self._picture.put(frame)

    def audio(self, frame: EncodedFrame) -> None:
        self._sound.put(frame)

    def close(self) -> None:
        """Nothing is left behind."""


class Ear:
    """What one listener hears instead: a stream of sound of its own."""

    def __init__(self, ssrc: int, wall_offset: float, send: Callable[[bytes], None]) -> None:
        self._sound = _Stream(Packetizer(CodecId.OPUS, ssrc), wall_offset, send)

    def audio(self, frame: EncodedFrame) -> None:
        self._sound.put(frame)


@dataclass(slots=True)
class _Stream:
    """One stream, with its reports."""

    packetizer: Packetizer
    wall_offset: float
    send: Callable[[bytes], None]
    began: float | None = None
    reported_at: float = float("-inf")

    def put(self, frame: EncodedFrame) -> None:
        if self.began is None:
            self.began = frame.at
        since = frame.at - self.began
        for packet in self.packetizer.packets(frame.data, since):
            self.send(packet)
        if frame.at - self.reported_at >= REPORT_EVERY:
            self.reported_at = frame.at
            self.send(self.packetizer.report(since, frame.at + self.wall_offset, NAME))
