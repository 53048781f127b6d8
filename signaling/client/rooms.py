"""The rooms API as a team's server uses it, with an API key: rooms, and what came of their meetings.

What a user does inside a meeting is `user.py`'s; lasting links are `permalinks.py`'s, webhooks `webhooks.py`'s.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiohttp import ClientSession, WSMsgType

from signaling.api.rooms.models import (
    ListedRoom,
    ListedUser,
    ListedUsers,
    Meeting,
    NewUser,
    RunningRooms,
)
from signaling.api.rooms.recordings import Recording, RecordingList
from signaling.api.rooms.snapshots import Snapshot, SnapshotList
from signaling.client.calls import Api
from signaling.client.permalinks import Permalinks
from signaling.client.user import User
from signaling.client.webhooks import Webhooks
from signaling.services.room_options import RoomOptions

Event = dict[str, Any]


class Rooms(Api):
    """`key` is the team's API key; without one, what users and guests may do can still be done."""

    def __init__(self, base_url: str, key: str = "", *, session: ClientSession | None = None) -> None:
        super().__init__(base_url, {"Authorization": key} if key else None, session=session)
        self.permalinks = Permalinks(self)
        self.webhooks = Webhooks(self)
        self._open = Api(base_url, session=session)

    async def aclose(self) -> None:
        await self._open.aclose()
        await super().aclose()

    # meetings

    async def enter(
        self,
        user: NewUser,
        room_id: str | None = None,
        *,
        name: str | None = None,
        options: RoomOptions | None = None,
    ) -> Meeting:
        """Registers the user in the room's meeting, which begins if none runs."""
        body = {"id": room_id, "name": name, "user": user, "options": options}
        return await self.fetch(Meeting, "POST", "rooms", body=body)

    async def running(self) -> list[ListedRoom]:
        """The team's rooms in which there is a meeting now, oldest first."""
        return (await self.fetch(RunningRooms, "GET", "rooms")).root

    async def room(self, room_id: str) -> ListedRoom:
        return await self.fetch(ListedRoom, "GET", "rooms", room_id)

    async def end(self, room_id: str) -> None:
        """Ends the meeting for all."""
        await self.do("DELETE", "rooms", room_id)

    async def users(self, room_id: str, *, online: bool | None = None) -> list[ListedUser]:
        """Of the running, or else the latest, meeting."""
        return (await self.fetch(ListedUsers, "GET", "rooms", room_id, "users", query={"online": online})).root

    def user(self, meeting: Meeting | str) -> User:
        """What the bearer of an access key does; no API key goes along."""
        access_key = meeting if isinstance(meeting, str) else meeting.access_key
        return User(self._open, access_key)

    async def guest(
        self,
        guest_token: str,
        name: str,
        *,
        id: str | None = None,
        avatar: str | None = None,
        locale: str | None = None,
    ) -> Meeting:
        """Comes in by the token of a meeting or a permalink."""
        fields = None if locale is None else {"locale": locale}
        body = {"id": id, "name": name, "avatar": avatar, "custom_fields": fields}
        return await self._open.fetch(Meeting, "POST", "guests", guest_token, body=body)

    async def host(self, user_token: str) -> Meeting:
        """Begins or joins the meeting of a permalink as the host whose token this is."""
        return await self._open.fetch(Meeting, "POST", "permalink", user_token)

    @asynccontextmanager
    async def observe(self, room_id: str) -> AsyncIterator[AsyncIterator[Event]]:
        """What everybody in the running meeting is told, from what it is like now until its end."""
        url = self.url("rt").with_query(room_id=room_id)
        async with self.session.ws_connect(url, headers=self._headers, max_msg_size=0) as socket:

            async def events() -> AsyncIterator[Event]:
                async for frame in socket:
                    if frame.type is WSMsgType.TEXT:
                        yield json.loads(frame.data)

            yield events()

    # pushing to WHIP servers; `media` is audio, video or both with a comma between

    async def forward_source(
        self,
        room_id: str,
        forward_id: str,
        user_id: str,
        url: str,
        *,
        media: str = "audio,video",
        token: str | None = None,
    ) -> None:
        """Pushes what a user publishes; observers are told what becomes of it."""
        body = {"forward_id": forward_id, "user_id": user_id, "url": url, "type": media, "token": token}
        await self.do("POST", "rooms", room_id, "forward", "source", body=body)

    async def forward_composite(
        self, room_id: str, forward_id: str, url: str, *, media: str = "audio,video", token: str | None = None
    ) -> None:
        body = {"forward_id": forward_id, "url": url, "type": media, "token": token}
        await self.do("POST", "rooms", room_id, "forward", "mcu", body=body)

    async def forward_playback(
        self,
        room_id: str,
        forward_id: str,
        play_id: str,
        url: str,
        *,
        media: str = "audio,video",
        token: str | None = None,
    ) -> None:
        body = {"forward_id": forward_id, "play_id": play_id, "url": url, "type": media, "token": token}
        await self.do("POST", "rooms", room_id, "forward", "playback", body=body)

    async def stop_forward(self, room_id: str, forward_id: str) -> None:
        await self.do("DELETE", "rooms", room_id, "forward", forward_id)

    # what came of them

    async def recordings(
        self,
        room_id: str,
        *,
        page: int = 1,
        started_at: datetime | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Recording]:
        """25 a page, the newest first."""
        query = {"page": page, "started_at": started_at, "since": since, "until": until}
        return (await self.fetch(RecordingList, "GET", "rooms", room_id, "recordings", query=query)).root

    async def recording(self, recording_id: str) -> Recording:
        return await self.fetch(Recording, "GET", "recordings", recording_id)

    async def delete_recording(self, recording_id: str) -> None:
        await self.do("DELETE", "recordings", recording_id)

    async def snapshots(
        self,
        room_id: str,
        *,
        page: int = 1,
        started_at: datetime | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Snapshot]:
        """25 a page, the newest first."""
        query = {"page": page, "started_at": started_at, "since": since, "until": until}
        return (await self.fetch(SnapshotList, "GET", "rooms", room_id, "snapshots", query=query)).root

    async def snapshot(self, snapshot_id: str) -> Snapshot:
        return await self.fetch(Snapshot, "GET", "snapshots", snapshot_id)

    async def delete_snapshot(self, snapshot_id: str) -> None:
        await self.do("DELETE", "snapshots", snapshot_id)
