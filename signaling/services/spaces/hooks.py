"""The webhook of a space: one, its owner's. Spaces contract, section 8.

Its secret is told when it is made and when it is refreshed, never again. A space that is deleted still tells that its
calls are over; then its webhook goes, too.
"""

import secrets
from collections.abc import Callable
from functools import partial

from signaling.services.errors import BadParameter, FetchRefused, NotFound
from signaling.services.spaces.accounts import Caller
from signaling.services.spaces.spaces import SpacesService, require
from signaling.services.webhooks import Webhook, Webhooks
from signaling.store import spaces as store
from signaling.store.database import Connection, Database
from signaling.webhooks.payloads import SPACE_KINDS, SPACES, space_event

SECRET_BYTES = 16  # 32 hexadecimal digits


class SpaceWebhooks:
    def __init__(
        self,
        database: Database,
        spaces: SpacesService,
        webhooks: Webhooks,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._spaces = spaces
        self._webhooks = webhooks
        self._random = random

    async def register(self, caller: Caller, space_id: str, url: str) -> tuple[Webhook, str]:
        """The webhook in place of the one before, and its secret."""
        await self._check_owner(caller, space_id)
        secret = self._secret()
        try:
            made = await self._webhooks.register(SPACES, space_id, space_id, url=url, kinds=SPACE_KINDS, secret=secret)
        except FetchRefused as refused:
            raise _bad_url(refused) from refused
        return made, secret

    async def fetch(self, caller: Caller, space_id: str) -> Webhook:
        await self._check_owner(caller, space_id)
        found = await self._webhooks.get(SPACES, space_id)
        if found is None:
            raise NotFound("webhook", "of this space")
        return found

    async def change(self, caller: Caller, space_id: str, *, url: str, active: bool) -> Webhook:
        """While it is not active it is told of nothing."""
        await self.fetch(caller, space_id)
        try:
            return await self._webhooks.change(SPACES, space_id, url=url, active=active)
        except FetchRefused as refused:
            raise _bad_url(refused) from refused

    async def refresh_secret(self, caller: Caller, space_id: str) -> tuple[Webhook, str]:
        """What has still to be told is signed with the new one, too."""
        await self.fetch(caller, space_id)
        secret = self._secret()
        return await self._webhooks.change(SPACES, space_id, secret=secret), secret

    async def delete(self, caller: Caller, space_id: str) -> None:
        found = await self.fetch(caller, space_id)
        await self._webhooks.delete(SPACES, space_id, found.id)

    def announce(
        self,
        connection: Connection,
        kind: str,
        *,
        space_id: str,
        room_id: str,
        call_id: str | None = None,
        record_id: str | None = None,
    ) -> None:
        """Tells of what the transaction changes; call it last in there."""
        body = partial(space_event, kind, room_id=room_id, space_id=space_id, record_id=record_id, call_id=call_id)
        self._webhooks.emit(
            connection, family=SPACES, owner=space_id, kind=kind, body=body, now_ms=self._spaces.now_ms()
        )

    async def sweep(self) -> None:
        """Forgets the webhooks of deleted spaces that have no more to tell."""
        await self._database.stating(store.forget_webhooks_without_space, SPACES)

    async def _check_owner(self, caller: Caller, space_id: str) -> None:
        require((await self._spaces.fetch(caller, space_id)).standing.owner)

    def _secret(self) -> str:
        return self._random(SECRET_BYTES).hex()


def _bad_url(refused: FetchRefused) -> BadParameter:
    return BadParameter("url", f"cannot be used: {refused.why}")
