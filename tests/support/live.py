"""/rt on a real socket, with real rooms in a database and media that only remembers; and clients that talk to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType, web
from aiohttp.test_utils import TestServer

from mediaserver import Clock, SystemClock
from signaling.live.client import live_routes
from signaling.services.admission import Admission
from signaling.services.conferences import Conferences
from signaling.services.entrance import Entrance
from signaling.services.realtime_door import RealtimeDoor, venue
from signaling.services.realtime_rooms import RealtimeRoom, RealtimeRooms
from signaling.services.scheduler import Scheduler
from signaling.settings import Settings
from signaling.store.database import Database
from tests.support.fake_media import FakeConference, FakeMediaServer, FakeParticipant

PATIENCE = 5.0  # seconds for what has to come at once
KEY = "key"


class Closed(Exception):
    """The server has closed the socket while a message was expected."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Talker:
    """One client's socket. `heard` keeps what was skipped while waiting for something else."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []

    async def send(self, type: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": type, **fields}))

    async def receive(self) -> dict[str, Any]:
        frame = await asyncio.wait_for(self.socket.receive(), PATIENCE)
        if frame.type is not WSMsgType.TEXT:
            raise Closed(self.socket.close_code)
        return json.loads(frame.data)

    async def until(self, type: str) -> dict[str, Any]:
        """The next message of this type."""
        while (message := await self.receive())["type"] != type:
            self.heard.append(message)
        return message

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """The reply to a message: the one that repeats its request id."""
        await self.send(type, **fields, request_id="ask")
        while (message := await self.receive()).get("request_id") != "ask":
            self.heard.append(message)
        return message

    async def join(self, **fields: Any) -> dict[str, Any]:
        await self.send("join", **fields)
        return await self.until("joined")

    async def closed(self) -> tuple[list[dict[str, Any]], int | None]:
        """All that is still said, and the close code."""
        said = []
        try:
            while True:
                said.append(await self.receive())
        except Closed as end:
            return said, end.code

    def vanish(self) -> None:
        """The network is gone: nothing is said any more."""
        self.socket._response.connection.transport.abort()


@dataclass
class LiveServer:
    conferences: Conferences
    rooms: RealtimeRooms
    media: FakeMediaServer
    server: TestServer
    session: ClientSession
    talkers: list[Talker] = field(default_factory=list)
    """Kept: a socket that nobody holds is closed."""

    async def room(self, **fields: Any) -> RealtimeRoom:
        return await self.rooms.create(KEY, **{"conference_type": "SFU", **fields})

    async def knock(self, protocols: tuple[str, ...] = (), **query: str) -> Talker:
        url = self.server.make_url("/rt").with_query(query)
        talker = Talker(await self.session.ws_connect(url, protocols=protocols, max_msg_size=0))
        self.talkers.append(talker)
        return talker

    async def enter(self, room: RealtimeRoom, **query: str) -> tuple[Talker, dict[str, Any]]:
        """A client that has joined with the room's token, and its `joined`."""
        talker = await self.knock(token=room.token, **query)
        await talker.until("room_setup")
        return talker, await talker.join()

    def conference(self, room: RealtimeRoom) -> FakeConference:
        return self.media.conference(room.id)

    def participant(self, room: RealtimeRoom, joined: dict[str, Any]) -> FakeParticipant:
        return self.conference(room).participant(joined["participant"]["id"])


@asynccontextmanager
async def live_server(
    directory: Path,
    *,
    scheduler: Scheduler | None = None,
    sockets: Scheduler | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[LiveServer]:
    """`scheduler` runs the timers of conferences, `sockets` those of sockets. What is not given is real."""
    configured = Settings(data_dir=directory, **settings)
    clock, database = clock or SystemClock(), Database(configured.database)
    await database.start()
    media, rooms = FakeMediaServer(), RealtimeRooms(database, configured, clock)
    timers = scheduler or asyncio.get_running_loop()
    conferences = Conferences(media, configured, clock, timers)
    entrance = Entrance(conferences, Admission([RealtimeDoor(rooms)]), clock)
    media.on_event = conferences.media_event
    rooms.presence = conferences
    rooms.on_deleted = lambda room_id: conferences.end(room_id, "room_deleted")
    rooms.on_upgraded = lambda room: conferences.upgraded(venue(room))
    app = web.Application()
    app.add_routes(live_routes(entrance, clock, sockets))
    server = TestServer(app)
    await server.start_server()
    try:
        async with ClientSession(connector=TCPConnector(limit=0)) as session:
            yield LiveServer(conferences, rooms, media, server, session)
    finally:
        await conferences.aclose()
        await server.close()
        await database.aclose()
