"""Broadcasts while addresses are looked up: somebody is faster, the meeting ends, and the order of what is told."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from mediaserver import BroadcastEnded, BroadcastInterrupted, RtmpTarget
from signaling.services.broadcasts import Broadcasts
from signaling.services.errors import BadParameter, FetchRefused, Gone, NotFound, NotNow
from signaling.services.room_options import RoomOptions
from signaling.services.room_records import RoomUser, Seat, TeamMeeting
from signaling.services.room_views import Happening, Place
from tests.support.clock import MovableClock

URL = "rtmp://live.example/app/secret-key"


class Names:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.answer: Sequence[str] | Exception = ("192.0.2.1",)
        self.free = asyncio.Event()
        self.free.set()

    async def check(self, url: str, schemes: Any = ()) -> Sequence[str]:
        assert schemes == ("rtmp", "rtmps")
        await self.free.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Media:
    def __init__(self) -> None:
        self.live: dict[str, RtmpTarget] = {}

    def broadcast(self, broadcast_id: str, target: RtmpTarget) -> None:
        self.live[broadcast_id] = target

    def stop_broadcast(self, broadcast_id: str) -> None:
        self.live.pop(broadcast_id, None)


class World:
    def __init__(self) -> None:
        self.clock, self.names, self.media = MovableClock(), Names(), Media()
        self.told: list[Any] = []
        self.announced: list[tuple[int, list[str]]] = []
        self.needed: set[str] = set()
        self.meeting: Any = SimpleNamespace(id="m", media=self.media, tell=self.told.append)
        self.happening = Happening()
        options = RoomOptions.model_validate({})
        of = TeamMeeting("m", "team", "key", "standup", "Stand-up", options, "token", None, 1.0)
        self.seat = Seat(RoomUser("ada", "Ada", None, False, None, 1.0, "access"), of)
        self.broadcasts = Broadcasts(
            self,  # type: ignore[arg-type]
            self.names,
            self,
            place=Place("https://meet.example", 10),
            clock=self.clock,
            conference=lambda _id: self.meeting,
            happening=lambda _id: self.happening,
        )
        self.broadcasts.herald = self

    async def writing(self, work: Any, **rest: Any) -> None:
        """As the database does it."""
        work(None, **rest)

    def announce(self, connection: Any, team: str, kind: str, subject: Any, now_ms: int) -> None:
        assert (team, kind) == ("team", "broadcast_update")
        self.announced.append((now_ms, [each["platform"] for each in subject]))

    def need(self, meeting: Any, what: str) -> None:
        self.needed.add(what)

    def release(self, meeting_id: str, what: str) -> None:
        self.needed.remove(what)

    async def start(self, platform: str = "generic") -> None:
        await self.broadcasts.start(self.seat, platform, URL, None)


async def test_who_is_slower_finds_the_platform_taken() -> None:
    world = World()
    world.names.free.clear()
    first = asyncio.ensure_future(world.start())
    await asyncio.sleep(0)
    with pytest.raises(NotNow):
        await world.start()
    world.names.free.set()
    await first
    assert [target.addresses for target in world.media.live.values()] == [("192.0.2.1",)]


async def test_a_meeting_that_ends_meanwhile_is_gone() -> None:
    world = World()
    world.names.free.clear()
    starting = asyncio.ensure_future(world.start())
    await asyncio.sleep(0)
    world.meeting = None
    world.names.free.set()
    with pytest.raises(Gone):
        await starting
    assert (world.media.live, world.needed, world.told) == ({}, set(), [])


async def test_an_address_that_is_refused_leaves_the_platform_free_and_the_secret_untold() -> None:
    world = World()
    world.names.answer = FetchRefused("it leads to a private address")
    with pytest.raises(BadParameter) as refused:
        await world.start()
    assert "secret" not in str(refused.value)
    world.names.answer = ("192.0.2.2",)
    await world.start()


async def test_an_interruption_changes_nothing_and_the_end_everything() -> None:
    world = World()
    await world.start("youtube")
    (broadcast_id,) = world.media.live
    world.broadcasts.heard(world.meeting, BroadcastInterrupted("m", "", broadcast_id, "broken"))
    assert [each["platform"] for each in world.happening.broadcasts] == ["youtube"]
    world.broadcasts.heard(world.meeting, BroadcastEnded("m", "", broadcast_id, "refused"))
    world.broadcasts.heard(world.meeting, BroadcastEnded("m", "", broadcast_id, "refused"))
    assert (world.happening.broadcasts, world.needed, len(world.told)) == ([], set(), 2)
    with pytest.raises(NotFound):
        world.broadcasts.stop(world.seat, "youtube")


async def test_webhooks_are_told_in_order_and_with_their_times() -> None:
    world = World()
    for platform in ("a", "b"):
        await world.start(platform)
        world.clock.advance(1.0)
    world.broadcasts.ending(world.meeting, "ended")
    await world.broadcasts.aclose()
    began = int(world.clock.wall() * 1000)
    assert world.announced == [(began - 2000, ["a"]), (began - 1000, ["a", "b"]), (began, [])]
    assert (world.media.live, world.needed) == ({}, set())
    assert [len(told["broadcasts"]) for told in world.told] == [1, 2, 0]
