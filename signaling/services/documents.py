"""Documents, pictures and drawings that strangers sent, as plain pictures: by a child process, one for each file.

Decides how long a child may take, how much it may say and how many there are at a time. What it says is bounded and
checked here; what it does to itself (`signaling/jail`) touches nobody else. A child that breaks, hangs or asks for too
much has failed with its file.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from signaling.services.errors import Invalid

SLIDE_SIDE = 1920  # pixels, the longer one, at most
STEP_TIMEOUT = 60.0  # seconds for one page, beside whatever else the machine does
LOOKED_AT = 1024  # bytes at the beginning of a file that tell what it is
MAX_LINE = 4096  # bytes
MAX_PICTURE = 64 << 20  # bytes: more than the largest that the child may draw, packed
AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
_ROOT = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")  # of the environment: the rest may hold secrets
_TYPES = ("image/png", "image/jpeg")

Kind = Literal["document", "photograph", "drawing"]


class Unreadable(Invalid):
    """The file is broken, encrypted, too large or something else than it says. `why` is one word for it."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The file cannot be shown: {why}.")
        self.why = why


@dataclass(frozen=True, slots=True)
class Picture:
    """PNG or JPEG, as it was drawn in the child."""

    media_type: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of so many."""

    number: int
    pages: int
    slide: Picture
    thumbnail: Picture


def kind_of(beginning: bytes, media_type: str = "", name: str = "") -> tuple[Kind, str] | None:
    """What to take a file for, and its media type: by its first kilobyte. What says it is a PDF counts as a broken one.

    A drawing has no signature of its own: it is one if it says so and nothing else is found.
    """
    if beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        return "photograph", "image/png"
    if beginning.startswith(b"\xff\xd8\xff"):
        return "photograph", "image/jpeg"
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "photograph", "image/webp"
    if b"%PDF-" in beginning or media_type == "application/pdf" or name.lower().endswith(".pdf"):
        return "document", "application/pdf"
    if media_type == "image/svg+xml" or name.lower().endswith(".svg"):
        return "drawing", "image/svg+xml"
    return None


async def beginning_of(path: Path) -> bytes:
    """As much as `kind_of` needs."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(LOOKED_AT)

    return await asyncio.to_thread(read)


class Documents:
    """Turns files into pictures. `command` starts the child."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "signaling.jail")) -> None:
        self._command = command
        self._turns = {
            "document": asyncio.Semaphore(AT_ONCE),
            "photograph": (pictures := asyncio.Semaphore(AT_ONCE)),
            "drawing": pictures,
        }
        """Who brings a picture waits for it, and not behind everybody's documents."""

    async def sheets(self, path: Path, kind: Kind, max_pages: int = 1) -> AsyncGenerator[Sheet, None]:
        """Every page, in order, as soon as it is drawn. Raises Unreadable when there is no next one to be had.

        Close it (`aclosing`) to stop early: its child ends with it.
        """
        job = {"kind": kind, "max_pages": max_pages, "max_side": SLIDE_SIDE}
        async with self._turns[kind], self._child(path, job) as child:
            pages = await child.pages(max_pages)
            for number in range(1, pages + 1):
                slide, thumbnail = await child.picture(number, "slide"), await child.picture(number, "thumbnail")
                yield Sheet(number, pages, slide, thumbnail)
            await child.end()

    async def picture(self, path: Path, kind: Kind, *, max_side: int | None = None) -> Picture:
        """A picture or a drawing drawn anew, in its own size if that is not larger."""
        async with self._turns[kind], self._child(path, {"kind": kind, "max_pages": 1, "max_side": max_side}) as child:
            await child.pages(1)
            return await child.picture(1, "slide")

    async def only_sheet(self, path: Path, kind: Kind) -> Sheet:
        async with aclosing(self.sheets(path, kind)) as sheets:
            async for sheet in sheets:
                return sheet
        raise Unreadable("broken")

    @asynccontextmanager
    async def _child(self, path: Path, job: Mapping[str, Any]) -> AsyncIterator["_Child"]:
        process = await self._start(path, job)
        assert process.stdout is not None
        try:
            yield _Child(process.stdout)
        finally:
            if process.returncode is None:
                process.kill()
            while await process.stdout.read(MAX_LINE):  # its end is only seen behind what it has said
                pass
            await process.wait()

    async def _start(self, path: Path, job: Mapping[str, Any]) -> Process:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        words = (*self._command, json.dumps({**job, "parent": os.getpid()}))
        with await asyncio.to_thread(path.open, "rb") as file:
            return await asyncio.create_subprocess_exec(
                *words, stdin=file, stdout=PIPE, stderr=DEVNULL, env=environment, cwd=_ROOT, limit=MAX_LINE
            )


class _Child:
    """What a child says, and nothing else than it may."""

    def __init__(self, said: asyncio.StreamReader) -> None:
        self._said = said

    async def pages(self, most: int) -> int:
        pages = (await self._line()).get("pages")
        if not isinstance(pages, int) or not 1 <= pages <= most:
            raise Unreadable("broken")
        return pages

    async def picture(self, number: int, kind: str) -> Picture:
        told = await self._line()
        size, width, height = (told.get(name) for name in ("size", "width", "height"))
        expected = (told.get("page"), told.get("kind")) == (number, kind) and told.get("type") in _TYPES
        if not (expected and isinstance(size, int) and 0 < size <= MAX_PICTURE):
            raise Unreadable("broken")
        if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
            raise Unreadable("broken")
        return Picture(told["type"], width, height, await self._in_time(self._said.readexactly(size)))

    async def end(self) -> None:
        if (await self._line()).get("done") is not True:
            raise Unreadable("broken")

    async def _line(self) -> Mapping[str, Any]:
        try:
            told = json.loads(await self._in_time(self._said.readline()))
        except ValueError:  # no JSON, too long, or nothing: it is dead
            raise Unreadable("broken") from None
        if not isinstance(told, dict):
            raise Unreadable("broken")
        if "failed" in told:
            raise Unreadable(str(told["failed"])[:32])
        return told

    async def _in_time(self, reading: Any) -> Any:
        try:
            async with asyncio.timeout(STEP_TIMEOUT):
                return await reading
        except (TimeoutError, asyncio.IncompleteReadError):
            raise Unreadable("time") from None
