"""FFmpeg as an encoder (WHIP): its muxer, as PyAV brings it along, in a thread of its own.

It has to be told to be the DTLS client (`whip_flags=dtls_active`): WHIP offers are `actpass` or `active`, and by
default it says `passive`. Built with GnuTLS it makes itself a certificate on secp224r1, a curve that TLS has given up
(RFC 8422 section 5.1.1) and OpenSSL refuses ("wrong curve"): so it is given one.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.peer import Colour

RATE = 25  # pictures a second
SAMPLES = 960  # of a piece of sound
SAMPLE_RATE = 48000
BEGINS_WITHIN = 30.0  # seconds
HANDSHAKE_MS = "20000"  # its own 5 s are not enough on a busy machine


@asynccontextmanager
async def ffmpeg_encoder(directory: Path, url: str, token: str, colour: Colour, tone_hz: float) -> AsyncIterator[None]:
    """Publishes as long as it is open, from the beginning on; what goes wrong in it is raised at the end."""
    options = {"authorization": token, "whip_flags": "dtls_active", "handshake_timeout": HANDSHAKE_MS}
    options |= _certificate(directory)
    begun, stop = threading.Event(), threading.Event()
    encoding = asyncio.create_task(asyncio.to_thread(_encode, url, options, colour, tone_hz, begun, stop))
    try:
        await asyncio.to_thread(begun.wait, BEGINS_WITHIN)
        yield
    finally:
        stop.set()
        await encoding


def _encode(
    url: str,
    options: dict[str, str],
    colour: Colour,
    tone_hz: float,
    begun: threading.Event,
    stop: threading.Event,
) -> None:
    with av.open(url, "w", format="whip", options=options) as output:
        baseline = {"profile": "baseline", "tune": "zerolatency", "g": "25"}
        video = output.add_stream("libx264", rate=RATE, options=baseline)
        video.width, video.height, video.pix_fmt, video.bit_rate = 320, 180, "yuv420p", 300_000
        audio = output.add_stream("libopus", rate=SAMPLE_RATE, layout="stereo")
        picture = np.full((video.height, video.width, 3), colour, np.uint8)
        start, count = time.monotonic(), 0
        while not stop.is_set():
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            frame.pts = count
            output.mux(video.encode(frame))
            for piece in (2 * count, 2 * count + 1):
                output.mux(audio.encode(_sound(piece * SAMPLES, tone_hz)))
            count += 1
            begun.set()  # the first packet waits for the connection
            stop.wait(max(0.0, start + count / RATE - time.monotonic()))


def _sound(first: int, tone_hz: float) -> av.AudioFrame:
    wave = np.sin(2 * np.pi * tone_hz * np.arange(first, first + SAMPLES) / SAMPLE_RATE) * 12000
    frame = av.AudioFrame.from_ndarray(np.repeat(wave.astype(np.int16), 2).reshape(1, -1), "s16", "stereo")
    frame.sample_rate, frame.pts = SAMPLE_RATE, first
    return frame


def _certificate(directory: Path) -> dict[str, str]:
    """FFmpeg's options for a certificate on the curve that everybody has."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "encoder")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    files = {"cert_file": directory / "certificate.pem", "key_file": directory / "key.pem"}
    files["cert_file"].write_bytes(certificate.public_bytes(pem))
    files["key_file"].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return {name: str(path) for name, path in files.items()}
