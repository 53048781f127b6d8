"""Scheduled meetings: made, edited, ended, and the tokens with which people come to them.

The session is a container; its conference runs under the same id while somebody is in it. A token is signed and
nowhere stored: what it opens depends on the session as it is when it is shown. Rules and words: `session_rules.py`.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mediaserver import Clock
from signaling import jwts
from signaling.services import session_rules as rules
from signaling.services.doors import Role
from signaling.services.errors import Invalid
from signaling.services.session_callers import Claims
from signaling.services.session_rules import Unknown
from signaling.settings import Settings
from signaling.store import sessions as store
from signaling.store.database import Connection, Database
from signaling.store.sessions import SessionRecord

SECRET = "session-tokens"  # noqa: S105 - the name of one
SECRET_BYTES = 32
LINK_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
LINK_LENGTH = 10
SESSION_ID_BYTES = 33  # 44 characters
_AUDIENCE = "folkmoot:session"


Session = SessionRecord


@dataclass(frozen=True, slots=True)
class NewSession:
    """`schedule_time` as it was sent: a text or a number."""

    is_scheduled: bool = False
    schedule_time: str | float | None = None
    archiving: bool = False
    e2ee: bool = False
    ext_id: str | None = None
    ext_metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be changed: exactly the names in `given`."""

    given: frozenset[str]
    is_scheduled: bool = False
    schedule_time: str | float | None = None
    is_archived: bool = False
    upload_target: str | None = None
    ext_id: str | None = None
    ext_metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a session's token says."""

    session_id: str
    role: Role
    data: str | None
    id: str


class Sessions:
    """`on_ended` is called once for each session that is ended, with its id."""

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, on_ended: Callable[[str], Awaitable[None]]
    ) -> None:
        self._database = database
        self._settings = settings.sessions
        self._clock = clock
        self._secret: bytes | None = None
        self.on_ended = on_ended

    async def create(self, caller: Claims, wanted: NewSession) -> SessionRecord:
        now_ms = self._now_ms()
        schedule_ms = rules.schedule_of_new(
            scheduled=wanted.is_scheduled,
            time=wanted.schedule_time,
            archiving=wanted.archiving,
            e2ee=wanted.e2ee,
            now_ms=now_ms,
        )
        values = {
            "session_id": secrets.token_urlsafe(SESSION_ID_BYTES),
            "meeting_link": "".join(secrets.choice(LINK_CHARACTERS) for _ in range(LINK_LENGTH)),
            "tenant": caller.tenant,
            "e2ee": wanted.e2ee,
            "is_scheduled": wanted.is_scheduled,
            "schedule_ms": schedule_ms,
            "is_archived": wanted.archiving,
            "ext_id": wanted.ext_id,
            "ext_metadata": _json(wanted.ext_metadata),
            "created_ms": now_ms,
            "modified_ms": now_ms,
            "created_by": caller.by,
            "modified_by": caller.by,
        }
        return await self._database.writing(store.insert, values)

    async def token(
        self, caller: Claims, link: str, *, role: str | None, expires: object, data: str | None
    ) -> tuple[str, str]:
        """The session's id and a new token for it."""
        if not link.strip():
            raise Invalid("Meeting link should be a valid string")
        now_ms = self._now_ms()
        expires_ms = rules.expiry_of_token(expires, now_ms)
        session = await self._database.reading(store.by_link, link, caller.tenant)
        if session is None:
            raise Invalid("Session does not exist")
        rules.check_may_start(
            ended=session.end_ms is not None,
            scheduled=session.is_scheduled,
            schedule_ms=session.schedule_ms,
            minutes_before=self._settings.time_to_start_minutes,
            now_ms=now_ms,
        )
        rules.check_token_life(expires_ms, now_ms)
        rules.check_data(data)
        ticket = Ticket(session.session_id, rules.read_role(role), data, secrets.token_hex(16))
        if session.start_ms is None:
            await self._database.writing(_start, session.id, session.meeting_link, now_ms)
        return session.session_id, jwts.write(await self._key(), _claims(ticket, now_ms, expires_ms))

    async def edit(self, caller: Claims, link: str, edit: Edit) -> None:
        await self._database.writing(_edit, caller, link, edit, self._now_ms())

    async def end(self, caller: Claims, link: str) -> None:
        """Everybody is sent away, and nobody comes in any more."""
        if not link.strip():
            raise Invalid("Meeting link should be a valid string.")
        session = await self._database.writing(_end, caller, link, self._now_ms())
        await self.on_ended(session.session_id)

    async def by_link(self, caller: Claims, link: str) -> SessionRecord:
        session = await self._database.reading(store.by_link, link, caller.tenant)
        if session is None:
            raise Unknown("Meeting Not Found")
        return session

    async def by_session_id(self, session_id: str) -> SessionRecord | None:
        return await self._database.reading(store.by_session_id, session_id)

    async def opened_by(self, token: str) -> tuple[Ticket, SessionRecord] | None:
        """What a token of ours opens; None if it is none. Raises ExpiredJwt."""
        try:
            claims = jwts.read(await self._key(), token, self._clock.wall())
        except jwts.ExpiredJwt:
            raise
        except jwts.BadJwt:
            return None
        if claims.get("aud") != _AUDIENCE:
            return None
        session = await self.by_session_id(claims["sid"])
        ticket = Ticket(claims["sid"], Role(claims["role"]), claims.get("data"), claims["jti"])
        return None if session is None else (ticket, session)

    async def _key(self) -> bytes:
        if self._secret is None:
            self._secret = await self._database.secret(SECRET, secrets.token_bytes(SECRET_BYTES))
        return self._secret

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def _claims(ticket: Ticket, now_ms: int, expires_ms: int) -> dict[str, Any]:
    said = {} if ticket.data is None else {"data": ticket.data}
    return {
        "aud": _AUDIENCE,
        "sid": ticket.session_id,
        "role": int(ticket.role),
        "jti": ticket.id,
        "iat": now_ms // 1000,
        "exp": expires_ms / 1000,
        **said,
    }


