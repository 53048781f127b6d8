"""Small films and music as people have them: pictures that tell their number, a tone; in the usual formats."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.support.coded import picture

RATE = 48_000
STEP = 1024  # samples
CODECS = {"webm": ("libvpx", "libopus"), "mp4": ("libx264", "aac"), "mp3": (None, "libmp3lame")}


def film(
    path: Path,
    *,
    seconds: float = 1.0,
    tone_hz: float | None = 700.0,
    colour: tuple[int, int, int] | None = None,
    size: tuple[int, int] = (320, 180),
    fps: int = 30,
    pictures: bool = True,
    loudness: float = 0.4,
) -> Path:
    """Of the format that the name ends with. Pictures show 0, 1, 2 ..., or a `colour`; without a tone it is silent."""
    video_codec, audio_codec = CODECS[path.suffix[1:]]
    with av.open(str(path), "w") as container:
        video = container.add_stream(video_codec, rate=fps) if video_codec and pictures else None
        if video is not None:
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
        audio = container.add_stream(audio_codec, rate=RATE) if tone_hz else None
        if audio is not None:
            audio.layout = "stereo"
        if video is not None:
            for number in range(round(seconds * fps)):
                frame = _picture(number, size, colour)
                frame.pts, frame.time_base = number, Fraction(1, fps)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if audio is not None and tone_hz:
            _sing(container, audio, seconds, tone_hz, loudness)
    return path


def _picture(number: int, size: tuple[int, int], colour: tuple[int, int, int] | None) -> Any:
    if colour is not None:
        rgb = np.tile(np.array(colour, np.uint8), (size[1], size[0], 1))
        return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    planes = np.concatenate([picture(number % 256, *size), np.full((size[1] // 2, size[0]), 128, np.uint8)])
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _sing(container: Any, audio: Any, seconds: float, tone_hz: float, loudness: float) -> None:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = (loudness * np.sin(2 * np.pi * tone_hz * time)).astype(np.float32)
    for start in range(0, len(wave) - STEP + 1, STEP):
        frame = av.AudioFrame.from_ndarray(np.stack([wave[start : start + STEP]] * 2), format="fltp", layout="stereo")
        frame.rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))
