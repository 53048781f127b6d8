"""Documents and pictures as people upload them, and as attackers do."""

import hashlib
import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image

PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")  # PDF 32000-1, 7.6.3.3

COLOURS = ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0))


def pdf(pages: int = 1, size: tuple[float, float] = (595, 842)) -> bytes:
    """Each page is one colour, of `COLOURS` in turn. `size` in points."""
    width, height = size
    contents = [
        f"{red / 255:.3f} {green / 255:.3f} {blue / 255:.3f} rg 0 0 {width} {height} re f".encode()
        for red, green, blue in (COLOURS[number % len(COLOURS)] for number in range(pages))
    ]
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(pages))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode()]
    for number, content in enumerate(contents):
        box = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents {4 + 2 * number} 0 R>>"
        objects += [box.encode(), stream(content)]
    return written(objects)


def pdf_with_huge_picture(side: int = 60_000) -> bytes:
    """A small file with a picture in it of `side` by `side` pixels."""
    packed = zlib.compress(bytes(1 << 20), 9)
    rows = zlib.compressobj(9)
    data = rows.compress(bytes(16 << 20)) + rows.flush()
    assert len(packed) < 10_000
    picture = f"/Type/XObject/Subtype/Image/Width {side}/Height {side}/BitsPerComponent 8/ColorSpace/DeviceRGB"
    return written(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 600]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
            stream(b"600 0 0 600 0 0 cm /I Do"),
            stream(data, f"{picture}/Filter/FlateDecode"),
        ]
    )


def pdf_in_itself() -> bytes:
    """A form that draws itself, and page trees that contain themselves."""
    return written(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 600]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
            stream(b"/F Do"),
            stream(b"/F Do /F Do", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>"),
        ]
    )


def encrypted_pdf(user_password: bytes = b"") -> bytes:
    """With the 40-bit handler of the first hour; an empty user password lets every viewer open it."""
    identity = bytes(range(16))
    owner = _rc4(hashlib.md5(PADDING).digest()[:5], (user_password + PADDING)[:32])
    permissions = -4
    seed = (user_password + PADDING)[:32] + owner + struct.pack("<i", permissions) + identity
    key = hashlib.md5(seed).digest()[:5]
    user = _rc4(key, PADDING)
    handler = f"<</Filter/Standard/V 1/R 2/O<{owner.hex()}>/U<{user.hex()}>/P {permissions}>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 600]>>",
        handler.encode(),
    ]
    return written(objects, f"/Encrypt 4 0 R/ID[<{identity.hex()}><{identity.hex()}>]")


def picture(kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    """A plain red picture in the format of that name."""
    buffer = io.BytesIO()
    red = {"RGB": (255, 0, 0), "RGBA": (255, 0, 0, 0), "CMYK": (0, 255, 255, 0), "L": 76, "P": 1, "1": 1}[mode]
    Image.new(mode, size, red).save(buffer, kind, **options)
    return buffer.getvalue()


def png_that_claims(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG with that size in its header, whatever its data says."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            (b"IDAT", data or zlib.compress(bytes(1 << 24), 9)),
            (b"IEND", b""),
        )
    )


def svg(inside: str = "", size: str = 'width="80" height="40"', before: str = "") -> bytes:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {names} {size}>{inside}</svg>".encode()


def stream(data: bytes, more: str = "") -> bytes:
    return f"<<{more}/Length {len(data)}>>stream\n".encode() + data + b"\nendstream"


def written(objects: Sequence[bytes], trailer: str = "") -> bytes:
    """The PDF of these objects; the first is its catalog."""
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R{trailer}>>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF".encode()


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
