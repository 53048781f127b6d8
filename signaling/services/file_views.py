"""How participants see a meeting's file, and what its parts are called in the object store. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signaling.services.links import Links
from signaling.store.files import FileRow

ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
LINK_LIFE = 366 * 86400  # seconds: no meeting is longer, and with the meeting the files go

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileViews:
    """`base_url` begins what a file can be asked for by."""

    base_url: str
    links: Links

    def file(self, row: FileRow, progress: float, access_key: str | None) -> View:
        """The file object. Only the bearer of an access key is told where to ask for it: the key is part of that."""
        done = row.state == "converted"
        return {
            "id": row.id,
            "name": row.name,
            "type": row.media_type,
            "converted": done,
            "conversion_progress": 1.0 if done else progress,
            "failed": row.state == "failed",
            "links": {
                "self": f"{self.base_url}/rooms/{access_key}/files/{row.id}" if access_key else None,
                "slides": [self._link(row, name) for name in slide_names(row)] if done else [],
                "thumbnails": [self._link(row, name) for name in thumbnail_names(row)] if done else [],
                "download": self._link(row, original_name(row)),
            },
        }

    def _link(self, row: FileRow, name: str) -> str:
        return self.links.url(name, row.created_ms / 1000 + LINK_LIFE)


def original_name(row: FileRow) -> str:
    return f"{row.id}.{ENDINGS[row.media_type]}"


def slide_name(row: FileRow, number: int) -> str:
    return f"{row.id}-{number}.{ENDINGS[row.slide_type]}"


def thumbnail_name(row: FileRow, number: int) -> str:
    return f"{row.id}-{number}-small.png"


def slide_names(row: FileRow) -> Sequence[str]:
    """In the order of the pages."""
    return [slide_name(row, number) for number in range(1, row.pages + 1)]


def thumbnail_names(row: FileRow) -> Sequence[str]:
    return [thumbnail_name(row, number) for number in range(1, row.pages + 1)]
