"""The parts of a body, with a bound on what stands around them.

aiohttp reads what comes before the first part and the parts' headers line by line, for as long as there are lines: a
body of empty lines alone would keep the loop busy for as long as it is sent.
"""

from typing import Any, cast

from aiohttp import MultipartReader, StreamReader, web

MAX_LINES = 20_000  # around and above the parts: far more than the most parts with the most headers


def parts_of(request: web.Request) -> MultipartReader:
    """Like `request.multipart()`. ValueError or AssertionError if the request says that it has none."""
    return MultipartReader(request.headers, cast(StreamReader, _FewLines(request.content)))


class _FewLines:
    """A body of which only so many lines are read; otherwise as it is."""

    def __init__(self, content: StreamReader) -> None:
        self._content = content
        self._left = MAX_LINES

    async def readline(self, **limits: Any) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many lines around the parts")
        return await self._content.readline(**limits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)
