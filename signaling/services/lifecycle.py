"""When a conference is ready, begins and is over: created, ready, active, ended, and every timer between them.

Pure state for one conference: no task, no clock. Tell it who is online, ask it what is due and when to ask again.
Acting on the end (telling people, closing the media plane) is `conferences.py`'s. All times are monotonic seconds.
"""

from dataclasses import dataclass, field
from enum import Enum


class State(Enum):
    CREATED = "created"
    READY = "ready"
    ACTIVE = "active"
    ENDED = "ended"


_MOVES = {
    State.CREATED: {State.READY, State.ENDED},
    State.READY: {State.ACTIVE, State.ENDED},
    State.ACTIVE: {State.ENDED},
    State.ENDED: set(),
}


@dataclass(frozen=True, slots=True)
class Timers:
    """How long a conference lives with nobody in it, in seconds; 0 turns the last one off."""

    empty: float = 300.0
    """Nobody has ever been online."""
    departure: float = 20.0
    """The last one has left."""
    max_duration: float = 0.0
    """Since the first one came online."""


@dataclass(slots=True)
class Lifecycle:
    """The state of one conference. `started_at` is when the first participant came online, None before."""

    created_at: float
    timers: Timers
    state: State = State.CREATED
    started_at: float | None = None
    _online: int = 0
    _empty_since: float = field(init=False)

    def __post_init__(self) -> None:
        self._empty_since = self.created_at

    @property
    def over(self) -> bool:
        return self.state is State.ENDED

    def ready(self) -> None:
        """The media plane accepts participants."""
        self._enter(State.READY)

    def came(self, now: float) -> None:
        """One more participant is online."""
        self._online += 1
        if self.state is State.READY:
            self.started_at = now
            self._enter(State.ACTIVE)

    def went(self, now: float) -> None:
        """One participant is offline."""
        assert self._online > 0, "nobody was online"
        self._online -= 1
        if self._online == 0:
            self._empty_since = now

    def end(self) -> None:
        """The conference is over for good; twice is fine."""
        if not self.over:
            self._enter(State.ENDED)

    def due(self, now: float) -> bool:
        """Whether one of the timers says that the conference has to end now."""
        deadline = self.deadline()
        return deadline is not None and now >= deadline

    def deadline(self) -> float | None:
        """When to ask `due` again; None while nothing is running."""
        if self.over:
            return None
        deadlines = [self._longest(), self._emptiest()]
        return min((at for at in deadlines if at is not None), default=None)

    def _longest(self) -> float | None:
        if self.started_at is None or self.timers.max_duration <= 0:
            return None
        return self.started_at + self.timers.max_duration

    def _emptiest(self) -> float | None:
        if self._online:
            return None
        patience = self.timers.empty if self.started_at is None else self.timers.departure
        return self._empty_since + patience

    def _enter(self, state: State) -> None:
        assert state in _MOVES[self.state], f"{self.state} -> {state}"
        self.state = state
