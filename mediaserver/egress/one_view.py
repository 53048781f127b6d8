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


class Outgoing:
    """One stream into the conference: packets with reports. `wall_offset`: wall clock minus the program's."""

    def __init__(self, codec: CodecId, ssrc: int, wall_offset: float, send: Callable[[bytes], None]) -> None:
        self._packetizer = Packetizer(codec, ssrc)
        self._wall_offset = wall_offset
        self._send = send
        self._began: float | None = None
        self._reported_at = float("-inf")

    def put(self, frame: EncodedFrame) -> None:
        if self._began is None:
            self._began = frame.at
        since = frame.at - self._began
        for packet in self._packetizer.packets(frame.data, since):
            self._send(packet)
        if frame.at - self._reported_at >= REPORT_EVERY:
            self._reported_at = frame.at
            self._send(self._packetizer.report(since, frame.at + self._wall_offset, NAME))


class OneView:
    """The composite: an output of the program."""

    coding = Coding.CALL

    def __init__(self, video_ssrc: int, audio_ssrc: int, wall_offset: float, send: Callable[[bytes], None]) -> None:
        self.video = Outgoing(self.coding.codec, video_ssrc, wall_offset, send).put
        self.audio = Outgoing(CodecId.OPUS, audio_ssrc, wall_offset, send).put

    def close(self) -> None:
        """Nothing is left behind."""
