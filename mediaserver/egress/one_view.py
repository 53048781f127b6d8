"""The composite back into the conference, as the packets of a stream like any other.

An `Output` of a program: makes packets of its frames and hands them to the media socket, with a sender report every
second that ties sound and picture together. Who wants a key frame asks for it as of anybody (PLI).
"""

from collections.abc import Callable

from mediaserver.egress.output import Coding, EncodedFrame
from mediaserver.media.packetize import Packetizer
from mediaserver.rtp.codecs import CodecId

REPORT_EVERY = 1.0  # seconds
NAME = "one_view"


class OneView:
    """`wall_offset`: wall clock minus the clock of the program."""

    coding = Coding.CALL

    def __init__(self, video_ssrc: int, audio_ssrc: int, wall_offset: float, send: Callable[[bytes], None]) -> None:
        self._picture = Packetizer(self.coding.codec, video_ssrc)
        self._sound = Packetizer(CodecId.OPUS, audio_ssrc)
        self._wall_offset = wall_offset
        self._send = send
        self._began: float | None = None
        self._reported_at = float("-inf")

    def video(self, frame: EncodedFrame) -> None:
        self._put(self._picture, frame)
        if frame.at - self._reported_at >= REPORT_EVERY:
            self._reported_at = frame.at
            for stream in (self._picture, self._sound):
                self._send(stream.report(self._since(frame.at), frame.at + self._wall_offset, NAME))

    def audio(self, frame: EncodedFrame) -> None:
        self._put(self._sound, frame)

    def close(self) -> None:
        """Nothing is left behind."""

    def _put(self, stream: Packetizer, frame: EncodedFrame) -> None:
        for packet in stream.packets(frame.data, self._since(frame.at)):
            self._send(packet)

    def _since(self, at: float) -> float:
        """Seconds since the first frame."""
        if self._began is None:
            self._began = at
        return at - self._began