def _start(connection: Connection, id: int, link: str, now_ms: int) -> None:
    session = store.by_link(connection, link, None, lock=True)
    if session is not None and session.start_ms is None:
        store.update(connection, id, {"start_ms": now_ms})


def _edit(connection: Connection, caller: Claims, link: str, edit: Edit, now_ms: int) -> None:
    session = store.by_link(connection, link, caller.tenant, lock=True)
    if session is None:
        raise Unknown(f"Meeting link {link} not found")
    if session.end_ms is not None:
        raise Invalid(rules.EXPIRED)
    changes: dict[str, Any] = {"modified_ms": now_ms, "modified_by": caller.by}
    if edit.given & {"is_scheduled", "schedule_time"}:
        changes["schedule_ms"] = rules.schedule_of_edited(
            scheduled=edit.is_scheduled, time=edit.schedule_time, now_ms=now_ms
        )
    if "is_archived" in edit.given and session.start_ms is None:
        if edit.is_archived and session.e2ee:
            raise Invalid(rules.NO_ENCRYPTION_WITH_ARCHIVING)
        changes["is_archived"] = edit.is_archived
    for name in edit.given & {"is_scheduled", "upload_target", "ext_id"}:
        changes[name] = getattr(edit, name)
    if "ext_metadata" in edit.given:
        changes["ext_metadata"] = _json(edit.ext_metadata)
    store.update(connection, session.id, changes)


def _end(connection: Connection, caller: Claims, link: str, now_ms: int) -> SessionRecord:
    session = store.by_link(connection, link, caller.tenant, lock=True)
    if session is None:
        raise Unknown("Meeting Not Found")
    if session.end_ms is not None:
        raise Invalid("Meeting has already been ended!")
    store.update(connection, session.id, {"end_ms": now_ms, "modified_ms": now_ms, "modified_by": caller.by})
    store.all_gone(connection, session.session_id, now_ms)
    return session


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
