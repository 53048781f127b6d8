"""Everything in the composite that is not video: cards, names, layers, inserts, slides; drawn with Pillow.

Each function gives RGB or RGBA as numbers; nothing here knows when it is shown. Files come from strangers: only PNG,
WebP and JPEG are read, and their size is looked at before anything is decoded (`BadLayer` otherwise). Text is written
in the font of the system that has the most of its letters, or in the one that Pillow brings, which has few.
"""

import contextlib
import functools
import hashlib
import textwrap
import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from mediaserver.composition.scene import Insert
from mediaserver.errors import MediaError

FORMATS = ("PNG", "WEBP", "JPEG")
MAX_PIXELS = 16_000_000  # of a picture before decoding: 64 MB as RGBA
MAX_FILE_BYTES = 20 << 20
NARROW_BOX = 250  # pixels: below this width a name is reduced to its initials
MAX_TEXT = 500  # characters of one text that are looked at
BACKGROUND, FOREGROUND = -1, 1  # the z-index of the two layers

_PLACES = "/usr/share/fonts"
FONTS = (
    (f"{_PLACES}/truetype/noto/NotoSans-Bold.ttf", f"{_PLACES}/truetype/noto/NotoSans-Regular.ttf"),
    (f"{_PLACES}/truetype/dejavu/DejaVuSans-Bold.ttf", f"{_PLACES}/truetype/dejavu/DejaVuSans.ttf"),
    (
        f"{_PLACES}/truetype/liberation/LiberationSans-Bold.ttf",
        f"{_PLACES}/truetype/liberation/LiberationSans-Regular.ttf",
    ),
    (f"{_PLACES}/opentype/noto/NotoSansCJK-Bold.ttc", f"{_PLACES}/opentype/noto/NotoSansCJK-Regular.ttc"),
)
"""Bold and regular, as Debian's fonts-noto-core, -dejavu-core, -liberation and -noto-cjk bring them; all optional."""
_PLATE = (22, 25, 30, 255)  # not transparent: what does not move costs an encoder nothing
_PANEL = (16, 18, 22, 216)
_INK = (255, 255, 255, 255)
_SOFT = (205, 210, 218, 255)
_ACCENT = (66, 184, 131, 255)
_COLOURS = ("#3867d6", "#8854d0", "#c2415d", "#0f8f7f", "#b35c1e", "#4b6584", "#2d7d46", "#a63d97")

Rgb = NDArray[np.uint8]
Rgba = NDArray[np.uint8]
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class BadLayer(MediaError):
    """A picture that cannot be shown: another format, broken, or too large."""


def check(path: str, z_index: int, width: int, height: int) -> None:
    """Raises `BadLayer` where this file cannot be that layer of a composite of this size."""
    found_width, found_height = load(path).size
    if z_index == FOREGROUND and (found_width > width or found_height > height):
        raise BadLayer(f"a foreground of {found_width} x {found_height} does not fit into {width} x {height}")


