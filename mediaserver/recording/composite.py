"""A recording of the composite: one WebM file with the picture and the mixed sound of an encoded program.

The file begins with the program's next key frame. A composite that changes its size goes on in the same file.
"""

from collections.abc import Callable

from mediaserver.egress.output import Coding, EncodedFrame
from mediaserver.media.headers import codec_private, opus_head, picture_size
from mediaserver.recording.recorder import Files
from mediaserver.recording.webm import TrackHeader
from mediaserver.rtp.codecs import CODECS, CodecId

FILE = "recording.webm"
KEY = "program"
PICTURE, SOUND = 0, 1


class CompositeRecording:
    """An `Output`. `on_full` is called once there is no room on the disk."""

    coding = Coding.CALL

    def __init__(self, files: Files, on_full: Callable[[], None]) -> None:
        self._files = files
        self._on_full = on_full

    def video(self, frame: EncodedFrame) -> None:
        try:
            if not self._files.has(KEY):
                if not frame.key:
                    return
                self._begin(frame)
            self._files.write(KEY, PICTURE, frame.at, frame.data, key_frame=frame.key)
        except OSError:
            self._on_full()

    def audio(self, frame: EncodedFrame) -> None:
        if not self._files.has(KEY):
            return
        try:
            self._files.write(KEY, SOUND, frame.at, frame.data, key_frame=True)
        except OSError:
            self._on_full()

    def close(self) -> None:
        """Its file is closed by whoever owns the files."""

    def _begin(self, frame: EncodedFrame) -> None:
        self._files.began = min(self._files.began, frame.at)  # a program lags behind: this is its present
        codec = self.coding.codec
        width, height = picture_size(codec, frame.data)
        picture = TrackHeader(codec, codec_private(codec, frame.data), width, height)
        sound = TrackHeader(CodecId.OPUS, opus_head(pre_skip=312), delay=312 / 48000)
        self._files.begin(
            KEY,
            FILE,
            frame.at,
            [picture, sound],
            kind="program",
            codec=CODECS[codec].name,
            codec_id=codec.name,
        )
