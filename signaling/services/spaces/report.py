"""Who was in calls and what they did there, a line for each person. Pure. Spaces contract, section 10."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from signaling.store.space_calls import PresenceRow


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of somebody, as of the last time they came. `joins`: from when to when, in unix milliseconds."""

    name: str
    user_id: str | None
    external_user_id: str | None
    email: str | None
    phone: str | None
    role: str
    joins: tuple[tuple[int, int | None], ...]
    present_seconds: int
    messages: int
    speaking_seconds: int


def report(presences: Iterable[PresenceRow], now_ms: int) -> Sequence[Line]:
    """In the order in which people came first; `presences` in the order in which they began."""
    people: dict[str, list[PresenceRow]] = {}
    for presence in presences:
        people.setdefault(presence.person, []).append(presence)
    return [_line(stays, now_ms) for stays in people.values()]


def _line(stays: Sequence[PresenceRow], now_ms: int) -> Line:
    last = stays[-1]
    return Line(
        name=last.name,
        user_id=last.user_id,
        external_user_id=last.external_user_id,
        email=last.email,
        phone=last.phone,
        role=last.role,
        joins=tuple((stay.joined_ms, stay.left_ms) for stay in stays),
        present_seconds=_covered_ms(stays, now_ms) // 1000,
        messages=sum(stay.messages for stay in stays),
        speaking_seconds=sum(stay.speaking_ms for stay in stays) // 1000,
    )


def _covered_ms(stays: Sequence[PresenceRow], now_ms: int) -> int:
    """Who is there twice at a time is there once."""
    covered, until = 0, 0
    for stay in stays:
        end = now_ms if stay.left_ms is None else stay.left_ms
        covered += max(0, end - max(stay.joined_ms, until))
        until = max(until, end)
    return covered
