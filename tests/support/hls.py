"""An encoded program without a meeting, and what becomes of it: frames in their order, files of the pieces, players."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

import av
import numpy as np

from mediaserver.egress.output import EncodedFrame
from mediaserver.egress.parts import Beginning, Cutter, Piece
from mediaserver.media.codecs import AacEncoder
from mediaserver.media.headers import AAC_CONFIG
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import number_of, pictures

BEGAN = 1000.0
FPS = 30
BLOCK = 960


def shown(count: int, *, key_every: int = 60, began: float = BEGAN) -> list[EncodedFrame]:
    """Pictures that show 0, 1, 2 ..."""
    coded = pictures(CodecId.H264_BASELINE, count, key_every=key_every)
    return [EncodedFrame(data, began + i / FPS, key, 1 / FPS) for i, (data, key) in enumerate(coded)]


def heard(seconds: float, *, frequency: float = 440.0, silent: float = 0.0) -> list[EncodedFrame]:
    """A tone, after a silence."""
    encoder, out = AacEncoder(), []
    for i in range(round(seconds * 50)):
        t = (np.arange(BLOCK) + i * BLOCK) / 48000
        wave = (0.4 * np.sin(2 * np.pi * frequency * t) * (t >= silent)).astype(np.float32)
        out += encoder.encode(np.repeat(wave[:, None], 2, axis=1), BEGAN + i / 50)
    return out


def together(video: Iterable[EncodedFrame], audio: Iterable[EncodedFrame]) -> Iterator[tuple[str, EncodedFrame]]:
    """In the order in which a program hands them out: sound of a moment comes after it, by the encoder's delay."""
    frames = [(frame.at, "video", frame) for frame in video] + [(frame.at + 0.043, "audio", frame) for frame in audio]
    for _, kind, frame in sorted(frames, key=lambda each: each[:2]):
        yield kind, frame


def cut(frames: Iterable[tuple[str, EncodedFrame]], cutter: Cutter | None = None) -> list[Piece]:
    """Everything, to the end."""
    cutter, out = cutter or Cutter(AAC_CONFIG), []
    for kind, frame in frames:
        if kind == "video":
            out += list(cutter.video(frame))
        else:
            cutter.audio(frame)
    return [*out, *cutter.flush()]


def files_of(pieces: Iterable[Piece]) -> list[bytes]:
    """Each beginning with the parts that follow it."""
    files: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, Beginning):
            files.append(b"")
        files[-1] += piece.data
    return files


@dataclass(frozen=True)
class Played:
    """What a player that is none of ours sees and hears."""

    numbers: list[int]
    times: list[float]
    """Of the pictures."""
    sound: np.ndarray
    sound_at: float
    """When the sound begins."""


def play(file: bytes) -> Played:
    with av.open(BytesIO(file)) as container:
        frames = list(container.decode(video=0))
    with av.open(BytesIO(file)) as container:
        sounds = list(container.decode(audio=0))
    samples = np.concatenate([frame.to_ndarray()[0] for frame in sounds]) if sounds else np.zeros(0)
    begin = float(sounds[0].pts * sounds[0].time_base) if sounds else 0.0
    return Played([number_of(frame) for frame in frames], [frame.time or 0.0 for frame in frames], samples, begin)


def strength(samples: np.ndarray, frequency: float) -> float:
    """Of a tone among all others, 0 to 1."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64) * np.hanning(len(samples))))
    place = round(frequency * len(samples) / 48000)
    return float(spectrum[place - 2 : place + 3].max() / spectrum.max())
