"""A short VP8 clip that browsers can decode, made once by PyAV: what load publishers send to them in a loop."""

import fractions
import functools

import av
import numpy as np

WIDTH_PX, HEIGHT_PX, FPS, FRAMES = 640, 360, 25, 50
BITRATE = 600_000  # bits a second


@functools.cache
def frames() -> tuple[bytes, ...]:
    """Encoded pictures, of which only the first is a key frame: a bar that wanders over a gradient."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    encoder.time_base = fractions.Fraction(1, FPS)
    encoder.bit_rate = BITRATE
    encoder.gop_size = 10 * FRAMES
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    packets = [packet for index in range(FRAMES) for packet in encoder.encode(_picture(index))]
    packets += encoder.encode(None)
    return tuple(bytes(packet) for packet in packets)


def _picture(index: int) -> av.VideoFrame:
    """uint8, (height, width, 3), RGB."""
    picture = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    picture[:, :, 1] = np.linspace(0, 255, WIDTH_PX, dtype=np.uint8)
    left = index * WIDTH_PX // FRAMES
    picture[:, left : left + 40, 0] = 255
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    frame.pts = index
    return frame
