"""Timers, as far as services need them: an asyncio loop fits, and so does simulated time."""

from collections.abc import Callable
from typing import Protocol


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Scheduler(Protocol):
    def call_later(self, delay: float, callback: Callable[[], object]) -> Cancellable: ...


class Alarm:
    """One timer that is set, moved and cleared; it rings once. It knows whom to call only while it is set."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._handle: Cancellable | None = None

    def set(self, delay: float | None, ring: Callable[[], object]) -> None:
        """Rings after `delay` seconds instead of whenever it was to ring; None clears it."""
        self.clear()
        if delay is not None:
            self._handle = self._scheduler.call_later(max(0.0, delay), lambda: self._rung(ring))

    def clear(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _rung(self, ring: Callable[[], object]) -> None:
        self._handle = None
        ring()
