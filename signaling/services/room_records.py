"""The meetings of teams' rooms and who is registered in them, as services hand them around.

Pure data, and how it is read from the store. How callers see it is `room_views.py`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from signaling.services.room_options import RoomOptions
from signaling.store.database import Connection
from signaling.store.team_rooms import MeetingRow, UserRow


@dataclass(frozen=True, slots=True)
class TeamMeeting:
    """One meeting in a team's room; its id is the conference's. Times in unix seconds."""

    id: str
    team: str
    room_key: str
    room_id: str
    """What the team calls the room."""
    name: str | None
    options: RoomOptions
    guest_token: str
    permalink_id: str | None
    started_at: float
    locked: bool = False
    over: bool = False

    @property
    def shown_name(self) -> str:
        return self.team if self.name is None else self.name


@dataclass(frozen=True, slots=True)
class RoomUser:
    """Somebody registered in a meeting. `locale` is what a guest has chosen."""

    id: str
    name: str
    avatar: str | None
    guest: bool
    locale: str | None
    joined_at: float
    access_key: str


@dataclass(frozen=True, slots=True)
class Seat:
    """What an access key stands for."""

    user: RoomUser
    meeting: TeamMeeting


@dataclass(frozen=True, slots=True)
class Person:
    """Who wants to be registered. `id` None: any will do."""

    name: str
    id: str | None = None
    avatar: str | None = None
    locale: str | None = None


class Herald(Protocol):
    """Tells a team's webhooks of a change, in the transaction of the change."""

    def announce(self, connection: Connection, team: str, kind: str, subject: Any, now_ms: int) -> None: ...


class Silent:
    """Nobody wants to know."""

    def announce(self, connection: Connection, team: str, kind: str, subject: Any, now_ms: int) -> None:
        pass


Full = Callable[[str, str], bool]
"""Whether a meeting has no seat left for a user: by their ids."""


def meeting_of(row: MeetingRow) -> TeamMeeting:
    return TeamMeeting(
        id=row.id,
        team=row.team,
        room_key=row.room_key,
        room_id=row.room_id,
        name=row.name,
        options=RoomOptions.model_validate_json(row.options),
        guest_token=row.guest_token,
        permalink_id=row.permalink_id,
        started_at=row.started_ms / 1000,
        locked=row.locked_ms is not None,
        over=row.ended_ms is not None,
    )


def user_of(row: UserRow) -> RoomUser:
    return RoomUser(row.id, row.name, row.avatar, row.guest, row.locale, row.joined_ms / 1000, row.access_key)
