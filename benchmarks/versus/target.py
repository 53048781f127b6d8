"""What a server must be able to do to be measured: rooms, people in them who send, people who receive."""

from collections.abc import Sequence
from typing import Protocol, Self

from benchmarks.load import Load


class Seat(Protocol):
    """One participant in a room of a server: joins by publishing or by listening, whichever comes first."""

    async def publish(self) -> None:
        """A camera and a microphone; returns once the connection is open."""

    async def listen(self, to: Sequence[Self]) -> None:
        """Receives what these others publish; returns once that is under way."""

    async def leave(self) -> None: ...


class Target(Protocol):
    """A server under test. `threads` is what is known of how it works, for the table's reader; `meets` is whether
    it is measured with people who all see each other, or only with an audience."""

    name: str
    threads: str
    meets: bool

    @property
    def pid(self) -> int | None:
        """Of its process on this machine, whose CPU and memory are read; None: somebody else's machine."""

    async def start(self, core: int) -> None:
        """Pinned to the core, ready when this returns."""

    async def stop(self) -> None: ...

    async def room(self, publishers: int) -> None:
        """Makes the room in which all that follow take their seats."""

    def seat(self, load: Load) -> Seat: ...
