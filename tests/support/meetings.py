"""Conferences in simulated time, with rooms that are a dictionary and outlets that remember."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mediaserver import MediaEvent, StreamDescription
from signaling.services.admission import Admission
from signaling.services.conferences import Conferences
from signaling.services.doors import Credential, Endpoint
from signaling.services.entrance import Entrance
from signaling.services.errors import Conflict, Refused, Removed
from signaling.services.meeting import Meeting
from signaling.services.members import Member, Profile, Visitor
from signaling.services.realtime_door import RealtimeDoor
from signaling.services.realtime_rooms import RealtimeRoom
from signaling.settings import Settings
from tests.support.fake_media import FakeMediaServer, FakeParticipant
from tests.support.simulated import SimulatedTime

ENDPOINT_TTL = 86400


@dataclass
class FakeRooms:
    """Follows `RealtimeRooms`, as far as a join needs it. A token is `room` or `EP-<n>`."""

    time: SimulatedTime
    rooms: dict[str, RealtimeRoom] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    renewable: bool = True
    sfu_limit: int = 100
    upgrades: int = 0
    down: bool = False

    def add(
        self, room_id: str = "room", *, mode: str = "SFU", limit: int = 100, upgrade_count: int | None = None
    ) -> None:
        now = self.time.clock.wall()
        kind = (mode, upgrade_count, limit)
        self.rooms[room_id] = RealtimeRoom(
            *(room_id, "key", "Ward 3", None, *kind, now, now, 86400, 86400, ENDPOINT_TTL, room_id, now)
        )

    async def admit(self, token: str) -> RealtimeRoom | Endpoint:
        if token in self.refused or (token not in self.rooms and token not in self.endpoints):
            raise Refused(token)
        return self.rooms[token] if token in self.rooms else self.endpoints[token]

    async def fetch(self, key: str, room_id: str) -> RealtimeRoom:
        return await self.by_id(room_id)

    async def by_id(self, room_id: str) -> RealtimeRoom:
        if room_id not in self.rooms:
            raise Removed("room", room_id)
        return self.rooms[room_id]

    async def new_endpoint(self, room_id: str, participant_id: str) -> Endpoint:
        await self.by_id(room_id)
        token = f"EP-{len(self.endpoints) + 1}"
        expires_at = self.time.clock.wall() + ENDPOINT_TTL
        self.endpoints[token] = Endpoint(token, room_id, participant_id, token, expires_at)
        return self.endpoints[token]

    async def upgrade_from_inside(self, room_id: str) -> RealtimeRoom:
        await asyncio.sleep(0)  # as with any database, others come in between
        if self.down:
            raise ConnectionRefusedError
        room = await self.by_id(room_id)
        if room.conference_type == "MESH":
            self.upgrades += 1
            self.rooms[room_id] = replace(room, conference_type="SFU", max_participants=self.sfu_limit)
        return self.rooms[room_id]

    async def renew_endpoint(self, endpoint: Endpoint) -> Endpoint:
        if not self.renewable:
            raise Conflict("too early")
        renewed = replace(endpoint, expires_at=endpoint.expires_at + ENDPOINT_TTL)
        self.endpoints[endpoint.token] = renewed
        return renewed


@dataclass
class Ear:
    """An outlet that remembers what it was told."""

    told: list[Mapping[str, Any]] = field(default_factory=list)
    passed: list[Mapping[str, Any]] = field(default_factory=list)
    news: list[MediaEvent] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    moves: int = 0

    def tell(self, event: Mapping[str, Any]) -> None:
        self.told.append(event)

    def pass_on(self, message: Mapping[str, Any]) -> None:
        self.passed.append(message)

    def heard(self, event: MediaEvent) -> None:
        self.news.append(event)

    def moved(self) -> None:
        self.moves += 1

    def end(self, reason: str) -> None:
        self.ended.append(reason)

    def types(self) -> list[str]:
        return [event["type"] for event in self.told]

    def online(self) -> list[tuple[str, bool]]:
        updates = [event["participant"] for event in self.told if event["type"] == "participant_update"]
        return [(who["id"], who["online"]) for who in updates]


@dataclass
class Inside:
    """Somebody who has joined."""

    world: "World"
    meeting: Meeting
    member: Member
    ear: Ear = field(init=False)

    def __post_init__(self) -> None:
        assert isinstance(self.member.outlet, Ear)
        self.ear = self.member.outlet

    @property
    def media(self) -> FakeParticipant:
        assert isinstance(self.member.media, FakeParticipant)
        return self.member.media

    def publish(self, stream_id: str) -> None:
        self.media.negotiate("offer", [StreamDescription(stream_id, "camera", self.member.id, "0", "1")])

    def vanish(self) -> None:
        self.world.conferences.lost(self.meeting, self.member)

    def leave(self, reason: str = "left") -> None:
        self.world.conferences.dismiss(self.meeting, self.member, reason)


class World:
    """One server's conferences, and time."""

    def __init__(
        self, *, mode: str = "SFU", limit: int = 100, upgrade_count: int | None = None, **settings: Any
    ) -> None:
        self.time = SimulatedTime()
        self.media = FakeMediaServer()
        configured = Settings(data_dir=Path("unused"), **settings)
        self.rooms = FakeRooms(self.time, sfu_limit=configured.realtime.max_participants.sfu)
        self.rooms.add(mode=mode, limit=limit, upgrade_count=upgrade_count)
        self.admission = Admission([RealtimeDoor(self.rooms, token=re.compile(r"\S+"))])
        self.conferences = Conferences(self.media, configured, self.time.clock, self.time)
        self.entrance = Entrance(self.conferences, self.admission, self.time.clock)
        self.media.on_event = self.conferences.media_event

    async def visit(self, who: str | None = None, *, token: str = "room", ended: list[str] | None = None) -> Visitor:
        """Somebody at the door; `ended` gets the reason if the conference is over before they join."""
        reasons: list[str] = [] if ended is None else ended
        return await self.entrance.visit(Credential("token", token), who, who or "", reasons.append)

    async def arrive(self, visitor: Visitor, **profile: Any) -> Inside:
        arrival = await self.entrance.join(visitor, Profile(**profile), lambda _member: Ear())
        return Inside(self, visitor.meeting, arrival.member)

    async def join(self, who: str | None = None, *, token: str = "room", **profile: Any) -> Inside:
        return await self.arrive(await self.visit(who, token=token), **profile)
