"""One picture of the composite, as JPEG."""

import io
from typing import Any, cast

from mediaserver.media.pictures import Picture

QUALITY = 88  # of 100: text and faces without visible squares


def jpeg(picture: Picture, quality: int = QUALITY) -> bytes:
    """The picture as a JPEG file in its own size."""
    image = cast(Any, picture).to_image()
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()
