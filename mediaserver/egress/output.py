"""The small protocol of everything that takes an encoded program: files, streams back into a conference, pushes.

A program is encoded once for each `Coding` that somebody takes, from the first output of it to the last. In both
codings every key frame brings all that a decoder needs (`media.headers`: `picture_size`, `codec_private`); a picture
that changes its size begins with one. Calls come from the thread that composes, in the order of the program's time,
some eighty a second: an output that may have to wait does so in a thread of its own.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from mediaserver.rtp.codecs import CodecId


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame of sound or picture. `at`: seconds on the timeline; `key`: it can be decoded without others."""

    data: bytes
    at: float
    key: bool
    duration: float


class Coding(Enum):
    """How a program is encoded: its picture's codec, and its sound's by name."""

    CALL = (CodecId.VP8, "opus")
    """For browsers in a conference, and for WebM: key frames when somebody needs one, Opus of 20 ms a packet."""
    BROADCAST = (CodecId.H264_HIGH, "aac")
    """For RTMP, HLS and MP4: a key frame every two seconds, Annex B; raw AAC of 1024 samples (`headers.AAC_CONFIG`)."""

    @property
    def codec(self) -> CodecId:
        """Of the picture."""
        return self.value[0]


class Output(Protocol):
    """Takes the frames of a program in their order. The first is a key frame of the picture."""

    @property
    def coding(self) -> Coding:
        """Which it takes; always the same."""

    def video(self, frame: EncodedFrame) -> None: ...

    def audio(self, frame: EncodedFrame) -> None: ...

    def close(self) -> None:
        """No frame comes any more. Does not wait for what is still to be written or sent."""
