"""Films as streams of their own, for those who are not shown the composite: each encoded once, as it plays.

Pure of processes and sockets; runs in the media worker. Pictures and sound are those that the composer has for the
composite, in the same time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mediaserver.composition.composer import Composer
from mediaserver.egress.output import EncodedFrame
from mediaserver.media.codecs import AudioEncoder, VideoEncoder
from mediaserver.media.pictures import Picture, Scaler, blank, stamp, views
from mediaserver.rtp.codecs import CodecId

MAX_WIDTH, MAX_HEIGHT = 1280, 720  # a larger picture is scaled down
BITS_PER_PIXEL = 0.07
SOUND_BITRATE = 96_000

Give = Callable[[EncodedFrame], None]


@dataclass(slots=True)
class _Screening:
    video: Give | None
    audio: Give | None
    sound_encoder: AudioEncoder = field(default_factory=lambda: AudioEncoder(SOUND_BITRATE))
    scaler: Scaler = field(default_factory=Scaler)
    encoder: VideoEncoder | None = None
    size: tuple[int, int] = (0, 0)
    shown: Picture | None = None
    key_wanted: bool = False


class Screenings:
    """`fps`: of the program."""

    def __init__(self, composer: Composer, fps: int) -> None:
        self._composer = composer
        self._fps = fps
        self._screenings: dict[str, _Screening] = {}

    def add(self, source: str, video: Give | None, audio: Give | None) -> None:
        """`video` and `audio` are called with what is encoded of the source."""
        self._screenings[source] = _Screening(video, audio)

    def remove(self, source: str) -> None:
        """Nothing happens to what is not screened."""
        self._screenings.pop(source, None)

    def need_key(self) -> None:
        """Somebody has joined and needs a key frame."""
        for each in self._screenings.values():
            each.key_wanted = True

    def render(self, at: float) -> None:
        """The pictures of that moment, where they are others than before."""
        for source, each in self._screenings.items():
            picture = self._composer.latest(source, at) if each.video else None
            if picture is not None and (picture is not each.shown or each.key_wanted):
                self._encode(each, picture, at)

    def mix(self, at: float) -> None:
        """The next 20 ms."""
        for source, each in self._screenings.items():
            if each.audio:
                for frame in each.sound_encoder.encode(self._composer.alone(source, at), at):
                    each.audio(frame)

    def _encode(self, each: _Screening, picture: Picture, at: float) -> None:
        size = _fitting(picture.width, picture.height)
        if each.encoder is None or size != each.size:
            rate = round(size[0] * size[1] * self._fps * BITS_PER_PIXEL)
            each.encoder, each.size = VideoEncoder(CodecId.VP8, *size, self._fps, rate), size
        each.shown = picture
        copy = blank(*size)
        planes = each.scaler.scale(picture, (0, 0, picture.width, picture.height), *size)
        for target, plane in zip(views(copy), planes, strict=True):
            target[:] = plane
        stamp(copy, at)
        key, each.key_wanted = each.key_wanted, False
        for frame in each.encoder.encode(copy, key=key):
            if each.video:
                each.video(frame)


def _fitting(width: int, height: int) -> tuple[int, int]:
    """Even sides, within what is sent at most."""
    share = min(1.0, MAX_WIDTH / width, MAX_HEIGHT / height)
    return max(2, int(width * share) // 2 * 2), max(2, int(height * share) // 2 * 2)
