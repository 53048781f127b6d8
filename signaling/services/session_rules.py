"""What may be said about a session, in the order and the words of the contract. Pure, takes `now`.

Times are integer unix milliseconds. Sessions contract, sections 1 to 6 and 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from signaling.services.doors import Role
from signaling.services.errors import Invalid, NotFound

MAX_DATA = 1000  # characters
TOKEN_LIFE_MS = 24 * 3600 * 1000
LONGEST_TOKEN_LIFE_MS = 30 * TOKEN_LIFE_MS
MINUTE_MS = 60_000
_LATEST_MS = 253_402_300_799_999  # the last millisecond of the year 9999

NO_ENCRYPTION_WITH_ARCHIVING = "End to end Encryption along with archiving is not possible"
EXPIRED = "This meeting has been expired"


class Unknown(NotFound):
    """There is none; `text` says so in the contract's words."""

    def __init__(self, text: str) -> None:
        super().__init__("session", "")
        self.args = (text,)


def read_date(value: object) -> int | None:
    """An ISO 8601 text or a number of milliseconds; None for what is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        ms = _from_iso(value) if isinstance(value, str) else round(value)
    except (ValueError, OverflowError):
        return None
    return ms if 0 <= ms <= _LATEST_MS else None


def write_date(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def schedule_of_new(*, scheduled: bool, time: object, archiving: bool, e2ee: bool, now_ms: int) -> int:
    """When a new session is to begin."""
    schedule = now_ms
    if scheduled:
        schedule = _future(
            time,
            now_ms,
            missing="Schedule time is not set.",
            malformed="Scheduled time is not in correct format.",
            past="Meeting can't be scheduled with schedule time in past!",
        )
    if e2ee and archiving:
        raise Invalid(NO_ENCRYPTION_WITH_ARCHIVING)
    return schedule


def schedule_of_edited(*, scheduled: bool, time: object, now_ms: int) -> int:
    """When an edited session is to begin."""
    if not scheduled:
        return now_ms
    return _future(
        time,
        now_ms,
        missing="Schedule Time is required if isScheduled is set to true",
        malformed="Schedule Time is Not in correct format",
        past="Schedule Time cannot be set in the past",
    )


def expiry_of_token(value: object, now_ms: int) -> int:
    """When a token ends; checked after the meeting link, before the session is looked up."""
    if value is None:
        return now_ms + TOKEN_LIFE_MS
    ms = read_date(value)
    if ms is None:
        raise Invalid("Expire time is not in correct format.")
    if ms <= now_ms:
        raise Invalid("Expire time cannot be in the past.")
    return ms


def check_token_life(expires_ms: int, now_ms: int) -> None:
    if expires_ms > now_ms + LONGEST_TOKEN_LIFE_MS:
        raise Invalid("Expire time is too far in the future.")


def check_data(data: str | None) -> None:
    if data is not None and len(data) > MAX_DATA:
        raise Invalid("Data is too long.")


def read_role(value: str | None) -> Role:
    try:
        return Role[(value or "publisher").upper()]
    except KeyError:
        raise Invalid("Role is not valid.") from None


def check_may_start(*, ended: bool, scheduled: bool, schedule_ms: int, minutes_before: int, now_ms: int) -> None:
    """Raises unless somebody may come to the session now."""
    if ended:
        raise Invalid(EXPIRED)
    if scheduled and now_ms + minutes_before * MINUTE_MS < schedule_ms:
        raise Invalid(f"Meeting can only be started {minutes_before} minutes before the scheduled time")


class Change(Enum):
    """What an event does to a line of the attendee list."""

    NOTHING = "nothing"
    CREATE = "create"
    PRESENT = "present"
    NOTE = "note"
    """Only its payload is kept."""
    ABSENT = "absent"


_STILL_THERE = ("forceUnpublished", "mediaStopped")
_KNOWN = {
    "connectionCreated": Change.PRESENT,
    "streamCreated": Change.NOTE,
    "streamDestroyed": Change.ABSENT,
    "connectionDestroyed": Change.ABSENT,
}


def attendee_change(event: str, reason: str | None, *, known: bool) -> Change:
    if not known:
        return Change.CREATE if event == "connectionCreated" else Change.NOTHING
    if event == "streamDestroyed" and reason in _STILL_THERE:
        return Change.NOTE
    return _KNOWN.get(event, Change.NOTHING)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event about a connection to a session; `payload` is all that was said about it."""

    session_id: str
    event: str
    reason: str | None
    data: str
    payload: Mapping[str, Any]


def _future(value: object, now_ms: int, *, missing: str, malformed: str, past: str) -> int:
    if value is None or value == "":
        raise Invalid(missing)
    ms = read_date(value)
    if ms is None:
        raise Invalid(malformed)
    if ms < now_ms:
        raise Invalid(past)
    return ms


def _from_iso(text: str) -> int:
    moment = datetime.fromisoformat(text.strip())
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
