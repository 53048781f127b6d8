"""Realtime rooms: their lives, their tokens, and the endpoints of those who joined.

Decides what a room is, when it and its token are over, and who may come in; `store/rooms.py` remembers it, the API
and `/rt` render it. A room whose life is over is removed by whoever looks at it first, or by `sweep`, as soon as
nobody is online. Realtime contract, sections 3 to 6.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from mediaserver import Clock
from signaling import tokens
from signaling.services.doors import Endpoint, Mode
from signaling.services.errors import BadPagingToken, Conflict, NotFound, Refused, Removed
from signaling.settings import Settings
from signaling.store import rooms as store
from signaling.store.database import Connection, Database
from signaling.store.rooms import EndpointRecord, RoomRecord

MAX_NAME = 512  # characters
MAX_DESCRIPTION = 4096  # characters
UPGRADE_COUNTS = (2, 1000)
PAGE_SIZES = (1, 100)
DEFAULT_PAGE_SIZE = 25
RENEWABLE_PART = 0.1  # of an endpoint's life, at its end
REMEMBER_REMOVED = 7 * 86400  # seconds for which the token of a removed room is told from an unknown one
SWEEP_SIZE = 1000  # rooms at a time
_ROOM_PREFIX = "RO-"
_ROOM_ID = re.compile(r"RO-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENDPOINT_PREFIX = "EP-"


@dataclass(frozen=True, slots=True)
class RealtimeRoom:
    """`key` is the digest of the API key it belongs to. Times are unix seconds, lives whole seconds."""

    id: str
    key: str
    name: str | None
    description: str | None
    conference_type: Mode
    auto_upgrade_count: int | None
    max_participants: int
    created_at: float
    modified_at: float
    room_token_ttl: int
    room_ttl: int
    endpoint_ttl: int
    token: str
    token_issued_at: float
    e2ee: bool = False
    """Its participants encrypt what they send, also where it goes by the server."""


@dataclass(frozen=True, slots=True)
class RoomPage:
    """`next` is the paging token of the page after it; None on the last one."""

    rooms: Sequence[RealtimeRoom]
    next: str | None


class Presence(Protocol):
    """Who is online, as the conferences know it."""

    def anyone_online(self, room_id: str) -> bool: ...

    def is_online(self, room_id: str, participant_id: str) -> bool: ...


class NobodyOnline:
    def anyone_online(self, room_id: str) -> bool:
        return False

    def is_online(self, room_id: str, participant_id: str) -> bool:
        return False


class RealtimeRooms:
    """`on_deleted` is called once for each room that is removed, `on_upgraded` for each that becomes SFU."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        on_deleted: Callable[[str], Awaitable[None]] | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._random = random
        self._paging_secret: bytes | None = None
        self.on_deleted = on_deleted
        self.on_upgraded: Callable[[RealtimeRoom], Awaitable[None]] | None = None
        self.presence: Presence = NobodyOnline()

    async def create(
        self,
        key: str,
        *,
        name: str | None = None,
        description: str | None = None,
        conference_type: Mode = "MESH",
        auto_upgrade_count: int | None = None,
        e2ee: bool = False,
    ) -> RealtimeRoom:
        realtime, now_ms = self._settings.realtime, self._now_ms()
        record = RoomRecord(
            id=f"{_ROOM_PREFIX}{tokens.new_uuid(self._random)}",
            key_id=key,
            name=name,
            description=description,
            conference_type=conference_type,
            auto_upgrade_count=auto_upgrade_count,
            max_participants=self._limit(conference_type),
            created_ms=now_ms,
            modified_ms=now_ms,
            room_token_ttl=realtime.room_token_ttl_seconds,
            room_ttl=realtime.room_ttl_seconds,
            endpoint_ttl=realtime.endpoint_ttl_seconds,
            token=tokens.new_token(self._random),
            token_issued_ms=now_ms,
            e2ee=e2ee,
        )
        await self._database.stating(store.insert, record, tokens.digest(record.token))
        return _room(record)

    async def fetch(self, key: str, room_id: str) -> RealtimeRoom:
        """The room, with a new token if the old one has expired."""
        return _room(await self._with_live_token(await self._owned(key, room_id)))

    async def list(self, key: str, limit: int = DEFAULT_PAGE_SIZE, after: str | None = None) -> RoomPage:
        """A page of the key's rooms, oldest first; `after` is the paging token of the page before."""
        secret = await self._secret()
        place = _place(secret, key, after) if after else None
        records = await self._living_page(key, place, limit + 1)
        shown = [await self._with_live_token(record) for record in records[:limit]]
        more = None
        if len(records) > limit:
            more = tokens.seal_cursor(secret, key, _cursor(shown[-1]))
        return RoomPage([_room(record) for record in shown], more)

    async def delete(self, key: str, room_id: str) -> RealtimeRoom:
        """The room as it was; its token and its endpoints are dead when this returns."""
        record = await self._owned(key, room_id)
        if not await self._remove(record):
            raise NotFound("room", room_id)
        return _room(record)

    async def upgrade(self, key: str, room_id: str) -> RealtimeRoom:
        """The room as an SFU room; it never goes back."""
        await self._owned(key, room_id)
        record, changed = await self._become_sfu(room_id)
        room = _room(await self._with_live_token(record))
        if changed and self.on_upgraded is not None:
            await self.on_upgraded(room)
        return room

    async def upgrade_from_inside(self, room_id: str) -> RealtimeRoom:
        """The same for those inside, whoever's key it belongs to; they tell each other, `on_upgraded` is not called."""
        record, _ = await self._become_sfu(room_id)
        return _room(record)

    async def by_id(self, room_id: str) -> RealtimeRoom:
        """The room for those inside, whoever's key it belongs to."""
        record = await self._database.reading(store.by_id, room_id)
        if record is None:
            raise Removed("room", room_id)
        return _room(record)

    async def admit(self, token: str) -> RealtimeRoom | Endpoint:
        """The room or the seat that `token` opens now. Refused if it opens none, Removed if the room is over."""
        opened = await self._database.reading(store.opened_by, tokens.digest(token))
        if opened is None:
            raise Refused(token)
        if isinstance(opened, RoomRecord):
            return await self._admit_to_room(opened)
        return await self._admit_to_seat(*opened, token)

    async def new_endpoint(self, room_id: str, participant_id: str) -> Endpoint:
        """A seat for someone who has come in by the room's token."""
        token = tokens.new_token(self._random)
        record = await self._database.stating(
            store.insert_endpoint,
            endpoint_id=f"{_ENDPOINT_PREFIX}{tokens.new_uuid(self._random)}",
            room_id=room_id,
            participant_id=participant_id,
            token_digest=tokens.digest(token),
            now_ms=self._now_ms(),
        )
        if record is None:
            raise Removed("room", room_id)
        return _endpoint(record, token)

    async def renew_endpoint(self, endpoint: Endpoint) -> Endpoint:
        """The same seat and token for another period. Conflict before the last tenth of this one."""
        return await self._database.writing(_renew, endpoint, self._now_ms())

    async def sweep(self) -> None:
        """Removes the rooms whose life is over and forgets what need not be remembered; call it now and then."""
        now_ms = self._now_ms()
        await self._database.writing(store.purge, now_ms - REMEMBER_REMOVED * 1000, now_ms)
        for room_id in await self._database.reading(store.outlived, now_ms, SWEEP_SIZE):
            if not self.presence.anyone_online(room_id):
                await self._remove_id(room_id)

    async def _admit_to_room(self, room: RoomRecord) -> RealtimeRoom:
        if room.removed_ms is not None or self._is_over(room):
            await self._remove_if_empty(room)
            raise Removed("room", room.id)
        if self._token_expired(room):
            raise Refused(room.token)
        return _room(room)

    async def _admit_to_seat(self, endpoint: EndpointRecord, room: RoomRecord, token: str) -> Endpoint:
        came_back = self.presence.is_online(room.id, endpoint.participant_id)
        if room.removed_ms is not None or (self._is_over(room) and not came_back):
            await self._remove_if_empty(room)
            raise Removed("room", room.id)
        if self._now_ms() >= endpoint.expires_ms:
            raise Refused(token)
        return _endpoint(endpoint, token)

    async def _owned(self, key: str, room_id: str) -> RoomRecord:
        """The living room of that key; another key's room is as unknown as none."""
        if not _ROOM_ID.fullmatch(room_id):  # a database may choke on what a stranger sends
            raise NotFound("room", room_id)
        record = await self._database.reading(store.by_id, room_id)
        if record is None or record.key_id != key or await self._remove_if_empty(record):
            raise NotFound("room", room_id)
        return record

    async def _living_page(self, key: str, place: tuple[int, str] | None, limit: int) -> Sequence[RoomRecord]:
        while True:
            records = await self._database.reading(store.page, key, place, limit)
            removed = [await self._remove_if_empty(record) for record in records]
            if not any(removed):
                return records

    async def _with_live_token(self, record: RoomRecord) -> RoomRecord:
        if not self._token_expired(record):
            return record
        token = tokens.new_token(self._random)
        newest = await self._database.writing(_renew_token, record, token, self._now_ms())
        if newest is None:
            raise NotFound("room", record.id)
        return newest

    async def _remove_if_empty(self, record: RoomRecord) -> bool:
        """Whether the room's life is over and nobody is in it; then it is removed."""
        if not self._is_over(record) or self.presence.anyone_online(record.id):
            return False
        await self._remove(record)
        return True

    async def _remove(self, record: RoomRecord) -> bool:
        return await self._remove_id(record.id)

    async def _remove_id(self, room_id: str) -> bool:
        removed = await self._database.stating(store.remove, room_id, self._now_ms())
        if removed and self.on_deleted is not None:
            await self.on_deleted(room_id)
        return removed

    async def _become_sfu(self, room_id: str) -> tuple[RoomRecord, bool]:
        """The room, and whether it was none before."""
        return await self._database.writing(_make_sfu, room_id, self._limit("SFU"), self._now_ms())

    async def _secret(self) -> bytes:
        if self._paging_secret is None:
            self._paging_secret = await self._database.secret("paging", self._random(tokens.TOKEN_BYTES))
        return self._paging_secret

    def _limit(self, conference_type: Mode) -> int:
        limits = self._settings.realtime.max_participants
        return limits.sfu if conference_type == "SFU" else limits.mesh

    def _is_over(self, record: RoomRecord) -> bool:
        return self._now_ms() >= record.created_ms + record.room_ttl * 1000

    def _token_expired(self, record: RoomRecord) -> bool:
        return self._now_ms() >= record.token_issued_ms + record.room_token_ttl * 1000

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def _renew(connection: Connection, endpoint: Endpoint, now_ms: int) -> Endpoint:
    was_ms = round(endpoint.expires_at * 1000)
    room = store.by_id(connection, endpoint.room_id)
    if room is None:
        raise Removed("room", endpoint.room_id)
    if now_ms >= was_ms:
        raise Refused(endpoint.token)
    period_ms = room.endpoint_ttl * 1000
    if was_ms - now_ms > period_ms * RENEWABLE_PART:
        raise Conflict("The endpoint can be renewed in the last tenth of its life only.")
    if not store.set_endpoint_expiry(connection, endpoint.id, was_ms, was_ms + period_ms):
        raise Conflict("The endpoint has been renewed for this period already.")
    return replace(endpoint, expires_at=(was_ms + period_ms) / 1000)


