"""Files that outlive a conference: in a folder of this machine, in S3, Azure or Google Cloud by URL.

A key is the path of an object below the store's own root; keys are made by us, and what is no key is refused before
any store hears of it. Writing goes in parts, so that no file has to fit into memory; each part is tried again by
itself. When `put` returns, the store has confirmed the object, and its length is what was sent. Reading goes in pieces
too, a request each: a slow reader holds no connection to the store open. Who may read what is `services/links.py`'s.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from signaling.services.errors import Unavailable

FOLDER = "file"
SCHEMES = (FOLDER, "s3", "az", "gs")
PART_BYTES = 8 << 20  # of an upload: at least what every store takes
PARTS_AT_ONCE = 3
PIECE_BYTES = 1 << 20  # of a download
REQUEST_TIMEOUT = timedelta(seconds=60)  # one part on a slow line
CONNECT_TIMEOUT = timedelta(seconds=5)
RETRIES = 5  # of each request, with growing pauses
RETRY_FOR = timedelta(seconds=60)
DIGEST = "sha256"  # what an object's own is called among what is kept with it
MAX_KEY = 512  # characters
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_KEY = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,7}}")

_CHECKED_BY_THE_STORE: Mapping[str, Mapping[str, str]] = {"s3": {"checksum_algorithm": "SHA256"}}
"""What makes a store refuse a part that does not arrive as it was sent."""

Source = bytes | Path

log = structlog.get_logger(__name__)


class StoreFailed(Unavailable):
    """The store did not do what it was asked for, after all tries. It may later."""


class NoSuchObject(StoreFailed):
    """There is no object of that key."""


class BadStore(ValueError):
    """The URL or an option names no store that can be used."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What has been written."""

    key: str
    size_bytes: int
    sha256: str
    """Lower-case hex, of what was read from the source."""


