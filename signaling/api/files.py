"""Files of one directory as responses, from memory: the conference page is some forty of them.

A file that has changed on disk is read again. What may be asked for by which path is `pages.py`'s.
"""

import hashlib
import mimetypes
import os
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from signaling.services.errors import UnknownPath

_UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    body: bytes
    content_type: str
    etag: str
    version: tuple[int, int]
    """Time of the last change, nanoseconds, and size, as they were when it was read."""


class Files:
    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._known: dict[str, _File] = {}

    def response(self, request: web.Request, name: str, status: int = 200) -> web.Response:
        """The file of that name, or that the client has it already. UnknownPath if it is none of the directory's."""
        file = self._file(name)
        headers = {hdrs.CACHE_CONTROL: "no-cache", hdrs.ETAG: f'"{file.etag}"'}
        if status == 200 and any(tag.value in (file.etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(status=status, body=file.body, content_type=file.content_type, headers=headers)

    def _file(self, name: str) -> _File:
        known = self._known.get(name)
        try:
            if known is not None and _version(known.path) == known.version:
                return known
            path = (self._root / name).resolve()
            if not path.is_relative_to(self._root) or not path.is_file():
                raise UnknownPath
            file = self._known[name] = _read(path)
        except (OSError, ValueError):  # it is gone, or no file can have such a name
            raise UnknownPath from None
        return file


def _version(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size


def _read(path: Path) -> _File:
    version, body = _version(path), path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or _UNKNOWN_TYPE
    return _File(path, body, content_type, hashlib.sha256(body).hexdigest()[:32], version)
