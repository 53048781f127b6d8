"""Pictures that callers bring for everybody to see, slides and layers: as files of ours that are safe to draw.

Whatever comes, by URL or as an upload, is decoded once, in the child process of `documents.py`, and drawn anew as a
plain PNG or JPEG; the composite reads only these. A file is there until `forget`, at the latest until the next start.
"""

import asyncio
import secrets
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from signaling.services.documents import SLIDE_SIDE, Documents, Picture, Unreadable, beginning_of, kind_of

TYPES = ("image/png", "image/jpeg", "image/webp")
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}


class Saves(Protocol):
    """The one way to fetch a caller's URL."""

    async def save(self, url: str, path: Path, *, accept: Collection[str] = ()) -> Any: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture of ours on this machine."""

    path: Path
    width: int
    height: int


class Pictures:
    """`folder` is all ours."""

    def __init__(self, documents: Documents, fetcher: Saves, folder: Path) -> None:
        self._documents = documents
        self._fetcher = fetcher
        self._folder = folder

    async def start(self) -> None:
        """Nothing from before is needed any more."""
        await asyncio.to_thread(_empty, self._folder)

    async def from_url(self, url: str, *, as_slide: bool = False) -> Kept:
        """What is there, in its own size or as a slide. Invalid if it cannot be fetched or is none of `TYPES`."""
        path = self.passing()
        try:
            await self._fetcher.save(url, path, accept=TYPES)
            return await self.from_file(path, as_slide=as_slide)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def from_file(self, path: Path, *, as_slide: bool = False, drawing: bool = False) -> Kept:
        """The same of a file that somebody sent; `drawing`: it may be an SVG as well. The file itself is left alone."""
        kind = kind_of(await beginning_of(path), "image/svg+xml" if drawing else "")
        if kind is None or kind[0] == "document":
            raise Unreadable("type")
        drawn = await self._documents.picture(path, kind[0], max_side=SLIDE_SIDE if as_slide else None)
        return await asyncio.to_thread(self._keep, drawn)

    async def forget(self, kept: Kept) -> None:
        await asyncio.to_thread(kept.path.unlink, missing_ok=True)

    def passing(self) -> Path:
        """Where something may be put for a moment."""
        return self._folder / secrets.token_hex(16)

    def _keep(self, drawn: Picture) -> Kept:
        path = self._folder / f"{secrets.token_hex(16)}.{_ENDINGS[drawn.media_type]}"
        path.write_bytes(drawn.data)
        return Kept(path, drawn.width, drawn.height)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