def load(path: str) -> Image.Image:
    """The picture of a file, upright, as RGBA."""
    try:
        if Path(path).stat().st_size > MAX_FILE_BYTES:
            raise BadLayer(f"a picture has at most {MAX_FILE_BYTES >> 20} MiB")
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadLayer(f"a picture has at most {MAX_PIXELS / 1e6:.0f} million pixels")
            return ImageOps.exif_transpose(image).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise BadLayer("the picture has far too many million pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadLayer("the picture is no PNG, WebP or JPEG, or it is broken") from error


def background(path: str, colour: str, width: int, height: int) -> Rgb:
    """The background layer: in the middle of the colour, scaled down where larger, white where transparent."""
    image = load(path)
    image.thumbnail((width, height), Image.Resampling.LANCZOS)
    whole = Image.new("RGB", (width, height), colour)
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    whole.paste(white, ((width - image.width) // 2, (height - image.height) // 2))
    return np.asarray(whole)


def foreground(path: str) -> Rgba:
    """The foreground layer as it is."""
    return np.asarray(load(path))


def slide(path: str, width: int, height: int) -> Rgba:
    """A page as large as fits."""
    image = load(path)
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(ImageOps.contain(Image.alpha_composite(white, image), (width, height), Image.Resampling.LANCZOS))


def initials(name: str) -> str:
    """At most two letters, of the first and the last word."""
    words = [word for word in ("".join(c for c in w if c.isalnum()) for w in name[:MAX_TEXT].split()) if word]
    return "".join(word[0] for word in (words if len(words) < 3 else (words[0], words[-1]))).upper()


@functools.lru_cache(maxsize=64)
def card(name: str, person: str, avatar: str, width: int, height: int) -> Rgb:
    """What stands in a box without a picture: a disc with the avatar or the initials, on a dark shade of its colour."""
    colour = Image.new("RGB", (1, 1), colour_of(person or name)).getpixel((0, 0))
    assert isinstance(colour, tuple)
    whole = Image.new("RGB", (width, height), tuple(24 + round(c * 0.16) for c in colour))
    side = max(2, min(width, height) * 9 // 20)
    disc = _avatar(avatar, side) or _letters(initials(name), colour, side)
    whole.paste(disc, ((width - side) // 2, (height - side) // 2), _disc(side))
    return np.asarray(whole)


@functools.lru_cache(maxsize=128)
def name_plate(name: str, width: int) -> Rgba:
    """The name for the lower left of a box of this width, on a dark plate; nothing (0 pixels) without a name."""
    text = " ".join(name[:MAX_TEXT].split())
    if width < NARROW_BOX:
        text = initials(text)
    if not text:
        return np.zeros((0, 0, 4), np.uint8)
    size = max(13, min(26, width // 32))
    text, face = written(text, size)
    return _plate(_fitting(text, face, width * 4 // 5), face, size)


@functools.lru_cache(maxsize=16)
def voice_plate(name: str, person: str, width: int) -> Rgba:
    """Somebody who is only heard: a disc with the initials, the name, and the sign of a voice."""
    size = max(16, width // 60)
    disc_side = size * 2
    text, face = written(" ".join(name[:MAX_TEXT].split()), size)
    text = _fitting(text, face, width // 3)
    pad, wide = size // 2, round(face.getlength(text))
    whole = Image.new("RGBA", (disc_side + wide + size * 3 + pad, disc_side + pad), (0, 0, 0, 0))
    smooth = _rounded(whole.size, whole.height // 2, _PANEL)
    whole.alpha_composite(smooth)
    colour = Image.new("RGB", (1, 1), colour_of(person or name)).getpixel((0, 0))
    assert isinstance(colour, tuple)
    whole.paste(_letters(initials(name), colour, disc_side), (pad // 2, pad // 2), _disc(disc_side))
    draw = ImageDraw.Draw(whole)
    draw.text((disc_side + size * 5 // 6, whole.height / 2), text, _INK, face, anchor="lm")
    for index, share in enumerate((0.3, 0.62, 0.42)):
        x = disc_side + wide + size * 4 // 3 + index * size * 3 // 8
        half = round(size * share)
        draw.rounded_rectangle((x, whole.height // 2 - half, x + size // 6, whole.height // 2 + half), 2, _ACCENT)
    return np.asarray(whole)


@functools.lru_cache(maxsize=4)
def insert(wanted: Insert, width: int, height: int) -> tuple[Rgba, int, int]:
    """A panel of text, and where its top left corner is."""
    size = max(18, height // 32)
    pad, room = size, width * 9 // 20
    lines = [(*line, _INK, size * 2) for line in _wrapped(wanted.title, size * 5 // 4, room, 2, bold=True)]
    lines += [(*line, _SOFT, size * 3 // 2) for line in _wrapped(wanted.content, size, room, 6)]
    icon = _icon(wanted.icon, size * 3)
    beside = icon.width + pad if icon else 0
    wide = max([round(face.getlength(text)) for text, face, _, _ in lines] or [0])
    text_height = sum(step for *_, step in lines) - size // 2
    tall = max(text_height, icon.height if icon else 0)
    whole = _rounded((wide + beside + pad * 2 + pad // 2, tall + pad * 3 // 2), size // 2, _PANEL)
    draw = ImageDraw.Draw(whole)
    draw.rounded_rectangle((pad // 2, pad * 3 // 4, pad // 2 + size // 6, pad * 3 // 4 + tall), 2, _ACCENT)
    if icon:
        whole.alpha_composite(icon, (pad * 5 // 4, pad * 3 // 4 + (tall - icon.height) // 2))
    top = pad * 3 // 4 + (tall - text_height) // 2
    for text, face, ink, step in lines:
        draw.text((pad * 5 // 4 + beside, top), text, ink, face, anchor="lt")
        top += step
    margin = height // 24
    return np.asarray(whole), margin, margin if wanted.fixed else height - margin * 2 - whole.height


def colour_of(person: str) -> str:
    """The colour that somebody keeps."""
    return _COLOURS[hashlib.sha256(person.encode("utf-8", "replace")).digest()[0] % len(_COLOURS)]


def written(text: str, size: int, *, bold: bool = False) -> tuple[str, _Font]:
    """The font that has the most of its letters, and the text as that font can write it."""
    face = max(faces(size, bold), key=lambda face: sum(_has(face, letter) for letter in text))
    return "".join(letter if _has(face, letter) else _simpler(face, letter) for letter in text), face


@functools.cache
def faces(size: int, bold: bool) -> tuple[_Font, ...]:
    """The fonts there are, in this size."""
    found: list[_Font] = []
    for heavy, regular in FONTS:
        with contextlib.suppress(OSError):
            found.append(ImageFont.truetype(heavy if bold else regular, size))
    return (*found, ImageFont.load_default(size))


@functools.lru_cache(maxsize=4096)
def _has(face: _Font, letter: str) -> bool:
    """Whether a letter is drawn otherwise than one that no font has."""
    if letter.isspace():
        return True
    mask, missing = face.getmask(letter), face.getmask("\U0010ffff")
    return mask.size != missing.size or bytes(mask) != bytes(missing)


def _simpler(face: _Font, letter: str) -> str:
    """The letter without its accents, or a question mark."""
    base = unicodedata.normalize("NFKD", letter)[0]
    return base if base != letter and _has(face, base) else "?"


def _plate(text: str, face: _Font, size: int) -> Rgba:
    whole = _rounded((round(face.getlength(text) / 2 + size / 2) * 2, size * 4 // 5 * 2), size // 3, _PLATE)
    ImageDraw.Draw(whole).text((size // 2, whole.height / 2), text, _INK, face, anchor="lm")
    return np.asarray(whole)


def _rounded(size: tuple[int, int], radius: int, fill: tuple[int, int, int, int]) -> Image.Image:
    """A panel whose corners are smooth: drawn four times as large."""
    mask = Image.new("L", (size[0] * 4, size[1] * 4), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * 4, fill[3])
    panel = Image.new("RGBA", size, fill)
    panel.putalpha(mask.resize(size, Image.Resampling.BOX))
    return panel


@functools.lru_cache(maxsize=16)
def _disc(side: int) -> Image.Image:
    mask = Image.new("L", (side * 4, side * 4), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, side * 4 - 1, side * 4 - 1), 255)
    return mask.resize((side, side), Image.Resampling.BOX)


def _letters(text: str, colour: tuple[int, ...], side: int) -> Image.Image:
    disc = Image.new("RGB", (side, side), colour)
    text, face = written(text, max(8, side * 2 // 5))
    ImageDraw.Draw(disc).text((side / 2, side / 2), text, "white", face, anchor="mm")
    return disc


def _avatar(path: str, side: int) -> Image.Image | None:
    """Nothing where the file cannot be read: the letters serve then."""
    if not path:
        return None
    try:
        return ImageOps.fit(load(path).convert("RGB"), (side, side), Image.Resampling.LANCZOS)
    except BadLayer:
        return None


def _icon(path: str, side: int) -> Image.Image | None:
    if not path:
        return None
    try:
        return ImageOps.contain(load(path), (side, side), Image.Resampling.LANCZOS)
    except BadLayer:
        return None


def _fitting(text: str, face: _Font, width: int) -> str:
    """As much of the text as fits."""
    if face.getlength(text) <= width:
        return text
    dots = "…" if _has(face, "…") else "..."
    while text and face.getlength(text + dots) > width:
        text = text[:-1]
    return text.rstrip() + dots


def _wrapped(text: str, size: int, width: int, most: int, *, bold: bool = False) -> list[tuple[str, _Font]]:
    """At most so many lines with their fonts; the last ends with an ellipsis where more would follow."""
    letters = max(8, round(width / (size * 0.54)))
    lines = [line for part in text[:MAX_TEXT].splitlines() for line in textwrap.wrap(part, letters) or [""]]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1] + "…"]
    with_fonts = (written(line, size, bold=bold) for line in lines)
    return [(_fitting(line, face, width), face) for line, face in with_fonts]
