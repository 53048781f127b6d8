"""Clips as cameras give them, made by numpy and kept as VP8: somebody who moves before a still room, with the noise of
a sensor. What is still costs an encoder little, noise and movement cost it as in real meetings."""

import fractions
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

NOISE = 2.0  # levels, standard deviation


def write(path: Path, seed: int, width: int, height: int, fps: int, frames: int, bitrate: int) -> None:
    """A WebM file with one VP8 track, one key frame at its start."""
    with av.open(str(path), "w", format="webm") as file:
        stream = file.add_stream("libvpx", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate, stream.codec_context.gop_size = bitrate, frames + 1
        stream.codec_context.time_base = fractions.Fraction(1, fps)
        stream.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "auto-alt-ref": "0"}
        for index, picture in enumerate(_pictures(seed, width, height, frames)):
            picture.pts = index
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))


def _pictures(seed: int, width: int, height: int, frames: int) -> Iterator[av.VideoFrame]:
    chance = np.random.default_rng(seed)
    room = _room(chance, width, height)
    noise = [chance.normal(0, NOISE, (height, width)).astype(np.int16) for _ in range(8)]
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    for index in range(frames):
        sway = np.sin(index / 23 + seed) * width * 0.04, np.sin(index / 9 + seed) * height * 0.02
        y, u, v = (plane.copy() for plane in room)
        for cx, cy, rx, ry, colour in _body(width, height, *sway):
            inside = ((across - cx) / rx) ** 2 + ((down - cy) / ry) ** 2 < 1
            y[inside] = colour[0] + (across[inside] * 7 % 23).astype(np.int16)
            u[inside[::2, ::2]], v[inside[::2, ::2]] = colour[1:]
        picture = av.VideoFrame(width, height, "yuv420p")
        for plane, values in zip(picture.planes, (y + noise[index % 8], u, v), strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            rows[:, : plane.width] = np.clip(values, 16, 235)
        yield picture


def _room(chance: np.random.Generator, width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A wall with shelves: edges and texture that stay where they are."""
    y = np.full((height, width), chance.integers(80, 150), np.int16)
    for _ in range(40):
        left, top = chance.integers(0, width), chance.integers(0, height)
        y[top : top + height // 8, left : left + width // 20] = chance.integers(30, 210)
    y += chance.normal(0, 4, (height, width)).astype(np.int16)
    half = (height // 2, width // 2)
    return y, np.full(half, chance.integers(110, 146), np.int16), np.full(half, chance.integers(110, 146), np.int16)


def _body(
    width: int, height: int, dx: float, dy: float
) -> tuple[tuple[float, float, float, float, tuple[int, int, int]], ...]:
    """Shoulders, face, and a mouth that opens: centre, radii, colour."""
    x, y = width / 2 + dx, height * 0.45 + dy
    mouth = height * 0.02 * (1.5 + np.sin(dx + dy))
    return (
        (x, height * 1.1, width * 0.3, height * 0.42, (60, 140, 118)),
        (x, y, height * 0.2, height * 0.27, (165, 110, 150)),
        (x, y + height * 0.12, height * 0.07, float(mouth), (70, 115, 160)),
    )
