"""From a stranger's document, picture or drawing to plain pictures of bounded size. Runs in the jail only.

What is broken, encrypted, too large or of another kind raises `Unusable`; a decoder may also take the whole process
with it, which is what the process is for. Nothing that a file refers to is ever looked at.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import pypdfium2  # type: ignore[import-untyped]
import resvg_py
from PIL import Image, ImageOps, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin
from pypdfium2 import raw as pdfium

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 50_000_000  # of a picture as sent: what phones take
MAX_SIDE_SENT = 30_000  # pixels
MAX_DRAWING_PIXELS = 16_000_000
THUMBNAIL_SIDE = 240  # pixels, the longer one
JPEG_QUALITY = 88
PNG_EFFORT = 4  # of 9: most of the gain for a third of the time
_EMBEDDED = re.compile(r"\s*(#|data:image/(png|jpeg|jpg|webp|gif)[;,])", re.IGNORECASE)
_NEEDED = (WebPImagePlugin, MpoImagePlugin, TiffImagePlugin)  # and Exif; loaded now: nothing can be opened later
_OPAQUE = ("1", "L", "RGB", "CMYK", "YCbCr", "I;16", "I", "F")

Image.preinit()
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class Unusable(Exception):
    """The file cannot be shown; `str()` is one word that says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    width: int
    height: int
    data: bytes


def open_document(data: bytes, max_pages: int) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Unusable("encrypted" if "assword" in str(error) else "broken") from None
    if pdfium.FPDF_GetSecurityHandlerRevision(document) >= 0:
        raise Unusable("encrypted")
    if not 0 < len(document) <= max_pages:
        raise Unusable("pages")
    return document


def page(document: pypdfium2.PdfDocument, index: int, max_side: int) -> Image.Image:
    """The page so large that its longer side has `max_side` pixels."""
    try:
        sheet = document[index]
        width, height = sheet.get_size()
        if not (width > 0 and height > 0):
            raise Unusable("broken")
        drawn = sheet.render(scale=max_side / max(width, height)).to_pil().convert("RGB")
    except pypdfium2.PdfiumError:
        raise Unusable("broken") from None
    return _within(drawn, max_side)


def photograph(data: bytes, max_side: int | None) -> Image.Image:
    """A picture file as people see it: turned upright, its first frame, within `max_side`."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as sent:
            if sent.width * sent.height > MAX_PIXELS or max(sent.size) > MAX_SIDE_SENT:
                raise Unusable("size")
            if max_side is not None:
                sent.draft("RGB", (max_side, max_side))  # JPEG: decoded no larger than needed
            upright = ImageOps.exif_transpose(sent)
            plain = upright.convert("RGB" if _is_opaque(upright) else "RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable("broken") from None
    return plain if max_side is None else _within(plain, max_side)


def drawing(data: bytes) -> Image.Image:
    """An SVG drawing in its own size, without anything that lies outside it."""
    try:
        rendered = resvg_py.svg_to_bytes(svg_string=_alone(data))
    except ValueError:
        raise Unusable("broken") from None
    with Image.open(io.BytesIO(rendered), formats=("PNG",)) as image:
        if image.width * image.height > MAX_DRAWING_PIXELS:
            raise Unusable("size")
        return image.convert("RGBA")


def thumbnail(image: Image.Image) -> Image.Image:
    return _within(image, THUMBNAIL_SIDE)


def encoded(image: Image.Image, *, as_photograph: bool = False) -> Picture:
    """PNG; JPEG for what has been one."""
    buffer = io.BytesIO()
    if as_photograph and image.mode == "RGB":
        image.save(buffer, "JPEG", quality=JPEG_QUALITY)
        return Picture("image/jpeg", image.width, image.height, buffer.getvalue())
    image.save(buffer, "PNG", compress_level=PNG_EFFORT)
    return Picture("image/png", image.width, image.height, buffer.getvalue())


def _within(image: Image.Image, max_side: int) -> Image.Image:
    """No larger than that; never enlarged, and never flatter than a pixel."""
    scale = max_side / max(image.size)
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _is_opaque(image: Image.Image) -> bool:
    return image.mode in _OPAQUE and "transparency" not in image.info


def _alone(data: bytes) -> str:
    """The drawing without its references to other files, which a renderer might follow."""
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - in the jail; expat bounds what entities may grow to
    except (ElementTree.ParseError, ValueError, LookupError):
        raise Unusable("broken") from None
    if root.tag.rpartition("}")[2] != "svg":
        raise Unusable("broken")
    for element in root.iter():
        for name in _references(element):
            del element.attrib[name]
    return ElementTree.tostring(root, encoding="unicode")


def _references(element: ElementTree.Element) -> Iterator[str]:
    """The attributes that lead outside."""
    for name, value in list(element.attrib.items()):
        if name.rpartition("}")[2] in ("href", "src") and not _EMBEDDED.match(value):
            yield name
