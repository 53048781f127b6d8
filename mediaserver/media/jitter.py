"""One stream of packets back in order, with a deadline for those that are missing.

Pure state: feed it packets, ask it what is ready, what to ask the sender for again, and when it wants to be asked next.
What comes in order goes through at once. A packet that is missing is waited for until `patience` has passed since a
later one came; then the stream goes on without it, and what follows is told how much was lost. RFC 3550 appendix A.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from mediaserver.rtp.sequence import unwrap

MAX_WAITING = 1024  # packets behind a hole; one more and the hole is given up
MAX_JUMP = 3000  # numbers: a stream that leaps further has begun anew
ASK_AFTER = 0.02  # seconds: what is only out of order comes by itself
ASK_AGAIN = 0.1
MAX_ASKED = 64  # numbers in one request

T = TypeVar("T")


class Ordered(NamedTuple, Generic[T]):
    """A packet whose turn it is, and how many before it are lost for good."""

    item: T
    lost: int


@dataclass(slots=True)
class Reorder(Generic[T]):
    """`patience` in seconds. Times are monotonic."""

    patience: float
    late: int = 0
    """Packets that came again, or after they were given up."""
    lost: int = 0
    _next: int | None = None
    _waiting: dict[int, tuple[T, float]] = field(default_factory=dict)
    _asked_at: float = float("-inf")

    def push(self, sequence: int, item: T, now: float) -> Sequence[Ordered[T]]:
        """What may go on because this packet came, in order."""
        if self._next is None:
            self._next = sequence
        number = unwrap(sequence, self._next)
        if number == self._next and not self._waiting:
            self._next += 1
            return (Ordered(item, 0),)
        if abs(number - self._next) > MAX_JUMP:
            return self._restart(number, item)
        if number < self._next or number in self._waiting:
            self.late += 1
            return ()
        self._waiting[number] = (item, now)
        if len(self._waiting) > MAX_WAITING:
            return self._skip()
        return self._run(0)

    def expire(self, now: float) -> Sequence[Ordered[T]]:
        """What may go on because others have been waited for long enough."""
        ready: list[Ordered[T]] = []
        while self._waiting and now >= self._since() + self.patience:
            ready += self._skip()
        return ready

    def flush(self) -> Sequence[Ordered[T]]:
        """All that is left, in order: nothing more will come."""
        ready: list[Ordered[T]] = []
        while self._waiting:
            ready += self._skip()
        return ready

    def missing(self, now: float) -> tuple[int, ...]:
        """Sequence numbers to ask the sender for now; each is asked for again until it comes or is given up."""
        if not self._waiting or now - self._since() < ASK_AFTER or now - self._asked_at < ASK_AGAIN:
            return ()
        self._asked_at = now
        holes = (n for n in range(self._first(), max(self._waiting)) if n not in self._waiting)
        return tuple(n & 0xFFFF for n, _ in zip(holes, range(MAX_ASKED), strict=False))

    @property
    def next_deadline(self) -> float | None:
        return self._since() + self.patience if self._waiting else None

    def _first(self) -> int:
        assert self._next is not None, "something has come"
        return self._next

    def _since(self) -> float:
        """When the packet behind the first hole came."""
        return next(iter(self._waiting.values()))[1]

    def _run(self, lost: int) -> list[Ordered[T]]:
        """Everything up to the next hole."""
        ready: list[Ordered[T]] = []
        number = self._first()
        while number in self._waiting:
            ready.append(Ordered(self._waiting.pop(number)[0], lost))
            lost = 0
            number += 1
        self._next = number
        return ready

    def _skip(self) -> list[Ordered[T]]:
        """Gives up the first hole."""
        first = min(self._waiting)
        lost = first - self._first()
        self.lost += lost
        self._next = first
        return self._run(lost)

    def _restart(self, number: int, item: T) -> Sequence[Ordered[T]]:
        ready = [*self.flush(), Ordered(item, 1)]
        self._next = number + 1
        self.lost += 1
        return ready
