"""The webhook of an API key, and the log of what it told."""

from collections.abc import Sequence
from typing import Literal

from signaling.api.rooms.webhooks import DeliveryAnswer, DeliveryPage, NoneOrWebhook, Replayed, WebhookAnswer
from signaling.client.calls import Api


class Webhooks:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def register(self, url: str, types: Sequence[str]) -> WebhookAnswer:
        """It replaces the one that this key has had."""
        return await self._api.fetch(WebhookAnswer, "POST", "webhooks", body={"url": url, "types": list(types)})

    async def get(self) -> WebhookAnswer | None:
        return (await self._api.fetch(NoneOrWebhook, "GET", "webhooks")).root

    async def delete(self, webhook_id: str) -> None:
        await self._api.do("DELETE", "webhooks", webhook_id)

    async def deliveries(
        self, webhook_id: str, *, page: int = 1, state: Literal["pending", "done", "failed"] | None = None
    ) -> list[DeliveryAnswer]:
        """The newest first."""
        query = {"page": page, "state": state}
        return (await self._api.fetch(DeliveryPage, "GET", "webhooks", webhook_id, "deliveries", query=query)).root

    async def replay(self, webhook_id: str, delivery_id: str) -> DeliveryAnswer:
        """Tells once more what was given up."""
        path = ("webhooks", webhook_id, "deliveries", delivery_id, "replay")
        return await self._api.fetch(DeliveryAnswer, "POST", *path)

    async def replay_all(self, webhook_id: str) -> int:
        """How many are told once more."""
        return (await self._api.fetch(Replayed, "POST", "webhooks", webhook_id, "replay")).replayed
