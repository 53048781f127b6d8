"""Rooms and tokens of the other families: as much as a program needs to let somebody in."""

from typing import Any, Literal

from aiohttp import ClientSession

from signaling.api.realtime import KEY_HEADER, Room, RoomAnswer
from signaling.api.sessions.bodies import LinkAnswer
from signaling.api.sessions.bodies import TokenAnswer as SessionToken
from signaling.api.spaces.tokens import TokenAnswer as SpacesToken
from signaling.client.calls import Api


class Realtime(Api):
    """`key` is one of the realtime keys."""

    def __init__(self, base_url: str, key: str, *, session: ClientSession | None = None) -> None:
        super().__init__(base_url, {KEY_HEADER: key}, session=session)

    async def create_room(
        self,
        conference_type: Literal["MESH", "SFU"] = "MESH",
        *,
        name: str | None = None,
        upgrade_count: int | None = None,
        e2ee: bool = False,
    ) -> Room:
        """A room; its token lets people in."""
        body: dict[str, Any] = {
            "name": name,
            "conferenceType": conference_type,
            "autoUpgradeParticipantCount": upgrade_count,
            "e2ee": e2ee,
        }
        return (await self.fetch(RoomAnswer, "POST", "api", "realtime", "room", body=body)).room


class Sessions(Api):
    """`token` is a JWT of the caller's, with the permissions that are needed."""

    def __init__(self, base_url: str, token: str, *, session: ClientSession | None = None) -> None:
        super().__init__(base_url, {"Authorization": f"Bearer {token}"}, session=session)

    async def create(self) -> str:
        """The meeting link of a new session."""
        return (await self.fetch(LinkAnswer, "POST", "session", body={})).code

    async def token(self, meeting_link: str, *, role: str | None = None, data: str | None = None) -> SessionToken:
        """Lets somebody into the session; `data` tells who it is."""
        body = {"role": role, "data": data}
        return await self.fetch(SessionToken, "POST", "session", meeting_link, "token", body=body)


class Spaces(Api):
    """Of an organisation, by its client's id and secret."""

    def __init__(
        self, base_url: str, client_id: str, client_secret: str, *, session: ClientSession | None = None
    ) -> None:
        super().__init__(base_url, session=session)
        self._client = {"client_id": client_id, "client_secret": client_secret}

    async def token(self) -> SpacesToken:
        """A pair of tokens of the organisation itself."""
        body = {**self._client, "grant_type": "client_credentials"}
        return await self.fetch(SpacesToken, "POST", "v1", "auth", "token", body=body)
