"""A program encoded in one coding for all outputs that take it: from the first of them to the last, and once.

Pure of processes, sockets and clocks. An output begins with a key frame, which is made for it.
"""

from typing import Protocol

from mediaserver.egress.output import Coding, EncodedFrame, Output
from mediaserver.media.codecs import AacEncoder, AudioEncoder, VideoEncoder
from mediaserver.media.mixing import Sound
from mediaserver.media.pictures import Picture

BITS_PER_PIXEL = {Coding.CALL: 0.07, Coding.BROADCAST: 0.1}
KEY_EVERY = {Coding.CALL: 10.0, Coding.BROADCAST: 2.0}  # seconds between key frames nobody has asked for


class SoundEncoder(Protocol):
    def encode(self, samples: Sound, at: float | None = None) -> list[EncodedFrame]: ...


class Encoding:
    """`fps`: of the program."""

    def __init__(self, coding: Coding, fps: int) -> None:
        self.coding = coding
        self._fps = fps
        self._outputs: list[Output] = []
        self._waiting: list[Output] = []
        """Outputs that begin with the next key frame."""
        self._key_wanted = False
        self._key_at = float("-inf")
        """When the last key frame was."""
        self._pictures: VideoEncoder | None = None
        self._sounds: SoundEncoder | None = None
        self._size = (0, 0)

    def __bool__(self) -> bool:
        """Whether anybody takes it."""
        return bool(self._outputs or self._waiting)

    def add(self, output: Output) -> None:
        self._waiting.append(output)

    def remove(self, output: Output) -> None:
        for outputs in (self._outputs, self._waiting):
            if output in outputs:
                outputs.remove(output)
        if not self:
            self._pictures = self._sounds = None

    def need_key(self) -> None:
        """Somebody has joined an output and needs a key frame."""
        self._key_wanted = True

    def picture(self, picture: Picture) -> None:
        """The next picture of the program, with its time."""
        if not self:
            return
        for frame in self._encoder(picture).encode(picture, key=self._is_key_due(picture)):
            self._give(frame)

    def sound(self, samples: Sound, at: float) -> None:
        """The next 20 ms of the program."""
        if not self._outputs:
            return
        if self._sounds is None:
            self._sounds = AacEncoder() if self.coding is Coding.BROADCAST else AudioEncoder()
        for frame in self._sounds.encode(samples, at):
            for output in tuple(self._outputs):
                output.audio(frame)

    def _encoder(self, picture: Picture) -> VideoEncoder:
        size = (picture.width, picture.height)
        if self._pictures is None or size != self._size:
            rate = round(size[0] * size[1] * self._fps * BITS_PER_PIXEL[self.coding])
            self._size = size
            self._pictures = VideoEncoder(self.coding.codec, *size, self._fps, rate, key_every=KEY_EVERY[self.coding])
        return self._pictures

    def _is_key_due(self, picture: Picture) -> bool:
        """By the program's time: an encoder counts pictures, of which some may be left out."""
        at = picture.time or 0.0
        due = at - self._key_at >= KEY_EVERY[self.coding] - 0.5 / self._fps
        return due or self._key_wanted or bool(self._waiting)

    def _give(self, frame: EncodedFrame) -> None:
        if frame.key:
            self._key_wanted = False
            self._key_at = frame.at
            self._outputs += self._waiting
            self._waiting = []
        for output in tuple(self._outputs):
            output.video(frame)