def _renew_token(connection: Connection, record: RoomRecord, token: str, now_ms: int) -> RoomRecord | None:
    """The room with `token`, or with the one somebody faster gave it; None if it is removed."""
    if store.set_token(connection, record, token, tokens.digest(token), now_ms):
        return replace(record, token=token, token_issued_ms=now_ms)
    return store.by_id(connection, record.id)


def _make_sfu(connection: Connection, room_id: str, limit: int, now_ms: int) -> tuple[RoomRecord, bool]:
    record = store.by_id(connection, room_id, lock=True)
    if record is None:
        raise Removed("room", room_id)
    if record.conference_type == "SFU":
        return record, False
    store.set_type(connection, room_id, "SFU", limit, now_ms)
    return replace(record, conference_type="SFU", max_participants=limit, modified_ms=now_ms), True


def _place(secret: bytes, key: str, token: str) -> tuple[int, str]:
    try:
        cursor = tokens.open_cursor(secret, key, token)
    except tokens.BadToken:
        raise BadPagingToken(token) from None
    return cursor.created_ms, f"{_ROOM_PREFIX}{cursor.id}"


def _cursor(record: RoomRecord) -> tokens.Cursor:
    return tokens.Cursor(record.created_ms, UUID(record.id.removeprefix(_ROOM_PREFIX)))


def _room(record: RoomRecord) -> RealtimeRoom:
    return RealtimeRoom(
        id=record.id,
        key=record.key_id,
        name=record.name,
        description=record.description,
        conference_type="SFU" if record.conference_type == "SFU" else "MESH",
        auto_upgrade_count=record.auto_upgrade_count,
        max_participants=record.max_participants,
        created_at=record.created_ms / 1000,
        modified_at=record.modified_ms / 1000,
        room_token_ttl=record.room_token_ttl,
        room_ttl=record.room_ttl,
        endpoint_ttl=record.endpoint_ttl,
        token=record.token,
        token_issued_at=record.token_issued_ms / 1000,
        e2ee=record.e2ee,
    )


def _endpoint(record: EndpointRecord, token: str) -> Endpoint:
    return Endpoint(record.id, record.room_id, record.participant_id, token, record.expires_ms / 1000)
