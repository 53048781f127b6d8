"""Bodies that bring a file along: streamed to this machine's disk, the other parameters nested as ever.

However much is sent, no more is kept than a file may have; a body that breaks off or is refused leaves nothing behind.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from signaling.api.rooms.bodies import BROKEN_PARTS, PARTS
from signaling.api.rooms.nesting import nest
from signaling.api.rooms.parts import parts_of
from signaling.services.errors import BadBody, TooLarge
from signaling.services.files import Upload

FILE = "file"  # the name of the part
MAX_PARTS = 64
MAX_TEXT = 1 << 16  # bytes of all other parts
CHUNK = 1 << 16  # bytes
MAX_FRAME = 1 << 17  # bytes that the body may have besides the file
MAX_SECONDS = 600.0  # for the whole body
_AS_IT_IS = ("", "binary", "8bit", "7bit")


@dataclass(slots=True)
class Received:
    """`upload` None: there was no file. `parameters` are nested."""

    upload: Upload | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def received(request: web.Request, folder: Path, max_bytes: int) -> AsyncIterator[Received]:
    """What the body brings; the file is gone at the end, unless it has been moved away."""
    path = folder / secrets.token_hex(16)
    try:
        yield await _read_in_time(request, path, max_bytes) if request.content_type == PARTS else Received()
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def _read_in_time(request: web.Request, path: Path, max_bytes: int) -> Received:
    try:
        async with asyncio.timeout(MAX_SECONDS):
            return await _read(request, path, max_bytes)
    except TimeoutError:
        raise BadBody("The body takes too long.") from None


async def _read(request: web.Request, path: Path, max_bytes: int) -> Received:
    if request.content_length is not None and request.content_length > max_bytes + MAX_FRAME:
        raise TooLarge
    texts: list[tuple[str, str]] = []
    found = Received()
    try:
        async for part in _parts(request):
            if part.name == FILE and part.filename is not None:
                if found.upload is not None:
                    raise BadBody("The body has more than one file.")
                found.upload = await _save(part, path, max_bytes)
            elif part.name and part.filename is None:
                texts.append((part.name, await _text(part)))
                if sum(len(text) for _, text in texts) > MAX_TEXT:
                    raise TooLarge
            else:
                raise BadBody("A part of the body is not expected.")
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except BROKEN_PARTS:
        raise BadBody("The body cannot be read as parts.") from None
    found.parameters = nest(texts)
    return found


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    reader = parts_of(request)
    for _ in range(MAX_PARTS):
        part = await reader.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader):
            raise BadBody("A part of the body has parts.")
        encoded = part.headers.get("Content-Transfer-Encoding", "").lower() not in _AS_IT_IS
        if encoded or "Content-Encoding" in part.headers:
            raise BadBody("A part of the body is encoded.")
        yield part
    raise BadBody("The body has too many parts.")


async def _save(part: BodyPartReader, path: Path, max_bytes: int) -> Upload:
    size = 0
    with await asyncio.to_thread(path.open, "xb") as file:
        while chunk := await part.read_chunk(CHUNK):
            size += len(chunk)
            if size > max_bytes:
                raise TooLarge
            await asyncio.to_thread(file.write, chunk)
    return Upload(path, part.filename or "", part.headers.get("Content-Type", "").partition(";")[0].strip(), size)


async def _text(part: BodyPartReader) -> str:
    data = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        data += chunk
        if len(data) > MAX_TEXT:
            raise TooLarge
    return data.decode()
