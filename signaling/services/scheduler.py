"""Timers, as far as services need them: an asyncio loop fits, and so does simulated time."""

from collections.abc import Callable
from typing import Protocol


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Scheduler(Protocol):
    def call_later(self, delay: float, callback: Callable[[], object]) -> Cancellable: ...


class Alarm:
    """One timer that is set, moved and cleared; it rings once."""

    def __init__(self, scheduler: Scheduler, ring: Callable[[], object]) -> None:
        self._scheduler = scheduler
        self._ring = ring
        self._handle: Cancellable | None = None

    def set(self, delay: float | None) -> None:
        """Rings after `delay` seconds instead of whenever it was to ring; None clears it."""
        self.clear()
        if delay is not None:
            self._handle = self._scheduler.call_later(max(0.0, delay), self._rung)

    def clear(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _rung(self) -> None:
        self._handle = None
        self._ring()
