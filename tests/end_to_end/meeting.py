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

    async def sees(self, other: "Person", seconds: float = PATIENCE) -> float:
        """Returns how many seconds it took until the other's moving picture was there."""
        return float(await self.call("sees", other.id, other.number, seconds)) / 1000

    async def meets(self, *others: "Person", seconds: float = PATIENCE) -> float:
        """Sees and hears exactly these; returns how many seconds that took."""
        took = await self.call("meets", {each.id: each.number for each in others}, seconds)
        return float(took) / 1000

    async def do(self, method: str, *args: Any) -> Any:
        """Calls a method of the page's `conference`."""
        return await self.call("do", method, *args)


class Meeting:
    def __init__(self, server: RunningServer, chromium: Chromium, **room: Any) -> None:
        """`room`: what it is asked for."""
        self.server = server
        self.url = server.url
        """What pages are opened at; a test may put something in between."""
        self.room: dict[str, Any] = {}
        self._asked = room
        self._chromium = chromium
        self._pages: list[Page] = []

    async def __aenter__(self) -> "Meeting":
        self.room = await self.server.create(**self._asked)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(page.close() for page in self._pages))

    async def join(
        self, number: int, page: Page | None = None, *, before: str = "", key: str = "", **query: Any
    ) -> Person:
        """Somebody comes in, in a new window of Chromium unless `page` is given, with nothing to show yet.

        `key`: the secret that encrypts what goes by the server, in the address's fragment.
        """
        page = page or await self._chromium.page(before)
        self._pages.append(page)
        address = self.server.page(self.room, self.url, name=f"P{number}", **query)
        await page.open(address + (f"#key={key}" if key else ""))
        return Person(page, await page.call("joined", PATIENCE), number)

    async def vanish(self, person: Person) -> None:
        """The window is closed; nothing is said."""
        self._pages.remove(person.page)
        await person.page.close()

    async def again(self, person: Person, number: int) -> Person:
        """The same window opens the page once more, after `leave`: that is somebody new."""
        await person.page.open(self.server.page(self.room, self.url, name=f"P{number}"))
        return Person(person.page, await person.call("joined", PATIENCE), number)


async def everybody_meets(*people: Person, seconds: float = PATIENCE) -> float:
    """Each sees and hears each other one; returns the seconds that the slowest needed."""
    return max(
        await asyncio.gather(
            *(one.meets(*(other for other in people if other is not one), seconds=seconds) for one in people)
        )
    )


async def two_meet(meeting: Meeting, *, before: str = "", **options: Any) -> tuple[Person, Person]:
    """Two people who see and hear each other; `before` is for the first one's page, `options` are for both cameras."""
    ada, bob = await asyncio.gather(meeting.join(1, before=before), meeting.join(2))
    await asyncio.gather(ada.publish(**options), bob.publish(**options))
    await everybody_meets(ada, bob)
    return ada, bob
