"""Who may call the spaces family: clients by their secret, users by their password, applications by a personal token.

Access and refresh tokens are signed web tokens; a refresh token is good once. Spaces contract, sections 1 and 2.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mediaserver import Clock
from signaling import jwts, tokens
from signaling.services.errors import Conflict, NotFound, Refused
from signaling.services.spaces.passwords import Passwords
from signaling.settings import Spaces as SpacesSettings
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.store.spaces import PersonalTokenRecord, UserRecord

SECRET = "spaces-tokens"  # noqa: S105 - the name of one
SECRET_BYTES = 32
ID_BYTES = 12  # 24 hex digits
ACCESS_LIFE = 7 * 86400  # seconds
REFRESH_LIFE = 21 * 86400
MAX_PERSONAL_TOKENS = 100  # of a user
_ACCESS, _REFRESH = "accessToken", "refreshToken"

User = UserRecord
PersonalToken = PersonalTokenRecord


class InvalidClient(Refused):
    def __init__(self) -> None:
        super().__init__(text="Invalid client credentials")


class InvalidGrant(Refused):
    def __init__(self) -> None:
        super().__init__(text="Invalid credentials")


@dataclass(frozen=True, slots=True)
class Caller:
    """`user_id` None: the client itself."""

    client_id: str
    user_id: str | None

    @property
    def is_user(self) -> bool:
        return self.user_id is not None


@dataclass(frozen=True, slots=True)
class TokenPair:
    access: str
    refresh: str
    expires_in: int


class Accounts:
    def __init__(self, database: Database, settings: SpacesSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._passwords = Passwords(clock)
        self._secret = settings.token_secret.encode()

    # tokens

    def check_client(self, client_id: str, secret: str) -> str:
        found = None
        for client in self._settings.clients:
            if tokens.same(client.client_id, client_id) and tokens.same(client.client_secret, secret):
                found = client.client_id
        if found is None:
            raise InvalidClient
        return found

    async def for_client(self, client_id: str) -> TokenPair:
        return await self._pair(Caller(client_id, None))

    async def for_user(self, client_id: str, user_id: str) -> TokenPair:
        return await self._pair(Caller(client_id, user_id))

    async def by_password(self, client_id: str, email: str, password: str) -> TokenPair:
        folded = email.strip().casefold()
        user = await self._database.reading(_by_email, client_id, folded)
        if not await self._passwords.matches(folded, password, user.password if user else None) or user is None:
            raise InvalidGrant
        return await self._pair(Caller(client_id, user.id))

    async def by_refresh(self, client_id: str, refresh: str) -> TokenPair:
        """A new pair; the token that was used is worthless from now on."""
        claims = await self._claims(refresh, _REFRESH)
        if claims is None or claims["cId"] != client_id:
            raise InvalidGrant
        expires_ms = int(claims["exp"] * 1000)
        if not await self._database.writing(store.use_token_once, claims["jti"], expires_ms):
            raise InvalidGrant
        return await self._pair(_caller(claims))

    async def caller(self, token: str) -> Caller | None:
        """Whose access token, or personal one, it is; None if it is nobody's."""
        if jwts.looks_like_jwt(token):
            claims = await self._claims(token, _ACCESS)
            return None if claims is None else _caller(claims)
        return await self._database.reading(_by_personal_token, tokens.digest(token))

    async def refreshed_caller(self, token: str) -> Caller | None:
        """Whose refresh token it is, if it has not been used, and without using it up: what a page may hold."""
        claims = await self._claims(token, _REFRESH)
        if claims is None or await self._database.reading(store.is_used_token, claims["jti"]):
            return None
        return _caller(claims)

    # users

    async def register(self, client_id: str, *, email: str, username: str, password: str, phone: str | None) -> str:
        """The id of the new user; Conflict if the address is somebody's."""
        folded = email.strip().casefold()
        user = UserRecord(
            id=secrets.token_hex(ID_BYTES),
            client_id=client_id,
            email=email.strip(),
            username=username,
            password=await self._passwords.hash(password),
            phone=phone,
            created_ms=self._now_ms(),
        )
        if not await self._database.writing(store.add_user, user, folded):
            raise Conflict("This e-mail address is in use.")
        return user.id

    async def user(self, user_id: str) -> User:
        user = await self._database.reading(_user, user_id)
        if user is None:
            raise NotFound("user", user_id)
        return user

    # personal tokens

    async def new_personal_token(self, user_id: str, name: str) -> tuple[PersonalToken, str]:
        """The token, which is told only now."""
        token = tokens.new_token(secrets.token_bytes)
        record = PersonalTokenRecord(secrets.token_hex(ID_BYTES), user_id, name, self._now_ms())
        await self._database.writing(_add_personal_token, record, tokens.digest(token))
        return record, token

    async def personal_tokens(self, user_id: str) -> Sequence[PersonalToken]:
        return await self._database.reading(_personal_tokens, user_id)

    async def delete_personal_token(self, user_id: str, token_id: str) -> None:
        if not await self._database.writing(_remove_personal_token, user_id, token_id):
            raise NotFound("token", token_id)

    async def start(self) -> None:
        """Finds the secret that all servers on this database sign with."""
        if not self._secret:
            self._secret = await self._database.secret(SECRET, secrets.token_bytes(SECRET_BYTES))

    def close(self) -> None:
        self._passwords.close()

    async def sweep(self) -> None:
        await self._database.writing(store.forget_used_tokens, self._now_ms())

    async def _pair(self, caller: Caller) -> TokenPair:
        return TokenPair(
            self._token(caller, _ACCESS, ACCESS_LIFE), self._token(caller, _REFRESH, REFRESH_LIFE), ACCESS_LIFE
        )

    def _token(self, caller: Caller, kind: str, life: int) -> str:
        now = int(self._clock.wall())
        claims = {
            "sub": caller.user_id or caller.client_id,
            "aud": "user" if caller.is_user else "client",
            "type": kind,
            "cId": caller.client_id,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + life,
        }
        return jwts.write(self._secret, claims)

    async def _claims(self, token: str, kind: str) -> Mapping[str, Any] | None:
        try:
            claims = jwts.read(self._secret, token, self._clock.wall())
        except jwts.BadJwt:
            return None
        known = any(client.client_id == claims.get("cId") for client in self._settings.clients)
        return claims if known and claims.get("type") == kind and claims.get("aud") in ("user", "client") else None

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def _caller(claims: Mapping[str, Any]) -> Caller:
    return Caller(claims["cId"], claims["sub"] if claims["aud"] == "user" else None)


