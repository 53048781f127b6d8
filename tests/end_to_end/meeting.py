"""People in one room, each in a window of their own."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.support.browsers import PATIENCE, Chromium, Page
from tests.support.server import RunningServer


@dataclass
class Person:
    """Somebody who has joined. `number` is what their camera shows and their tone tells."""

    page: Page
    id: str
    number: int
    stream_id: str | None = None

    async def call(self, name: str, *args: Any) -> Any:
        return await self.page.call(name, *args)

    async def publish(self, **options: Any) -> None:
        """Turns the camera and the tone on; `options` as of `signals.publish`."""
        self.stream_id = await self.call("publish", self.number, options)

    async def meets(self, *others: "Person", seconds: float = PATIENCE) -> float:
        """Sees and hears exactly these; returns how many seconds that took."""
        took = await self.call("meets", {each.id: each.number for each in others}, seconds)
        return float(took) / 1000

    async def do(self, method: str, *args: Any) -> Any:
        """Calls a method of the page's `conference`."""
        return await self.call("do", method, *args)


class Meeting:
    def __init__(self, server: RunningServer, chromium: Chromium) -> None:
        self.server = server
        self.room: dict[str, Any] = {}
        self._chromium = chromium
        self._pages: list[Page] = []

    async def __aenter__(self) -> "Meeting":
        self.room = await self.server.create()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(page.close() for page in self._pages))

    async def join(self, number: int, page: Page | None = None, *, before: str = "", **query: Any) -> Person:
        """Somebody comes in, in a new window of Chromium unless `page` is given, with nothing to show yet."""
        page = page or await self._chromium.page(before)
        self._pages.append(page)
        await page.open(self.server.page(self.room, name=f"P{number}", **query))
        return Person(page, await page.call("joined", PATIENCE), number)

    async def leave(self, person: Person) -> None:
        await person.do("leave")
        self._pages.remove(person.page)
        await person.page.close()


async def everybody_meets(*people: Person, seconds: float = PATIENCE) -> float:
    """Each sees and hears each other one; returns the seconds that the slowest needed."""
    return max(
        await asyncio.gather(
            *(one.meets(*(other for other in people if other is not one), seconds=seconds) for one in people)
        )
    )
