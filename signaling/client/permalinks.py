"""Permalinks of a team: rooms defined ahead of time, with links that last."""

from datetime import datetime

from signaling.api.rooms.models import NewUser
from signaling.api.rooms.permalinks import Permalink
from signaling.api.rooms.permalinks import Permalinks as Page
from signaling.client.calls import Api
from signaling.services.room_options import RoomOptions


class Permalinks:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def create(
        self,
        user: NewUser,
        *,
        name: str | None = None,
        options: RoomOptions | None = None,
        expires_at: datetime | None = None,
    ) -> Permalink:
        body = {"name": name, "user": user, "options": options, "expires_at": expires_at}
        return await self._api.fetch(Permalink, "POST", "permalink", body=body)

    async def list(self, *, page: int = 1, limit: int = 25, expired: bool | None = None) -> Page:
        """The newest first."""
        query = {"page": page, "limit": limit, "expired": expired}
        return await self._api.fetch(Page, "GET", "permalink", query=query)

    async def get(self, permalink_id: str) -> Permalink:
        return await self._api.fetch(Permalink, "GET", "permalink", permalink_id)

    async def change(
        self,
        permalink_id: str,
        *,
        name: str | None = None,
        options: RoomOptions | None = None,
        expires_at: datetime | None = None,
    ) -> Permalink:
        """Counts from the next meeting on; what is None stays as it is."""
        body = {"name": name, "options": options, "expires_at": expires_at}
        return await self._api.fetch(Permalink, "PUT", "permalink", permalink_id, body=body)

    async def delete(self, permalink_id: str) -> None:
        await self._api.do("DELETE", "permalink", permalink_id)

    async def add_host(self, permalink_id: str, user: NewUser) -> Permalink:
        """The answer holds the new host's token."""
        return await self._api.fetch(Permalink, "POST", "permalink", permalink_id, "users", body={"user": user})

    async def remove_host(self, permalink_id: str, user_token: str) -> None:
        await self._api.do("DELETE", "permalink", permalink_id, "users", user_token)
