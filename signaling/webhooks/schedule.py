"""When a webhook's delivery is tried again, and when it is given up.

Pure: told what a try came to, it says what is next. A delivery may be tried for so long after its event, or after
somebody has asked for it once more; each is tried at least once, however long it had to wait for those before it.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Patience:
    """`pauses` between tries, the last of which repeats; `total` seconds after which no try follows."""

    pauses: tuple[float, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`next_at` is when to try again, as long as it is pending."""

    state: State
    next_at: float


def verdict(patience: Patience, *, code: int | None, attempts: int, since: float, now: float) -> Verdict:
    """What follows from a try that ended `now`, the `attempts`th; `code` is the status, None where nobody answered."""
    if code is not None and 200 <= code < 300:
        return Verdict(State.DONE, now)
    next_at = now + _pause(patience.pauses, attempts)
    if next_at > since + patience.total:
        return Verdict(State.FAILED, now)
    return Verdict(State.PENDING, next_at)


def _pause(pauses: tuple[float, ...], attempts: int) -> float:
    return pauses[min(attempts, len(pauses)) - 1] if pauses else 0.0