class Objects:
    """One store. `url` names it, `options` are its credentials and the like, in obstore's words."""

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        check(url, options or {})
        self.url, self.options = url, dict(options or {})

    @cached_property
    def _store(self) -> Any:
        """Opened by the first use: a folder of the data directory is not made before that directory."""
        return _open(self.url, self.options)

    async def put(self, source: Source, key: str, media_type: str | None = None) -> Stored:
        """Keeps the file (or the bytes) under `key`, instead of what was there. All of it or nothing."""
        _check_key(key)
        size, digest = await _measured(source)
        return await self._put(source, key, media_type, Stored(key, size, digest))

    async def put_once(self, source: Source, key: str, media_type: str | None = None) -> Stored:
        """The same, unless it is there already: what was sent before a server was killed is not sent again.

        A store that does not check each part by itself is asked for all of it once more, before this returns.
        """
        _check_key(key)
        size, digest = await _measured(source)
        wanted = Stored(key, size, digest)
        if await self._marked(key) == (size, digest):
            return wanted
        await self._put(source, key, media_type, wanted)
        if urlsplit(self.url).scheme not in _CHECKED_BY_THE_STORE and await self.sha256(key) != digest:
            raise StoreFailed(f"{key} is not in the store as it was sent")
        return wanted

    async def _put(self, source: Source, key: str, media_type: str | None, wanted: Stored) -> Stored:
        size, attributes = wanted.size_bytes, None
        if not self._in_a_folder:
            attributes = {DIGEST: wanted.sha256, **({"Content-Type": media_type} if media_type else {})}
        try:
            await obstore.put_async(
                self._store,
                key,
                source,
                attributes=attributes,
                use_multipart=size > PART_BYTES,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        except (BaseError, OSError) as error:
            raise _failed("written", key, error) from error
        arrived = await self.size(key)
        if arrived != size:
            raise StoreFailed(f"{key} has {arrived} bytes in the store, not {size}")
        return wanted

    async def size(self, key: str) -> int:
        """In bytes. NoSuchObject if there is none."""
        _check_key(key)
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            raise NoSuchObject(key) from None
        except (BaseError, OSError) as error:
            raise _failed("looked up", key, error) from error

    async def exists(self, key: str) -> bool:
        try:
            await self.size(key)
        except NoSuchObject:
            return False
        return True

    async def get(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop` (the end), in pieces. It may break off with StoreFailed."""
        stop = await self.size(key) if stop is None else stop
        for begin in range(start, stop, PIECE_BYTES):
            yield await self._piece(key, begin, min(begin + PIECE_BYTES, stop))

    async def read(self, key: str) -> bytes:
        """A small object as a whole."""
        return b"".join([piece async for piece in self.get(key)])

    async def fetch(self, key: str, path: Path) -> None:
        """Writes the object into a file of this machine."""
        with await asyncio.to_thread(path.open, "wb") as file:
            async for piece in self.get(key):
                await asyncio.to_thread(file.write, piece)

    async def sha256(self, key: str) -> str:
        """Of what the store gives back now, to be compared with what `put` returned."""
        digest = hashlib.sha256()
        async for piece in self.get(key):
            digest.update(piece)
        return digest.hexdigest()

    async def delete(self, key: str) -> None:
        """What is not there is deleted already."""
        _check_key(key)
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise _failed("deleted", key, error) from error

    async def _marked(self, key: str) -> tuple[int, str] | None:
        """Size and digest of the object there, as they were told when it was put; None if there is none."""
        if self._in_a_folder:
            return None
        try:
            found = await obstore.get_async(self._store, key, options={"head": True})
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _failed("looked up", key, error) from error
        return found.meta["size"], str(found.attributes.get(DIGEST, ""))

    @property
    def _in_a_folder(self) -> bool:
        return urlsplit(self.url).scheme == FOLDER

    async def _piece(self, key: str, start: int, stop: int) -> bytes:
        try:
            piece = bytes(await obstore.get_range_async(self._store, key, start=start, end=stop))
        except FileNotFoundError:
            raise NoSuchObject(key) from None
        except (BaseError, OSError) as error:
            raise _failed("read", key, error) from error
        if len(piece) != stop - start:
            raise StoreFailed(f"{key} ends before byte {stop}")
        return piece


def check(url: str, options: Mapping[str, str]) -> None:
    """BadStore unless the two make a store; whether it answers is not asked."""
    _check_url(url)
    if urlsplit(url).scheme != FOLDER:
        _open(url, options)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise BadStore("must begin with s3://, az://, gs:// or file:///")
    if parts.query or parts.fragment or parts.username or ".." in parts.path:
        raise BadStore("must be no more than scheme, bucket and path")
    if (parts.scheme == FOLDER) == bool(parts.netloc):
        raise BadStore("must name the bucket, such as s3://bucket/path, or the folder, such as file:///srv/folkmoot")


def is_key(text: str) -> bool:
    """Whether an object can be called so: no empty, hidden or climbing part, nothing that a path could mean else."""
    return len(text) <= MAX_KEY and _KEY.fullmatch(text) is not None


def _check_key(key: str) -> None:
    if not is_key(key):
        raise ValueError(f"no key: {key[:MAX_KEY]!r}")


def _open(url: str, options: Mapping[str, str]) -> Any:
    parts = urlsplit(url)
    try:
        if parts.scheme == FOLDER:
            return LocalStore(unquote(parts.path), mkdir=True)
        config: Any = {**_CHECKED_BY_THE_STORE.get(parts.scheme, {}), **options}
        client: Any = {"timeout": REQUEST_TIMEOUT, "connect_timeout": CONNECT_TIMEOUT}
        client["allow_http"] = config.get("endpoint", "").startswith("http://")
        retry: Any = {"max_retries": RETRIES, "retry_timeout": RETRY_FOR}
        return from_url(url, config=config, client_options=client, retry_config=retry)
    except (BaseError, ValueError, OSError) as error:
        raise BadStore(f"cannot be opened: {_first_line(error)}") from None


async def _measured(source: Source) -> tuple[int, str]:
    """Length in bytes and SHA-256."""
    if isinstance(source, bytes):
        return len(source), hashlib.sha256(source).hexdigest()
    return await asyncio.to_thread(_measured_file, source)


def _measured_file(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return _length(file), hashlib.file_digest(file, "sha256").hexdigest()


def _length(file: BinaryIO) -> int:
    length = file.seek(0, 2)
    file.seek(0)
    return length


def _failed(what: str, key: str, error: Exception) -> StoreFailed:
    why = _first_line(error)
    log.warning("object store failed", key=key, not_done=what, why=why)
    return StoreFailed(f"{key} could not be {what}: {why}")


def _first_line(error: Exception) -> str:
    """Without what stores append: requests, and maybe what they were signed with."""
    return str(error).partition("\n")[0][:200]
