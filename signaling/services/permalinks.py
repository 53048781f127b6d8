"""Rooms defined ahead of time, with links that last: hosts begin the meeting, guests come while it runs.

Decides what such a link opens, and when. A permalink has a room of its own; the meetings in it are like any other,
but their guest token is the permalink's. Rooms contract, section 16.
"""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mediaserver import Clock
from signaling import tokens
from signaling.services.errors import BadValue, Gone, NotFound
from signaling.services.room_options import RoomOptions
from signaling.services.room_records import Person, Seat, TeamMeeting
from signaling.services.room_register import Opening
from signaling.services.rooms import Rooms
from signaling.store import permalinks as store
from signaling.store import team_rooms
from signaling.store.database import Connection, Database
from signaling.store.permalinks import HostRow, PermalinkRow

_TOKEN = re.compile(rf"[A-Za-z0-9]{{{tokens.KEY_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class Host:
    """Somebody who may begin the meeting. Times in unix seconds."""

    token: str
    id: str
    name: str
    avatar: str | None
    joined_at: float


@dataclass(frozen=True, slots=True)
class Permalink:
    """`host` is who it is told of; None: nobody in particular. `meeting` runs now. Times in unix seconds."""

    id: str
    team: str
    room_id: str
    name: str | None
    options: RoomOptions
    guest_token: str
    created_at: float
    expires_at: float | None
    host: Host | None
    meeting: TeamMeeting | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is None stays as it is; options that are not given do."""

    name: str | None = None
    options: RoomOptions | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class PermalinkPage:
    total: int
    items: Sequence[Permalink]


class Permalinks:
    def __init__(
        self,
        database: Database,
        rooms: Rooms,
        clock: Clock,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._clock = clock
        self._random = random
        rooms.lasting = self.meeting_of

    # what a team does

    async def create(self, team: str, opening: Opening, person: Person, expires_at: float | None) -> Permalink:
        """`opening` is for its meetings, `person` the first host."""
        self._check_expiry(expires_at)
        return await self._database.writing(self._create, team, opening, person, expires_at)

    async def fetch(self, team: str, permalink_id: str) -> Permalink:
        return await self._database.reading(lambda connection: self._told(connection, team, permalink_id))

    async def list(self, team: str, number: int, limit: int, expired: bool | None) -> PermalinkPage:
        """The page of that number, from 1."""
        return await self._database.reading(self._page, team, number, limit, expired)

    async def change(self, team: str, permalink_id: str, changes: Changes) -> Permalink:
        """As it is from the next meeting on."""
        self._check_expiry(changes.expires_at)
        return await self._database.writing(self._change, team, permalink_id, changes)

    async def delete(self, team: str, permalink_id: str) -> None:
        """Its tokens die; a running meeting goes on."""
        await self._database.writing(self._delete, team, permalink_id)

    async def add_host(self, team: str, permalink_id: str, person: Person) -> Permalink:
        """The permalink as that host has it, with a token of their own."""
        return await self._database.writing(self._add_another, team, permalink_id, person)

    async def remove_host(self, team: str, permalink_id: str, token: str) -> None:
        await self._database.writing(self._remove_host, team, permalink_id, token)

    # what the links do

    async def by_token(self, token: str) -> tuple[Permalink, bool]:
        """What a host's or a guest's token is for, and whether it is a host's. NotFound if for nothing."""
        return await self._database.reading(self._by_token, token)

    async def enter(self, token: str) -> Seat:
        """A host joins the meeting, or begins it."""
        return await self._rooms.begin(lambda connection: self._enter(connection, token))

    def meeting_of(self, connection: Connection, guest_token: str) -> TeamMeeting | None:
        """The meeting that a permalink's guest token opens now; None if it is no permalink's, Gone if none runs."""
        row = store.by_guest_token(connection, tokens.digest(guest_token))
        if row is None:
            return None
        meeting = None
        if row.deleted_ms is None:
            meeting = self._rooms.register.running_in(connection, row.room_key)
        if meeting is None:
            raise Gone("The meeting is not running.")
        return meeting

    # helpers

    def _create(
        self, connection: Connection, team: str, opening: Opening, person: Person, expires_at: float | None
    ) -> Permalink:
        now_ms = self._now_ms()
        room = self._rooms.register.new_room(team, None, opening.name, now_ms)
        team_rooms.add_room(connection, room)
        token = tokens.new_key(self._random)
        row = PermalinkRow(
            id=tokens.new_id(self._random),
            team=team,
            room_key=room.key,
            options=opening.options.model_dump_json(exclude_unset=True),
            guest_token=token,
            created_ms=now_ms,
            expires_ms=None if expires_at is None else int(expires_at * 1000),
            deleted_ms=None,
            room_id=room.room_id,
            name=opening.name,
        )
        store.add(connection, row, tokens.digest(token))
        return self._permalink(connection, row, self._add_host(connection, row.id, person))

    def _told(self, connection: Connection, team: str, permalink_id: str) -> Permalink:
        """As its first host has it."""
        row = _owned(connection, team, permalink_id)
        return self._permalink(connection, row, next(iter(store.hosts(connection, [row.id])), None))

    def _page(self, connection: Connection, team: str, number: int, limit: int, expired: bool | None) -> PermalinkPage:
        offset = (number - 1) * limit
        total, rows = store.page(connection, team, self._now_ms(), expired, limit=limit, offset=offset)
        first: dict[str, HostRow] = {}
        for host in store.hosts(connection, [row.id for row in rows]):
            first.setdefault(host.permalink_id, host)
        return PermalinkPage(total, [self._permalink(connection, row, first.get(row.id)) for row in rows])

    def _change(self, connection: Connection, team: str, permalink_id: str, changes: Changes) -> Permalink:
        row = _owned(connection, team, permalink_id)
        options = json.loads(row.options)
        if changes.options is not None:
            options |= changes.options.model_dump(exclude_unset=True)
        expires_ms = row.expires_ms if changes.expires_at is None else int(changes.expires_at * 1000)
        store.change(connection, row.id, json.dumps(options), expires_ms)
        if changes.name is not None:
            team_rooms.rename_room(connection, row.room_key, changes.name)
        return self._told(connection, team, permalink_id)

    def _delete(self, connection: Connection, team: str, permalink_id: str) -> None:
        store.delete(connection, _owned(connection, team, permalink_id).id, self._now_ms())

    def _add_another(self, connection: Connection, team: str, permalink_id: str, person: Person) -> Permalink:
        row = _owned(connection, team, permalink_id)
        return self._permalink(connection, row, self._add_host(connection, row.id, person))

    def _add_host(self, connection: Connection, permalink_id: str, person: Person) -> HostRow:
        number = len(store.hosts(connection, [permalink_id]))
        token = tokens.new_key(self._random)
        user_id = tokens.new_id(self._random) if person.id is None else person.id
        row = HostRow(token, permalink_id, user_id, person.name, person.avatar, self._now_ms(), number)
        store.add_host(connection, row, tokens.digest(token))
        return row

    def _remove_host(self, connection: Connection, team: str, permalink_id: str, token: str) -> None:
        row = _owned(connection, team, permalink_id)
        if not store.remove_host(connection, row.id, tokens.digest(token)):
            raise NotFound("host", tokens.shortened(token))

    def _by_token(self, connection: Connection, token: str) -> tuple[Permalink, bool]:
        if not _TOKEN.fullmatch(token):
            raise _no_link(token)
        host = store.host(connection, tokens.digest(token))
        row = store.by_id(connection, host.permalink_id) if host else None
        if row is None:
            row = store.by_guest_token(connection, tokens.digest(token))
        if row is None or row.deleted_ms is not None:
            raise _no_link(token)
        return self._permalink(connection, row, host), host is not None

    def _enter(self, connection: Connection, token: str) -> Seat:
        host = store.host(connection, tokens.digest(token)) if _TOKEN.fullmatch(token) else None
        row = store.by_id(connection, host.permalink_id) if host else None
        if row is None or host is None:
            raise _no_link(token)
        if row.expires_ms is not None and row.expires_ms <= self._now_ms():
            raise Gone("The link has expired.")
        options = RoomOptions.model_validate_json(row.options)
        opening = Opening(options, guest_token=row.guest_token, permalink_id=row.id)
        room = team_rooms.room_by_key(connection, row.room_key, lock=True)
        person = Person(host.name, host.id, host.avatar)
        return self._rooms.register.admit(connection, room, person, opening, self._now_ms())

    def _permalink(self, connection: Connection, row: PermalinkRow, host: HostRow | None) -> Permalink:
        return Permalink(
            id=row.id,
            team=row.team,
            room_id=row.room_id,
            name=row.name,
            options=RoomOptions.model_validate_json(row.options),
            guest_token=row.guest_token,
            created_at=row.created_ms / 1000,
            expires_at=None if row.expires_ms is None else row.expires_ms / 1000,
            host=None if host is None else Host(host.token, host.id, host.name, host.avatar, host.joined_ms / 1000),
            meeting=self._rooms.register.running_in(connection, row.room_key),
        )

    def _check_expiry(self, expires_at: float | None) -> None:
        if expires_at is not None and expires_at <= self._clock.wall():
            raise BadValue("expires_at")

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def _owned(connection: Connection, team: str, permalink_id: str) -> PermalinkRow:
    row = store.by_id(connection, permalink_id) if _TOKEN.fullmatch(permalink_id) else None
    if row is None or row.team != team:
        raise NotFound("permalink", permalink_id)
    return row


def _no_link(token: str) -> NotFound:
    return NotFound("permalink", tokens.shortened(token))