def _by_email(connection: Connection, client_id: str, folded: str) -> UserRecord | None:
    return store.find(connection, UserRecord, client_id=client_id, email_folded=folded)


def _user(connection: Connection, user_id: str) -> UserRecord | None:
    return store.find(connection, UserRecord, id=user_id)


def _by_personal_token(connection: Connection, digest: str) -> Caller | None:
    token = store.find(connection, PersonalTokenRecord, token_digest=digest)
    user = None if token is None else store.find(connection, UserRecord, id=token.user_id)
    return None if user is None else Caller(user.client_id, user.id)


def _add_personal_token(connection: Connection, record: PersonalTokenRecord, digest: str) -> None:
    if store.find(connection, UserRecord, id=record.user_id) is None:
        raise NotFound("user", record.user_id)
    if len(store.find_all(connection, PersonalTokenRecord, user_id=record.user_id)) >= MAX_PERSONAL_TOKENS:
        raise Conflict(f"A user has at most {MAX_PERSONAL_TOKENS} tokens.")
    store.insert(connection, record, token_digest=digest)


def _personal_tokens(connection: Connection, user_id: str) -> Sequence[PersonalTokenRecord]:
    return store.find_all(connection, PersonalTokenRecord, user_id=user_id)


def _remove_personal_token(connection: Connection, user_id: str, token_id: str) -> bool:
    return store.remove(connection, PersonalTokenRecord, id=token_id, user_id=user_id)
